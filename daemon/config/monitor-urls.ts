/**
 * The URLs of checks with their places: reading one for every host, with messages that point into the word, and
 * without passwords. What a URL must say is checks/url.ts and monitor-kinds.ts.
 */
import { type CheckUrl, parseCheckUrl, UrlError } from '../checks/url.js';
import type { Place, Reporter } from './diagnostic.js';
import { urlProblems } from './monitor-kinds.js';
import type { Word } from './tree.js';

/** Stands for a host of `hosts`. */
export const HOST_MARK = '%h';

export interface ReadUrl {
  url: CheckUrl;
  /** The text with the host in it and the password hidden. */
  shown: string;
}

/** Reads a URL, for a host where it is one for many (''), and reports what is wrong; undefined after an error. */
export function readUrl(word: Word, host: string, reporter: Reporter): ReadUrl | undefined {
  const text = host === '' ? word.text : withHost(word.text, host);
  // Where in the text counts from where the host was put in.
  const mark = host === '' ? -1 : word.text.indexOf(HOST_MARK);
  const grown = text.length - word.text.length;
  const original = (at: number) => (mark < 0 || at <= mark ? at : Math.max(mark, at - grown));
  return readUrlAs(text, word, original, reporter);
}

/** Reads a URL that is not quite what the word says; `original`: where in the word something of the text stands. */
export function readUrlAs(
  text: string,
  word: Word,
  original: (at: number) => number,
  reporter: Reporter,
): ReadUrl | undefined {
  try {
    const url = parseCheckUrl(text);
    let failed = false;
    for (const { severity, message, help, at } of urlProblems(url, text)) {
      reporter[severity](within(word, original(at)), message, help);
      failed ||= severity === 'error';
    }
    return failed ? undefined : { url, shown: hidePassword(text, url) };
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    // A message may show a part of the URL, but no password.
    const user = /\/\/([^/?#]*@)/.exec(text)?.[1] ?? '';
    const [message, help] = [error.message, error.help].map((shown) => shown.replaceAll(user, ''));
    reporter.error(within(word, original(error.at)), message ?? '', help);
    return undefined;
  }
}

/** A host in the place of every %h: in brackets where it is the address of an IPv6 host, encoded for a plugin. */
function withHost(text: string, host: string): string {
  if (/^exec:/i.test(text)) return text.replaceAll(HOST_MARK, encodeURIComponent(host));
  const start = text.indexOf('//') + 2;
  const path = text.slice(start).search(/[/?#]/);
  const end = path < 0 ? text.length : start + path;
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return text.slice(0, end).replaceAll(HOST_MARK, bracketed) + text.slice(end).replaceAll(HOST_MARK, host);
}

/** Where in a word something stands; a quoted word begins after its quotation mark. */
function within(word: Word, at: number): Place {
  const { file, line, column, length, quoted } = word;
  const offset = Math.min(at + (quoted ? 1 : 0), Math.max(0, length - 1));
  return { file, line, column: column + offset, length: Math.max(1, length - offset - (quoted ? 1 : 0)) };
}

/** A URL without its password. */
export function hidePassword(text: string, { password }: CheckUrl): string {
  if (password === '') return text;
  const start = text.indexOf('//') + 2;
  const path = text.slice(start).search(/[/?#]/);
  const authority = path < 0 ? text.slice(start) : text.slice(start, start + path);
  const user = authority.slice(0, authority.indexOf(':'));
  const host = authority.slice(authority.lastIndexOf('@'));
  return `${text.slice(0, start)}${user}:***${host}${path < 0 ? '' : text.slice(start + path)}`;
}
