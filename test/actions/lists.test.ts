/** The process that runs lists, as hastmond executes it: order, words, limits, what it prints, and its exit status. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { keepPlan } from '../../daemon/actions/plan.js';
import { STATUS } from '../../daemon/actions/types.js';
import { openStore } from '../../daemon/state/store.js';
import { groupAlive, killGroup } from '../../daemon/sys/process.js';
import { hastmond } from '../system/paths.js';
import { until } from '../system/wait.js';
import { loadPlan, type Place, placeFor } from './support.js';

interface Ended {
  code: number | null;
  out: string;
  ms: number;
}

interface Lists extends Place {
  /** Puts files in force, as hastmond does. */
  keep(actions: string, checks?: string): void;
  /** Begins an action; `pid` is the process group. */
  begin(
    action: string,
    args?: string[],
    env?: Record<string, string>,
  ): { pid: number; ended: Promise<Ended> };
  run(action: string, args?: string[], env?: Record<string, string>): Promise<Ended>;
  /** What the scripts have noted. */
  notes(): string[];
}

function listsFor(t: TestContext): Lists {
  const place = placeFor(t);
  const { store } = openStore(place.file('state'));
  assert.ok(store !== null);
  // Notes its name and its arguments, one in brackets each.
  place.script('note', `{ printf '%s' "$1"; shift; printf '[%s]' "$@"; echo; } >>${place.file('notes')}`);
  const environment = {
    ...{ HASTMON_NODE: 'nodeA', HASTMON_RESOURCE: 'db', HASTMON_EPOCH: '7', HASTMON_PRIMARY: 'nodeB' },
    HASTMON_CANDIDATES: 'nodeA,nodeB',
  };
  const begin: Lists['begin'] = (action, args = [], env = {}) => {
    const began = performance.now();
    const child = spawn(
      process.execPath,
      [hastmond, 'actions-run', place.file('state'), action, 'db', ...args],
      {
        ...{ detached: true, env: { ...process.env, ...environment, ...env } },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const { pid = 0 } = child;
    t.after(() => groupAlive(pid) && killGroup(pid, 'SIGKILL'));
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        out += chunk;
      });
    const ended = new Promise<Ended>((resolve) => {
      // What a list leaves behind may have the output open.
      child.on('exit', (code) => setTimeout(() => resolve({ code, out, ms: performance.now() - began }), 20));
    });
    return { pid, ended };
  };
  return {
    ...place,
    keep(actions, checks) {
      const { plan, shown } = loadPlan(place, actions, checks);
      assert.ok(plan !== null, shown);
      keepPlan(store, plan);
    },
    begin,
    run: (...given) => begin(...given).ended,
    notes() {
      const file = place.file('notes');
      return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    },
  };
}

const RUNS = '[status]\n/bin/true\n';

test('start and stop run every section that matches, in the order of the file, with the values of the change', async (t) => {
  const lists = listsFor(t);
  lists.keep(`${RUNS}
[*_to_primary]
note one %MASTER% %SLAVE%
[slave_to_master]
note two "%OLD% to %NEW%" %EPOCH% %RESOURCE% 100%% ""
sh: ${lists.file('note')} three "%MASTER%" '$x' | cat
[ok_to_bad]
note never
[master_to_slave]
note stop %MASTER% %NODE%
`);
  assert.equal((await lists.run('start')).code, 0);
  assert.deepEqual(lists.notes(), [
    'one[nodeA][nodeB]',
    'two[secondary to primary][7][db][100%][]',
    'three[nodeA][$x]',
  ]);
  assert.equal((await lists.run('stop')).code, 0);
  assert.equal(lists.notes().at(-1), 'stop[nodeA][nodeA]');
});

