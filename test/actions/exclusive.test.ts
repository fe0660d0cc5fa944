/** A list of a check's change and a start or stop, run by different processes as in life: they are never there at the same time. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { keepPlan } from '../../daemon/actions/plan.js';
import { BUSY } from '../../daemon/actions/types.js';
import { createHookRunner } from '../../daemon/hooks/runner.js';
import type { HookAction, HookResult, HookRunner } from '../../daemon/hooks/types.js';
import { openStore } from '../../daemon/state/store.js';
import { alive } from '../hooks/support.js';
import { hastmond } from '../system/paths.js';
import { until } from '../system/wait.js';
import { loadPlan, type Place, placeFor } from './support.js';

interface Scene extends Place {
  /** As that of main, and that of a worker. */
  main: HookRunner;
  worker: HookRunner;
  lines: string[];
  run(runner: HookRunner, action: HookAction): Promise<HookResult>;
  has(name: string): boolean;
}

const LIMIT_MS = 20_000;

function sceneFor(t: TestContext): Scene {
  const place = placeFor(t);
  const { store } = openStore(place.file('state'));
  assert.ok(store !== null);
  const waits = (name: string): string =>
    `touch ${place.file(`${name}.begun`)}; while [ ! -e ${place.file(`${name}.go`)} ]; do sleep 0.01; done; touch ${place.file(`${name}.done`)}`;
  place.script('list', `sleep 1000 & echo $! >${place.file('sleeper')}; ${waits('list')}`);
  place.script('service', waits('service'));
  const { plan, shown } = loadPlan(
    place,
    '[status]\n/bin/true\n[ok_to_bad]\nlist\n[*_to_slave]\nservice\n[*_to_master]\nservice\n',
  );
  assert.ok(plan !== null, shown);
  keepPlan(store, plan);
  const lines: string[] = [];
  const note = (_fields: object, text: string): void => void lines.push(text);
  const runner = (): HookRunner => {
    const made = createHookRunner({
      ...{ resource: 'db', exec: process.execPath, directory: place.file('state/hooks'), cgroup: null },
      execArgs: [hastmond, 'actions-run', place.file('state')],
      log: { debug: () => {}, info: note, warn: note, error: note },
    });
    t.after(() => made.close());
    return made;
  };
  return {
    ...place,
    main: runner(),
    worker: runner(),
    lines,
    run: (by, action) =>
      by.run({
        ...{ action, args: action === 'change' ? ['db', 'check', 'nodeA', 'ok', 'bad'] : ['db'] },
        ...{
          env: { HASTMON_NODE: 'nodeA', HASTMON_RESOURCE: 'db' },
          termAfterMs: LIMIT_MS,
          killAfterMs: LIMIT_MS,
        },
      }).done,
    has: (name) => existsSync(place.file(name)),
  };
}

for (const action of ['start', 'stop'] as const) {
  test(`a list under way is ended, with all it has started, before ${action} runs anything`, async (t) => {
    const scene = sceneFor(t);
    const list = scene.run(scene.main, 'change');
    await until(() => scene.has('list.begun'), LIMIT_MS, 'the list does not begin');
    const service = scene.run(scene.worker, action);
    await until(
      () => scene.has('service.begun'),
      LIMIT_MS,
      () => scene.lines.join('\n'),
    );
    const sleeper = Number(readFileSync(scene.file('sleeper'), 'utf8'));
    assert.ok(!alive(sleeper), 'what the list has started is gone');
    const { code, outcome } = await list;
    assert.deepEqual([outcome, code], ['signal', null]);
    scene.write('service.go', '');
    assert.equal((await service).code, 0, scene.lines.join('\n'));
    assert.ok(!scene.has('list.done'));
    assert.match(
      scene.lines.join('\n'),
      new RegExp(`a list of a check's change was under way: ended, for ${action}`),
    );
  });

  test(`a list that comes while ${action} runs is told to come again, and runs nothing`, async (t) => {
    const scene = sceneFor(t);
    const service = scene.run(scene.worker, action);
    await until(() => scene.has('service.begun'), LIMIT_MS, 'it does not begin');
    assert.equal((await scene.run(scene.main, 'change')).code, BUSY);
    assert.ok(!scene.has('list.begun'));
    scene.write('service.go', '');
    assert.equal((await service).code, 0);
    scene.write('list.go', '');
    assert.equal((await scene.run(scene.main, 'change')).code, 0);
    assert.ok(scene.has('list.done'));
  });
}
