/** What began a failover, and what only came before it: told by all nodes, and by those that are left. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Failover } from '../../proto/timeline-types.js';
import {
  ALL,
  handsOver,
  holds,
  loses,
  of,
  only,
  phasesOf,
  releases,
  type Story,
  standsStill,
  story,
  takes,
} from './stories.js';

/** Told by these nodes alone. */
function toldBy(told: Story, nodes: readonly string[]): Failover[] {
  return of(
    told.events.filter(({ node }) => nodes.includes(node)),
    nodes as string[],
  );
}

const begins = (): Story => takes(story(), 'a', 1, ALL);
const changes = (from: string, to: string, epoch = 1) => ({ from, to, epoch, error: '' });

describe('a moment of silence', () => {
  const heardAgain = (told: Story): Story =>
    told
      .after(60, 'c', 'holder-heard', { peer: 'a', epoch: 1 })
      .after(40, 'c', 'vote-granted', { peer: 'a', epoch: 1 });

  test('of a watchdog that stood still is not the cause of a later switchover', () => {
    const told = heardAgain(standsStill(begins(), 1));
    told.after(47_500, 'a', 'complaint', { peer: 'c', count: 1, needed: 4 });
    const began = told.now;
    takes(handsOver(told, 1), 'b', 2, ALL);
    for (const nodes of [ALL, ['a', 'b'], ['a', 'c']]) {
      const failover = only(toldBy(told, nodes));
      assert.equal(failover.kind, 'handover', nodes.join());
      // Where the new node does not say so itself, it ran when it was heard to hold the lease.
      const real = told.now - began - (nodes.includes('b') ? 0 : 303);
      assert.ok(Math.abs((failover.tookMs ?? 0) - real) < 15, `${failover.tookMs} of ${real} ms`);
      assert.deepEqual([phasesOf(failover)[0]?.[0], failover.phases.at(-1)?.name], ['stop', 'start']);
      assert.match(
        failover.phases.find(({ name }) => name === 'grants')?.text ?? 'none',
        /^granted by [abc, ]*$/,
      );
    }
    for (const nodes of [['b', 'c'], ['b'], ['c']]) {
      const [failover] = toldBy(told, nodes);
      assert.equal(failover?.kind, 'other', `the node that knows is not there: ${nodes.join()}`);
      assert.ok((failover?.tookMs ?? 0) < 1000, `${failover?.tookMs} ms`);
    }
  });

  test('where no voter says when the lease was renewed: heard again is enough', () => {
    const told = heardAgain(standsStill(begins(), 1)).after(60_000, 'b', 'link-down', { peer: 'c' });
    takes(handsOver(told, 1), 'b', 2, ALL);
    const events = told.events.filter(({ kind, node }) => kind !== 'vote-ended' && node !== 'a');
    const failover = only(of(events, ['b', 'c']));
    assert.deepEqual(
      [failover.kind, (failover.tookMs ?? 0) < 1000],
      ['other', true],
      `${failover.tookMs} ms`,
    );
  });

  test('that never ended for one node, while the others heard it', () => {
    const told = standsStill(begins(), 1).after(60_000, 'b', 'complaint', { peer: 'c', count: 1, needed: 4 });
    takes(handsOver(told, 1), 'b', 2, ALL);
    for (const nodes of [ALL, ['a', 'b'], ['b', 'c']])
      assert.ok((only(toldBy(told, nodes)).tookMs ?? 0) < 1000, nodes.join());
    assert.equal(only(of(told.events)).kind, 'handover');
  });

  test('and then the node is lost indeed: from its last renewal', () => {
    const told = standsStill(begins(), 1).after(60_000, 'b', 'complaint', { peer: 'c', count: 1, needed: 4 });
    told.after(10, 'c', 'holder-heard', { peer: 'a', epoch: 1 });
    const failover = only(of(loses(told, 1).events));
    assert.deepEqual([failover.kind, failover.tookMs], ['lost', 2320]);
    assert.equal(phasesOf(failover)[0]?.[0], 'unnoticed');
  });

  test('before the role was taken from the node, or the service failed', () => {
    const role = standsStill(begins(), 1).after(9000, 'a', 'run-changed', changes('run', 'stopping'));
    takes(releases(role, 1), 'b', 2, ALL);
    assert.deepEqual(
      [only(of(role.events)).kind, (only(of(role.events)).tookMs ?? 0) < 1000],
      ['other', true],
    );
    const failed = standsStill(begins(), 1).after(9000, 'a', 'attempt-failed', {
      attempts: 1,
      error: 'died',
    });
    failed.after(0, 'a', 'run-changed', changes('run', 'starting'));
    failed.after(200, 'a', 'run-changed', changes('starting', 'run'));
    assert.deepEqual([only(of(failed.events)).kind, only(of(failed.events)).tookMs], ['failed', 200]);
  });
});