test('other changes have the primary that is known, and run nothing where primary has part', async (t) => {
  const lists = listsFor(t);
  lists.keep(`${RUNS}
[*_to_*]
note %OLD%-%NEW% %MASTER% %SLAVE%
[connect]
note connect %MASTER%
`);
  for (const [from = '', to = ''] of [
    ['init', 'secondary'],
    ['secondary', 'primary'],
    ['primary', 'init'],
  ])
    assert.equal((await lists.run('role', [from, to])).code, 0);
  assert.equal((await lists.run('connect')).code, 0);
  assert.equal((await lists.run('disconnect')).code, 0);
  assert.deepEqual(lists.notes(), ['init-secondary[nodeB][nodeA]', 'connect[nodeB]']);
});

test('the first command that fails ends the list; it is named, with its line and its status', async (t) => {
  const lists = listsFor(t);
  lists.script('bad', 'echo "no such address" >&2; exit 3');
  lists.keep(`${RUNS}[slave_to_master]\nnote one\nbad %MASTER%\nnote two\n`);
  const { code, out } = await lists.run('start');
  assert.equal(code, 1);
  assert.deepEqual(lists.notes(), ['one[]']);
  assert.match(out, /^no such address\nactions\.conf:5: bad nodeA exited with 3 after \d+ ms\n$/m);
});

test('a signal, and a program that is not there, fail as well', async (t) => {
  const lists = listsFor(t);
  lists.script('dies', 'kill -9 $$');
  lists.keep(`${RUNS}[slave_to_master]\ndies\n[master_to_slave]\nnone\n`);
  const start = await lists.run('start');
  assert.deepEqual([start.code, /dies was ended by SIGKILL after/.test(start.out)], [1, true], start.out);
  const stop = await lists.run('stop');
  assert.deepEqual([stop.code, /none cannot be run: .*ENOENT/.test(stop.out)], [1, true], stop.out);
});

test('a command that hangs is ended when its time is up, also where it ignores TERM', async (t) => {
  const lists = listsFor(t);
  lists.script('hangs', `trap 'touch ${lists.file('told')}; exit 0' TERM; while :; do sleep 0.05; done`);
  lists.script('stubborn', "trap '' TERM; echo ready; while :; do sleep 0.05; done");
  lists.keep(
    `${RUNS}[slave_to_master]\ntimeout=200ms hangs\nnote never\n[master_to_slave]\ntimeout=200ms stubborn\n`,
  );
  const start = await lists.run('start');
  assert.equal(start.code, 1);
  assert.match(start.out, /hangs did not end within 200 ms: ended/);
  assert.ok(existsSync(lists.file('told')), 'TERM comes first');
  const stop = await lists.run('stop');
  assert.equal(stop.code, 1);
  assert.ok(stop.ms > 1200, 'TERM, and KILL a second later');
  assert.deepEqual(lists.notes(), []);
});

test('told to end, it says what was under way, and begins nothing more', async (t) => {
  const lists = listsFor(t);
  lists.script('slow', `touch ${lists.file('begun')}; exec sleep 1000`);
  lists.keep(`${RUNS}[slave_to_master]\nslow\nnote never\n`);
  const { pid, ended } = lists.begin('start');
  await until(() => existsSync(lists.file('begun')), 10_000, 'it does not begin');
  killGroup(pid, 'SIGTERM');
  const { code, out } = await ended;
  assert.equal(code, 1);
  assert.match(out, /slow was under way when the time was up, and was ended by SIGTERM/);
  assert.deepEqual(lists.notes(), []);
});

test('it waits for no daemon that a command leaves behind, and the daemon keeps its output', async (t) => {
  const lists = listsFor(t);
  lists.script('forks', `sleep 1000 & echo $! >${lists.file('pid')}`);
  lists.keep(`${RUNS}[slave_to_master]\nforks\nnote done\n`);
  const { code, ms } = await lists.run('start');
  assert.deepEqual([code, lists.notes()], [0, ['done[]']]);
  assert.ok(ms < 10_000);
  const pid = Number(readFileSync(lists.file('pid'), 'utf8'));
  assert.doesNotThrow(() => process.kill(pid, 0), 'the daemon lives');
});

