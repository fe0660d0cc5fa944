/**
 * Fuzzing of what checks read: answers of servers, datagrams, what plugins say, and the checks of a configuration; arbitrary bytes in
 * arbitrary pieces. Nothing throws, everything comes to a verdict in the end, what is kept has its bound, and the verdict does not
 * depend on how the bytes were cut. Then the monitor process as a whole, against servers that answer like that. Every case is a seed.
 *
 *     node dist/test/checks/fuzz.js SECONDS [SEED]
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileCheck } from '../../daemon/checks/compile.js';
import { dnsDialogue, readDnsAnswer } from '../../daemon/checks/dns.js';
import { expectText } from '../../daemon/checks/expectation.js';
import { EXCERPT_BYTES, Flight } from '../../daemon/checks/flight.js';
import { Body } from '../../daemon/checks/http-answer.js';
import { readEcho } from '../../daemon/checks/icmp.js';
import { NATURES } from '../../daemon/checks/natures.js';
import { type Dialogue, HOP, MORE } from '../../daemon/checks/plan.js';
import { judgePlugin, pluginDialogue } from '../../daemon/checks/plugin.js';
import { parseConfig } from '../../daemon/config/load.js';
import { ROOT } from '../config/support.js';
import { createPrng, type Prng } from '../sim/prng.js';
import {
  answerOf,
  BODY_BYTES_MAX,
  GREETINGS,
  mutated,
  OF_THE_WEB,
  SUBJECTS,
  WEB,
  webAnswer,
} from './fuzz-answers.js';
import { fuzzProcess } from './fuzz-process.js';

/** What a dialogue may keep of an answer, whatever comes. */
const KEPT_BYTES_MAX = 65_536;
/** A wire's buffer is no larger: so is no piece. */
const PIECE_BYTES_MAX = 65_536;
/** A hang, and not a machine that is busy with something else. */
const CASE_MS_MAX = 5000;

/** What came of an answer. */
interface Heard {
  verdict: string;
  detail: number;
  text: string;
  hop: string;
  quiet: boolean;
  said: string;
}

/** The wire's buffer has old bytes behind what came. */
const wire = Buffer.alloc(PIECE_BYTES_MAX, 'HTTP/1.1 200 OK\r\n\r\n+OK 220 hello\n');

/** Feeds the pieces, then the end; stops at a verdict. */
function hear(dialogue: Dialogue, pieces: readonly Buffer[]): Heard {
  const flight = new Flight(0, Buffer.alloc(EXCERPT_BYTES), Buffer.alloc(16));
  const said: Buffer[] = [];
  const say = (_: Flight, bytes: Uint8Array): void => void said.push(Buffer.from(bytes));
  const opening = dialogue.opening(flight);
  if (opening !== null) say(flight, opening);
  let verdict = MORE;
  for (const piece of pieces) {
    piece.copy(wire);
    verdict = dialogue.receive(flight, wire, piece.length, say);
    assert.ok(
      flight.keptLength <= KEPT_BYTES_MAX && (flight.kept?.length ?? 0) <= KEPT_BYTES_MAX,
      'too much is kept',
    );
    if (flight.talk instanceof Body)
      assert.ok(flight.talk.kept.length <= BODY_BYTES_MAX, 'too much of a body');
    if (verdict !== MORE) break;
  }
  if (verdict === MORE) verdict = dialogue.end(flight, say);
  assert.ok(verdict === HOP || (verdict > 0 && verdict < NATURES.length), `no verdict: ${verdict}`);
  return {
    verdict: verdict === HOP ? 'hop' : (NATURES[verdict] ?? ''),
    detail: flight.detail,
    text: flight.text,
    hop: flight.hop === null ? '' : `${flight.hop.url} ${flight.hop.host} ${flight.hop.port}`,
    quiet: flight.quiet,
    said: Buffer.concat(said).toString('latin1'),
  };
}

