/**
 * The outbox under arbitrary sequences: every edge is answered once, nothing that people were told of is lost, nothing is sent again that
 * has arrived, also over restarts. A failing seed is in the message.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOutbox, outboxWakeAt, stepOutbox } from '../../daemon/alerts/outbox.js';
import type { DeliveryRecord, OutboxInput, OutboxOutput, Outcome } from '../../daemon/alerts/outbox-types.js';
import { alertOf, composeIds, mailOf, noticeOf } from './support.js';

type Send = Extract<OutboxOutput, { kind: 'send' }>;

/** xorshift32. */
function dice(seed: number): (sides: number) => number {
  let x = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  return (sides) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x = (x ^ (x << 5)) >>> 0;
    return x % sides;
  };
}

const ALERTS = [
  alertOf('ops', { mail: mailOf('m', { to: ['x@x', 'y@x'] }), webhook: 'https://x/', gatherMs: 10_000 }),
  alertOf('pager', { program: '/p', syslog: true, recovery: false }),
  alertOf('log', { syslog: true, gatherMs: 3000 }),
];

class Run {
  private state = createOutbox();
  private readonly roll: (sides: number) => number;
  private now = 0;
  private readonly disk = new Map<number, DeliveryRecord>();
  private flights: Send[] = [];
  /** Edges that wait for their answer, and those that were answered well. */
  private readonly open = new Set<string>();
  private readonly told = new Set<string>();
  private readonly cancelled = new Set<string>();
  /** `web#1 ops/mail x@x`: what has arrived; and what was given up for good. */
  private readonly arrived = new Set<string>();
  private readonly refused = new Set<string>();
  private edges = 0;
  private broken = true;

  constructor(seed: number) {
    this.roll = dice(seed);
    this.step({ kind: 'configure', alerts: ALERTS });
  }

  play(): void {
    for (let round = 0; round < 120; round += 1) this.move();
    // At last everything works.
    this.broken = false;
    for (let round = 0; round < 500 && (this.flights.length > 0 || this.wakes()); round += 1) this.pass();
    assert.deepEqual([...this.open], [], 'edges without an answer');
    assert.equal(this.disk.size, 0, 'left on disk');
    assert.equal(
      this.state.edges.size + this.state.deliveries.size + this.state.gathers.size,
      0,
      'left in memory',
    );
    for (const key of this.told)
      for (const alert of ALERTS) {
        const edge = Number(key.split('#')[1]);
        if (edge % 2 === 0 && !alert.recovery) continue;
        const ways = [
          ...(alert.mail?.to ?? []).map((to) => `mail ${to}`),
          ...(alert.program === '' ? [] : ['program']),
          ...(alert.webhook === '' ? [] : ['webhook']),
          ...(alert.syslog ? ['syslog'] : []),
        ];
        for (const way of ways) {
          const what = `${key} ${alert.name}/${way}`;
          assert.ok(this.arrived.has(what) || this.refused.has(what), `lost: ${what}`);
        }
      }
  }

  private wakes(): boolean {
    return Number.isFinite(outboxWakeAt(this.state));
  }

  private move(): void {
    const what = this.roll(100);
    if (what < 30) this.tell();
    else if (what < 70) this.pass();
    else if (what < 75) this.cancel();
    else if (what < 78) this.restart();
    else if (what < 80) this.step({ kind: 'configure', alerts: ALERTS });
    else this.now += this.roll(4000);
  }

  /** The next thing that is due: an attempt ends, or the clock. */
  private pass(): void {
    if (this.flights.length > 0 && this.roll(3) > 0) return this.end();
    const at = outboxWakeAt(this.state);
    if (Number.isFinite(at)) this.now = Math.max(this.now, at);
    else if (this.flights.length > 0) return this.end();
    this.step({ kind: 'tick' });
  }

  private tell(): void {
    this.edges += 1;
    const notice = noticeOf(1 + this.roll(2), { check: `c${this.edges}` });
    this.retell(notice.check, notice.edge);
  }

