/** What a drill says would follow from each failure, from given states of a cluster of three with the usual times. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAgenda, Endless } from '../../daemon/drill/agenda.js';
import type { Fault } from '../../daemon/drill/faults.js';
import { type Cell, cellsOf } from '../../daemon/drill/matrix.js';
import { NoScene, play } from '../../daemon/drill/play.js';
import { heldBy, sceneOf } from '../../daemon/drill/scene.js';
import type { DrillFacts } from '../../proto/drill-types.js';
import { factsOf, MEASURED } from './support.js';

const cells = (facts: DrillFacts): Cell[] => [...cellsOf(sceneOf(facts, []))];

function cellOf(all: readonly Cell[], fault: Fault): Cell {
  const found = all.find((cell) => JSON.stringify(cell.fault) === JSON.stringify(fault));
  assert.ok(
    found !== undefined,
    `no ${JSON.stringify(fault)} in ${JSON.stringify(all.map((cell) => cell.fault))}`,
  );
  return found;
}

function within(ms: number | null, least: number, most: number): void {
  assert.ok(ms !== null && ms >= least && ms <= most, `${ms} ms, not from ${least} to ${most}`);
}

const stays = (cell: Cell, node: string): void => {
  assert.deepEqual([cell.nodes, cell.nowhere, cell.afterMs, cell.awayMs], [[node], false, 0, 0]);
};

describe('a cluster that is well', () => {
  const all = cells(factsOf({ hooks: MEASURED }));

  test('stays as it is where nothing happens, and where anything but the primary is lost', () => {
    assert.deepEqual(all[0]?.fault, { kind: 'none' });
    for (const cell of all) {
      assert.ok(!cell.bad && !cell.double);
      const about = 'node' in cell.fault ? cell.fault.node : '';
      if (about !== 'alpha') stays(cell, 'alpha');
    }
  });

  test('each node lost, each link cut, each node cut off; a daemon killed only where that is something else', () => {
    assert.deepEqual(
      all.map(({ fault }) =>
        `${fault.kind} ${'node' in fault ? fault.node : 'nodes' in fault ? fault.nodes.join() : ''}`.trim(),
      ),
      [
        ...['none', 'power alpha', 'power beta', 'power gamma', 'cut alpha,beta', 'cut alpha,gamma'],
        ...['cut beta,gamma', 'isolate alpha', 'isolate beta', 'isolate gamma'],
      ],
    );
  });

  test('the primary lost: the other one takes over when the grant is over, and its start has taken its time', () => {
    const { afterMs, awayMs, nodes } = cellOf(all, { kind: 'power', node: 'alpha' });
    assert.deepEqual(nodes, ['beta']);
    // The grant lasts lease_timeout and stop_timeout, 1 % more; it was renewed a heartbeat ago at most.
    within(afterMs, 3000 + 5000 - 1000 + 700, (3000 + 5000) * 1.01 + 700 + 500);
    assert.equal(awayMs, afterMs);
  });

  test('the primary cut off: it serves until its own lease is over', () => {
    const lost = cellOf(all, { kind: 'power', node: 'alpha' });
    const { afterMs, awayMs, nodes } = cellOf(all, { kind: 'isolate', node: 'alpha' });
    assert.deepEqual(nodes, ['beta']);
    assert.ok(Math.abs((afterMs ?? 0) - (lost.afterMs ?? 0)) < 1000, `${afterMs} and ${lost.afterMs}`);
    within((afterMs ?? 0) - (awayMs ?? 0), 1500, 3000);
  });

  test('the same question has the same answer', () => {
    assert.deepEqual(cells(factsOf({ hooks: MEASURED })), all);
  });
});

describe('what makes a failure one too many', () => {
  test('the watchdog is lost already: nobody is left to confirm, nor a majority', () => {
    const all = cells(factsOf({ nodes: { gamma: { fresh: false, linked: false } } }));
    stays(cellOf(all, { kind: 'none' }), 'alpha');
    const lost = cellOf(all, { kind: 'power', node: 'alpha' });
    assert.deepEqual([lost.bad, lost.nowhere, lost.nodes, lost.afterMs], [true, true, [], null]);
    assert.deepEqual(
      lost.why.map(({ node }) => node),
      ['beta'],
    );
    assert.match(
      lost.why[0]?.sentence ?? '',
      /^secondary; waiting for a majority of the voters: alpha and gamma cannot be heard/,
    );
    assert.ok(cellOf(all, { kind: 'cut', nodes: ['alpha', 'beta'] }).bad);
    assert.ok(!all.some(({ fault }) => 'node' in fault && fault.node === 'gamma'), 'it cannot be lost again');
  });

  test('a connection that is not there now: the other way is needed', () => {
    const all = cells(factsOf({ nodes: { gamma: { linked: false } } }));
    assert.ok(!cellOf(all, { kind: 'power', node: 'gamma' }).bad);
    assert.ok(cellOf(all, { kind: 'cut', nodes: ['alpha', 'beta'] }).nodes.length <= 1);
    assert.ok(
      !all.some(
        ({ fault }) => fault.kind === 'cut' && fault.nodes.includes('gamma') && fault.nodes.includes('alpha'),
      ),
    );
    assert.ok(
      !all.some(({ fault }) => fault.kind === 'isolate' && fault.node === 'alpha'),
      'that is its one link cut',
    );
  });

  test('the secondary is not able', () => {
    const lost = cellOf(cells(factsOf({ nodes: { beta: { able: false } } })), {
      kind: 'power',
      node: 'alpha',
    });
    assert.ok(lost.bad);
    assert.match(lost.why[0]?.sentence ?? '', /it says that it cannot take over now/);
  });

  test('maintenance: nobody takes over, by what the voters know; with hastmond alone gone, it runs on', () => {
    const maintenance = { node: 'alpha', reason: 'upgrade', by: 'root' };
    const all = cells(factsOf({ maintenance }));
    const lost = cellOf(all, { kind: 'power', node: 'alpha' });
    assert.ok(lost.bad);
    assert.match(
      lost.why[0]?.sentence ?? '',
      /alpha to come back, which is in maintenance \(upgrade, by root\)/,
    );
    stays(cellOf(all, { kind: 'kill', node: 'alpha' }), 'alpha');
    stays(cellOf(all, { kind: 'isolate', node: 'alpha' }), 'alpha');
  });

  test('kept in maintenance for a node that is lost: it runs nowhere, whatever happens', () => {
    const alpha = {
      role: 'secondary',
      roleSet: 'secondary',
      holds: false,
      run: 'stopped',
      able: true,
    } as const;
    const maintenance = { node: 'beta', reason: 'upgrade', by: 'root' };
    const all = cells(factsOf({ maintenance, nodes: { alpha, beta: { fresh: false, linked: false } } }));
    assert.deepEqual(
      all.map(({ fault }) => fault.kind),
      ['none'],
    );
    assert.match(all[0]?.why[0]?.sentence ?? '', /beta to come back, which is in maintenance/);
  });

  test('no role is set: it runs nowhere, and nothing more is tried', () => {
    const init = { role: 'init', roleSet: 'init', holds: false, run: 'stopped', able: false } as const;
    const all = cells(factsOf({ nodes: { alpha: init, beta: init } }));
    assert.deepEqual(
      all.map(({ bad, fault }) => [bad, fault.kind]),
      [[true, 'none']],
    );
  });
});

describe('a voter without history', () => {
  const all = cells(factsOf({ hooks: MEASURED, nodes: { gamma: { history: false } } }));

  test('grants nothing: it runs on, and any other node is one too many', () => {
    stays(cellOf(all, { kind: 'none' }), 'alpha');
    stays(cellOf(all, { kind: 'power', node: 'gamma' }), 'alpha');
    const lost = cellOf(all, { kind: 'power', node: 'alpha' });
    assert.deepEqual([lost.bad, lost.nodes], [true, []]);
    assert.match(lost.why[0]?.sentence ?? '', /gamma does not remember earlier leases/);
    assert.ok(!lost.why.some(({ sentence }) => sentence.includes('Infinity')));
    assert.ok(cellOf(all, { kind: 'power', node: 'beta' }).bad);
  });

  test('two of three: nobody could hold it', () => {
    const nodes = { beta: { history: false }, gamma: { history: false } };
    assert.throws(() => cells(factsOf({ nodes })), NoScene);
  });
});

describe('failback', () => {
  const roles = {
    alpha: { role: 'secondary', roleSet: 'secondary', run: 'stopped', able: true, holds: false },
    beta: { role: 'primary', run: 'run', able: false, holds: true, priority: 200 },
  } as const;
  const after = (failbackMs: number): Cell[] =>
    cells(factsOf({ hooks: MEASURED, nodes: roles, settings: { failbackMs } }));

  test('moves it, later than all else is calm', () => {
    const all = after(180_000);
    const none = cellOf(all, { kind: 'none' });
    assert.deepEqual([none.nodes, none.bad, none.later], [['alpha'], false, []]);
    // The node is able a moment before all is as it is at present, and three leases pass until the failure.
    within(none.afterMs, 180_000 - 11_000, 180_000 + 5000);
    within(none.awayMs, 1000, 1500);
    stays(cellOf(all, { kind: 'power', node: 'alpha' }), 'beta');
    assert.deepEqual(cellOf(all, { kind: 'power', node: 'gamma' }).nodes, ['alpha']);
  });

  test('is not waited for where it is long, and that is told; nor where it is never', () => {
    const [none] = after(900_000);
    assert.deepEqual([none?.nodes, none?.later], [['beta'], [{ node: 'alpha', ofMs: 900_000 }]]);
    const [never] = after(Number.POSITIVE_INFINITY);
    assert.deepEqual([never?.nodes, never?.later], [['beta'], []]);
  });
});

describe('how long it takes', () => {
  const lostAfter = (facts: DrillFacts): number =>
    play(sceneOf(facts, []), { kind: 'power', node: 'alpha' }, 0).afterMs ?? Number.NaN;

  test('a longer start comes later, by as much', () => {
    const slow = [...MEASURED, { action: 'start', ms: 20_000 }];
    const more = lostAfter(factsOf({ hooks: slow })) - lostAfter(factsOf({ hooks: MEASURED }));
    within(more, 20_000 - 700 - 50, 20_000 - 700 + 50);
  });

  test('so does a longer stop_timeout, and four complaints where those take longest', () => {
    const usual = lostAfter(factsOf({ hooks: MEASURED }));
    within(
      lostAfter(factsOf({ hooks: MEASURED, settings: { stopTimeoutMs: 15_000 } })) - usual,
      10_000,
      10_200,
    );
    const many = lostAfter(factsOf({ hooks: MEASURED, settings: { complaintCount: 20 } }));
    within(many, 20_000, 25_000);
  });

  test('a hook that was never measured takes all that its limit allows, and ends well', () => {
    const { afterMs, node } = play(sceneOf(factsOf(), []), { kind: 'power', node: 'alpha' }, 0.5);
    assert.equal(node, 'beta');
    within(afterMs, 7000 + 50_000, 9000 + 54_000);
  });

  test('a switchover there and back: the stop and the start', () => {
    const scene = sceneOf(factsOf({ hooks: MEASURED }), []);
    const there = play(scene, { kind: 'switchover', node: 'beta' }, 0);
    assert.equal(there.node, 'beta');
    within(there.awayMs, 1000, 1500);
    const back = play(heldBy(scene, 'beta'), { kind: 'switchover', node: 'alpha' }, 0);
    assert.equal(back.node, 'alpha');
    within(back.awayMs, 1000, 1500);
  });
});

test('a better node that is set to primary is about to get it: that is no state to begin with', () => {
  const better = { priority: 1, roleSet: 'primary' } as const;
  assert.throws(() => cells(factsOf({ nodes: { beta: better } })), NoScene);
});

test('what never comes to an end is ended', () => {
  const agenda = createAgenda();
  const again = (): void => agenda.after(0, again);
  again();
  assert.throws(() => agenda.runUntil(1), Endless);
});

test('things due at the same time happen in the order in which they were entered', () => {
  const agenda = createAgenda();
  const seen: string[] = [];
  for (const [at, name] of [
    [5, 'c'],
    [1, 'a'],
    [5, 'd'],
    [3, 'b'],
  ] as const)
    agenda.at(at, () => void seen.push(`${name}${agenda.now()}`));
  agenda.runUntil(4);
  assert.deepEqual([seen, agenda.now()], [['a1', 'b3'], 4]);
  agenda.at(2, () => void seen.push(`late${agenda.now()}`));
  agenda.runUntil(9);
  assert.deepEqual(seen, ['a1', 'b3', 'late4', 'c5', 'd5']);
});