test('a node that was cut off and lost its lease says so: it was lost, also where its last words are heard late', () => {
  const told = begins();
  told.after(5000, 'b', 'holder-lost', { peer: 'a', epoch: 1, why: 'silent', lastHeardMs: 1000 });
  told.after(5, 'c', 'holder-lost', { peer: 'a', epoch: 1, why: 'silent', lastHeardMs: 1005 });
  told.after(500, 'a', 'lease-lost', { epoch: 1 });
  told.after(0, 'a', 'run-changed', changes('run', 'stopping'));
  told.after(80, 'a', 'hook', { action: 'stop', ok: true, outcome: 'exit', code: 0, ms: 78 });
  for (const node of ['b', 'c']) {
    told.after(1, node, 'holder-heard', { peer: 'a', epoch: 1 });
    told.after(500, node, 'vote-ended', { peer: 'a', epoch: 1, why: 'ran-out', lastRenewedMs: 2100 });
  }
  const renewedAt = told.now - 2100;
  const failover = only(of(takes(told, 'b', 2, ALL).events));
  assert.equal(failover.kind, 'lost');
  assert.ok(Math.abs((failover.tookMs ?? 0) - (told.now - renewedAt)) < 10, `${failover.tookMs} ms`);
});

test('a voter that has restarted since knows of no renewal after that: the node was lost all the same', () => {
  const told = begins();
  told.after(5000, 'b', 'holder-lost', { peer: 'a', epoch: 1, why: 'silent', lastHeardMs: 1000 });
  const lastHeard = told.now - 1000;
  told.after(9000, 'c', 'vote-ended', { peer: 'a', epoch: 1, why: 'ran-out' });
  takes(told, 'b', 2, ['b', 'c']);
  const failover = only(toldBy(told, ['b', 'c']));
  assert.equal(failover.kind, 'lost');
  assert.ok(Math.abs((failover.tookMs ?? 0) - (told.now - lastHeard)) < 10, `${failover.tookMs} ms`);
});

test('a failure after which the service answered is not the cause of a later switchover', () => {
  const told = begins().after(5000, 'a', 'service-failed', { why: 'www' });
  told
    .after(9000, 'a', 'service-answers')
    .after(60_000, 'b', 'complaint', { peer: 'c', count: 1, needed: 4 });
  assert.equal(only(of(takes(handsOver(told, 1), 'b', 2, ALL).events)).kind, 'handover');
});

/** `a` is in maintenance, by the word of all voters. */
function inMaintenance(): Story {
  const told = begins();
  for (const node of ALL) told.after(5, node, 'maintenance-on', { peer: 'a', reason: '', by: 'root' });
  return told;
}

function outOfMaintenance(told: Story): Story {
  for (const node of ['b', 'c', 'a']) told.after(2, node, 'maintenance-off', { peer: 'a' });
  return told;
}

/** hastmond of `a` ends and leaves it; or is killed, so that the others find out. */
function goesAway(told: Story, killed: boolean): Story {
  if (!killed) {
    told.after(500, 'a', 'run-changed', changes('run', 'unknown')).after(0, 'a', 'lease-lost', { epoch: 1 });
    told.after(0, 'a', 'role-changed', { from: 'primary', to: 'init' });
  }
  for (const node of ['b', 'c']) {
    const [why, lastHeardMs] = killed ? ['silent', 1000] : ['released', 0];
    told.after(killed ? 600 : 3, node, 'holder-lost', { peer: 'a', epoch: 1, why, lastHeardMs });
  }
  for (const node of ['b', 'c'])
    told.after(900, node, 'vote-ended', { peer: 'a', epoch: 1, why: 'ran-out', lastRenewedMs: 2060 });
  return told;
}

