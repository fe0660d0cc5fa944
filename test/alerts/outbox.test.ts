/** The outbox by tables: what is gathered, sent, retried, kept and told back, second by second. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createOutbox, KEEP_MS, outboxWakeAt, stepOutbox } from '../../daemon/alerts/outbox.js';
import type { DeliveryRecord, OutboxInput, OutboxOutput, Outcome } from '../../daemon/alerts/outbox-types.js';
import type { AlertSpec } from '../../daemon/checks/spec.js';
import { alertOf, composeIds, type Given, mailOf, noticeOf } from './support.js';

const DELIVERED: Outcome = { kind: 'delivered', left: [], note: '' };
const GONE: Outcome = { kind: 'unavailable', why: 'connection refused' };
const LATER: Outcome = { kind: 'later', why: '450 later', left: null };
const FINAL: Outcome = { kind: 'final', why: '550 no' };
const MAIL = { mail: mailOf('mail') };

/** An outbox with a clock; what it says is noted as short lines. */
class Table {
  readonly state = createOutbox();
  readonly records = new Map<number, DeliveryRecord>();
  now = 0;
  said: string[] = [];
  logs: string[] = [];

  constructor(...alerts: AlertSpec[]) {
    this.step({ kind: 'configure', alerts });
  }

  step(input: OutboxInput): string[] {
    const outputs = stepOutbox(this.state, input, { now: this.now, wall: this.now }, composeIds);
    const lines = outputs.flatMap((output) => this.lineOf(output));
    this.said.push(...lines);
    return lines;
  }

  private lineOf(output: OutboxOutput): string[] {
    switch (output.kind) {
      case 'log':
        this.logs.push(`${output.level} ${output.text}`);
        return [];
      case 'save':
        this.records.set(output.id, output.record);
        return [`save ${output.id} ${output.record.content.subject}`];
      case 'forget':
        this.records.delete(output.id);
        return [`forget ${output.id}`];
      case 'send': {
        const to = output.recipients === null ? '' : ` to ${output.recipients.join(' ')}`;
        return [`send ${output.id} ${output.alert}/${output.way} ${output.content.subject}${to}`];
      }
      case 'done':
        return [`done ${output.check}#${output.edge}${output.why === '' ? '' : `: ${output.why}`}`];
    }
  }

  tell(edge = 1, given: Given = {}): string[] {
    return this.step({ kind: 'tell', told: { notice: noticeOf(edge, given), wall: this.now } });
  }

  result(id: number, outcome: Outcome): string[] {
    return this.step({ kind: 'result', id, outcome });
  }

  /** Lets time pass up to then, tick by tick, and gives what was said. */
  until(at: number): string[] {
    const from = this.said.length;
    for (let next = outboxWakeAt(this.state); next <= at; next = outboxWakeAt(this.state)) {
      assert.ok(
        next > this.now || this.said.length < from + 1000,
        'it wants a tick at once, again and again',
      );
      this.now = Math.max(this.now, next);
      this.step({ kind: 'tick' });
    }
    this.now = at;
    return this.said.slice(from);
  }

  /** Another process with what is on disk. */
  restarted(...alerts: AlertSpec[]): Table {
    const next = new Table();
    next.now = this.now;
    const records = [...this.records].map(([id, record]) => ({ id, record }));
    for (const [id, record] of this.records) next.records.set(id, record);
    next.step({ kind: 'restore', records, wall: this.now });
    next.step({ kind: 'configure', alerts });
    return next;
  }
}

