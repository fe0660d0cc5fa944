/** A short run of the fuzzer: fixed seeds, so that a failure is a failure every time; and that it is not empty. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzCases } from './fuzz.js';
import { fuzzProcess } from './fuzz-process.js';

test('1,000 answers, whole and in pieces: no throw, bounded memory, and one verdict however they are cut', () => {
  const { verdicts, accepted } = fuzzCases(1, (done) => done < 1000);
  const seen = [...verdicts.keys()];
  const wanted = [
    'ok',
    'closed-early',
    'http-malformed',
    'http-status',
    'body-mismatch',
    'redirect-broken',
    'hop',
  ];
  for (const verdict of wanted) assert.ok(seen.includes(verdict), `${verdict} is not among ${seen}`);
  assert.ok(accepted > 100 && accepted < 900, `${accepted} checks accepted`);
});

test('the monitor process lives through servers that answer anything', async () => {
  assert.match(await fuzzProcess(7, 1), /connections/);
});
