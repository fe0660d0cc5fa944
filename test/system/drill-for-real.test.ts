/** A drill for real on real daemons: it goes there and comes back, measures what the service itself shows, and refuses what it should. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Beat, overlapMs } from './beats.js';
import type { Cluster } from './cluster.js';
import { hastmonctl } from './paths.js';
import { calmTimes, clusterFor, give, logsOf, patienceMs, runsOn } from './support.js';
import { until } from './wait.js';

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Running {
  child: ChildProcess;
  said(): string;
  ended: Promise<Ended>;
}

/** hastmonctl on a node; what stands behind `--` stays behind all else. */
function start(t: TestContext, cluster: Cluster, node: string, words: readonly string[]): Running {
  const common = ['-c', cluster.configFile, '-n', node];
  const child = spawn(process.execPath, [hastmonctl, ...common, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => void child.kill('SIGKILL'));
  const heard = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (chunk) => {
      heard[name] += chunk;
    });
  const ended = once(child, 'close').then(([code]) => ({ ...heard, code: code as number | null }));
  return { child, said: () => heard.stderr, ended };
}

interface RealJson {
  problem: string;
  end: string;
  interrupted: boolean;
  report: string;
  there: { node: string; withoutServiceMs: number; expectedMs: number };
  back: { node: string; withoutServiceMs: number; expectedMs: number };
}

/** The gaps between the last three lives. */
function gapsOf(lives: readonly Beat[]): number[] {
  const last = lives.slice(-3);
  return last.slice(1).map((life, index) => life.first - (last[index]?.last ?? 0));
}

async function well(cluster: Cluster): Promise<void> {
  const ready = async (): Promise<boolean> => {
    const request = { kind: 'drill', resources: ['shared'], depth: 'all' } as const;
    const { cluster: answer } = await cluster.node('nodeA').request(request);
    if (answer?.kind !== 'drill' || answer.facts.length < 3) return false;
    const linked = answer.facts.every((each) => each.nodes.every((node) => node.fresh && node.linked));
    const own = answer.facts[0]?.nodes ?? [];
    return linked && own.some(({ able }) => able) && own.some(({ holds, node }) => holds && node === 'nodeA');
  };
  await until(ready, patienceMs, () => `not all is well\n${logsOf(cluster)}`);
}

/** The service beats on in one life on that node for so long. */
async function stays(cluster: Cluster, node: string, forMs: number): Promise<void> {
  const lives = cluster.beats();
  const from = lives.at(-1)?.last ?? 0;
  const over = (): boolean => (cluster.beats().at(-1)?.last ?? 0) > from + forMs;
  await until(over, forMs + patienceMs, () => `the service beats no more\n${logsOf(cluster)}`);
  const last = cluster.beats().at(-1);
  assert.deepEqual([last?.node, cluster.beats().length], [node, lives.length], logsOf(cluster));
}