  private retell(check: string, edge: number): void {
    this.open.add(`${check}#${edge}`);
    this.step({ kind: 'tell', told: { notice: noticeOf(edge, { check }), wall: this.now } });
  }

  private cancel(): void {
    const [key] = this.open;
    if (key === undefined) return;
    const [check = '', edge = ''] = key.split('#');
    this.step({ kind: 'cancel', check, edge: Number(edge) });
    this.open.delete(key);
    this.cancelled.add(key);
  }

  private end(): void {
    const at = this.roll(this.flights.length);
    const [send] = this.flights.splice(at, 1);
    if (send === undefined) return;
    this.step({ kind: 'result', id: send.id, outcome: this.outcomeOf(send) });
  }

  private outcomeOf(send: Send): Outcome {
    const to = send.way === 'mail' ? (send.recipients ?? ['x@x', 'y@x']) : [''];
    const chance = this.broken ? this.roll(10) : 9;
    if (chance < 3) return { kind: 'unavailable', why: 'gone' };
    if (chance < 5) return { kind: 'later', why: 'later', left: null };
    if (chance < 6) {
      for (const one of to) this.note(this.refused, send, one);
      return { kind: 'final', why: 'no' };
    }
    const left = chance < 8 && to.length > 1 ? to.slice(1) : [];
    for (const one of to) if (!left.includes(one)) this.note(this.arrived, send, one);
    return { kind: 'delivered', left, note: '' };
  }

  private note(where: Set<string>, { alert, way, content }: Send, to: string): void {
    for (const id of content.ids) {
      const what = `${id} ${alert}/${way}${to === '' ? '' : ` ${to}`}`;
      if (where === this.arrived) assert.ok(!this.arrived.has(what), `twice: ${what}`);
      where.add(what);
    }
  }

  /** Between two steps; attempts under way are lost, and have not arrived. Confirmation tells again what was not answered. */
  private restart(): void {
    this.flights = [];
    this.state = createOutbox();
    // What had arrived of an edge that was never answered may come again: that is the price of dying.
    for (const what of [...this.arrived])
      if (this.open.has(what.split(' ')[0] ?? '')) this.arrived.delete(what);
    const records = [...this.disk].map(([id, record]) => ({ id, record }));
    this.step({ kind: 'restore', records, wall: this.now });
    this.step({ kind: 'configure', alerts: ALERTS });
    for (const key of [...this.open]) this.retell(key.split('#')[0] ?? '', Number(key.split('#')[1]));
  }

  private step(input: OutboxInput): void {
    const outputs = stepOutbox(this.state, input, { now: this.now, wall: this.now }, composeIds);
    for (const output of outputs) this.carryOut(output);
  }

  private carryOut(output: OutboxOutput): void {
    if (output.kind === 'save') this.disk.set(output.id, output.record);
    else if (output.kind === 'forget') assert.ok(this.disk.delete(output.id), `${output.id} was not on disk`);
    else if (output.kind === 'send') {
      const same = this.flights.some((other) => other.alert === output.alert && other.way === output.way);
      assert.ok(!same, 'one at a time on each way');
      this.flights.push(output);
      assert.ok(this.flights.length <= 8);
    } else if (output.kind === 'done') {
      const key = `${output.check}#${output.edge}`;
      assert.ok(this.open.delete(key) || this.cancelled.has(key), `answered twice: ${key}`);
      if (output.why === '') this.told.add(key);
    }
  }
}

test('arbitrary sequences: answered once, nothing lost, nothing twice', () => {
  const from = Number(process.env.SEED ?? 1);
  const count = Number(process.env.COUNT ?? 200);
  for (let seed = from; seed < from + count; seed += 1) {
    try {
      new Run(seed).play();
    } catch (error) {
      throw new Error(`SEED=${seed} COUNT=1: ${(error as Error).message}`, { cause: error });
    }
  }
});
