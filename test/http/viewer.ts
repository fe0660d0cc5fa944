/** A browser that looks at one page: what it complains of, what it asks for, what a screen reader would be told of, and pictures of it. */
import path from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

export const DESKTOP = { width: 1280, height: 900 };
/** The narrowest that is common. */
export const PHONE = { width: 360, height: 740 };

export type Look = Pick<
  BrowserContextOptions,
  'viewport' | 'colorScheme' | 'deviceScaleFactor' | 'reducedMotion'
>;

export interface Viewer {
  page: Page;
  /** What the console and the page complained of so far. */
  complaints: string[];
  /** Addresses that were asked for and are not the node's. */
  strangers: string[];
  /** Violations that axe finds, in words. */
  violations(): Promise<string[]>;
  /** What a reader has to scroll to the side for. */
  tooWide(): Promise<string[]>;
  /** `part`: of the page, by a selector; default: what is in the window. */
  picture(folder: string, name: string, part?: string): Promise<void>;
  close(): Promise<void>;
}

const WIDE = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('*')]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
  .map((element) => element.outerHTML.slice(0, 200))`;

export async function openViewer(browser: Browser, address: string, look: Look): Promise<Viewer> {
  const context = await browser.newContext(look);
  const page = await context.newPage();
  const complaints: string[] = [];
  const strangers: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()))
      complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !url.startsWith('data:')) strangers.push(url);
  });
  await page.goto(address);
  return {
    ...{ page, complaints, strangers },
    async violations() {
      await page.evaluate(axe.source);
      const { violations } = (await page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] })",
      )) as axe.AxeResults;
      return violations.map(
        ({ help, id, nodes }) =>
          `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 200)).join('\n  ')}`,
      );
    },
    tooWide: () => page.evaluate(WIDE),
    async picture(folder, name, part) {
      const file = path.join(folder, `${name}.png`);
      if (part === undefined) await page.screenshot({ path: file });
      else await page.locator(part).screenshot({ path: file });
    },
    close: () => context.close(),
  };
}
