/**
 * The reader of the balancer's file on mutated files, soups of words and random bytes: an answer to each, in bounded time, with messages
 * that can be shown and no password in them. Fixed seeds, so that a failure is a failure every time.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffBalancer } from '../../../daemon/balancer/config/diff.js';
import { parseBalancerFile } from '../../../daemon/balancer/config/load.js';
import { OPTION_KEYS } from '../../../daemon/balancer/config/options.js';
import { SERVICE_OPTIONS } from '../../../daemon/balancer/config/service-options.js';
import { formatDiagnostics } from '../../../daemon/config/diagnostic.js';
import { filesIn, isPrintable, ROOT } from '../../config/support.js';

/** A hang, and not a machine that is busy with something else. */
const CASE_MS_MAX = 5000;
const OUTPUT_CHARACTERS_MAX = 200_000;
const SECRET = 'HUSH';

const INVALID = path.join(ROOT, 'test/balancer/config/invalid');
const sample = readFileSync(path.join(ROOT, 'conf/ipvs-weightman.conf'), 'utf8');
const corpus = [
  sample,
  sample.replace(/^#(?=[!a-zA-Z])/gm, ''),
  ...filesIn(INVALID, '.conf').map((name) => readFileSync(path.join(INVALID, name), 'utf8')),
];

const words = [
  ...OPTION_KEYS.map((key) => `${key}=`),
  ...SERVICE_OPTIONS.map((option) => `${option}=`),
  ...[
    '!',
    '#',
    ';',
    '=',
    ',',
    '-',
    ':',
    '[',
    ']',
    '\n',
    '\n',
    '\n',
    '\r\n',
    '\t',
    ' ',
    ' ',
    '\0',
    '\u001b[2J',
    '\ufeff',
  ],
  ...[
    'www',
    'srv1',
    'www=100',
    '10.0.0.1',
    '10.0.0.1:80',
    '[fd00::1]:80',
    '[1-4000]',
    '[01-16]',
    'fwmark:5',
    '%h',
  ],
  ...[
    'http://www.example.org/',
    'tcp',
    'exec:/bin/x?arg=%h',
    `redis://:${SECRET}@*`,
    'dns://*/x',
    '*',
    '/x',
    '://',
  ],
  ...[
    '0',
    '1',
    '99999999999999999999',
    '-1',
    '1e9',
    '5m',
    'constructor=1',
    '__proto__=1',
    'é',
    'x'.repeat(300),
  ],
];

const soup = fc.array(fc.constantFrom(...words), { maxLength: 200 }).map((parts) => parts.join(''));
const lines = fc
  .array(
    fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((parts) => parts.join(' ')),
    { maxLength: 40 },
  )
  .map((parts) => parts.join('\n'));
const bytes = fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array).toString('utf8'));
const cut = {
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  less: fc.nat(30),
  more: fc.constantFrom('', ...words),
};
const mutated = fc
  .record({ text: fc.constantFrom(...corpus), cuts: fc.array(fc.record(cut), { maxLength: 6 }) })
  .map(({ text, cuts }) =>
    cuts.reduce((now, { at, less, more }) => {
      const from = Math.floor(at * now.length);
      return now.slice(0, from) + more + now.slice(from + less);
    }, text),
  );

let valid = 0;

function answer(text: string): void {
  const start = performance.now();
  const { config, diagnostics } = parseBalancerFile(text, '/etc/x.conf');
  const ms = performance.now() - start;
  assert.ok(ms < CASE_MS_MAX, `${ms} ms for ${text.length} characters`);
  const shown = formatDiagnostics(diagnostics);
  assert.ok(shown.length < OUTPUT_CHARACTERS_MAX, `${shown.length} characters of messages`);
  assert.ok(isPrintable(shown), 'control characters in a message');
  assert.equal(
    config === null,
    diagnostics.some(({ severity }) => severity === 'error'),
  );
  for (const { line, column, length, source } of diagnostics) {
    assert.ok(line >= 0 && column >= 1 && length >= 1);
    const inside = source === undefined || source.endsWith('***') || column <= source.length + 1;
    assert.ok(inside, 'a place outside of its line');
  }
  if (config === null) return;
  valid += 1;
  const again = parseBalancerFile(text, '/etc/x.conf').config;
  assert.ok(again !== null);
  assert.deepEqual(diffBalancer(config, again), []);
  for (const { check, realPort } of config.services) check?.of('fd00::1', realPort || 1);
}

test('whatever a file holds, there is an answer', () => {
  for (const text of corpus) answer(text);
  valid = 0;
  const runs = { seed: 1, numRuns: 400 };
  fc.assert(fc.property(fc.oneof(soup, lines, bytes), answer), runs);
  fc.assert(fc.property(mutated, answer), runs);
  // Not vacuous: some mutations leave a file valid.
  assert.ok(valid > 20, `${valid} valid`);
});

test('a password is shown by no message, whatever else of its line is broken', () => {
  const line = fc
    .record({
      url: fc.constantFrom(
        `http://u:${SECRET}@www.example.org/a`,
        `redis://:${SECRET}@*`,
        `tcp://u:${SECRET}@*:80`,
      ),
      parts: fc.array(fc.constantFrom(...words.filter((word) => !/[#;]|https?:|:\/\//.test(word))), {
        maxLength: 4,
      }),
      at: fc.nat(6),
    })
    .map(({ url, parts, at }) => ['!', ...parts.slice(0, at), url, ...parts.slice(at)].join(' '));
  fc.assert(
    fc.property(line, (text) => {
      const { config, diagnostics } = parseBalancerFile(text, '/etc/x.conf');
      assert.doesNotMatch(formatDiagnostics(diagnostics) + JSON.stringify(diagnostics), /HUSH/);
      if (config !== null) assert.doesNotMatch(diffBalancer(NOTHING, config).join('\n'), /HUSH/);
    }),
    { seed: 1, numRuns: 1000 },
  );
});

const NOTHING = parseBalancerFile('', '/etc/x.conf').config ?? assert.fail('an empty file is one');

test('a file of a few ranges cannot ask for everything', () => {
  const many = Array.from({ length: 2000 }, (_, index) => `s${index}=1`).join(' ');
  const services = Array.from(
    { length: 2000 },
    (_, index) => `! s${index} 10.1.${index >> 8}.${index & 255}:80 -`,
  );
  answer([...services, `h[1-4000] h[1-4000].int ${many}`].join('\n'));
  answer('[1-9]'.repeat(100_000));
  answer(`a ${'['.repeat(500_000)}`);
  answer(`! a 10.0.0.1:80 ${'http://u:'.repeat(100_000)}`);
  answer(`! a 10.0.0.1:80 tcp ${'email,'.repeat(100_000)}`);
  answer(`a${'=a'.repeat(500_000)}`);
  answer(' '.repeat(1_000_000));
});
