/** When the engine begins checks: spread, on time or left out, never in a burst, and never more at once than it may. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine } from '../../daemon/checks/engine.js';
import type { Flight } from '../../daemon/checks/flight.js';
import { Hosts } from '../../daemon/checks/hosts.js';
import { phaseOf } from '../../daemon/checks/pacing.js';
import type { Wire, WireEvents } from '../../daemon/checks/wire.js';
import { benchFor, planOf, serverFor } from './engine-support.js';

const INTERVAL = 1000;
const timing = { intervalMs: INTERVAL, retryMs: INTERVAL, connectMs: 500, receiveMs: 500, totalMs: 500 };

interface Stand {
  engine: Engine;
  /** What began, and when. */
  begun: { row: number; at: number }[];
  /** Moves the clock on, a millisecond at a time, or at one stroke; everything that is due then happens. */
  run(ms: number, stroke?: number): void;
  /** Connections stand at once; else they hang. */
  answering: boolean;
}

/** An engine whose clock is the test's, with a wire that connects at once. */
function standFor(rows: number, flights: number): Stand {
  let clock = 10_000;
  const now = (): number => clock;
  let told: WireEvents | undefined;
  const open: Flight[] = [];
  const wire: Wire = {
    ...{ name: 'tcp', most: flights },
    open(flight) {
      stand.begun.push({ row: flight.row, at: clock });
      open.push(flight);
      return '';
    },
    send: () => {},
    close: () => {},
  };
  const engine = new Engine({
    ...{ rows, flights, now, hosts: new Hosts({ lookup: () => {}, now, keepMs: 1, failureMs: 1 }) },
    wires: (events) => {
      told = events;
      return { tcp: wire };
    },
    wall: (at) => at / 1000,
    result: () => {},
  });
  const stand: Stand = {
    ...{ engine, begun: [], answering: true },
    run(ms, stroke = 1) {
      for (let left = ms; left > 0; left -= stroke) {
        clock += stroke;
        while (engine.turn()) if (stand.answering) answer();
        if (stand.answering) answer();
      }
    },
  };
  function answer(): void {
    for (const flight of open.splice(0)) told?.connected(flight);
  }
  const plan = planOf({ timing });
  for (let row = 0; row < rows; row += 1) engine.define(row, plan, '10.0.0.1', 80, phaseOf(`web${row}`));
  return stand;
}

test('beginnings are spread over the interval, and each check keeps its place', () => {
  const { begun, run } = standFor(2000, 64);
  run(3 * INTERVAL);
  const times = new Map<number, number[]>();
  for (const { row, at } of begun) times.set(row, [...(times.get(row) ?? []), at]);
  assert.equal(times.size, 2000);
  for (const [row, [first = 0, ...others]] of times)
    for (const [index, at] of others.entries())
      assert.ok(Math.abs(at - first - (index + 1) * INTERVAL) <= 1, `row ${row}`);
  // 2000 in 1000 ms: about 100 in each 50 ms.
  const slices = new Array<number>(20).fill(0);
  for (const { at } of begun) {
    const slice = Math.floor(((at - 10_000) % INTERVAL) / 50);
    slices[slice] = (slices[slice] ?? 0) + 1 / 3;
  }
  for (const count of slices) assert.ok(count > 60 && count < 140, slices.map(Math.round).join(' '));
});

test('who comes late leaves out, begins nothing twice, and says how late it was', () => {
  const { engine, begun, run } = standFor(100, 64);
  run(2 * INTERVAL);
  begun.length = 0;
  engine.lateness.take();
  run(5 * INTERVAL, 5 * INTERVAL);
  assert.equal(begun.length, 100, 'each check once');
  assert.equal(new Set(begun.map(({ row }) => row)).size, 100);
  const { worst, p50 } = engine.lateness.take();
  assert.ok(worst > 4 * INTERVAL && worst <= 5 * INTERVAL, `worst ${worst}`);
  assert.ok(p50 > 4 * INTERVAL, `p50 ${p50}`);
  assert.ok(engine.skipped >= 390 && engine.skipped <= 410, `skipped ${engine.skipped}`);
  begun.length = 0;
  run(INTERVAL);
  assert.equal(begun.length, 100, 'and then as ever');
  assert.ok(engine.lateness.take().worst <= 1);
});

test('a turn begins a few, and says that there is more', () => {
  const stand = standFor(500, 500);
  stand.answering = false;
  stand.run(1);
  const first = stand.begun.length;
  assert.ok(first < 10);
  let turns = 0;
  const { turn } = stand.engine;
  stand.engine.turn = () => {
    turns += 1;
    return turn.call(stand.engine);
  };
  stand.run(400, 400);
  assert.ok(stand.begun.length > 100 && turns >= stand.begun.length / 32, `${turns} turns`);
});

test('never more at once than there are flights, and all have their turn', () => {
  const stand = standFor(300, 7);
  stand.answering = false;
  let most = 0;
  for (let ms = 0; ms < 2 * INTERVAL; ms += 1) {
    stand.run(1);
    most = Math.max(most, stand.engine.underWay);
  }
  assert.equal(most, 7);
  stand.answering = true;
  stand.begun.length = 0;
  stand.run(2 * INTERVAL);
  assert.equal(new Set(stand.begun.map(({ row }) => row)).size, 300);
});

test('a process that was kept from running does not hold it against a service', async (t) => {
  const port = await serverFor(t, () => {});
  const bench = benchFor(t, 'epoll');
  const result = bench.check({ port });
  // Longer than the check may take; the connection stands long before that.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900);
  assert.equal((await result).nature, 'ok');
});
