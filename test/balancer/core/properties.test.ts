/** What must hold whatever happens: checks, commands, reloads, meddling, refusals, restarts, failovers. See run.ts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { profiles } from './profile.js';
import { run } from './run.js';

/** Another seed for another sample; the one that failed says its own. */
const seed = Number(process.env.HASTMON_SEED ?? 4711);

function holds(name: string, focus: Parameters<typeof profiles>[0], numRuns: number): void {
  test(name, () => {
    fc.assert(
      fc.property(profiles(focus), (profile) => assert.equal(run(profile).failure, null)),
      { seed, numRuns, includeErrorInReport: true },
    );
  });
}

const ALONE = { strange: 0, restart: 0, failover: 0, adopt: 0, refuse: 0 };

holds("[B1] [B2] [B3] [B4] [B5] [B7] with one node that lives on, every weight is the twin's", ALONE, 250);
holds('[B6] [B8] [B10] [B11] [B12] with all that can happen, the rules hold', {}, 400);

test('rules that are taken out are found', () => {
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'mutations.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'B6', 'B11'], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
});