test('a list reads the plan once: one that is put in force meanwhile is for the next', async (t) => {
  const lists = listsFor(t);
  lists.script(
    'wait',
    `touch ${lists.file('begun')}; while [ ! -e ${lists.file('go')} ]; do sleep 0.01; done`,
  );
  lists.keep(`${RUNS}[slave_to_master]\nwait\nnote old\n`);
  const { ended } = lists.begin('start');
  await until(() => existsSync(lists.file('begun')), 10_000, 'it does not begin');
  lists.keep(`${RUNS}[slave_to_master]\nnote new\n`);
  lists.write('go', '');
  assert.equal((await ended).code, 0);
  assert.deepEqual(lists.notes(), ['old[]']);
  assert.equal((await lists.run('start')).code, 0);
  assert.deepEqual(lists.notes(), ['old[]', 'new[]']);
});

test('status by its section: 0 runs, the first 1 is stopped, else it is not known', async (t) => {
  const lists = listsFor(t);
  for (const status of [0, 1, 3]) lists.script(`exit${status}`, `exit ${status}`);
  const cases: [string[], keyof typeof STATUS][] = [
    [['exit0', 'exit0'], 'running'],
    [['exit0', 'exit1', 'exit3'], 'stopped'],
    [['exit0', 'exit3', 'exit1'], 'notKnown'],
    [['exit0', 'none'], 'notKnown'],
    [['timeout=100ms sh: sleep 1000', 'exit1'], 'notKnown'],
  ];
  for (const [commands, said] of cases) {
    lists.keep(`[status]\n${commands.join('\n')}\n`, '[local]\nexit0\n');
    assert.equal((await lists.run('status')).code, STATUS[said], commands.join());
  }
});

test('status by checks: what all of them on this node print', async (t) => {
  const lists = listsFor(t);
  const cases: [string[], keyof typeof STATUS][] = [
    [['master', 'PRIMARY: all well'], 'running'],
    [['slave', 'stopped'], 'stopped'],
    [['master', 'slave'], 'notKnown'],
    [['master', ''], 'notKnown'],
    [['lagging'], 'notKnown'],
  ];
  for (const [words, said] of cases) {
    const lines = words.map((word, index) => `name=c${index} sh: echo "${word}"; exit ${index}`);
    lists.keep('', `[nodeA]\n${lines.join('\n')}\n[nodeB]\nname=c9 sh: echo other\n`);
    const { code, out } = await lists.run('status');
    assert.equal(code, STATUS[said], out);
  }
  lists.keep('', '[local]\nname=a sh: echo master\nname=b status=no sh: echo lagging\n');
  assert.equal((await lists.run('status')).code, STATUS.running, 'one that has no say');
});

test('a check that hangs, floods or leaves a daemon does not hold status up', async (t) => {
  const lists = listsFor(t);
  lists.keep('', '[local]\nname=a timeout=200ms sh: echo slave; sleep 1000\n');
  const hangs = await lists.run('status');
  assert.deepEqual(
    [hangs.code, /a: unknown \(it did not end within 200 ms\)/.test(hangs.out)],
    [4, true],
    hangs.out,
  );
  lists.keep('', '[local]\nname=a sh: echo slave; yes\nname=b sh: echo slave; sleep 1000 & exit 0\n');
  const floods = await lists.run('status');
  assert.equal(floods.code, STATUS.stopped, floods.out.slice(-500));
  assert.ok(floods.out.length < 10_000);
});

test('without a plan nothing is run, and it says so', async (t) => {
  const lists = listsFor(t);
  const start = await lists.run('start');
  assert.deepEqual([start.code, /hastmond has put none in force/.test(start.out)], [1, true], start.out);
  assert.equal((await lists.run('status')).code, STATUS.notKnown);
});
