/** The values of statements about HTTP: addresses to listen on, and tokens. */
import { isIP } from 'node:net';
import { quote, type Reporter } from './diagnostic.js';
import type { Word } from './tree.js';

/** What a header field can carry as one word. */
const TOKEN = /^[\x21-\x7e]{1,1023}$/;
/** Below this a token can be guessed by trying. */
const TOKEN_CHARACTERS_ENOUGH = 16;

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
  const help = 'head -c 24 /dev/urandom | base64 makes a good one';
  if (problem !== '') reporter.error(word, `the token ${problem}`, help);
  else if (weak !== '') reporter.warning(word, `the token ${weak}`, help);
  return problem === '' ? word.text : undefined;
}

/** What is wrong with a token, and what is not good about it; '' for nothing. */
export function judgeToken(text: string): { problem: string; weak: string } {
  const problem =
    text === ''
      ? 'is empty'
      : TOKEN.test(text)
        ? ''
        : 'is not one word of at most 1023 visible ASCII characters';
  const weak =
    text.length < TOKEN_CHARACTERS_ENOUGH ? `is shorter than ${TOKEN_CHARACTERS_ENOUGH} characters` : '';
  return { problem, weak };
}
