/** What is said on a wire, piece by piece: every way of cutting an answer into pieces gives the same verdict. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bannerDialogue, NAMED_BANNERS } from '../../daemon/checks/banner.js';
import { mysqlDialogue, postgresDialogue, redisDialogue } from '../../daemon/checks/exchange.js';
import { expectPattern, expectText } from '../../daemon/checks/expectation.js';
import { EXCERPT_BYTES, Flight } from '../../daemon/checks/flight.js';
import { type HttpSpec, httpDialogue, requestOf } from '../../daemon/checks/http.js';
import { NATURES } from '../../daemon/checks/natures.js';
import { type Dialogue, MORE } from '../../daemon/checks/plan.js';
import { judgePlugin } from '../../daemon/checks/plugin.js';
import { createPrng } from '../sim/prng.js';

interface Heard {
  verdict: string;
  detail: number;
  said: Buffer[];
}

/** Feeds the pieces, then the end; stops at a verdict. */
function hear(dialogue: Dialogue, pieces: readonly Buffer[]): Heard {
  const flight = new Flight(0, Buffer.alloc(EXCERPT_BYTES), Buffer.alloc(16));
  const said: Buffer[] = [];
  const opening = dialogue.opening(flight);
  if (opening !== null) said.push(Buffer.from(opening));
  const say = (_: Flight, bytes: Uint8Array): void => void said.push(Buffer.from(bytes));
  // A wire's buffer is larger than what came, and has old bytes behind it.
  const wire = Buffer.alloc(65_536, 'HTTP/1.1 200 OK\r\n\r\n+OK 220 ');
  let verdict = MORE;
  for (const piece of pieces) {
    piece.copy(wire);
    verdict = dialogue.receive(flight, wire, piece.length, say);
    if (verdict !== MORE) break;
  }
  if (verdict === MORE) verdict = dialogue.end(flight, say);
  return { verdict: NATURES[verdict] ?? '', detail: flight.detail, said };
}

function everyWay(dialogue: Dialogue, answer: string | Buffer, verdict: string, detail = 0): void {
  const bytes = Buffer.from(answer as string, 'latin1');
  const ways = [[bytes], [...bytes].map((byte) => Buffer.from([byte]))];
  const prng = createPrng(bytes.length);
  for (let way = 0; way < 20 && bytes.length > 1; way += 1) {
    const cut = prng.range(1, bytes.length - 1);
    ways.push([bytes.subarray(0, cut), bytes.subarray(cut)]);
  }
  for (const pieces of ways) {
    const heard = hear(dialogue, pieces);
    assert.deepEqual(
      [heard.verdict, heard.detail],
      [verdict, detail],
      `${JSON.stringify(answer)} in ${pieces.map((piece) => piece.length)}`,
    );
  }
}

const PLAIN: HttpSpec = {
  ...{ method: 'GET', target: '/', host: 'www.example.com', version: '1.1', headers: [] },
  ...{ statuses: [[200, 399]], body: null, bodyMax: 1000 },
};
const http = (change: Partial<HttpSpec> = {}): Dialogue => httpDialogue({ ...PLAIN, ...change });
const text = (body: string, head = ''): string => `HTTP/1.1 200 OK\r\n${head}\r\n${body}`;