/** Cut anywhere; `most`: pieces of at most so many bytes. */
function cut(prng: Prng, bytes: Buffer, most: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = prng.range(1, most);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** One answer, whole, byte by byte, and in pieces. */
function fuzzAnswer(prng: Prng): string {
  // HTTP has the most to it.
  const { name, make, words } = prng.pick(prng.chance(500) ? OF_THE_WEB : SUBJECTS);
  const answer = words === WEB && prng.chance(800) ? webAnswer(prng) : answerOf(prng, words);
  const whole = hear(make(), cutEvery(answer, PIECE_BYTES_MAX));
  const few = prng.range(2, 2000);
  const ways = [cut(prng, answer, few), cut(prng, answer, 20)].concat(
    answer.length < 2000 ? [cutEvery(answer, 1)] : [],
  );
  for (const pieces of ways) {
    const sizes = pieces.map(({ length }) => length).join(' ');
    const shown = `${name}: ${JSON.stringify(answer.toString('latin1').slice(0, 2000))} in ${sizes.slice(0, 500)}`;
    assert.deepEqual(hear(make(), pieces), whole, shown);
  }
  return whole.verdict;
}

function cutEvery(bytes: Buffer, length: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) =>
    bytes.subarray(index * length, (index + 1) * length),
  );
}

/** Datagrams, echoes, and what plugins say: each comes as a whole. */
function fuzzWhole(prng: Prng): void {
  const header = [
    0,
    0,
    prng.pick([0x81, 0x01]),
    prng.below(256),
    0,
    prng.below(3),
    0,
    prng.below(5),
    0,
    0,
    0,
    0,
  ];
  const names = [
    '\x03www\x07example\x03com\0',
    '\xc0\x0c',
    '\xc0\xff',
    '\0',
    '\x3f',
    '\0\x01\0\x01\0\0\0\x3c\0\x04\x7f\0\0\x01',
  ];
  const message = Buffer.concat([Buffer.from(header), answerOf(prng, names)]);
  const answer = readDnsAnswer(message);
  assert.ok(answer === null || answer.records.length <= message.length);
  for (const type of ['A', 'AAAA', 'MX', 'TXT', 'SRV', 'SOA']) {
    const dialogue = dnsDialogue('www.example.com', type, prng.chance(500) ? null : expectText('10 x'));
    hear(dialogue, [message.subarray(0, PIECE_BYTES_MAX)]);
  }
  const packet = answerOf(prng, ['\0\0\0\0', '\x45\0\0\x54', '\x03\x01', '\x81\0', 'secretly']);
  for (const v6 of [false, true])
    for (const header4 of [false, true]) readEcho(packet, v6, header4, Buffer.from('secretly'));
  const output = answerOf(prng, [
    'OK\n',
    'FAIL',
    'DISK OK - x | /=5%;80;90\n',
    '|',
    '\n',
    '\u00e9',
    "'a b'=1;",
  ]);
  const exit = prng.chance(800) ? { code: prng.below(256), signal: 0 } : { code: null, signal: 9 };
  const { text } = judgePlugin(output.toString(), exit, prng.chance(500));
  assert.ok(!text.includes('\n'));
  const plugin = pluginDialogue(false);
  const flights = [cut(prng, output, 50), cutEvery(output, PIECE_BYTES_MAX)].map((pieces) => {
    const flight = new Flight(0, Buffer.alloc(EXCERPT_BYTES), Buffer.alloc(16));
    for (const piece of pieces) plugin.receive(flight, piece, piece.length, () => {});
    flight.talk = exit;
    return [plugin.end(flight, () => {}), flight.text, flight.detail];
  });
  assert.deepEqual(flights[0], flights[1]);
}

