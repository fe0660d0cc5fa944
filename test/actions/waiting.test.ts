/** What the main process runs aside, while a start is under way: lists of changes wait for its end, and nobody waits for them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { keepPlan } from '../../daemon/actions/plan.js';
import { createHookRunner } from '../../daemon/hooks/runner.js';
import { programOf, runnerOf } from '../../daemon/runtime/action-hooks.js';
import { type Cleaner, createCleaner } from '../../daemon/runtime/cleaner.js';
import { settingsOf } from '../../daemon/runtime/settings-of.js';
import { openStore } from '../../daemon/state/store.js';
import { hastmond } from '../system/paths.js';
import { until } from '../system/wait.js';
import { loadPlan, type Place, placeFor } from './support.js';

const PATIENCE_MS = 20_000;

interface Scene extends Place {
  cleaner: Cleaner;
  warned: string[];
  /** What the lists have noted. */
  notes(): string[];
  /** Begins a start that goes on until the file `go` is there; true where it has succeeded. */
  start(): Promise<boolean>;
}

function sceneFor(t: TestContext): Scene {
  const place = placeFor(t);
  const { store } = openStore(place.file('state'));
  assert.ok(store !== null);
  place.script('note', `echo "$*" >>${place.file('notes')}`);
  const { config, plan, shown } = loadPlan(
    place,
    `[status]
/bin/true
[slave_to_master]
note start
sh: while [ ! -e ${place.file('go')} ]; do sleep 0.01; done
[init_to_watchdog]
note role
[*_to_bad]
note change %OLD%
[*_to_slow]
sh: sleep 1; ${place.file('note')} slow
`,
    undefined,
    'status_timeout 500ms',
  );
  const [resource] = config?.resources ?? [];
  assert.ok(config != null && plan !== null && resource !== undefined, shown);
  keepPlan(store, plan);
  const directory = place.file('state/hooks');
  const hooks = {
    ...programOf(resource, hastmond, place.file('state')),
    ...{ fence: '', directory, stateDir: place.file('state') },
  };
  const warned: string[] = [];
  const warn = (_fields: object, text: string): void => void warned.push(text);
  const log = { debug: () => {}, info: () => {}, warn, error: warn };
  const facts = { resource: 'db', node: 'nodeA', role: 'init', epoch: 1, primary: '', candidates: [] };
  const cleaner = createCleaner({
    ...{ hooks, settings: () => settingsOf(config, resource), facts: () => facts, log: () => log },
    ...{ cleaned: () => {}, fenced: () => {}, ended: () => {} },
  });
  t.after(() => cleaner.close());
  const worker = createHookRunner({ resource: 'db', directory, cgroup: null, log, ...runnerOf(hooks) });
  t.after(() => worker.close());
  const limits = { termAfterMs: PATIENCE_MS, killAfterMs: PATIENCE_MS };
  const notes = (): string[] =>
    existsSync(place.file('notes')) ? readFileSync(place.file('notes'), 'utf8').trimEnd().split('\n') : [];
  return {
    ...place,
    cleaner,
    warned,
    notes,
    async start() {
      const run = worker.run({ action: 'start', args: ['db'], env: {}, ...limits });
      const { code } = await run.done;
      return code === 0;
    },
  };
}

test('a change waits for the end of a start, and a change of role does not wait for it', async (t) => {
  const { cleaner, notes, start, warned, write } = sceneFor(t);
  const started = start();
  await until(() => notes().length === 1, PATIENCE_MS, 'the start does not begin');
  cleaner.notify('change', ['check', 'nodeA', 'ok', 'bad']);
  cleaner.notify('role', ['init', 'watchdog']);
  await until(() => notes().length === 2, PATIENCE_MS, 'the list of the role does not run');
  assert.deepEqual(notes(), ['start', 'role']);
  write('go', '');
  assert.equal(await started, true);
  await until(() => notes().length === 3, PATIENCE_MS, 'the list of the change does not run');
  assert.deepEqual(notes(), ['start', 'role', 'change ok']);
  assert.deepEqual(warned, []);
});

test('a flood of changes is dropped, the oldest first, and takes nobody else with it', async (t) => {
  const { cleaner, notes, warned } = sceneFor(t);
  cleaner.notify('role', ['init', 'watchdog']);
  for (let index = 0; index < 34; index += 1)
    cleaner.notify('change', ['check', 'nodeA', `s${index}`, index < 32 ? 'fine' : 'bad']);
  await until(
    () => notes().length === 3,
    PATIENCE_MS,
    () => notes().join(),
  );
  assert.deepEqual(notes().sort(), ['change s32', 'change s33', 'role']);
  assert.deepEqual(
    warned,
    [0, 1].map((index) => `too many changes wait: nothing is run for check nodeA s${index} fine`),
  );
});

test('nothing is begun any more once all has been closed', async (t) => {
  const { cleaner, notes, start, write } = sceneFor(t);
  const started = start();
  await until(() => notes().length === 1, PATIENCE_MS, 'the start does not begin');
  cleaner.notify('change', ['check', 'nodeA', 'ok', 'bad']);
  cleaner.notify('role', ['init', 'watchdog']);
  await until(() => notes().length === 2, PATIENCE_MS, 'the list of the role does not run');
  cleaner.close();
  write('go', '');
  assert.equal(await started, true);
  const again = sceneFor(t);
  again.cleaner.notify('change', ['check', 'nodeA', 'ok', 'slow']);
  await until(() => again.notes().length === 1, PATIENCE_MS, 'that of another cleaner does not run');
  assert.deepEqual(notes(), ['start', 'role']);
});
