/** What becomes of a list when the processes of hastmond are killed that would end it in time. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { keepPlan } from '../../daemon/actions/plan.js';
import { openHookRecords } from '../../daemon/hooks/records.js';
import { openStore } from '../../daemon/state/store.js';
import { groupAlive, killGroup } from '../../daemon/sys/process.js';
import { hastmond } from '../system/paths.js';
import { until } from '../system/wait.js';
import { loadPlan, placeFor } from './support.js';

const worker = path.join(path.dirname(fileURLToPath(import.meta.url)), '../hooks/fixtures/worker.js');
const PATIENCE_MS = 20_000;

for (const [action, section, goesOn] of [
  ['start', 'slave_to_master', false],
  ['stop', 'master_to_slave', true],
] as const)
  test(`its worker is killed: a list of ${action} ${goesOn ? 'goes on to its end' : 'ends with the command under way'}`, async (t) => {
    const place = placeFor(t);
    const { store } = openStore(place.file('state'));
    assert.ok(store !== null);
    const wait = `touch ${place.file('one')}; while [ ! -e ${place.file('go')} ]; do sleep 0.01; done`;
    const { plan, shown } = loadPlan(
      place,
      `[status]\n/bin/true\n[${section}]\nsh: ${wait}\nsh: touch ${place.file('two')}\n`,
    );
    assert.ok(plan !== null, shown);
    keepPlan(store, plan);
    const exec = place.script(
      'lists',
      `exec ${process.execPath} ${hastmond} actions-run ${place.file('state')} "$@"`,
    );
    const child = spawn(process.execPath, [worker, place.file('state/hooks'), exec, '', action], {
      stdio: 'ignore',
    });
    t.after(() => child.kill('SIGKILL'));
    await until(() => existsSync(place.file('one')), PATIENCE_MS, 'it does not begin');
    const [record] = openHookRecords(place.file('state/hooks')).list().records;
    const group = record?.pid ?? 0;
    t.after(() => groupAlive(group) && killGroup(group, 'SIGKILL'));
    child.kill('SIGKILL');
    await until(() => child.signalCode !== null, PATIENCE_MS, 'the worker does not end');
    place.write('go', '');
    await until(() => !groupAlive(group), PATIENCE_MS, 'the list does not end');
    assert.equal(existsSync(place.file('two')), goesOn);
  });
