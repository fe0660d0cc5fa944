/** Words for people who are woken by them: natures, instants, and what a server said, made harmless. */
import type { Nature } from '../checks/natures.js';

const SAYINGS: Readonly<Record<Nature, string>> = {
  none: 'no result',
  ok: 'it answers',
  refused: 'the connection was refused: nothing listens there',
  unreachable: 'no way to the host',
  'timeout-connect': 'no connection in time: the host or a firewall is silent',
  'timeout-receive': 'connected, but no answer in time',
  timeout: 'not done in time',
  reset: 'the connection was reset',
  'closed-early': 'the connection was closed before the answer was complete',
  dns: 'the name does not resolve',
  'http-status': 'a status that is not expected',
  'http-malformed': 'an answer that is no HTTP',
  'body-mismatch': 'the text that has to be in the answer is not there',
  'banner-mismatch': 'a greeting that is not expected',
  'answer-mismatch': 'an answer that is not expected',
  'too-long': 'an answer that is too long',
  'tls-handshake': 'no encryption could be agreed on',
  'tls-expired': 'the certificate has expired, or is not valid yet',
  'tls-expires-soon': 'the certificate expires soon',
  'tls-untrusted': 'the certificate is signed by nobody who is trusted',
  'tls-name': 'the certificate is for another name',
  'plugin-fail': 'the plugin says that it fails',
  'plugin-timeout': 'the plugin did not end in time',
  'plugin-signal': 'the plugin was ended by a signal',
  'plugin-missing': 'the plugin cannot be run',
  local: 'this machine itself could not check',
  'redirect-limit': 'redirected too often',
  'redirect-broken': 'redirected to nowhere',
  'redirect-scheme': 'redirected to something else than HTTP',
};

/** `http-status 503` in words: `a status that is not expected (http-status 503)`; a word of a later version as it is. */
export function sayNature(nature: string): string {
  const word = nature.split(' ', 1)[0] ?? '';
  const saying = Object.hasOwn(SAYINGS, word) ? SAYINGS[word as Nature] : '';
  return saying === '' ? printable(nature) : `${saying} (${printable(nature)})`;
}

/** `Tue 2026-11-24 03:04:05 CET`; `zone` as in TZ, undefined for this machine's. */
export function clockTime(wall: number, zone: string | undefined): string {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ weekday: 'short', year: 'numeric', month: '2-digit', day: '2-digit', hourCycle: 'h23' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' },
    ...(zone === undefined ? {} : { timeZone: zone }),
  });
  const part = new Map(format.formatToParts(wall).map(({ type, value }) => [type, value]));
  const get = (type: Intl.DateTimeFormatPartTypes): string => part.get(type) ?? '';
  const day = `${get('weekday')} ${get('year')}-${get('month')}-${get('day')}`;
  return `${day} ${get('hour')}:${get('minute')}:${get('second')} ${get('timeZoneName')}`;
}

/** On one line, without anything that moves a cursor or ends a header. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}

const EXCERPT_LINES = 8;
const EXCERPT_COLUMNS = 72;

/** The first lines of what a server said (every character a byte), as UTF-8 where it is. */
export function excerptLines(excerpt: string): string[] {
  const text = Buffer.from(excerpt, 'latin1').toString('utf8').replaceAll('\uFFFD', '.');
  const lines = text.split(/\r\n|\r|\n/).map((line) => shorten(printable(line), EXCERPT_COLUMNS));
  while (lines.length > 0 && lines.at(-1) === '') lines.pop();
  return lines.length <= EXCERPT_LINES ? lines : [...lines.slice(0, EXCERPT_LINES), '…'];
}

export function shorten(text: string, columns: number): string {
  const letters = [...text];
  return letters.length <= columns ? text : `${letters.slice(0, columns - 1).join('')}…`;
}
