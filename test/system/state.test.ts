/** State that is torn, corrupt or cannot be written: the safe case, and loudly. Real daemons. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { epochFault, monotonicMs, overlapMs } from './beats.js';
import { clusterFor, give, logsOf, patienceMs, runsOn } from './support.js';
import { until } from './wait.js';

const resources = ['shared'];

test('a voter whose record is torn says so, votes again when it has heard the others, and knows their epoch', async (t) => {
  const cluster = await clusterFor(t);
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  const b = cluster.node('nodeB');
  b.killMachine();
  await b.exited;
  const record = path.join(cluster.dir, 'nodeB/state/resources/shared/voter.state');
  const length = readFileSync(record).length;
  truncateSync(record, Math.floor(length / 2));
  const before = b.log().length;
  await b.start();
  assert.match(
    b.log(),
    /error .*the voter's record is corrupt \(.*\): this node votes again when it has heard the others/,
  );
  await give(cluster, 'nodeB', { kind: 'role', role: 'secondary', resources, force: false, wait: true });
  const learned = async (): Promise<boolean> =>
    (await b.status())?.voters.find((voter) => voter.self)?.history === true;
  await until(learned, patienceMs, () => logsOf(cluster));
  assert.match(b.log().slice(before), /history learned from /, 'the rest of the record is not believed');
  const warned = (await b.status())?.warnings.join('\n') ?? '';
  assert.match(warned, /corrupt/, 'status goes on saying so');

  const killed = monotonicMs();
  cluster.node('nodeA').killMachine();
  await runsOn(cluster, 'nodeB', killed);
  assert.equal(overlapMs(cluster.beats()), 0);
  assert.equal(epochFault(cluster.beats()), '', 'the epoch rises over the loss of memory');
});

const asRoot = process.getuid?.() === 0;

/**
 * Mounts for a test and unmounts after it. To be called before the cluster is made: what is registered first is done first,
 * and the cluster removes its directory.
 */
function mounter(t: TestContext): (args: readonly string[], at: string) => void {
  const mounts: string[] = [];
  t.after(() => {
    for (const mount of mounts.reverse()) execFileSync('umount', ['-l', mount]);
  });
  return (args, at) => {
    execFileSync('mount', [...args, at]);
    mounts.push(at);
  };
}

test('a full disk refuses acquisitions, and the service that runs goes on', {
  skip: !asRoot && 'a file system of a known size needs root',
}, async (t) => {
  const mount = mounter(t);
  const cluster = await clusterFor(t);
  const states = ['nodeB', 'nodeC'].map((name) => path.join(cluster.dir, name, 'state/resources/shared'));
  for (const state of states) {
    const hooks = path.join(state, 'hooks');
    mkdirSync(state, { recursive: true, mode: 0o700 });
    mount(['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs'], state);
    // Hooks keep their room: their records come and go, and it is the voter's word alone that has to keep the service down.
    mkdirSync(hooks, { mode: 0o700 });
    mount(['-t', 'tmpfs', '-o', 'size=256k,mode=700', 'tmpfs'], hooks);
  }
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  const before = cluster.beats().at(-1);
  for (const state of states) fill(state);
  // Renewals need no disk.
  const seen = monotonicMs();
  await until(() => monotonicMs() > seen + 2500, patienceMs, 'unreachable');
  assert.equal(cluster.beats().at(-1)?.pid, before?.pid);
  cluster.node('nodeA').killMachine();
  const loud = (): boolean =>
    /error .*(cannot store the voter's record|could not be written)/.test(
      cluster.node('nodeB').log() + cluster.node('nodeC').log(),
    );
  await until(loud, patienceMs, () => logsOf(cluster));
  const refused = (): boolean => /no lease: .*it cannot store a grant/.test(cluster.node('nodeB').log());
  await until(refused, patienceMs, () => logsOf(cluster));
  assert.doesNotMatch(cluster.node('nodeB').log(), /lease acquired/);
  assert.equal(cluster.beats().at(-1)?.node, 'nodeA', 'nobody has started it without a stored grant');
});

test('a state directory that has become read-only stops no daemon: the service still moves', {
  skip: !asRoot && 'a read-only file system needs root',
}, async (t) => {
  const mount = mounter(t);
  const cluster = await clusterFor(t);
  const state = path.join(cluster.dir, 'nodeA', 'state');
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  // A mount of its own can be read-only although hooks have files of the first one open.
  mount(['--bind', state], state);
  execFileSync('mount', ['-o', 'remount,bind,ro', state]);
  await cluster.node('nodeA').ctl('switchover', cluster.resource, '--wait');
  await runsOn(cluster, 'nodeB');
  const told = (): boolean =>
    /error .*a worker could not be recorded: .*EROFS/.test(cluster.node('nodeA').log());
  await until(told, patienceMs, () => logsOf(cluster));
  assert.equal((await cluster.node('nodeA').status())?.role, 'secondary');
  assert.equal(overlapMs(cluster.beats()), 0);
});

/** Leaves no byte free. */
function fill(directory: string): void {
  for (let index = 0; statfsSync(directory).bavail > 0 && index < 1000; index += 1) {
    try {
      writeFileSync(path.join(directory, `ballast${index}`), Buffer.alloc(4096));
    } catch {
      return;
    }
  }
}