describe('gathering', () => {
  test('edges within the time, from the first one, go into one message', () => {
    const table = new Table(alertOf('ops', { ...MAIL, gatherMs: 10_000 }));
    assert.deepEqual(table.tell(1), []);
    table.until(9000);
    assert.deepEqual(table.tell(1, { check: 'db' }), []);
    assert.deepEqual(table.until(10_000), ['send 1 ops/mail web#1 db#1']);
    assert.deepEqual(table.result(1, DELIVERED), ['done web#1', 'done db#1']);
    assert.deepEqual(table.until(KEEP_MS * 2), []);
    assert.equal(table.state.edges.size + table.state.deliveries.size, 0);
  });

  test('each alert has its own time, and an edge is done when all of it is on its way or on disk', () => {
    const table = new Table(alertOf('ops', MAIL), alertOf('pager', { program: '/p', gatherMs: 5000 }));
    assert.deepEqual(table.tell(1), ['send 1 ops/mail web#1']);
    assert.deepEqual(table.result(1, DELIVERED), []);
    assert.deepEqual(table.until(5000), ['save 2 web#1', 'send 2 pager/program web#1', 'done web#1']);
    assert.deepEqual(table.result(2, DELIVERED), ['forget 2']);
  });

  test('who wants to be told: by name, and of recoveries or not', () => {
    const table = new Table(
      alertOf('ops', { ...MAIL, recovery: false }),
      alertOf('pager', { program: '/p' }),
    );
    assert.deepEqual(table.tell(2), ['send 1 pager/program web#2']);
    assert.deepEqual(table.tell(2, { check: 'db', alerts: ['ops'] }), ['done db#2']);
    const calm = { what: 'calm', lastedMs: null } as const;
    assert.deepEqual(table.tell(5, { check: 'x', alerts: ['ops'], facts: calm }), ['send 2 ops/mail x#5']);
    assert.deepEqual(table.tell(1, { check: 'y', alerts: ['nobody'] }), ['done y#1']);
    assert.deepEqual(new Table().tell(1), ['done web#1']);
  });
});

describe('telling back', () => {
  test('one way is enough; what is left is on disk before that is said, and tried again', () => {
    const table = new Table(alertOf('ops', { ...MAIL, webhook: 'https://x/y' }));
    assert.deepEqual(table.tell(1), ['send 1 ops/mail web#1', 'send 2 ops/webhook web#1']);
    assert.deepEqual(table.result(1, GONE), []);
    assert.deepEqual(table.result(2, DELIVERED), ['save 1 web#1', 'done web#1']);
    assert.deepEqual(table.until(4999), []);
    assert.deepEqual(table.until(5000), ['send 1 ops/mail web#1']);
    assert.deepEqual(table.result(1, DELIVERED), ['forget 1']);
    assert.deepEqual(table.until(KEEP_MS), []);
  });

  test('when the first attempts of all have failed it is given back, and forgotten', () => {
    const table = new Table(
      alertOf('ops', { ...MAIL, webhook: 'https://x/y' }),
      alertOf('p', { program: '/p' }),
    );
    table.tell(1);
    assert.deepEqual(table.result(1, GONE), []);
    assert.deepEqual(table.until(30_000), [], 'nothing is tried again that may be given back');
    assert.deepEqual(table.result(2, FINAL), []);
    assert.deepEqual(table.result(3, LATER), [
      'done web#1: mail: connection refused; webhook: 550 no; program: 450 later',
    ]);
    assert.deepEqual(table.until(KEEP_MS), []);
    assert.equal(table.state.edges.size + table.state.deliveries.size + table.records.size, 0);
    assert.ok(table.logs.some((line) => line.startsWith('error alert ops: webhook: 550 no: given up')));
    assert.equal(table.tell(1)[0], 'send 4 ops/mail web#1', 'it may come again');
  });

  test('what is given back leaves the message; what people were told of stays in it', () => {
    const table = new Table(alertOf('ops', { ...MAIL, gatherMs: 1000 }), alertOf('pager', { program: '/p' }));
    table.tell(1, { alerts: ['ops'] });
    assert.deepEqual(table.tell(1, { check: 'db' }), ['send 1 pager/program db#1']);
    table.result(1, DELIVERED);
    assert.deepEqual(table.until(1000), ['save 2 db#1', 'send 2 ops/mail web#1 db#1', 'done db#1']);
    assert.deepEqual(table.result(2, GONE), ['done web#1: mail: connection refused']);
    assert.deepEqual(table.until(6000), ['send 2 ops/mail db#1']);
  });

  test("the system's log is nobody, unless it is all that is wanted", () => {
    const both = new Table(alertOf('ops', { ...MAIL, syslog: true }));
    assert.deepEqual(both.tell(1), ['send 1 ops/mail web#1']);
    assert.deepEqual(both.result(1, GONE), ['done web#1: mail: connection refused']);
    both.tell(1);
    assert.deepEqual(both.result(3, DELIVERED), ['save 4 web#1', 'send 4 ops/syslog web#1', 'done web#1']);
    const alone = new Table(alertOf('log', { syslog: true }));
    assert.deepEqual(alone.tell(1), ['send 1 log/syslog web#1']);
    assert.deepEqual(alone.result(1, DELIVERED), ['done web#1']);
  });

  test('cancelled: nothing of it is sent or told back any more', () => {
    const table = new Table(alertOf('ops', { ...MAIL, gatherMs: 1000 }));
    table.tell(1);
    table.step({ kind: 'cancel', check: 'web', edge: 1 });
    assert.deepEqual(table.until(5000), []);
    table.tell(1);
    assert.deepEqual(table.until(6000), ['send 1 ops/mail web#1']);
    table.step({ kind: 'cancel', check: 'web', edge: 1 });
    assert.deepEqual(table.result(1, GONE), []);
    assert.deepEqual(table.until(KEEP_MS), []);
    table.tell(3);
    assert.deepEqual(table.until(KEEP_MS + 1000), ['send 2 ops/mail web#3'], 'the way is free again');
  });
});

