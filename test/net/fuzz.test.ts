/** A short run of fuzz.ts with the same seed every time, and a proof that it is not empty. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './fuzz.js';

test('[N1] [N12] [N13] [N44] frames, codecs and sockets stand a second of fuzzing', async () => {
  const counts = await fuzz(1, 20250101);
  assert.ok(counts.chunks > 50 && counts.decoded > 5 && counts.connections >= 40, JSON.stringify(counts));
});
