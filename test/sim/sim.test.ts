/** A sample of the simulator: some seeds hold, the same seed is the same run, and a rule that is taken out is found. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { epochs } from './checkers/epochs.js';
import { handovers } from './checkers/handovers.js';
import { oneRunner } from './checkers/one-runner.js';
import { drawProfile } from './profile.js';
import { run } from './run.js';
import { type Checker, describeEvent, type TraceEvent } from './trace.js';

test('twenty seeds hold', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { failure } = run(drawProfile(seed));
    assert.equal(failure, null, `seed ${seed}: ${failure?.rule}: ${failure?.text}\n${failure?.cluster}`);
  }
});

test('a seed is one run, whenever it is played', () => {
  const story = (): string => {
    const lines: string[] = [];
    const result = run(drawProfile(21), (event, now) => lines.push(`${now} ${describeEvent(event)}`));
    return `${lines.join('\n')}\n${result.events}`;
  };
  assert.equal(story(), story());
});

test('[T2] [V3] [H1] rules that are taken out are found', () => {
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'mutations.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'T2', 'V3', 'H1'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /all 3 mutations were found/);
});

test('[P6] [P7] the judge of planned moves sees what it is there for', () => {
  const drawn = drawProfile(1);
  const judged = (failbackMs: number, events: readonly (readonly [number, object])[]) => () => {
    const nodes = ['a', 'b'].map((name, at) => ({
      ...drawn.nodes[0],
      name,
      priority: at,
    })) as typeof drawn.nodes;
    const judge = handovers({
      ...drawn,
      nodes,
      times: { ...drawn.times, failbackMs, driftPpm: 0, heartbeatMs: 100 },
    });
    for (const [now, event] of events) judge.see(event as TraceEvent, now);
  };
  const says = (now: number, ready = true) =>
    [now, { kind: 'said', node: 'b', by: 'a', ready, leaseMs: 1000 }] as const;
  const moves = (now: number, cause = 'failback') =>
    [now, { kind: 'handover', node: 'b', to: 'a', cause, leaseMs: 1000 }] as const;
  const ready = (until: number) => Array.from({ length: until / 500 + 1 }, (_, at) => says(at * 500));
  judged(3000, [...ready(3000), moves(3000)])();
  assert.throws(judged(3000, [moves(0, 'operator')]), /has said nothing/);
  assert.throws(judged(3000, [says(0), moves(1100, 'operator')]), /was last heard 1100 ms ago/);
  assert.throws(judged(3000, [says(0, false), moves(10, 'operator')]), /has said that it is not able/);
  assert.throws(judged(Number.POSITIVE_INFINITY, [...ready(3000), moves(3000)]), /with failback never/);
  assert.throws(judged(3000, [...ready(2500), moves(2500)]), /has been ready for 2500 ms/);
  assert.throws(judged(3000, [says(0), ...ready(3000).slice(3), moves(3000)]), /has been ready for 1500 ms/);
  const failed = [...ready(3000), moves(3000), ...ready(6000).slice(7), moves(6000)];
  judged(3000, [...failed, ...ready(12_000).slice(13), moves(12_000)])();
  assert.throws(judged(3000, [...failed, ...ready(9000).slice(13), moves(9000)]), /and 2 have failed/);
});

test('the judges see what they are there for', () => {
  const judge = (checker: Checker, events: object[]) => () => {
    for (const event of events) checker.see(event as TraceEvent, 0);
  };
  const service = (node: string, epoch: number, running = true) => {
    return { kind: 'service', node, epoch, running, forced: false };
  };
  const start = (node: string, epoch: number) => {
    return { kind: 'hook-begin', action: 'start', forced: false, node, epoch, incarnation: 1 };
  };
  judge(oneRunner(), [service('a', 1), service('a', 1, false), service('b', 2)])();
  assert.throws(judge(oneRunner(), [service('a', 1), service('b', 2)]), /runs on a .* and on b .* at once/);
  judge(epochs(), [start('a', 1), start('a', 1), start('b', 2)])();
  assert.throws(judge(epochs(), [start('a', 2), start('b', 2)]), /under epoch 2 after a did/);
});
