/** What is put in force where the disk does not take it: a real daemon. */
import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readPlan } from '../../daemon/actions/plan.js';
import { ACTIONS, pairOf } from './pair.js';

test('actions that the disk does not take are not in force, which is said, and are at the next reload', async (t) => {
  const { a, actions, cluster } = await pairOf(t);
  await a.start();
  const directory = path.join(cluster.dir, 'nodeA/state/resources/db');
  const inForce = (): string => JSON.stringify(readPlan(directory));
  assert.match(inForce(), /startservice1/);
  const file = path.join(directory, 'actions.state');
  rmSync(file);
  // No file can be put in the place of a directory.
  mkdirSync(file);
  actions(ACTIONS.replaceAll('startservice1', 'startservice2'));
  assert.equal((await a.ctl('reload')).code, 0);
  const warned = async (): Promise<boolean> =>
    /the actions cannot be put in force/.test((await a.status())?.warnings.join() ?? '');
  assert.equal(await warned(), true);
  rmdirSync(file);
  assert.match((await a.ctl('reload')).stdout, /nothing differs/);
  assert.match(inForce(), /startservice2/);
  assert.equal(await warned(), false);
});
