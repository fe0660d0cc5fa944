/**
 * Fuzzing of the configuration's reader: mutated configurations, token soup and random bytes. Whatever comes, there
 * must be an answer in bounded time: a configuration or an error, messages that can be shown, no secret in them, and
 * a dump that is read back. Every case is a seed.
 *
 *     node dist/test/config/fuzz.js SECONDS [SEED]
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatDiagnostics } from '../../daemon/config/diagnostic.js';
import { dumpConfig } from '../../daemon/config/dump.js';
import { RULES } from '../../daemon/config/grammar.js';
import { parseConfig } from '../../daemon/config/load.js';
import { filesIn, isPrintable, nodeOf, ROOT, withToken } from './support.js';

/** What one case amounted to. */
export interface Outcome {
  text: string;
  valid: boolean;
  messages: number;
  ms: number;
}

/** In every secret of the corpus, and nowhere else; no message may show it. */
const MARK = 'HUSHHUSHHUSHHUSH';
/** A hang, and not a machine that is busy with something else. */
const CASE_MS_MAX = 5000;
const OUTPUT_CHARACTERS_MAX = 200_000;

const WORDS = [
  ...RULES.keys(),
  ...[
    '{',
    '}',
    '{',
    '}',
    ';',
    ',',
    '=',
    '"',
    '#',
    '\n',
    '\n',
    '\r\n',
    '\t',
    '\\',
    '\u0000',
    '\u001b[2J',
    'é',
    '\ufeff',
  ],
  ...[
    'a',
    'b',
    'c',
    'r',
    'none',
    'all',
    '/etc/r',
    '"/etc/r"',
    '"a b"',
    '""',
    'tcp4://a',
    'tcp6://[::]:1',
    '[',
    '::',
  ],
  ...[
    '0',
    '1',
    '3',
    '50ms',
    '1s',
    '0.5s',
    '1h',
    '1%',
    '99999999999999999999',
    '-1',
    '1e9',
    '0600',
    'SHA256',
    'MD5',
  ],
  ...[
    'primary',
    'init',
    'debug',
    'daemon',
    'constructor',
    '__proto__',
    'toString',
    'main.conf',
    'p',
    'x'.repeat(300),
  ],
];

/** The files that mutations start from: every valid golden file and sample, secrets replaced. */
export function corpus(): string[] {
  const folders: readonly [string, string][] = [
    ['test/config/valid', '.conf'],
    ['test/config/invalid', '.conf'],
    ['conf', '.conf'],
    ['conf', '.conf.sample'],
  ];
  return folders.flatMap(([folder, ending]) =>
    filesIn(path.join(ROOT, folder), ending).map((name) =>
      readFileSync(path.join(ROOT, folder, name), 'utf8').replace(
        /(\bsecret\s+)("[^"\n]*"|[^\s}]+)/g,
        `$1${MARK}`,
      ),
    ),
  );
}

