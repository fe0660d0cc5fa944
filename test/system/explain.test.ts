/**
 * What hastmonctl explain says of real clusters to which something has happened: the sentence, the condition that does not hold and what
 * would change it, against what is so: who leaves beats, which processes live, which links are cut, what people were told.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { call } from '../../ctl/client.js';
import { invokingUser } from '../../ctl/user.js';
import type { Condition, Explanation } from '../../proto/explain-types.js';
import { monotonicMs } from './beats.js';
import type { Cluster, ClusterNode } from './cluster.js';
import { listener } from './listener.js';
import { createMonitors, createService, sourceOf } from './monitors.js';
import { cutBoth, freePorts } from './network.js';
import { hastmonctl, hastmond } from './paths.js';
import { createProxies } from './proxy.js';
import { calmTimes, clusterFor, give, logsOf, patienceMs, runsOn } from './support.js';
import { until } from './wait.js';

type Asked = Pick<ClusterNode, 'request' | 'ctl'>;

async function explained(node: Asked, name = 'shared'): Promise<Explanation> {
  const { error, explanations } = await node.request({ kind: 'explain', name });
  const [only] = explanations;
  assert.equal(error, null);
  assert.ok(
    only !== undefined && explanations.length === 1,
    `${explanations.length} explanations of ${name}`,
  );
  return only;
}

/** Waits until that is said. */
async function says(
  node: Asked,
  sentence: RegExp,
  logs: () => string,
  name = 'shared',
): Promise<Explanation> {
  let last = await explained(node, name);
  const said = async (): Promise<boolean> => {
    last = await explained(node, name);
    return sentence.test(last.sentence);
  };
  await until(said, 2 * patienceMs, () => `it says: ${last.sentence}\n${logs()}`);
  return last;
}

/** The condition of this name, `topic/name`. */
function conditionOf({ conditions }: Explanation, place: string): Condition {
  const found = conditions.find(({ name, topic }) => `${topic}/${name}` === place);
  assert.ok(found, `${place} in ${conditions.map(({ name, topic }) => `${topic}/${name}`).join(' ')}`);
  return found;
}

/** What the program prints of it, without its columns. */
async function printed(node: Asked, name = 'shared'): Promise<string> {
  const { code, stderr, stdout } = await node.ctl('explain', name);
  assert.deepEqual([code, stderr], [0, ''], stdout);
  return stdout.replace(/\s+/g, ' ');
}

/** True while the service of this node leaves beats. */
async function beats(cluster: Cluster, node: string): Promise<void> {
  const from = monotonicMs();
  const goesOn = (): boolean => cluster.beats().some((life) => life.node === node && life.last > from);
  await until(goesOn, patienceMs, () => `nothing beats on ${node}\n${logsOf(cluster)}`);
}

/** The other candidate is there, and hears the holder. */
async function follows(cluster: Cluster, node: string, holder: string): Promise<void> {
  const ready = async (): Promise<boolean> => {
    const status = await cluster.node(node).status();
    return status?.role === 'secondary' && status.holder === holder && status.state === 'stopped';
  };
  await until(ready, patienceMs, () => `${node} does not follow ${holder}\n${logsOf(cluster)}`);
}