test('a drill for real', async (t) => {
  // On a machine with much to do, a lease of a second would be lost by itself.
  const statements = calmTimes.replace('lease_timeout 1s', 'lease_timeout 4s');
  const cluster = await clusterFor(t, { statements });
  const [a, b, c] = [cluster.node('nodeA'), cluster.node('nodeB'), cluster.node('nodeC')];
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  await well(cluster);
  const file = (name: string): string => path.join(cluster.dir, `${name}.md`);
  const drill = (node: string, name: string, ...words: string[]): Running =>
    start(t, cluster, node, ['drill', 'shared', '--for-real', '--report', file(name), ...words]);
  const refused = async (running: Running, code: number, why: RegExp): Promise<void> => {
    const { code: ended, stderr } = await running.ended;
    assert.equal(ended, code, stderr);
    assert.match(stderr, why);
  };

  await t.test('nothing is done where something speaks against it, and all of that is said', async () => {
    const lives = cluster.beats().length;
    await refused(
      drill('nodeB', 'no', '--yes'),
      69,
      /no drill with shared now:\n.*it is held by nodeA: run the drill there\n$/,
    );
    await refused(
      drill('nodeA', 'no', '--yes', '--to', 'nodeC'),
      69,
      /nodeC cannot take over now: its role is watchdog\n$/,
    );
    await refused(
      drill('nodeA', 'no', '--yes', '--to', 'nodeX'),
      69,
      /nodeX is not another node of it: nodeB, nodeC are/,
    );
    await refused(drill('nodeA', 'no'), 64, /stops shared on nodeA.*this is not a terminal/s);
    await give(cluster, 'nodeA', {
      kind: 'maintenance',
      what: 'on',
      resources: ['shared'],
      reason: 'x',
      forMs: null,
    });
    await refused(drill('nodeA', 'no', '--yes'), 69, /it is in maintenance on nodeA/);
    await give(cluster, 'nodeA', {
      kind: 'maintenance',
      what: 'off',
      resources: ['shared'],
      reason: '',
      forMs: null,
    });
    assert.ok(!existsSync(file('no')), 'a drill that was refused has no report');
    writeFileSync(file('there'), 'mine\n');
    await refused(
      drill('nodeA', 'there', '--yes'),
      73,
      /there is such a file already.*nothing has been done/,
    );
    assert.equal(readFileSync(file('there'), 'utf8'), 'mine\n');
    c.killMachine();
    await refused(
      drill('nodeA', 'no', '--yes'),
      69,
      /nodeA (heard nodeC last|is not connected)|nodeC is not connected/,
    );
    await c.start();
    await give(cluster, 'nodeC', {
      kind: 'role',
      role: 'watchdog',
      resources: ['shared'],
      force: false,
      wait: true,
    });
    assert.deepEqual(
      [cluster.beats().length, cluster.beats().at(-1)?.node],
      [lives, 'nodeA'],
      logsOf(cluster),
    );
    await well(cluster);
  });

  await t.test(
    'it goes there and comes back by its priority; the report says what the service shows',
    async () => {
      const words = ['--yes', '--hold', '1500ms', '--json'];
      const { code, stderr, stdout } = await drill('nodeA', 'priority', ...words).ended;
      assert.equal(code, 0, `${stderr}${logsOf(cluster)}`);
      const said = JSON.parse(stdout) as RealJson;
      assert.deepEqual(
        [said.there.node, said.back.node, said.problem, said.interrupted],
        ['nodeB', 'nodeA', '', false],
      );
      await runsOn(cluster, 'nodeA');
      const lives = cluster.beats();
      assert.deepEqual(
        lives.slice(-3).map(({ node }) => node),
        ['nodeA', 'nodeB', 'nodeA'],
      );
      const stayed = lives.at(-2);
      assert.ok((stayed?.last ?? 0) - (stayed?.first ?? 0) > 1300, 'it stays there for as long as it should');
      for (const [index, leg] of [said.there, said.back].entries()) {
        const gap = gapsOf(lives)[index] ?? 0;
        // It stops a moment after it is told to, and beats a moment before that is known.
        const near = leg.withoutServiceMs > 0.5 * gap - 100 && leg.withoutServiceMs < 2 * gap + 1000;
        assert.ok(near, `${leg.withoutServiceMs} ms, and the service was away for ${gap.toFixed(0)} ms`);
      }
      const report = readFileSync(said.report, 'utf8');
      assert.equal(said.report, file('priority'));
      assert.match(
        report,
        /^# Drill of shared\n\nIt went there and came back\. At the end: shared runs on nodeA\.\n/,
      );
      assert.match(report, /^\| \| there: nodeA to nodeB \| back: nodeB to nodeA \|$/m);
      assert.match(report, /^\| \*\*without the service, measured\*\* \| [\d.]+ m?s \| [\d.]+ m?s \|$/m);
      for (const event of [
        'handing over to nodeB',
        'stop has ended well after',
        'this node holds the lease, epoch 3',
      ])
        assert.ok(report.includes(event), `${event} in\n${report}`);
      assert.match(report, /^ {2}nodeA \(primary\) lost +nodeB/m);
      assert.match(report, /^## Phases, as all nodes saw them\n\nnodeA to nodeB, [\s\S]*^nodeB to nodeA, /m);
      assert.equal((await a.status())?.roleSet, 'primary', 'as before');
      assert.equal(overlapMs(lives), 0);
    },
  );

  await t.test('it comes back by a command on the other node', async () => {
    await well(cluster);
    const back = [process.execPath, hastmonctl, '-c', cluster.configFile, '-n', '{}'];
    const words = ['--yes', '--hold', '0s', '--', ...back, 'switchover', 'shared', '--to', 'nodeA'];
    const { code, stderr, stdout } = await drill('nodeA', 'command', ...words).ended;
    assert.equal(code, 0, `${stderr}${logsOf(cluster)}`);
    assert.equal(stdout, `${file('command')}\n`);
    await runsOn(cluster, 'nodeA');
    assert.equal((await a.status())?.roleSet, 'primary', 'as before, though it was handed over');
    const told = await b.request({
      kind: 'events',
      names: ['shared'],
      sinceMs: null,
      last: 100,
      follow: false,
    });
    assert.equal(told.error, null);
  });

  await t.test('Ctrl-C while it is there: it comes back at once, and the report says so', async () => {
    await well(cluster);
    const running = drill('nodeA', 'interrupted', '--yes', '--hold', '1h');
    await until(
      () => /shared: runs on nodeB/.test(running.said()),
      patienceMs,
      () => `${running.said()}${logsOf(cluster)}`,
    );
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    assert.equal(code, 130, `${stderr}${logsOf(cluster)}`);
    assert.match(stderr, /SIGINT: it comes back at once; once more leaves it where it is/);
    assert.match(stderr, /shared: coming back to nodeA[\s\S]*hastmonctl: shared runs on nodeA\n$/);
    assert.match(readFileSync(file('interrupted'), 'utf8'), /The operator interrupted it\./);
    await runsOn(cluster, 'nodeA');
  });

  await t.test('twice, while it comes back: it stays, and what to do is said', async () => {
    await well(cluster);
    // A command that never switches back.
    const words = ['--yes', '--hold', '0s', '--', process.execPath, '-e', 'setInterval(() => {}, 1000)'];
    const running = drill('nodeA', 'twice', ...words);
    await until(
      () => /coming back to nodeA/.test(running.said()),
      patienceMs,
      () => `${running.said()}${logsOf(cluster)}`,
    );
    running.child.kill('SIGINT');
    await until(() => /once more leaves it/.test(running.said()), patienceMs, 'the first one is not heard');
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    assert.equal(code, 75, stderr);
    assert.match(stderr, /hastmonctl: interrupted twice\n/);
    const end =
      /shared runs on nodeB; this brings it back, on nodeB: (hastmonctl switchover shared --to nodeA)\n/;
    assert.match(stderr, end);
    assert.match(
      readFileSync(file('twice'), 'utf8'),
      /\*\*It did not go as planned:\*\* interrupted twice\./,
    );
    await give(cluster, 'nodeB', { kind: 'switchover', resource: 'shared', to: 'nodeA', wait: true });
    await runsOn(cluster, 'nodeA');
  });

  await t.test('two at once: one of them moves it, the other one fails and changes nothing', async () => {
    await well(cluster);
    const lives = cluster.beats().length;
    const both = ['one', 'other'].map((name) => drill('nodeA', name, '--yes', '--hold', '2s'));
    const ended = await Promise.all(both.map((running) => running.ended));
    const codes = ended.map(({ code }) => code ?? -1).sort((x, y) => x - y);
    const said = ended.map(({ stderr }) => stderr).join('---\n');
    assert.equal(codes[0], 0, `${said}${logsOf(cluster)}`);
    assert.ok(codes[1] === 75 || codes[1] === 69, `${said}${logsOf(cluster)}`);
    await runsOn(cluster, 'nodeA');
    assert.equal(cluster.beats().length, lives + 2, `there and back once\n${said}${logsOf(cluster)}`);
  });

  await t.test('it comes back to a node that was not set to primary: what that leaves is told', async () => {
    await give(cluster, 'nodeA', { kind: 'switchover', resource: 'shared', to: 'nodeB', wait: true });
    await runsOn(cluster, 'nodeB');
    await give(cluster, 'nodeB', { kind: 'switchover', resource: 'shared', to: 'nodeA', wait: true });
    await runsOn(cluster, 'nodeA');
    assert.equal((await a.status())?.roleSet, 'secondary');
    await well(cluster);
    // By a command it stays as it was.
    const back = [process.execPath, hastmonctl, '-c', cluster.configFile, '-n', '{}'];
    const words = ['--yes', '--hold', '0s', '--', ...back, 'switchover', 'shared', '--to', 'nodeA'];
    const byCommand = await drill('nodeA', 'role-command', ...words).ended;
    assert.equal(byCommand.code, 0, `${byCommand.stderr}${logsOf(cluster)}`);
    assert.doesNotMatch(byCommand.stderr, /set to primary/);
    assert.equal((await a.status())?.roleSet, 'secondary');
    await well(cluster);
    const { code, stderr } = await drill('nodeA', 'role', '--yes', '--hold', '0s').ended;
    assert.equal(code, 0, `${stderr}${logsOf(cluster)}`);
    assert.match(stderr, /nodeA is set to secondary, and will be set to primary: so it comes back/);
    const left = /nodeA is set to primary now, and was set to secondary before: it takes shared back/;
    assert.match(stderr, left);
    assert.match(readFileSync(file('role'), 'utf8'), left);
    assert.equal((await a.status())?.roleSet, 'primary');
  });

  await t.test(
    'twice while it comes back by its priority: it is where the last line says, and stays there',
    async () => {
      await well(cluster);
      const running = drill('nodeA', 'priority-twice', '--yes', '--hold', '0s');
      await until(
        () => /coming back to nodeA/.test(running.said()),
        patienceMs,
        () => `${running.said()}${logsOf(cluster)}`,
      );
      running.child.kill('SIGINT');
      await until(() => /once more leaves it/.test(running.said()), patienceMs, 'the first one is not heard');
      running.child.kill('SIGINT');
      const { stderr } = await running.ended;
      const on = /hastmonctl: shared runs on (node[AB])\b[^\n]*\n$/.exec(stderr)?.[1];
      assert.ok(on !== undefined, `${stderr}${logsOf(cluster)}`);
      await runsOn(cluster, on);
      // By its priority it would move within two leases.
      await stays(cluster, on, 10_000);
      if (on === 'nodeB') {
        await give(cluster, 'nodeB', { kind: 'switchover', resource: 'shared', to: 'nodeA', wait: true });
        await runsOn(cluster, 'nodeA');
      }
    },
  );

  await t.test('the other node cannot start it: it is put back, and the report says why', async () => {
    await give(cluster, 'nodeA', {
      kind: 'role',
      role: 'primary',
      resources: ['shared'],
      force: false,
      wait: true,
    });
    await well(cluster);
    b.fault('start.fail');
    const { code, stderr } = await drill('nodeA', 'failed', '--yes').ended;
    assert.equal(code, 75, `${stderr}${logsOf(cluster)}`);
    assert.match(
      stderr,
      /hastmonctl: shared: put back: nodeB could not start it: .*told to fail; it runs here again\nhastmonctl: shared runs on nodeA\n/,
    );
    const report = readFileSync(file('failed'), 'utf8');
    assert.match(report, /put back: nodeB could not start it/);
    assert.match(report, /^\| \*\*without the service, measured\*\* \| [\d.]+ m?s, put back \| - \|$/m);
    await runsOn(cluster, 'nodeA');
    const why = /nodeB cannot take over now: it has just given the resource up: .*told to fail/;
    await refused(drill('nodeA', 'no', '--yes'), 69, why);
    const before = await a.ctl('drill', '--check');
    assert.equal(before.code, 1, before.stdout);
    assert.match(before.stdout, /lost: not sure \(nodeA\).*nodeB could not run it last: .*told to fail/s);
    const role = { role: 'secondary', resources: ['shared'], force: false, wait: true } as const;
    await give(cluster, 'nodeB', { kind: 'role', ...role });
    const forgotten = async (): Promise<boolean> => (await a.ctl('drill', '--check')).code === 0;
    await until(forgotten, patienceMs, () => `it is not forgotten\n${logsOf(cluster)}`);
    assert.equal(overlapMs(cluster.beats()), 0);
  });
});
