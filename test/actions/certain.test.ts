/** What passes for running and for stopped: the process of lists says it in words of its own, so that no accident of a program does. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { keepPlan } from '../../daemon/actions/plan.js';
import { createHookRunner } from '../../daemon/hooks/runner.js';
import type { HookAction, HookResult } from '../../daemon/hooks/types.js';
import { runnerOf } from '../../daemon/runtime/action-hooks.js';
import { openStore } from '../../daemon/state/store.js';
import { hastmond } from '../system/paths.js';
import { loadPlan, type Place, placeFor } from './support.js';

const LIMIT_MS = 20_000;

interface Resource extends Place {
  keep(actions: string, checks?: string): void;
  run(action: HookAction, script?: string): Promise<HookResult>;
}

/** A resource with actions; its hooks are run as a worker does. */
function resourceFor(t: TestContext): Resource {
  const place = placeFor(t);
  const { store } = openStore(place.file('state'));
  assert.ok(store !== null);
  return {
    ...place,
    keep(actions, checks) {
      const { plan, shown } = loadPlan(place, actions, checks);
      assert.ok(plan !== null, shown);
      keepPlan(store, plan);
    },
    async run(action, script = hastmond) {
      const runner = createHookRunner({
        ...{ resource: 'db', directory: place.file('state/hooks'), cgroup: null },
        ...runnerOf({
          ...{ exec: process.execPath, execArgs: [script, 'actions-run', place.file('state')] },
          ...{ actions: place.file('state'), noticeMs: 0, fence: '' },
          ...{ directory: place.file('state/hooks'), stateDir: place.file('state') },
        }),
        log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      });
      const env = { HASTMON_NODE: 'nodeA', HASTMON_RESOURCE: 'db' };
      const limits = { termAfterMs: LIMIT_MS, killAfterMs: LIMIT_MS };
      const result = await runner.run({ action, args: ['db'], env, ...limits }).done;
      runner.close();
      return result;
    },
  };
}

test('0 is running and 1 is stopped, as of any hook program', async (t) => {
  const resource = resourceFor(t);
  for (const [word, code] of [
    ['master', 0],
    ['slave', 1],
    ['lagging', 4],
  ] as const) {
    resource.keep('', `[local]\nname=c sh: echo ${word}\n`);
    assert.equal((await resource.run('status')).code, code, word);
  }
});

test('a hastmond that cannot be loaded, in the middle of an upgrade, is neither running nor stopped', async (t) => {
  const resource = resourceFor(t);
  resource.keep('', '[local]\nname=c sh: echo master\n');
  const scripts = [
    resource.file('not-there.js'),
    resource.write('without-a-part.mjs', "await import('./chunk-none.js');"),
    resource.write('by-half.mjs', 'const cut = {'),
    resource.write('empty.mjs', ''),
  ];
  for (const script of scripts) {
    const { code, detail } = await resource.run('status', script);
    assert.notEqual(code, 0, script);
    assert.notEqual(code, 1, script);
    assert.match(detail, /^status exited with /);
  }
  assert.equal((await resource.run('start', scripts[0])).code, 1);
});

test('a command that the system refuses to begin says nothing of the resource', async (t) => {
  const resource = resourceFor(t);
  resource.write('file', '');
  for (const line of [`${resource.file('file')}/below`, `/bin/true "${'x'.repeat(200_000)}"`]) {
    resource.keep(`[status]\n${line}\n`);
    const { code, detail } = await resource.run('status');
    assert.equal(code, 4, detail);
    assert.match(detail, /cannot be run: /);
    resource.keep('', `[local]\nname=c ${line}\n`);
    const checked = await resource.run('status');
    assert.equal(checked.code, 4, checked.detail);
    assert.match(checked.detail, /c: unknown \(it cannot be run: /);
  }
});
