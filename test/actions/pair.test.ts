/**
 * The description's two files on a pair of real daemons and a watchdog: it fails over under the lease, whatever commands and checks do.
 * Where namespaces can be had, each node has a network of its own, and plumb an address to add.
 */
import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { monotonicMs, overlapMs } from '../system/beats.js';
import type { ClusterNode } from '../system/cluster.js';
import { clusterProcesses, signalProcess } from '../system/processes.js';
import { give, logsOf, patienceMs, runsOn } from '../system/support.js';
import { pause, until } from '../system/wait.js';
import { ACTIONS, hasRun, NODES, pairOf, startOf } from './pair.js';

test('a pair of database hosts fails over by lists of commands, under the lease', async (t) => {
  const pair = await pairOf(t);
  const { a, b, cluster, notes, role } = pair;
  const stopped = (node: ClusterNode): Promise<void> =>
    until(
      async () => (await node.status())?.state === 'stopped',
      patienceMs,
      () => logsOf(cluster),
    );
  const alone = (): void => assert.equal(overlapMs(cluster.beats()), 0, logsOf(cluster));

  await t.test('the first start: the commands in their order, with the name of the master', async () => {
    await cluster.up();
    await runsOn(cluster, 'nodeA');
    assert.ok(hasRun(notes('nodeA'), startOf('nodeA')), notes('nodeA').join('\n'));
    assert.deepEqual(
      notes('nodeB').filter((line) => line.startsWith('start')),
      [],
    );
    const titles = clusterProcesses(cluster.dir).map(({ node, title }) => `${node} ${title}`);
    assert.ok(titles.includes('nodeA hastmon: actions (monitor)'), titles.join('\n'));
  });

  await t.test('checks report over the control socket, and the other nodes hear of it', async () => {
    const seen = async (): Promise<string> => {
      const reports = (await cluster.node('nodeC').status())?.reports ?? [];
      return reports
        .filter(({ check }) => check !== 'uplink')
        .map(({ check, node, state }) => `${node} ${check} ${state}`)
        .sort()
        .join(', ');
    };
    const wanted = ['nodeA', 'nodeB', 'nodeC'].flatMap((node) =>
      ['check_db_host1', 'check_db_host2'].map(
        (check) => `${node} ${check} ${node === 'nodeA' ? 'primary' : 'secondary'}`,
      ),
    );
    await until(
      async () => (await seen()) === wanted.join(', '),
      patienceMs,
      () => logsOf(cluster),
    );
    const { stdout } = await b.ctl('status');
    assert.match(stdout, /^ {2}exec: actions \S+actions\.conf$/m);
    assert.match(stdout, /^ {4}check_db_host1 on nodeA: primary \(for .* ago\)$/m);
  });

  await t.test(
    'a word from outside runs the lists of its change, once, and not that of another',
    async () => {
      const before = notes('nodeB').length;
      for (const state of ['ok', 'OK', 'lagging', 'lagging'])
        assert.equal((await b.ctl('report', 'lag', state)).code, 0);
      await until(
        () => notes('nodeB', before).length >= 2,
        patienceMs,
        () => logsOf(cluster),
      );
      await pause(300);
      assert.deepEqual(notes('nodeB', before), [
        'change: alarm ok lagging nodeB nodeA nodeB',
        'change: alarm lag of nodeB db',
      ]);
      for (const words of [
        ['lag', 'a_to_b'],
        ['lag lag', 'ok'],
        ['lag', 'ok', '--resource', 'other'],
      ])
        assert.notEqual((await b.ctl('report', ...words)).code, 0, words.join(' '));
    },
  );

  await t.test('what a check of one node says runs the lists of all nodes', async () => {
    const before = new Map(NODES.map((node) => [node, notes(node).length]));
    writeFileSync(path.join(cluster.dir, 'uplink'), 'down, since just now');
    for (const node of NODES) {
      const run = (): boolean => notes(node, before.get(node)).includes(`change: alarm uplink down ${node}`);
      await until(run, patienceMs, () => `${node}\n${logsOf(cluster)}`);
    }
  });

  await t.test('the process of the checks is killed: another one goes on', async () => {
    const monitor = (): number => b.workers().find(({ role }) => role === 'monitor')?.pid ?? 0;
    const killed = monitor();
    signalProcess(killed, 'SIGKILL');
    await until(
      () => ![0, killed].includes(monitor()),
      patienceMs,
      () => logsOf(cluster),
    );
    const fresh = async (): Promise<boolean> =>
      (await b.status())?.reports.some(({ ageMs, node }) => node === 'nodeB' && ageMs < 150) === true;
    await until(fresh, patienceMs, () => logsOf(cluster));
  });

  await t.test('the machine of the master is lost: the other takes over, by the same commands', async () => {
    const killed = monotonicMs();
    a.killMachine();
    await runsOn(cluster, 'nodeB', killed);
    assert.ok(hasRun(notes('nodeB'), startOf('nodeB')), notes('nodeB').join('\n'));
    alone();
  });

  await t.test('it comes back: what is left of it is stopped by the list', async () => {
    await a.start();
    await role('nodeA', 'secondary');
    await until(
      () => hasRun(notes('nodeA'), ['stop: stopservice1', 'stop: unplumb']),
      patienceMs,
      () => logsOf(cluster),
    );
    const stopped = async (): Promise<boolean> =>
      (await a.status())?.state === 'stopped' && (await a.status())?.holder === 'nodeB';
    await until(stopped, patienceMs, () => logsOf(cluster));
  });

  await t.test(
    'a check that lies starts nothing: the slave stays what it is, and stops what it is told runs',
    async () => {
      const before = notes('nodeA').length;
      a.fault('check.lie', 'master, honestly');
      const heard = async (): Promise<boolean> =>
        (await b.status())?.reports.some(({ node, state }) => node === 'nodeA' && state === 'primary') ===
        true;
      await until(heard, patienceMs, () => logsOf(cluster));
      await until(
        () => notes('nodeA', before).includes('stop: stopservice1'),
        patienceMs,
        () => logsOf(cluster),
      );
      for (const state of ['slave', 'master', 'slave', 'master'])
        await a.ctl('report', 'check_db_host1', state);
      await pause(1000);
      assert.deepEqual(
        notes('nodeA', before).filter((line) => !line.startsWith('stop:')),
        [],
      );
      assert.equal((await a.status())?.role, 'secondary');
      await runsOn(cluster, 'nodeB');
      alone();
      a.fault('check.lie', null);
      await until(
        async () => (await a.status())?.state === 'stopped',
        patienceMs,
        () => logsOf(cluster),
      );
    },
  );

  await t.test(
    'a reload in the middle of a list leaves it as it is; the next one is the new one',
    async () => {
      const before = notes('nodeA').length;
      a.fault('plumb.wait');
      const moved = give(cluster, 'nodeB', { kind: 'switchover', resource: 'db', to: 'nodeA', wait: true });
      await until(
        () => notes('nodeA', before).includes('start: plumb nodeA'),
        patienceMs,
        () => logsOf(cluster),
      );
      pair.actions(
        ACTIONS.replace('startservice1', 'startservice2').replace(
          '[slave_to_master]\nstopservice1\n',
          '[slave_to_master]\n',
        ),
      );
      const reloaded = await a.ctl('reload');
      assert.deepEqual(
        [reloaded.code, /db: actions changed/.test(reloaded.stdout)],
        [0, true],
        reloaded.stderr + reloaded.stdout,
      );
      for (const state of ['ok', 'lagging']) assert.equal((await a.ctl('report', 'lag', state)).code, 0);
      await pause(1000);
      assert.ok(!notes('nodeA', before).some((line) => line.startsWith('change:')), 'never beside a start');
      a.fault('plumb.wait', null);
      await moved;
      const alarmed = (): boolean =>
        notes('nodeA', before).includes('change: alarm ok lagging nodeA nodeA nodeB');
      await until(alarmed, patienceMs, () => logsOf(cluster));
      await runsOn(cluster, 'nodeA');
      assert.ok(hasRun(notes('nodeA', before), startOf('nodeA')), notes('nodeA', before).join('\n'));
      alone();
      pair.actions(`${ACTIONS}[nothing]\n`);
      const refused = await a.ctl('reload');
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /'nothing' is no section of this file/);
      const service = cluster.beats().at(-1)?.pid ?? 0;
      signalProcess(service, 'SIGKILL');
      await runsOn(cluster, 'nodeA', cluster.beats().at(-1)?.last ?? 0);
      assert.ok(
        hasRun(notes('nodeA', before), ['start: unplumb', 'start: plumb nodeA', 'start: startservice2']),
        `${notes('nodeA', before).join('\n')}\n${logsOf(cluster)}`,
      );
      pair.actions(ACTIONS);
      assert.equal((await a.ctl('reload')).code, 0);
    },
  );

  await t.test(
    'a failing command is a failed attempt, and is named; then it is the turn of the other',
    async () => {
      await stopped(b);
      await give(cluster, 'nodeA', { kind: 'switchover', resource: 'db', to: 'nodeB', wait: true });
      await runsOn(cluster, 'nodeB');
      await stopped(a);
      b.fault('plumb.fail');
      const before = monotonicMs();
      signalProcess(cluster.beats().at(-1)?.pid ?? 0, 'SIGKILL');
      await runsOn(cluster, 'nodeA', before);
      const why = /no such device: eth7; actions\.conf:4: plumb nodeB exited with 2 after/;
      assert.match((await b.status())?.lastError ?? '', why, logsOf(cluster));
      assert.match(b.log(), /giving up after 2 failed attempts/);
      b.fault('plumb.fail', null);
      alone();
    },
  );

  await t.test('a command that hangs is ended at its limit, with what it has started', async () => {
    await role('nodeB', 'secondary');
    await stopped(b);
    b.fault('start.hang');
    a.killMachine();
    const ended = (): boolean => /startservice1 did not end within 3\.0 s: ended/.test(b.log());
    await until(ended, 2 * patienceMs, () => logsOf(cluster));
    const before = monotonicMs();
    b.fault('start.hang', null);
    await runsOn(cluster, 'nodeB', before);
    alone();
  });

  await t.test('a flood is cut, and does not keep the list from going on', async () => {
    await a.start();
    await role('nodeA', 'secondary');
    await stopped(a);
    const size = (): number => statSync(path.join(cluster.dir, 'nodeA', 'log')).size;
    const before = size();
    a.fault('plumb.flood');
    await give(cluster, 'nodeB', { kind: 'switchover', resource: 'db', to: 'nodeA', wait: true });
    await runsOn(cluster, 'nodeA');
    assert.match(a.log(), /bytes more were printed and are not logged/);
    assert.ok(size() - before < 500_000, `${size() - before} bytes`);
    a.fault('plumb.flood', null);
    alone();
  });

  const services = (node: string): number =>
    clusterProcesses(cluster.dir).filter((entry) => entry.node === node && entry.title.includes('beater'))
      .length;

  await t.test(
    'what a list leaves running, of which its stop knows nothing, ends with the resource',
    async () => {
      await stopped(b);
      b.fault('start.forks');
      await give(cluster, 'nodeA', { kind: 'switchover', resource: 'db', to: 'nodeB', wait: true });
      await until(
        () => services('nodeB') === 2,
        patienceMs,
        () => logsOf(cluster),
      );
      b.fault('start.forks', null);
      await role('nodeB', 'secondary');
      assert.equal(services('nodeB'), 0, logsOf(cluster));
    },
  );

  await t.test('hastmond ends, and nothing of the checks is left', async () => {
    const ended = b.exited;
    b.signal('SIGTERM');
    assert.equal(await ended, 0);
    const left = (): boolean => clusterProcesses(cluster.dir).some(({ node }) => node === 'nodeB');
    await until(() => !left(), patienceMs, 'something is left');
  });
});