test('a resource: what is said is so', async (t) => {
  const [port = 0] = await freePorts(1);
  const web = await listener(t, port);
  const cluster = await clusterFor(t, {
    network: createProxies,
    globals: `monitor {
  interval 200ms
  retry_interval 100ms
  timeout 1s
  rise 1
  fall 2
}
check web tcp://127.0.0.1:${port}`,
    statements: `${calmTimes}\n  attempts 5\n  check web`,
  });
  const [a, b, c] = ['nodeA', 'nodeB', 'nodeC'].map(cluster.node) as [ClusterNode, ClusterNode, ClusterNode];
  const logs = (): string => logsOf(cluster);
  const secondary = (node: string): Promise<void> =>
    give(cluster, node, { kind: 'role', role: 'secondary', resources: ['shared'], force: false, wait: true });
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  await follows(cluster, 'nodeB', 'nodeA');

  await t.test('all is well', async () => {
    const here = await says(a, /^primary; the resource runs here$/, logs);
    assert.deepEqual(here.verdicts, {
      running: true,
      promotion: null,
      staying: true,
      'stepping-down': false,
    });
    assert.match(conditionOf(here, 'staying/majority').value, /^3 of 3$/);
    const there = await says(b, /^secondary; nodeA holds the lease$/, logs);
    assert.deepEqual([there.verdicts.running, there.verdicts.promotion], [false, false]);
    const { holds, source, value } = conditionOf(there, 'promotion/holder-gone');
    assert.deepEqual([holds, source, value], [false, 'nodeA', 'nodeA holds it']);
    const text = await printed(b);
    assert.match(text, /^resource shared on nodeB: secondary; nodeA holds the lease CONDITION NOW NEEDED /);
    assert.match(
      text,
      /RUNS HERE: no .* CAN BE PROMOTED HERE: no .* -> nodeA has to be lost or to release it/,
    );
    const json = JSON.parse((await b.ctl('explain', 'shared', '--json')).stdout) as Explanation[];
    assert.deepEqual([json.length, json[0]?.sentence], [1, there.sentence]);
    const none = await a.ctl('explain', 'shard');
    assert.deepEqual(
      [none.code, /no resource, check .* 'shard'; did you mean 'shared'\?/.test(none.stderr)],
      [68, true],
    );
  });

  await t.test('link cut', async () => {
    await cutBoth(cluster.network, 'nodeA', 'nodeB');
    const there = await says(
      b,
      /^secondary; waiting for a watchdog to confirm that the primary is lost/,
      logs,
    );
    assert.equal(conditionOf(there, 'promotion/holder-gone').holds, true);
    const { change, holds, value } = conditionOf(there, 'promotion/complaints');
    assert.deepEqual([holds, value], [false, '0 of 4'], 'the watchdog hears the primary');
    assert.match(change, /^a watchdog node has to .* miss the primary/);
    assert.match(
      conditionOf(there, 'promotion/majority').value,
      /^2 of 3; not nodeA \(last heard [\d.]+ s ago\)$/,
    );
    const here = await says(a, /^primary; the resource runs here; nodeB cannot be heard$/, logs);
    assert.equal(here.verdicts.staying, true);
    await beats(cluster, 'nodeA');
    assert.equal((await b.status())?.role, 'secondary');
    assert.match(
      await printed(b),
      /CAN BE PROMOTED HERE: no .* -> a watchdog node has to be up and connected/,
    );
    await cluster.network.heal();
    await follows(cluster, 'nodeB', 'nodeA');
  });

  await t.test('watchdog lost', async () => {
    c.killMachine();
    await c.exited;
    const here = await says(a, /^primary; the resource runs here; nodeC cannot be heard$/, logs);
    const { holds, needed, value } = conditionOf(here, 'staying/majority');
    assert.deepEqual([holds, needed], [true, '2; no other may be lost']);
    assert.match(value, /^2 of 3; not nodeC \(last heard/);
    await beats(cluster, 'nodeA');
  });

  await t.test('no majority', async () => {
    await cutBoth(cluster.network, 'nodeA', 'nodeB');
    for (const [node, missing] of [
      [a, 'nodeB and nodeC'],
      [b, 'nodeA and nodeC'],
    ] as const) {
      const sentence = `waiting for a majority of the voters: ${missing} cannot be heard, and 1 more of 3 is needed`;
      const lone = await says(node, new RegExp(sentence), logs);
      const { change, holds, value } = conditionOf(lone, 'promotion/majority');
      assert.deepEqual([holds, change], [false, `${missing} have to be started, or the network mended`]);
      assert.match(value, /^1 of 3; not /);
      assert.deepEqual([lone.verdicts.running, lone.verdicts.promotion], [false, false]);
      assert.ok((await printed(node)).includes(`-> ${missing} have to be started, or the network mended`));
      assert.notEqual((await node.status())?.state, 'run');
    }
    const stopped = monotonicMs();
    await cluster.network.heal();
    await c.start();
    await give(cluster, 'nodeC', {
      ...{ kind: 'role', role: 'watchdog', resources: ['shared'], force: false, wait: true },
    });
    await runsOn(cluster, 'nodeA', stopped);
    await follows(cluster, 'nodeB', 'nodeA');
  });

  await t.test('service dead', async () => {
    web.close();
    const here = await says(a, /^primary; waiting for the service to answer: web is confirmed down/, logs);
    const { change, holds, value } = conditionOf(here, 'staying/service');
    assert.equal(holds, false);
    assert.match(value, /^web is confirmed down for /);
    assert.match(change, /^the service has to answer; attempts so far: \d of 5$/);
    const check = await says(a, /^down for \d+ s, confirmed: node\w.* it down \(refused\)/, logs, 'web');
    assert.deepEqual([check.verdicts.here, check.verdicts.confirmed], [false, true]);
    await web.open();
    await says(a, /^primary; the resource runs here$/, logs);
    await says(a, /^up for /, logs, 'web');
    await beats(cluster, 'nodeA');
  });

  await t.test('node killed', async () => {
    await follows(cluster, 'nodeB', 'nodeA');
    const killed = monotonicMs();
    a.killMachine();
    await a.exited;
    await runsOn(cluster, 'nodeB', killed);
    const here = await says(b, /^primary; the resource runs here; nodeA cannot be heard$/, logs);
    assert.equal(here.verdicts.running, true);
    const { needed, value } = conditionOf(here, 'staying/majority');
    assert.match(
      `${value} ${needed}`,
      /^2 of 3; not nodeA \(last heard [\d.]+ s ago\) 2; no other may be lost$/,
    );
    await beats(cluster, 'nodeB');
  });

  await t.test('start fails', async () => {
    await a.start();
    await secondary('nodeA');
    await follows(cluster, 'nodeA', 'nodeB');
    a.fault('start.fail');
    // It is refused until the other one could take over.
    const ordered = async (): Promise<boolean> =>
      (await b.request({ kind: 'switchover', resource: 'shared', to: 'nodeA', wait: false })).error === null;
    await until(ordered, patienceMs, () => `no switchover\n${logs()}`);
    const there = await says(a, /^secondary; .* has given the resource up \(.*told to fail/, logs);
    const { change, holds, value } = conditionOf(there, 'promotion/rested');
    assert.equal(holds, false);
    assert.match(value, /^given up [\d.]+ s ago: .*told to fail/);
    assert.match(change, /^[\d.]+ s have to pass, or hastmonctl role primary shared$/);
    await beats(cluster, 'nodeB');
  });
});

test('a check that one node alone sees down', async (t) => {
  const service = await createService();
  t.after(() => service.close());
  const monitors = await createMonitors({
    names: ['a', 'b', 'c'],
    // What the others say counts for as long as a check may take: they are asked every ten seconds.
    monitor: 'interval 200ms retry_interval 100ms timeout 12s rise 1 fall 2',
    statements: `check web ${service.url}`,
  });
  t.after(() => monitors.close());
  await monitors.start();
  service.refused.add(sourceOf(2));
  const alone =
    /^down here, not confirmed: a sees it up, \d+ s ago; b sees it up, \d+ s ago \(2 have to see it down\)$/;
  const there = await says(monitors.node('c'), alone, monitors.logs, 'web');
  assert.deepEqual(there.verdicts, { here: false, confirmed: false, told: null });
  const seen = there.conditions.filter(({ name }) => name === 'sees-down');
  assert.deepEqual(
    seen.map(({ enough, holds, source, value }) => [source, holds, enough, value.split(' ')[0]]),
    [
      ['a', false, 2, 'up'],
      ['b', false, 2, 'up'],
      ['c', true, 2, 'down'],
    ],
  );
  assert.match(
    await printed(monitors.node('c'), 'web'),
    /no 2 of these: no a sees it down .*yes c sees it down/,
  );
  await says(monitors.node('a'), /^up for /, monitors.logs, 'web');
  assert.deepEqual(monitors.told(), []);
});

/** Node `here` with a balancer whose table is nobody's: ipvsadm is a file that there is not. */
async function balancerFor(t: TestContext): Promise<Asked> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hastmon-explain-'));
  const [web = 0, listen = 0] = await freePorts(2);
  await listener(t, web);
  writeFileSync(
    path.join(dir, 'lb.conf'),
    `DB=${dir}/lb.db
IPVSADM=${dir}/none
Ramping.TriggerTime=0
Ramping.Duration=60
! www 192.0.2.1:80:${web} tcp://* interval=100ms
srv1 127.0.0.1 www=100
`,
  );
  const config = path.join(dir, 'hastmon.conf');
  const places = `control ${dir}/control\nstate_dir ${dir}/state\nlisten tcp4://127.0.0.1:${listen}\n`;
  writeFileSync(config, `${places}on here { }\nbalancer { config ${dir}/lb.conf }\n`);
  const words = [hastmond, '-F', '-n', 'here', '-c', config, '-P', path.join(dir, 'pid')];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = new Promise((resolve) => child.once('close', resolve));
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  t.after(async () => {
    child.kill('SIGTERM');
    await gone;
    rmSync(dir, { recursive: true, force: true });
  });
  await until(
    () => said.includes('the balancer is ready'),
    patienceMs,
    () => said,
  );
  return {
    request: (request) => call(path.join(dir, 'control'), request, () => {}, 10_000),
    ctl: (first = '', ...more) => run([hastmonctl, first, '-n', 'here', '-c', config, ...more]),
  };
}

function run(words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      ended.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      ended.stderr += chunk;
    });
    child.on('close', (code) => resolve({ code: code ?? -1, ...ended }));
  });
}