/** The next hastmond of `a` finds the resource so, and gets another lease. */
function comesBack(told: Story, found: string): Story {
  told.after(900, 'a', 'run-changed', changes('unknown', found, 0));
  for (const voter of ['b', 'c']) told.after(5, voter, 'vote-granted', { peer: 'a', epoch: 2 });
  told.after(5, 'a', 'lease-acquired', { epoch: 2 });
  for (const other of ['b', 'c']) told.after(2, other, 'holder-heard', { peer: 'a', epoch: 2 });
  return told;
}

describe('in maintenance', () => {
  for (const killed of [false, true]) {
    const how = killed ? 'is killed' : 'ends';

    test(`hastmond ${how} and takes the resource up again: no failover, whoever is asked`, () => {
      const told = outOfMaintenance(comesBack(goesAway(inMaintenance(), killed), 'run'));
      for (const nodes of [ALL, ['a'], ['b', 'c'], ['b'], ['c']])
        assert.deepEqual(toldBy(told, nodes), [], nodes.join());
      takes(handsOver(told.after(5000, 'a', 'link-up', { peer: 'c' }), 2), 'b', 3, ALL);
      const failover = only(of(told.events));
      assert.deepEqual([failover.kind, (failover.tookMs ?? 0) < 1000], ['handover', true]);
    });

    test(`hastmond ${how}, and has not come back: it may run there`, () => {
      const told = goesAway(inMaintenance(), killed);
      assert.deepEqual(toldBy(told, ['b', 'c']), []);
      assert.equal(toldBy(outOfMaintenance(told), ['b', 'c']).length, 1, 'forgotten: nobody has it');
    });

    test(`hastmond ${how}, and finds that the service has died: an outage, from then until it is started`, () => {
      const told = comesBack(goesAway(inMaintenance(), killed), 'stopped');
      const found = told.now;
      told.after(3000, 'a', 'attempt-failed', { attempts: 1, limit: 5, error: 'it has stopped by itself' });
      told.after(0, 'a', 'run-changed', changes('stopped', 'starting', 2));
      const ended = outOfMaintenance(told).now;
      told.after(200, 'a', 'hook', { action: 'start', ok: true, outcome: 'exit', code: 0, ms: 190 });
      told.after(5, 'a', 'run-changed', changes('starting', 'run', 2));
      const failover = only(of(told.events));
      assert.deepEqual([failover.kind, failover.from, failover.to], ['failed', 'a', 'a']);
      assert.ok(Math.abs((failover.tookMs ?? 0) - (told.now - found)) < 30, `${failover.tookMs} ms`);
      const [left, ...rest] = phasesOf(failover);
      assert.equal(left?.[0], 'maintenance');
      assert.ok(Math.abs((left?.[1] ?? 0) - (ended - found)) < 30, `${left?.[1]} ms`);
      assert.deepEqual(rest, [['start', 205, 'a']]);
    });
  }

  test('a service that dies before the eyes of hastmond: one outage, up to its start', () => {
    const told = inMaintenance().after(800, 'a', 'run-changed', changes('run', 'stopped'));
    const died = told.now;
    told.after(3000, 'a', 'attempt-failed', { attempts: 1, limit: 5, error: 'it has stopped by itself' });
    told.after(0, 'a', 'run-changed', changes('stopped', 'starting'));
    outOfMaintenance(told).after(200, 'a', 'run-changed', changes('starting', 'run'));
    const failover = only(of(told.events));
    assert.deepEqual([failover.kind, failover.tookMs], ['failed', told.now - died]);
    assert.equal(phasesOf(failover)[0]?.[0], 'maintenance');
  });

  test('what an operator stops and starts by hand was away as long', () => {
    const told = inMaintenance().after(800, 'a', 'run-changed', changes('run', 'stopped'));
    outOfMaintenance(told.after(700, 'a', 'run-changed', changes('stopped', 'run')));
    const failover = only(of(told.events));
    assert.deepEqual([failover.kind, failover.tookMs], ['other', 700]);
  });
});