describe('HTTP', () => {
  test('asks as RFC 9112 has it, and given fields replace its own', () => {
    assert.equal(
      requestOf(PLAIN).toString(),
      'GET / HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\nUser-Agent: hastmon\r\nAccept: */*\r\n\r\n',
    );
    const given = requestOf({
      ...PLAIN,
      version: '1.0',
      headers: [
        ['host', 'other'],
        ['X-A', '1'],
      ],
    }).toString();
    assert.match(
      given,
      /^GET \/ HTTP\/1\.0\r\nUser-Agent: hastmon\r\nAccept: \*\/\*\r\nhost: other\r\nX-A: 1\r\n\r\n$/,
    );
  });

  test('the status decides, when the header section is there', () => {
    everyWay(http(), text(''), 'ok', 200);
    everyWay(http(), 'HTTP/1.0 301 Moved\nLocation: /x\n\n', 'ok', 301);
    everyWay(http(), 'HTTP/1.1 503 Service Unavailable\r\n\r\n', 'http-status', 503);
    everyWay(
      http({
        statuses: [
          [200, 200],
          [404, 404],
        ],
      }),
      'HTTP/1.1 404 \r\n\r\n',
      'ok',
      404,
    );
    everyWay(http(), 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n', 'ok', 204);
    everyWay(http(), 'HTTP/1.1 200 OK\r\nServer: x\r\n', 'closed-early');
    everyWay(http(), '', 'closed-early');
  });

  test('what is no HTTP is told at once', () => {
    for (const answer of [
      'SSH-2.0-OpenSSH\r\n',
      'HTTP/1.1 2000 X\r\n\r\n',
      'HTTP/x',
      'HTTP/1 200 OK\r\n\r\n',
      '<html>',
    ])
      everyWay(http(), answer, 'http-malformed');
    assert.equal(
      hear(http({ body: expectText('x') }), [Buffer.from('HTTP/1.1 200 OK\r\nno colon\r\n\r\n')]).verdict,
      'http-malformed',
    );
  });

  test('a header section without end, and a body without end, are cut off', () => {
    const endless = [
      Buffer.from('HTTP/1.1 200 OK\r\n'),
      ...new Array<Buffer>(100).fill(Buffer.alloc(1000, 'X-A: b\r\n')),
    ];
    assert.equal(hear(http(), endless).verdict, 'too-long');
    const body = [Buffer.from(text('')), ...new Array<Buffer>(10).fill(Buffer.alloc(1000, 'z'))];
    assert.equal(hear(http({ body: expectText('ok') }), body).verdict, 'body-mismatch');
  });

  test('a body by length, in chunks, or up to the end', () => {
    const wants = { body: expectText('hello world') };
    everyWay(http(wants), text('hello world', 'Content-Length: 11\r\n'), 'ok', 200);
    everyWay(http(wants), text('say: hello world!'), 'ok', 200);
    everyWay(
      http(wants),
      text('6\r\nhello \r\n5;x=y\r\nworld\r\n0\r\nA: b\r\n\r\n', 'Transfer-Encoding: chunked\r\n'),
      'ok',
      200,
    );
    everyWay(http(wants), text('hello', 'Content-Length: 5\r\n'), 'body-mismatch', 200);
    everyWay(http(wants), text('hello'), 'body-mismatch', 200);
    everyWay(http(wants), text('hello', 'Content-Length: 500\r\n'), 'closed-early', 200);
    everyWay(
      http(wants),
      text('5\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked\r\n'),
      'body-mismatch',
      200,
    );
    everyWay(http(wants), text('5\r\nhello\r\n', 'Transfer-Encoding: chunked\r\n'), 'closed-early', 200);
    everyWay(http(wants), text('xyz\r\n', 'Transfer-Encoding: chunked\r\n'), 'http-malformed', 200);
    everyWay(http(wants), text('', 'Content-Length: 3, 4\r\n'), 'http-malformed');
    everyWay(
      http({ body: expectPattern('^hel+o', 'm') }),
      text('a\nhello', 'Content-Length: 7\r\n'),
      'ok',
      200,
    );
    everyWay(http({ ...wants, method: 'HEAD' }), text('', 'Content-Length: 11\r\n'), 'body-mismatch', 200);
  });
});

describe('banners', () => {
  test('a text is how it begins; a pattern is looked for in lines', () => {
    const ssh = bannerDialogue(expectText('SSH-2.0'), null);
    everyWay(ssh, 'SSH-2.0-OpenSSH_9.2\r\n', 'ok');
    everyWay(ssh, 'SSH-1.5-old\r\n', 'banner-mismatch');
    everyWay(ssh, 'SSH', 'banner-mismatch');
    everyWay(ssh, '', 'closed-early');
    const imap = bannerDialogue(NAMED_BANNERS.imap.expected, NAMED_BANNERS.imap.goodbye);
    everyWay(imap, '* OK Dovecot ready.\r\n', 'ok');
    everyWay(imap, '* BYE too many\r\n', 'banner-mismatch');
  });
});

describe('exchanges', () => {
  test('Redis answers, wants a password, or is still loading', () => {
    everyWay(redisDialogue(''), '+PONG\r\n', 'ok');
    everyWay(redisDialogue(''), '-NOAUTH Authentication required.\r\n', 'ok');
    everyWay(redisDialogue(''), '-LOADING Redis is loading the dataset in memory\r\n', 'answer-mismatch');
    everyWay(redisDialogue('secret'), '+OK\r\n', 'closed-early');
    assert.equal(
      hear(
        redisDialogue('secret'),
        ['+OK\r\n', '+PONG\r\n'].map((line) => Buffer.from(line)),
      ).verdict,
      'ok',
    );
    everyWay(redisDialogue('secret'), '-WRONGPASS x\r\n', 'answer-mismatch');
  });

  test('PostgreSQL asks for a password, refuses a user, or is starting up', () => {
    const error = (state: string): Buffer => {
      const body = Buffer.from(`SFATAL\0VFATAL\0C${state}\0Mwhat it says\0\0`);
      const head = Buffer.from([0x45, 0, 0, 0, 0]);
      head.writeInt32BE(4 + body.length, 1);
      return Buffer.concat([head, body]);
    };
    const ask = postgresDialogue('hastmon', 'postgres');
    everyWay(ask, Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]), 'ok');
    everyWay(ask, error('28000'), 'ok');
    everyWay(ask, error('3D000'), 'ok');
    everyWay(ask, error('57P03'), 'answer-mismatch');
    everyWay(ask, error('53300'), 'answer-mismatch');
  });

  test('MySQL greets, refuses the login, and is not locked out', () => {
    const packet = (sequence: number, payload: Buffer): Buffer => {
      const head = Buffer.from([0, 0, 0, sequence]);
      head.writeUIntLE(payload.length, 0, 3);
      return Buffer.concat([head, payload]);
    };
    const greeting = packet(0, Buffer.concat([Buffer.from([10]), Buffer.from('8.0.36\0rest of it')]));
    const denied = packet(
      2,
      Buffer.concat([Buffer.from([0xff, 0x15, 0x04]), Buffer.from('#28000Access denied')]),
    );
    const ask = mysqlDialogue('hastmon');
    const heard = hear(ask, [greeting, denied]);
    assert.equal(heard.verdict, 'ok');
    assert.equal(heard.said[0]?.includes('hastmon'), true, 'a whole handshake');
    const other = packet(2, Buffer.concat([Buffer.from([0xfe]), Buffer.from('caching_sha2_password\0')]));
    const last = packet(4, Buffer.from([0xff, 0x15, 0x04]));
    assert.equal(hear(ask, [greeting, other, last]).verdict, 'ok');
    everyWay(ask, packet(0, Buffer.from([0xff, 0x10, 0x04, 0x54])), 'answer-mismatch');
    everyWay(ask, 'HTTP/1.1 400 Bad Request\r\n', 'answer-mismatch');
  });
});

