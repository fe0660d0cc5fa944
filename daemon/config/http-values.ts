/** The values of statements about HTTP: addresses to listen on, and tokens. */
import { isIP } from 'node:net';
import { quote, type Reporter } from './diagnostic.js';
import type { Word } from './tree.js';

/** What a header field can carry as one word. */
const TOKEN = /^[\x21-\x7e]{1,1023}$/;
/**
 * Wrong tokens are answered as fast as they come: who slows them down by address slows all down who come through one proxy, and may be
 * made to lock the right one out. So a token has to be out of reach: sixteen characters as people choose them have some 40 bits at the least,
 * which are years of guesses at ten thousand a second.
 */
const TOKEN_CHARACTERS_MIN = 16;
/** Fewer different ones than this, such as a word that is repeated, do not come by chance in a token of that length. */
const DIFFERENT_ENOUGH = 6;
/** What a dump shows in place of a secret, of any length: whoever knows hastmon could guess it. */
const SHOWN_INSTEAD = /^\*+$/;
/** What to do about it. */
export const TOKEN_HELP = 'head -c 24 /dev/urandom | base64 makes a good one';

/** `127.0.0.1:8480`, `[::1]:8480`, or `none`. */
export function httpListen(
  word: Word,
  reporter: Reporter,
): { address: string; port: number } | null | undefined {
  if (word.text === 'none' && !word.quoted) return null;
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,5})$/.exec(word.text) ?? [];
  const family = isIP(bracketed ?? plain ?? '');
  const fits = bracketed === undefined ? family === 4 : family === 6;
  if (fits && Number(port) >= 1 && Number(port) <= 65_535)
    return { address: (bracketed ?? plain ?? '').toLowerCase(), port: Number(port) };
  const help = 'expected 127.0.0.1:8480, [::1]:8480 or none, with a port from 1 to 65535';
  reporter.error(word, `${quote(word.text)} is not a numeric address with a port`, help);
  return undefined;
}

/** A token. No message shows it. */
export function httpToken(word: Word, reporter: Reporter): string | undefined {
  const { problem, weak } = judgeToken(word.text);
  if (problem !== '') reporter.error(word, `the token ${problem}`, TOKEN_HELP);
  else if (weak !== '') reporter.warning(word, `the token ${weak}`, TOKEN_HELP);
  return problem === '' ? word.text : undefined;
}

/** What is wrong with a token, and what is not good about it; '' for nothing. */
export function judgeToken(text: string): { problem: string; weak: string } {
  const different = new Set(text).size;
  const characters = different === 1 ? 'character' : 'characters';
  const weak = different < DIFFERENT_ENOUGH ? `has only ${different} different ${characters}` : '';
  return { problem: problemOf(text), weak };
}

function problemOf(text: string): string {
  if (text === '') return 'is empty';
  if (!TOKEN.test(text)) return 'is not one word of at most 1023 visible ASCII characters';
  if (SHOWN_INSTEAD.test(text)) return 'is what dump shows in place of a token';
  if (text.length < TOKEN_CHARACTERS_MIN)
    return `is shorter than ${TOKEN_CHARACTERS_MIN} characters, and can be guessed by trying`;
  return '';
}