describe('trying again', () => {
  /** One edge that people were told of by program, and mail that failed. */
  function waiting(outcome: Outcome): Table {
    const table = new Table(alertOf('ops', { ...MAIL, program: '/p' }));
    table.tell(1);
    table.result(2, DELIVERED);
    table.result(1, outcome);
    return table;
  }

  test('after 5 s, 10 s and so on up to 5 min, for two days', () => {
    for (const outcome of [GONE, LATER]) {
      const table = waiting(outcome);
      const pauses: number[] = [];
      for (let last = table.now; table.state.deliveries.size > 0; last = table.now) {
        table.now = outboxWakeAt(table.state);
        assert.deepEqual(table.step({ kind: 'tick' }), ['send 1 ops/mail web#1']);
        pauses.push((table.now - last) / 1000);
        table.result(1, outcome);
      }
      assert.deepEqual(pauses.slice(0, 8), [5, 10, 20, 40, 80, 160, 300, 300]);
      assert.ok(table.now >= KEEP_MS && table.now < KEEP_MS + 300_000);
      assert.match(table.logs.at(-1) ?? '', /^error alert ops: given up after two days, mail: .*: web#1$/);
      assert.equal(table.said.at(-1), 'forget 1');
    }
  });

  test('a message that comes meanwhile is tried at once, behind those that wait; together they wait again', () => {
    const table = waiting(GONE);
    table.until(1000);
    assert.deepEqual(table.tell(2), ['send 1 ops/mail web#1', 'send 4 ops/program web#2']);
    assert.deepEqual(table.result(4, DELIVERED), ['save 3 web#2', 'done web#2']);
    assert.deepEqual(table.result(1, GONE), [], 'web#2 need not find out once more');
    assert.deepEqual(table.until(4999), []);
    assert.deepEqual(table.until(5000), ['send 1 ops/mail web#1']);
    assert.deepEqual(table.result(1, DELIVERED), ['forget 1', 'send 3 ops/mail web#2'], 'in their order');
    assert.deepEqual(table.result(3, DELIVERED), ['forget 3']);
  });

  test('a message that is refused itself holds up no other', () => {
    const table = waiting(LATER);
    assert.deepEqual(table.tell(2), ['send 3 ops/mail web#2', 'send 4 ops/program web#2']);
    assert.deepEqual(table.result(3, DELIVERED), ['save 4 web#2', 'done web#2']);
    assert.deepEqual(table.until(5000), ['send 1 ops/mail web#1']);
  });

  test('one of two recipients is tried again without the other', () => {
    const table = new Table(alertOf('ops', MAIL));
    table.tell(1);
    const half: Outcome = { kind: 'delivered', left: ['b@x'], note: 'b@x is refused: 450' };
    assert.deepEqual(table.result(1, half), ['save 2 web#1', 'done web#1']);
    assert.deepEqual(table.until(5000), ['send 2 ops/mail web#1 to b@x']);
    assert.deepEqual(table.restarted(alertOf('ops', MAIL)).said, ['send 2 ops/mail web#1 to b@x']);
    assert.deepEqual(table.result(2, DELIVERED), ['forget 2']);
    table.tell(3);
    table.step({ kind: 'cancel', check: 'web', edge: 3 });
    table.result(3, half);
    assert.deepEqual(table.until(KEEP_MS), [], 'what another node has told is not told to the rest');
    assert.equal(table.state.deliveries.size, 0);
  });

  test('after a restart at once, also what has waited for too long, and under numbers of its own', () => {
    const table = waiting(GONE);
    table.now += KEEP_MS + 1;
    const next = table.restarted(alertOf('ops', { ...MAIL, program: '/p' }));
    assert.deepEqual(next.said, ['send 1 ops/mail web#1']);
    assert.deepEqual(next.tell(2), ['send 3 ops/program web#2']);
    assert.deepEqual(next.result(1, GONE), ['forget 1', 'send 2 ops/mail web#2']);
    assert.match(next.logs.at(-1) ?? '', /given up after two days/);
  });

  test('a reload tries at once; what an alert that is gone still had is not done', () => {
    const table = waiting(GONE);
    assert.deepEqual(table.step({ kind: 'configure', alerts: [alertOf('ops', MAIL)] }), [
      'send 1 ops/mail web#1',
    ]);
    table.result(1, GONE);
    assert.deepEqual(table.step({ kind: 'configure', alerts: [alertOf('pager', { program: '/p' })] }), [
      'forget 1',
    ]);
    const gather = new Table(alertOf('ops', { ...MAIL, gatherMs: 1000 }));
    gather.tell(1);
    assert.deepEqual(gather.step({ kind: 'configure', alerts: [] }), [
      'done web#1: alert ops is not in the file any more',
    ]);
    const two = new Table(alertOf('ops', { ...MAIL, gatherMs: 1000 }), alertOf('pager', { program: '/p' }));
    two.tell(1);
    two.result(1, DELIVERED);
    const pager = alertOf('pager', { program: '/p' });
    assert.deepEqual(two.step({ kind: 'configure', alerts: [pager] }), ['done web#1']);
  });

  test('eight at once', () => {
    const many = Array.from({ length: 10 }, (_, index) => alertOf(`p${index}`, { program: '/p' }));
    const table = new Table(...many);
    assert.equal(table.tell(1).length, 8);
    assert.equal(outboxWakeAt(table.state), Number.POSITIVE_INFINITY, 'no tick helps');
    assert.deepEqual(
      table.result(1, DELIVERED).filter((line) => line.startsWith('send')),
      ['send 9 p8/program web#1'],
    );
  });

  test('ten thousand edges at once are one message, and quickly so', () => {
    const table = new Table(alertOf('ops', { ...MAIL, syslog: true, gatherMs: 10_000 }));
    const notices = Array.from({ length: 10_000 }, (_, index) => noticeOf(1, { check: `c${index}` }));
    const before = process.cpuUsage();
    for (const notice of notices) table.step({ kind: 'tell', told: { notice, wall: 0 } });
    assert.equal(table.until(10_000).length, 1);
    assert.equal(table.result(1, DELIVERED).filter((line) => line.startsWith('done')).length, 10_000);
    const { user } = process.cpuUsage(before);
    // A second at most; minutes if each step looked at all edges.
    assert.ok(user < 10_000_000, `${user} us`);
  });
});
