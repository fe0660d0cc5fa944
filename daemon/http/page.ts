/** The page: one file beside the program, read once when the process starts. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

export interface Page {
  html: Buffer;
  /** What the page may do: nothing but what it is made of, and ask this server. */
  policy: string;
}

/** The page that belongs to a program; null where there is none. */
export function loadPage(script: string): Page | null {
  let html: Buffer;
  try {
    html = readFileSync(path.join(path.dirname(script), 'page.html'));
  } catch {
    return null;
  }
  return { html, policy: policyOf(html.toString('utf8')) };
}

/** Nothing from elsewhere, and of scripts and styles those alone that are in the page. */
export function policyOf(html: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashesOf(html, 'script')}`,
    `style-src ${hashesOf(html, 'style')}`,
    'img-src data:',
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function hashesOf(html: string, element: 'script' | 'style'): string {
  const found = html.matchAll(new RegExp(`<${element}(?:\\s[^>]*)?>([\\s\\S]*?)</${element}>`, 'gi'));
  const hashes = [...found].map(([, text = '']) => createHash('sha256').update(text).digest('base64'));
  return hashes.length === 0 ? "'none'" : hashes.map((hash) => `'sha256-${hash}'`).join(' ');
}