/** Runs the case of a seed; throws what does not hold, with the seed. */
export function fuzzCase(seed: number, files: readonly string[]): Outcome {
  const random = createRandom(seed);
  const text = makeText(random, files);
  const included = makeText(random, files);
  const start = performance.now();
  try {
    const options = { hostname: nodeOf(text) };
    const result = parseConfig(text, '/etc/main.conf', () => ({ ok: true, value: included }), options);
    const ms = performance.now() - start;
    assert.ok(ms < CASE_MS_MAX, `${ms} ms for ${text.length} characters`);
    const shown = formatDiagnostics(result.diagnostics);
    assert.ok(shown.length < OUTPUT_CHARACTERS_MAX, `${shown.length} characters of messages`);
    assert.ok(isPrintable(shown), 'control characters in a message');
    const errors = result.diagnostics.filter(({ severity }) => severity === 'error').length;
    assert.equal(result.config === null, errors > 0, 'a configuration, or else an error');
    for (const { line, column, length, source } of result.diagnostics) {
      assert.ok(line >= 0 && column >= 1 && length >= 1);
      const inside = source === undefined || source.endsWith('***') || column <= source.length + 1;
      assert.ok(inside, 'a place outside of its line');
    }
    if (result.config !== null) {
      const dump = dumpConfig(result.config);
      assert.doesNotMatch(dump, new RegExp(MARK), 'a secret in a dump');
      const again = parseConfig(withToken(dump), '/etc/main.conf', () => ({ ok: false, reason: 'none' }), {
        hostname: result.config.node,
      });
      assert.ok(again.config !== null, `a dump that is not read: ${formatDiagnostics(again.diagnostics)}`);
      assert.equal(dumpConfig(again.config), dump);
    }
    return { text, valid: result.config !== null, messages: result.diagnostics.length, ms };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed}: ${what}\n--- text ---\n${JSON.stringify(text)}`, { cause: error });
  }
}

/**
 * A case for secrets alone: one mutation of a file with keys, away from the secrets. Mutations that cut a secret
 * loose from its word would only show that any text is text, so at most one word is broken.
 */
export function fuzzSecret(seed: number): void {
  const random = createRandom(seed);
  const key = `key {\n\talgorithm SHA256\n\tsecret ${MARK}\n}\n`;
  const words = `exec /etc/r\n${key}resource r {\n${key}on a { remote b }\non b { remote a }\n}\n`.split(
    /(\s+)/,
  );
  const places = words.flatMap((word, index) => (word.includes(MARK) || /^\s*$/.test(word) ? [] : [index]));
  const index = pick(random, places) ?? 0;
  const word = words[index] ?? '';
  // With something else in the place of `secret` nothing tells what follows it from any other word.
  words[index] = mutateWord(random, word, word === 'secret' ? 3 : 4);
  const text = words.join('');
  const { diagnostics } = parseConfig(text, '/etc/main.conf', () => ({ ok: false, reason: 'none' }), {
    hostname: 'a',
  });
  const shown = formatDiagnostics(diagnostics) + JSON.stringify(diagnostics);
  assert.ok(!shown.includes(MARK), `seed ${seed}: a secret is shown\n${text}\n${shown}`);
}

/** Breaks a word in one of the first so many ways; the last way puts another word in its place. */
function mutateWord(random: () => number, word: string, ways: number): string {
  const at = Math.floor(random() * (word.length + 1));
  switch (Math.floor(random() * ways)) {
    case 0:
      return word.slice(0, at) + word.slice(at + 1);
    case 1:
      return `${word.slice(0, at)}${pick(random, ['"', '{', '}', '#', ';', '=', 'é', 'x'])}${word.slice(at)}`;
    case 2:
      return word.slice(0, at) + word.slice(at + 1, at + 2) + word.slice(at, at + 1) + word.slice(at + 2);
    default:
      return pick(random, [...WORDS.filter((candidate) => !/[\n#]/.test(candidate)), '']) ?? '';
  }
}

function makeText(random: () => number, files: readonly string[]): string {
  const kind = random();
  if (kind < 0.1)
    return Array.from({ length: random() * 2000 }, () => String.fromCharCode(random() * 256)).join('');
  if (kind < 0.15)
    return Buffer.from(Array.from({ length: random() * 2000 }, () => random() * 256)).toString('utf8');
  if (kind < 0.35) return Array.from({ length: random() * 400 }, () => pick(random, WORDS) ?? '').join(' ');
  let text = pick(random, files) ?? '';
  for (let times = Math.floor(random() * 6); times > 0; times -= 1) text = mutate(random, text, files);
  return text;
}

function mutate(random: () => number, text: string, files: readonly string[]): string {
  const from = Math.floor(random() * (text.length + 1));
  const to = Math.min(text.length, from + Math.floor(random() * 30));
  switch (Math.floor(random() * 7)) {
    case 0:
      return text.slice(0, from) + text.slice(to);
    case 1:
      return `${text.slice(0, from)} ${pick(random, WORDS) ?? ''} ${text.slice(from)}`;
    case 2:
      return text.slice(0, from) + String.fromCharCode(random() * 256) + text.slice(from + 1);
    case 3:
      return text.slice(0, to) + text.slice(from);
    case 4:
      return text.slice(0, from);
    case 5: {
      const words = text.split(' ');
      words[Math.floor(random() * words.length)] = pick(random, WORDS) ?? '';
      return words.join(' ');
    }
    default:
      return text.slice(0, from) + (pick(random, files) ?? '').slice(Math.floor(random() * 2000));
  }
}

function pick<T>(random: () => number, list: readonly T[]): T | undefined {
  return list[Math.floor(random() * list.length)];
}

/** mulberry32: small, and the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function main(): void {
  const seconds = Number(process.argv[2] ?? 10);
  const first = Number(process.argv[3] ?? Date.now() % 2 ** 31);
  if (!Number.isFinite(seconds) || !Number.isInteger(first)) {
    console.error('usage: fuzz.js SECONDS [SEED]');
    process.exit(64);
  }
  const files = corpus();
  const end = performance.now() + seconds * 1000;
  let seed = first;
  let valid = 0;
  let slowest = 0;
  while (performance.now() < end) {
    const outcome = fuzzCase(seed, files);
    fuzzSecret(seed);
    valid += outcome.valid ? 1 : 0;
    slowest = Math.max(slowest, outcome.ms);
    seed += 1;
  }
  const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(
    `${seed - first} cases from seed ${first}: ${valid} valid, slowest ${slowest.toFixed(1)} ms, ${megabytes} MB resident`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
