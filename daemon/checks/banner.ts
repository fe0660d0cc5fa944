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
const TIMEOUT_RECEIVE = codeOfNature('timeout-receive');

/** RFC 5321 allows lines of 512 bytes, some greetings have several. */
const BANNER_BYTES_MAX = 8192;

/**
 * A text must be what the banner begins with; a pattern has to be in its first line. `goodbye`: as in a Dialogue. `mark`: how the line
 * begins that counts, where others may come before it; '' where there are none.
 */
export function bannerDialogue(expected: Expectation, goodbye: string | null, mark = ''): Dialogue {
  const first = expected.kind === 'text' ? expected.bytes : null;

  function judge(bytes: Buffer, length: number): number {
    if (first !== null) {
      const begins = beginsWith(first, bytes, length);
      return begins === 1 ? OK : begins === 0 ? MISMATCH : MORE;
    }
    for (let at = 0; at < length; ) {
      const end = bytes.subarray(0, length).indexOf(10, at);
      const line = bytes.toString('utf8', at, end < 0 ? length : end + 1);
      if (line.startsWith(mark)) {
        if (expected.kind === 'pattern' && expected.pattern.test(line)) return OK;
        return end < 0 ? MORE : MISMATCH;
      }
      if (end < 0) return MORE;
      at = end + 1;
    }
    return MORE;
  }

  return {
    opening: () => null,
    receive(flight, bytes, length) {
      // All in one piece is the rule.
      if (flight.kept === null && first !== null && length >= first.length) return judge(bytes, length);
      const room = Math.min(length, BANNER_BYTES_MAX - flight.keptLength);
      flight.keep(bytes, room, BANNER_BYTES_MAX);
      const verdict = judge(flight.kept as unknown as Buffer, flight.keptLength);
      return verdict === MORE && room < length ? TOO_LONG : verdict;
    },
    end: (flight) => (flight.keptLength > 0 ? MISMATCH : CLOSED_EARLY),
    // Something was said, and what counts was not in it.
    ...(mark === ''
      ? {}
      : { late: (flight: Flight) => (flight.keptLength > 0 ? MISMATCH : TIMEOUT_RECEIVE) }),
    goodbye: goodbye === null ? null : Buffer.from(goodbye),
  };
}

export interface NamedBanner {
  port: number;
  expected: Expectation;
  goodbye: string;
  /** How the line begins that counts, where others may come before it; '' where none may. */
  mark: string;
}

/** The protocols that greet (RFC 5321, 9051, 1939, 959, 4253), and what each says last. */
export const NAMED_BANNERS: Readonly<Record<'smtp' | 'imap' | 'pop3' | 'ftp' | 'ssh', NamedBanner>> = {
  smtp: { port: 25, expected: expectText('220'), goodbye: 'QUIT\r\n', mark: '' },
  // PREAUTH greets who is known already.
  imap: { port: 143, expected: expectPattern('^\\* (OK|PREAUTH)', 'i'), goodbye: 'a LOGOUT\r\n', mark: '' },
  pop3: { port: 110, expected: expectText('+OK'), goodbye: 'QUIT\r\n', mark: '' },
  ftp: { port: 21, expected: expectText('220'), goodbye: 'QUIT\r\n', mark: '' },
  // There is no word for leaving before the keys are exchanged; our own line keeps the server from complaining of an invalid one.
  // RFC 4253 section 4.2: the server may say other lines before its own.
  ssh: {
    port: 22,
    expected: expectPattern('^SSH-(2\\.0|1\\.99)-'),
    goodbye: 'SSH-2.0-hastmon\r\n',
    mark: 'SSH-',
  },
};