const LINES = readFileSync(path.join(ROOT, 'conf/monitor.conf'), 'utf8').split('\n');
const URLS = [
  ...[
    'tcp://h:1',
    'tls://h:1',
    'udp://h:1',
    'http://u:p@h/a?b',
    'https://[::1]:8443/',
    'banner://h:1/220',
    'banner://h:1//^x$/',
  ],
  ...[
    'smtp://h',
    'ssh://h',
    'redis://:p@h',
    'postgres://u@h',
    'mysql://h',
    'dns://h/n.x?type=MX&expect=1',
    'ping://h',
    'exec:/p?arg=%25h',
  ],
];
const OPTIONS = [
  ...[
    'interval 1s',
    'timeout 2s',
    'rise 2',
    'fall 3',
    'redirects 3',
    'status 200-299 404',
    'body "x"',
    'match "^x[a-z]+$"',
    'match "("',
  ],
  ...[
    'send "\\x00\\xff"',
    'expect "x\\r\\n"',
    'expect_match "^\\x32"',
    'method HEAD',
    'header "A: b"',
    'size 1KB',
    'version 1.0',
  ],
  ...[
    'verify no',
    'days 3',
    'servername x',
    'addresses all',
    'source ::1',
    'warning fail',
    'database d',
    'host x',
    'hosts a b',
  ],
];

/** A check that the configuration accepts can be run: it compiles, and comes to a verdict. */
function fuzzCheck(prng: Prng): boolean {
  const options = Array.from({ length: prng.below(4) }, () => prng.pick(OPTIONS)).join(' ');
  const line = mutated(prng, Buffer.from(`check c ${prng.pick(URLS)} { ${options} }`)).toString();
  const more = prng.chance(200) ? prng.pick(LINES) : '';
  const { config } = parseConfig(`${line}\n${more}`, '/c', () => ({ ok: false, reason: 'none' }), {
    hostname: 'a',
  });
  for (const spec of config?.monitor?.checks ?? []) {
    const { dialogue, timing } = compileCheck(spec, () => '');
    assert.ok(timing.totalMs > 0 && timing.intervalMs > 0 && timing.retryMs > 0, line);
    if (dialogue === null || spec.url.kind === 'exec' || spec.url.kind === 'ping') continue;
    hear(dialogue, cut(prng, answerOf(prng, [...WEB, ...GREETINGS]), 500));
  }
  return config !== null;
}

export interface Counts {
  cases: number;
  verdicts: Map<string, number>;
  accepted: number;
}

/** Runs the cases of these seeds; throws what does not hold, with the seed. */
export function fuzzCases(first: number, going: (done: number) => boolean): Counts {
  const counts: Counts = { cases: 0, verdicts: new Map(), accepted: 0 };
  for (let seed = first; going(counts.cases); seed += 1) {
    const prng = createPrng(seed);
    const start = performance.now();
    try {
      const verdict = fuzzAnswer(prng);
      counts.verdicts.set(verdict, (counts.verdicts.get(verdict) ?? 0) + 1);
      fuzzWhole(prng);
      counts.accepted += fuzzCheck(prng) ? 1 : 0;
      const ms = performance.now() - start;
      assert.ok(ms < CASE_MS_MAX, `${ms} ms`);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      throw new Error(`seed ${seed}: ${what}`, { cause: error });
    }
    counts.cases += 1;
  }
  return counts;
}

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 10);
  const first = Number(process.argv[3] ?? Date.now() % 2 ** 31);
  if (!Number.isFinite(seconds) || !Number.isInteger(first)) {
    console.error('usage: fuzz.js SECONDS [SEED]');
    process.exit(64);
  }
  console.log(`from seed ${first}`);
  const end = performance.now() + seconds * 500;
  const { cases, verdicts, accepted } = fuzzCases(first, () => performance.now() < end);
  const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(`${cases} cases, ${accepted} checks accepted, ${megabytes} MB resident; verdicts:`);
  console.log([...verdicts].map(([verdict, count]) => `${verdict} ${count}`).join(', '));
  console.log(await fuzzProcess(first, seconds / 2));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