describe('plugins', () => {
  const exit = (code: number): { code: number; signal: number } => ({ code, signal: 0 });
  test("dmonitor's word decides; else the exit status of the monitoring plugins", () => {
    const nature = (output: string, code: number): string => judgePlugin(output, exit(code), false).nature;
    assert.equal(nature('OK\n', 0), 'ok');
    assert.equal(nature('OK\n', 1), 'ok');
    assert.equal(nature('FAIL\n', 0), 'plugin-fail');
    assert.equal(nature('DISK OK - free space | /=5%;80;90\nlong text\n', 0), 'ok');
    assert.equal(nature('DISK WARNING\n', 1), 'ok');
    assert.equal(judgePlugin('DISK WARNING', exit(1), true).nature, 'plugin-fail');
    assert.equal(nature('', 1), 'plugin-fail', 'a warning has words');
    assert.equal(nature('\n', 1), 'plugin-fail');
    assert.equal(nature('DISK CRITICAL', 2), 'plugin-fail');
    assert.equal(nature('', 3), 'plugin-fail');
    assert.equal(nature('', 127), 'plugin-missing');
    assert.equal(judgePlugin('', { code: null, signal: 9 }, false).nature, 'plugin-signal');
  });

  test('the first line is for people, what is behind the bar is data', () => {
    const { text: line, performance } = judgePlugin(
      "LOAD OK - 0.1 | 'load 1'=0.1;5;10;0\nmore | b=2\n",
      exit(0),
      false,
    );
    assert.equal(line, 'LOAD OK - 0.1');
    assert.equal(performance, "'load 1'=0.1;5;10;0");
  });
});

test('arbitrary bytes in arbitrary pieces: no throw, and always a verdict in the end', () => {
  const dialogues = [
    http(),
    http({ body: expectText('x'), bodyMax: 100 }),
    bannerDialogue(expectText('220'), null),
    bannerDialogue(expectPattern('^\\* OK'), null),
    redisDialogue(''),
    postgresDialogue('a', 'b'),
    mysqlDialogue('a'),
  ];
  const seeds = [
    'HTTP/1.1 200 OK\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Content-Length: 5\r\n',
    '\r\n',
    '5\r\nhello\r\n',
    '220 x\r\n',
    '+PONG\r\n',
    '\x05\0\0\0\n',
    'E\0\0\0\x07',
  ];
  for (let seed = 1; seed <= 1500; seed += 1) {
    const prng = createPrng(seed);
    const pieces = Array.from({ length: prng.range(1, 12) }, () => {
      if (prng.chance(600)) return Buffer.from(prng.pick(seeds), 'latin1');
      return Buffer.from(Array.from({ length: prng.range(1, 60) }, () => prng.below(256)));
    });
    for (const dialogue of dialogues) {
      const { verdict } = hear(dialogue, pieces);
      assert.notEqual(verdict, '', `seed ${seed}`);
      assert.notEqual(verdict, 'none', `seed ${seed}`);
    }
  }
});
