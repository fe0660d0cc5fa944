/** A short run of the fuzzer: fixed seeds, so that a failure is a failure every time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corpus, fuzzCase, fuzzSecret } from './fuzz.js';

const CASES = 2000;

test(`${CASES} mutated and random files: an answer to each, in bounded time and memory`, () => {
  const files = corpus();
  assert.ok(files.length > 30);
  const before = process.memoryUsage().heapUsed;
  let valid = 0;
  for (let seed = 1; seed <= CASES; seed += 1) valid += fuzzCase(seed, files).valid ? 1 : 0;
  // Not vacuous: some mutations leave a file valid, most do not.
  assert.ok(valid > CASES / 100 && valid < CASES / 2, `${valid} valid`);
  const grown = process.memoryUsage().heapUsed - before;
  assert.ok(grown < 200 * 2 ** 20, `the heap grew by ${grown} bytes`);
});

test('1,000 files with one broken word: none shows its secret', () => {
  for (let seed = 1; seed <= 1000; seed += 1) fuzzSecret(seed);
});
