/** A sample of confirmation's simulator: some seeds hold, a seed is one run, and a rule that is taken out is found. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { drawProfile } from './profile.js';
import { run } from './run.js';

test('twelve seeds hold', () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const { failure } = run(drawProfile(seed));
    assert.equal(failure, null, `replay: node dist/test/confirm/sim.js ${seed}: ${failure?.text}`);
  }
});

test('a seed is one run, whenever it is played', () => {
  assert.deepEqual(run(drawProfile(13), true).lines, run(drawProfile(13), true).lines);
});

test('[K3] [E7] rules that are taken out are found', () => {
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'mutations.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'K3', 'E7'], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
});