test('a server that is disabled', async (t) => {
  const node = await balancerFor(t);
  const logs = (): string => '';
  // It is new, and has waited for its first result: it comes gradually.
  const up = await says(
    node,
    /^weight \d+ of 100: it comes back.*; but www: the kernel's table has not/,
    logs,
    'srv1/www',
  );
  assert.deepEqual([up.verdicts.weight, up.verdicts.ramp, up.name], [true, true, 'srv1/www']);
  const off = await node.ctl('host', 'srv1', 'off', '--vs', 'www', '--reason', 'deploy');
  assert.equal(off.code, 0, off.stderr);
  const by = invokingUser();
  const sentence = new RegExp(
    `^weight 0: disabled for reason deploy by ${by}, \\d+ s ago; would ramp for 60 s; but www`,
  );
  const down = await says(node, sentence, logs, 'srv1');
  const { change, holds, source, value } = conditionOf(down, 'weight/reason');
  assert.deepEqual([holds, source, value], [false, by, 'disabled']);
  assert.equal(change, 'hastmonctl host srv1 on --vs www --reason deploy');
  assert.equal(conditionOf(down, 'ramp/would-ramp').holds, true);
  const { stdout } = await node.ctl('hosts', 'srv1');
  assert.match(stdout, /^srv1 +www .* 0\/100 .* off: deploy \(/m);
  assert.match((await node.ctl('explain', 'srv1')).stdout, /no +it is not disabled for reason/);
  // It does what is said to help, and comes back as was said.
  const [, ...words] = change.split(' ');
  assert.equal((await node.ctl(...words)).code, 0);
  const back = await says(
    node,
    /^weight \d+ of 100: it comes back, and has all of it in (5\d|60) s/,
    logs,
    'srv1/www',
  );
  assert.deepEqual([back.verdicts.weight, back.verdicts.ramp], [true, true]);
  const lost = await node.ctl('explain', 'srv2');
  assert.deepEqual([lost.code, /did you mean 'srv1'\?/.test(lost.stderr)], [68, true]);
});
