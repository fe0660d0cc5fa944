/** Words of hastmon.conf as a file can have them: quoted where they would not be read as words. */
import { isReserved } from './grammar.js';

/** What a dump shows in place of a secret. */
export const SECRET_SHOWN = '***';

/** A word outside of monitoring, quoted where it would not be read as one. */
export function word(text: string): string {
  return written(text, false);
}

/** A word inside of monitoring, where more words are reserved. */
export function monitorWord(text: string): string {
  return written(text, true);
}

function written(text: string, inMonitoring: boolean): string {
  const bare = /^[A-Za-z0-9._/:@+~%[\]*-]+$/.test(text) && !isReserved(text, inMonitoring) && text !== 'none';
  return bare ? text : quoted(text);
}

/** A check's URL, which needs no quotes where its first word says what it is. */
export function urlWord(text: string): string {
  const bare = /^(?!tcp:)[a-z0-9]+:\/[A-Za-z0-9._/:@+~%[\]*?&=,-]*$/.test(text);
  return bare ? text : monitorWord(text);
}

/** A text between quotation marks. */
export function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t')}"`;
}

/** A text in which every character is a byte, quoted. */
export function bytes(text: string): string {
  const escaped = text
    .replace(/[\\"]/g, '\\$&')
    .replace(/\n/g, '\\n')
    .replace(/\t/g, '\\t')
    .replace(/\r/g, '\\r')
    .replace(/[^\x20-\x7e]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `"${escaped}"`;
}

/** What stands in a comment. */
export function printable(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
