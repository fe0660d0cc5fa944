/** What the tests of actions share: reading files as a configuration does, from a directory of real executables. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { loadActions } from '../../daemon/actions/load.js';
import { keepPlan } from '../../daemon/actions/plan.js';
import type { ActionPlan } from '../../daemon/actions/types.js';
import { formatDiagnostics } from '../../daemon/config/diagnostic.js';
import { loadConfig } from '../../daemon/config/load.js';
import type { Config } from '../../daemon/config/types.js';
import { createHookRunner } from '../../daemon/hooks/runner.js';
import type { HookAction, HookResult, HookRun } from '../../daemon/hooks/types.js';
import { runnerOf } from '../../daemon/runtime/action-hooks.js';
import { openStore } from '../../daemon/state/store.js';
import { hastmond } from '../system/paths.js';

export interface Place {
  readonly dir: string;
  file(name: string): string;
  write(name: string, text: string): string;
  /** An executable of /bin/sh. */
  script(name: string, text: string): string;
}

/** A directory that goes with the test. */
export function placeFor(t: TestContext): Place {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hastmon-actions-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = (name: string): string => path.join(dir, name);
  return {
    dir,
    file,
    write(name, text) {
      writeFileSync(file(name), text);
      return file(name);
    },
    script(name, text) {
      writeFileSync(file(name), `#!/bin/sh\n${text}\n`);
      chmodSync(file(name), 0o755);
      return file(name);
    },
  };
}

export interface Loaded {
  plan: ActionPlan | null;
  config: Config | null;
  /** The messages without those about hastmon.conf, the directory left out. */
  shown: string;
}

/** Loads actions.conf, and checks.conf where there is one, for the node `nodeA` of a resource `db`. */
export function loadPlan(place: Place, actions: string, checks?: string, more = ''): Loaded {
  place.write('actions.conf', actions);
  if (checks !== undefined) place.write('checks.conf', checks);
  const config = place.write(
    'hastmon.conf',
    `resource db {
  actions ${place.file('actions.conf')}
  ${more}
  on nodeA { remote nodeB }
  on nodeB { remote nodeA }
  on nodeC { remote nodeA nodeB }
}
`,
  );
  const loaded = loadActions(loadConfig(config, { hostname: 'nodeA' }));
  return {
    config: loaded.config,
    plan: loaded.config?.resources[0]?.actions?.plan ?? null,
    shown: formatDiagnostics(loaded.diagnostics).replaceAll(`${place.dir}/`, ''),
  };
}

/** Longer than any test waits. */
const LIMIT_MS = 20_000;

export interface Resource extends Place {
  /** Puts files in force, as hastmond does. */
  keep(actions: string, checks?: string): void;
  /** Begins a hook as a worker does; `script` is executed in the place of hastmond. */
  begin(action: HookAction, script?: string): HookRun;
  run(action: HookAction, script?: string): Promise<HookResult>;
  /** What was said about it. */
  said: string[];
}

/** A resource with actions and its runner of hooks, which go with the test. */
export function resourceFor(t: TestContext): Resource {
  const place = placeFor(t);
  const { store } = openStore(place.file('state'));
  assert.ok(store !== null);
  const said: string[] = [];
  const say = (_fields: object, text: string): void => void said.push(text);
  const begin: Resource['begin'] = (action, script = hastmond) => {
    const directory = place.file('state/hooks');
    const runner = createHookRunner({
      ...{
        resource: 'db',
        directory,
        cgroup: null,
        log: { debug: () => {}, info: say, warn: say, error: say },
      },
      ...runnerOf({
        ...{
          exec: process.execPath,
          execArgs: [script, 'actions-run', place.file('state')],
          noticeMs: 0,
          fence: '',
        },
        ...{ actions: place.file('state'), directory, stateDir: place.file('state') },
      }),
    });
    t.after(() => runner.close());
    const env = { HASTMON_NODE: 'nodeA', HASTMON_RESOURCE: 'db' };
    return runner.run({ action, args: ['db'], env, termAfterMs: LIMIT_MS, killAfterMs: LIMIT_MS });
  };
  return {
    ...place,
    keep(actions, checks) {
      const { plan, shown } = loadPlan(place, actions, checks);
      assert.ok(plan !== null, shown);
      keepPlan(store, plan);
    },
    begin,
    run: (...given) => begin(...given).done,
    said,
  };
}
