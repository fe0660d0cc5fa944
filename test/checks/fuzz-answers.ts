/** What is fuzzed, and answers like those of real servers: their words, broken here and there, in any order. */
import { bannerDialogue, NAMED_BANNERS } from '../../daemon/checks/banner.js';
import {
  exchangeDialogue,
  mysqlDialogue,
  postgresDialogue,
  redisDialogue,
} from '../../daemon/checks/exchange.js';
import { expectPattern, expectText } from '../../daemon/checks/expectation.js';
import { type HttpSpec, httpDialogue } from '../../daemon/checks/http.js';
import type { Dialogue } from '../../daemon/checks/plan.js';
import { followingDialogue } from '../../daemon/checks/redirect.js';
import type { Prng } from '../sim/prng.js';

/** Of a body. */
export const BODY_BYTES_MAX = 3000;

const HTTP: HttpSpec = {
  ...{ method: 'GET', target: '/', host: 'www.example.com', version: '1.1', headers: [] },
  ...{ statuses: [[200, 299]], body: null, bodyMax: BODY_BYTES_MAX },
};
const LEADS = { url: 'http://www.example.com/a/b', most: 2, tls: { serverName: 'x', verify: true, days: 0 } };

export interface Subject {
  name: string;
  make: () => Dialogue;
  /** What its servers say, more or less. */
  words: readonly string[];
}

const STATUS_LINES = [
  ...[
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.0 404 Not Found\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n',
  ],
  ...[
    'HTTP/1.1 302 Found\n',
    'HTTP/1.1 204 \r\n',
    'HTTP/1.1 301\r\n',
    'HTTP/11111.1 200 OK\r\n',
    'HTTP/1.1 2000\r\n',
  ],
];
const FIELDS = [
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: 5, 5\r\n',
    'Content-Length: 0\r\n',
    ' folded\r\n',
    'X-A: b\r\n',
    'X-A: b\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'no colon\r\n',
    `X-A: ${'b'.repeat(33_000)}\r\n`,
  ],
];
const LEADS_TO = [
  ...[
    'Location: /x\r\n',
    'Location: http://[::1/\r\n',
    'Location: ftp://h/\r\n',
    'Location: //h:0/\u00e9\r\n',
  ],
  ...['Location: ../c?d#e\r\n', 'Location: https://u:p@other.example.com:8443/\r\n', 'Location: \r\n'],
];
const CHUNKED = [
  '5\r\nhello\r\n',
  '0\r\n\r\n',
  'ffffff\r\n',
  '5;x=y\r\nhello\r\n',
  '3\r\nhel\r\n2\r\nlo\r\n',
  '0\r\nA: b\r\n\r\n',
  'x\r\n',
  `fa0\r\n${'z'.repeat(4000)}\r\n`,
];
export const WEB = [...STATUS_LINES, ...FIELDS, ...LEADS_TO, ...CHUNKED, 'hello', 'hel', 'z', '\r\n', '\n'];
export const GREETINGS = [
  '220 x\r\n',
  '220-x\r\n',
  '* OK x\r\n',
  '* PREAUTH',
  '+OK\r\n',
  'SSH-2.0-x\r\n',
  'SSH-1.5-x\n',
  'hello\r\n',
];
const REDIS = ['+OK\r\n', '+PONG\r\n', '-NOAUTH x\r\n', '-LOADING x\r\n', '-ERR x\r\n', '$5\r\nhello\r\n'];
const POSTGRES = [
  ...[
    'R\0\0\0\x08\0\0\0\0',
    'R\0\0\0\x08\0\0\0\x03',
    'R\0\0\0\x04',
    'E\0\0\0\x0dC28000\0\0\0',
    'E\0\0\0\x0dC57P03\0\0\0',
  ],
  ...['N\0\0\0\x05\0', 'E\0\0\0\x04', 'v\0\0\0\x0c\0\0\0\0\0\0\0\0'],
];
const MYSQL = [
  ...[
    '\x05\0\0\0\x0a5.5\0',
    '\x03\0\0\x02\xff\x15\x04',
    '\x01\0\0\x02\0',
    '\x02\0\0\x02\xfe\0',
    '\x01\0\0\x02\xff',
  ],
  ...['\x03\0\0\0\xff\x10\x04', '\x03\0\0\x04\xff\x10\x04'],
];