/** `b` has the lease, cannot start, and gives it back or loses it. */
function tries(told: Story, epoch: number, end: 'lease-released' | 'lease-lost'): Story {
  for (const voter of ALL) told.after(4, voter, 'vote-granted', { peer: 'b', epoch });
  told.after(4, 'b', 'lease-acquired', { epoch });
  for (const other of ['a', 'c']) told.after(3, other, 'holder-heard', { peer: 'b', epoch });
  told.after(5, 'b', 'run-changed', changes('stopped', 'starting', epoch));
  told.after(50, 'b', 'attempt-failed', { attempts: 1, limit: 5, error: 'no disk' });
  told.after(5, 'b', 'run-changed', changes('starting', 'stopping', epoch));
  return told.after(40, 'b', end, { epoch });
}

describe('an attempt of another node between two runs', () => {
  for (const [end, what, setting] of [
    ['lease-released', 'gave it up', ''],
    ['lease-lost', 'lost it', 'stop_timeout'],
  ] as const)
    test(`in a handover that is put back: it ${what}`, () => {
      const told = handsOver(begins().after(900, 'a', 'link-up', { peer: 'c' }), 1);
      takes(tries(told, 2, end), 'a', 3, ALL);
      const failover = only(of(told.events));
      assert.deepEqual(
        phasesOf(failover).map(([name]) => name),
        ['stop', 'attempts', 'grants', 'lease', 'start'],
      );
      const [, attempt, grants] = failover.phases;
      assert.equal(attempt?.text, `b ${what}, epoch 2, without having run it: no disk`);
      assert.deepEqual([attempt?.node, grants?.setting], ['b', setting]);
      assert.ok((grants?.tookMs ?? 99) < 20, `${grants?.tookMs} ms`);
    });

  test('after a loss: the complaints before it count, and what was granted to it has to run out', () => {
    const lost = loses(begins(), 1).events.filter(({ data }) => data.epoch !== 2);
    const told = story();
    for (const { bootMs, data, kind, node } of lost) told.after(bootMs - 5000 - told.now, node, kind, data);
    // It is back, and the first that it says is that it does not run there.
    told.after(50, 'a', 'run-changed', changes('unknown', 'stopped', 0));
    tries(told, 2, 'lease-lost').after(400, 'b', 'complaint', { peer: 'c', count: 4, needed: 4 });
    tries(told.after(500, 'c', 'vote-ended', { peer: 'b', epoch: 2, why: 'ran-out' }), 3, 'lease-lost');
    takes(told.after(900, 'c', 'vote-ended', { peer: 'b', epoch: 3, why: 'ran-out' }), 'a', 4, ALL);
    const failover = only(of(told.events));
    assert.deepEqual(
      phasesOf(failover).map(([name]) => name),
      ['unnoticed', 'complaints', 'attempts', 'grants', 'lease', 'start'],
    );
    const [unnoticed, complaints, attempts, grants] = failover.phases;
    assert.deepEqual([unnoticed?.tookMs, complaints?.tookMs], [1000, 100]);
    assert.match(attempts?.text ?? '', /^2 of them; b lost it, epoch 3, without/);
    assert.deepEqual([grants?.setting, (grants?.tookMs ?? 0) > 890], ['stop_timeout', true]);
  });
});

test('any order and any loss of the events of all that', () => {
  const told = comesBack(goesAway(inMaintenance(), false), 'stopped');
  told.after(200, 'a', 'run-changed', changes('starting', 'run', 2));
  handsOver(standsStill(outOfMaintenance(told), 2), 2);
  takes(tries(told, 3, 'lease-lost'), 'a', 4, ALL);
  assert.equal(of(told.events).length, 2);
  fc.assert(
    fc.property(fc.shuffledSubarray(told.events), fc.subarray(ALL), (events, answered) => {
      holds(of(events, answered));
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.shuffledSubarray(told.events, { minLength: told.events.length }), (events) => {
      assert.deepEqual(of(events), of(told.events));
    }),
    { numRuns: 50 },
  );
});
