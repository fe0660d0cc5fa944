/** What the tests of the configuration share: where the files are, and reading them as if they were in /etc. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LoadOptions, type LoadResult, parseConfig } from '../../daemon/config/load.js';
import type { ReadInclude } from '../../daemon/config/parser.js';
import type { Config } from '../../daemon/config/types.js';

/** The project's root: from the built file's place in dist/, else the working directory. */
export const ROOT =
  [path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..'), process.cwd()].find((folder) =>
    existsSync(path.join(folder, 'test/config/valid')),
  ) ?? '.';

/** The names of the files in a folder that end so. */
export function filesIn(folder: string, ending: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort();
}

/** The node that a golden file's first line names: `# node: NAME`. */
export function nodeOf(text: string): string {
  return /^\ufeff?# node: (\S+)/.exec(text)?.[1] ?? 'a';
}

/** Parses a file of a folder under the name /etc/NAME, so that no message depends on where the project is. */
export function parseAsEtc(folder: string, name: string, hostname?: string): LoadResult {
  const text = readFileSync(path.join(folder, name), 'utf8');
  const readInclude: ReadInclude = (file) => {
    try {
      return { ok: true, value: readFileSync(path.join(folder, path.relative('/etc', file)), 'utf8') };
    } catch {
      return { ok: false, reason: 'there is no such file' };
    }
  };
  return parseConfig(text, `/etc/${name}`, readInclude, { hostname: hostname ?? nodeOf(text) });
}

/** Parses a text that must be without errors. */
export function configOf(text: string, hostname = 'a'): Config {
  const { config, diagnostics } = parse(text, hostname);
  if (config === null) throw new Error(`no configuration: ${JSON.stringify(diagnostics, null, 2)}`);
  return config;
}

/** Parses a text without includes, on a host of this name or with these options. */
export function parse(text: string, host: string | LoadOptions = 'a'): LoadResult {
  const options = typeof host === 'string' ? { hostname: host } : host;
  return parseConfig(text, '/etc/hastmon.conf', () => ({ ok: false, reason: 'no includes here' }), options);
}

/** A dump as it can be loaded: with a token where it shows none. */
export function withToken(dump: string): string {
  return dump.replace(/^\ttoken \*\*\*$/m, '\ttoken 0123456789abcdef');
}

/** A resource with three nodes around the statements given. */
export function resourceOf(statements: string): string {
  return `resource r {\nexec /etc/r\n${statements}\non a { remote b }\non b { remote a }\non c { remote a b }\n}\n`;
}

/** True where a text has no control characters but newline and tab: it cannot upset a terminal. */
export function isPrintable(text: string): boolean {
  return !/\p{Cc}/u.test(text.replace(/[\n\t]/g, ''));
}