/** All but those that say something of the user's own in between: there it counts what came before. */
export const SUBJECTS: readonly Subject[] = [
  { name: 'http', make: () => httpDialogue(HTTP), words: WEB },
  { name: 'http with a body', make: () => httpDialogue({ ...HTTP, body: expectText('hello') }), words: WEB },
  {
    name: 'http with a pattern',
    make: () => httpDialogue({ ...HTTP, body: expectPattern('hel+o', 'm') }),
    words: WEB,
  },
  { name: 'http, HEAD', make: () => httpDialogue({ ...HTTP, method: 'HEAD' }), words: WEB },
  { name: 'http that follows', make: () => followingDialogue(HTTP, LEADS), words: WEB },
  { name: 'banner', make: () => bannerDialogue(expectText('220 x'), ''), words: GREETINGS },
  {
    name: 'banner with a pattern',
    make: () => bannerDialogue(expectPattern('^(220|hel)', 'm'), ''),
    words: GREETINGS,
  },
  ...(['smtp', 'imap', 'pop3', 'ftp', 'ssh'] as const).map((name) => {
    const { expected, goodbye, mark } = NAMED_BANNERS[name];
    return { name, make: () => bannerDialogue(expected, goodbye, mark), words: GREETINGS };
  }),
  { name: 'redis', make: () => redisDialogue(''), words: REDIS },
  { name: 'redis with a password', make: () => redisDialogue('secret'), words: REDIS },
  { name: 'postgres', make: () => postgresDialogue('a', 'b'), words: POSTGRES },
  { name: 'mysql', make: () => mysqlDialogue('a'), words: MYSQL },
  {
    name: 'expectations in a row',
    make: () =>
      exchangeDialogue(
        [
          { send: Buffer.from('x'), expect: expectText('220') },
          { send: null, expect: expectPattern('[xy]', '', 'latin1') },
          { send: null, expect: expectText('hello') },
        ],
        null,
      ),
    words: GREETINGS,
  },
];

export const OF_THE_WEB = SUBJECTS.filter(({ words }) => words === WEB);

/** A web server's answer, most of it as it should be. */
export function webAnswer(prng: Prng): Buffer {
  const some = (most: number, of: readonly string[]): string[] =>
    Array.from({ length: prng.below(most) }, () => prng.pick(of));
  const usual = prng.chance(400);
  const parts = [
    usual ? 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n' : prng.pick(STATUS_LINES),
    ...some(usual ? 2 : 4, prng.chance(500) ? LEADS_TO : FIELDS),
    prng.chance(900) ? '\r\n' : '',
    ...some(5, prng.chance(600) ? CHUNKED : WEB),
  ];
  const answer = Buffer.concat(parts.map((part) => mutated(prng, Buffer.from(part, 'latin1'))));
  return prng.chance(300) ? Buffer.concat([answer, answerOf(prng, WEB)]) : answer;
}

/** Bytes like a server's: its words, broken here and there, with rubbish between; now and then very much of it. */
export function answerOf(prng: Prng, words: readonly string[]): Buffer {
  const parts = Array.from({ length: prng.range(0, 10) }, () => {
    if (prng.chance(700)) return mutated(prng, Buffer.from(prng.pick(words), 'latin1'));
    if (prng.chance(100))
      return Buffer.alloc(prng.range(1, 40_000), prng.pick([...words, 'a', '\n', '\r\n']), 'latin1');
    return Buffer.from(Array.from({ length: prng.range(1, 60) }, () => prng.below(256)));
  });
  return Buffer.concat(parts);
}

export function mutated(prng: Prng, bytes: Buffer): Buffer {
  if (prng.chance(930) || bytes.length === 0) return bytes;
  bytes[prng.below(bytes.length)] = prng.below(256);
  return prng.chance(500) ? bytes : bytes.subarray(0, prng.range(0, bytes.length));
}
