/**
 * LVSmon's banner check: what a server says first, by itself. SMTP, IMAP, POP3, FTP and SSH are banners with names, and with the
 * word that each takes leave with.
 */
import { beginsWith, type Expectation, expectPattern, expectText } from './expectation.js';
import type { Flight } from './flight.js';
import { codeOfNature, OK } from './natures.js';
import { type Dialogue, MORE } from './plan.js';

const MISMATCH = codeOfNature('banner-mismatch');
const CLOSED_EARLY = codeOfNature('closed-early');
const TOO_LONG = codeOfNature('too-long');

/** RFC 5321 allows lines of 512 bytes, some greetings have several. */
const BANNER_BYTES_MAX = 8192;

/**
 * A text must be what the banner begins with; a pattern may be anywhere in it, and is looked for when a line is complete.
 * `goodbye`: as in a Dialogue.
 */
export function bannerDialogue(expected: Expectation, goodbye: string | null): Dialogue {
  const first = expected.kind === 'text' ? expected.bytes : null;

  function judge(flight: Flight, bytes: Buffer, length: number): number {
    if (first !== null) {
      const begins = beginsWith(first, bytes, length);
      return begins === 1 ? OK : begins === 0 ? MISMATCH : MORE;
    }
    if (expected.kind !== 'pattern') return MISMATCH;
    if (expected.pattern.test(bytes.toString('utf8', 0, length))) return OK;
    return bytes.subarray(0, length).includes(10) && flight.keptLength === length ? MISMATCH : MORE;
  }

  return {
    opening: () => null,
    receive(flight, bytes, length) {
      // All in one piece is the rule.
      if (flight.kept === null && first !== null && length >= first.length)
        return judge(flight, bytes, length);
      if (!flight.keep(bytes, length, BANNER_BYTES_MAX)) return TOO_LONG;
      return judge(flight, flight.kept as unknown as Buffer, flight.keptLength);
    },
    end: (flight) => (flight.keptLength > 0 ? MISMATCH : CLOSED_EARLY),
    goodbye: goodbye === null ? null : Buffer.from(goodbye),
  };
}

export interface NamedBanner {
  port: number;
  expected: Expectation;
  goodbye: string;
}

/** The protocols that greet (RFC 5321, 9051, 1939, 959, 4253), and what each says last. */
export const NAMED_BANNERS: Readonly<Record<'smtp' | 'imap' | 'pop3' | 'ftp' | 'ssh', NamedBanner>> = {
  smtp: { port: 25, expected: expectText('220'), goodbye: 'QUIT\r\n' },
  // PREAUTH greets who is known already.
  imap: { port: 143, expected: expectPattern('^\\* (OK|PREAUTH)', 'i'), goodbye: 'a LOGOUT\r\n' },
  pop3: { port: 110, expected: expectText('+OK'), goodbye: 'QUIT\r\n' },
  ftp: { port: 21, expected: expectText('220'), goodbye: 'QUIT\r\n' },
  // There is no word for leaving before the keys are exchanged; our own line keeps the server from complaining of an invalid one.
  ssh: { port: 22, expected: expectPattern('^SSH-(2\\.0|1\\.99)-', 'm'), goodbye: 'SSH-2.0-hastmon\r\n' },
};
