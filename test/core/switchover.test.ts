/** A switchover: what is asked of the successor before, what is said on the way, and what follows where it cannot start the resource. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planSwitchover } from '../../daemon/core/plan.js';
import { initPrimary, stepPrimary } from '../../daemon/core/primary.js';
import type { Settings } from '../../daemon/core/settings.js';
import type { Lack, StateMessage } from '../../daemon/core/types.js';
import { UNMARKED } from '../../daemon/core/types.js';
import type { VoterRecord } from '../../daemon/core/voter-types.js';
import {
  driven,
  handedOver,
  holder,
  lacking,
  type Node,
  RECORD,
  STARTS,
  switchover,
  words,
} from './driven.js';
import { heartbeat, settings, VOTERS } from './given.js';

describe('[P6] a switchover is refused', () => {
  const cases: [string, Partial<StateMessage>, RegExp][] = [
    [
      'role',
      { able: false, ...lacking({ name: 'role', value: 'init' }) },
      /^b cannot .* now: its role is init$/,
    ],
    [
      'majority',
      lacking({ name: 'majority', value: 'c cannot be heard' }),
      /no|not hear a majority.*: c cannot/,
    ],
    ['history', lacking({ name: 'history', value: 'b not' }), /remembers earlier leases: b not$/],
    ['free', lacking({ name: 'free', value: 'b not, by an earlier grant' }), /is free to grant it: b not/],
    ['maintenance', lacking({ name: 'maintenance', value: 'c is in maintenance' }), /now: c is in maint/],
    [
      'fit',
      { able: false, ...lacking({ name: 'fit', value: 'db is down' }) },
      /does not hold there: db is down$/,
    ],
    [
      'rested',
      { able: false, ...lacking({ name: 'rested', value: 'exit 1' }) },
      /given the resource up: exit 1;/,
    ],
    ['what a newer version lacks', lacking({ name: 'quota', value: 'none' }), /it lacks quota: none$/],
    ['an earlier version that is not able', { able: false, readiness: null }, /its role is secondary/],
  ];
  for (const [title, message, expected] of cases)
    test(`for want of: ${title}`, () => {
      const a = holder();
      a.hear(10, 'b', message);
      a.hear(10, 'c', { role: 'watchdog', able: false, ...lacking({ name: 'role', value: 'watchdog' }) });
      for (const wanted of ['b', '']) {
        const said = switchover(a, wanted, 20).join();
        assert.match(
          said,
          wanted === '' ? /^no other node can take over now \(b: .* \| c: its role is w/ : expected,
        );
        assert.equal(a.state().leaving, null);
        assert.equal(planSwitchover(a.state(), wanted, { startMs: null, stopMs: null }, 20).refusal, said);
      }
    });

  test('with every sentence where several conditions are not met', () => {
    const a = holder();
    a.hear(10, 'b', lacking({ name: 'stays', value: 'it ends' }, { name: 'majority', value: 'c unheard' }));
    assert.match(
      switchover(a, 'b', 20)[0] ?? '',
      /about to end; it does not hear a majority of the voters: c unh/,
    );
  });

  test('where it is not connected, or has not been heard for a lease', () => {
    const a = holder();
    assert.deepEqual(switchover(a, 'b', 5), ['b cannot take over now: b is not connected']);
    a.hear(10, 'b');
    assert.deepEqual(switchover(a, 'b', 3010), ['b cannot take over now: b is not connected']);
  });
});

test('[P6] it goes to a ready node before one of better priority, and to one that does not say', () => {
  const a = holder();
  a.hear(10, 'b', { priority: 1, ...lacking({ name: 'majority', value: 'c cannot be heard' }) });
  a.hear(10, 'c', { priority: 200, readiness: null });
  const plan = planSwitchover(a.state(), '', { startMs: 1200, stopMs: 300 }, 20);
  assert.equal(plan.to, 'c');
  assert.equal(plan.steps.length, 5);
  assert.match(
    plan.steps.join(' '),
    /last stop here took 300 ms.*last start here took 1.2 s.*away for 1.5 s/,
  );
  assert.deepEqual(plan.explanation.verdicts, { here: true, successor: true });
  switchover(a, '', 20);
  assert.equal(a.state().leaving?.successor, 'c');
});

describe('[P6] a secondary says what it lacks', () => {
  const said = (node: Node): readonly Lack[] => node.state().lastHeartbeat?.readiness?.lacks ?? [];
  const names = (node: Node): string[] => said(node).map(({ name }) => name);

  function secondary(change: Partial<Settings> = {}, record: VoterRecord = RECORD): Node {
    const b = driven('secondary', { node: 'b', ...change }, record);
    b.feed(1, { kind: 'cleaned', id: b.state().lastCleanId, ok: true, detail: '' });
    return b;
  }

  test('who cannot be heard, until a majority is; at once, and not again for other words', () => {
    const b = secondary();
    assert.deepEqual(said(b), [
      { name: 'majority', value: 'a and c cannot be heard, and 1 more of 3 is needed' },
    ]);
    b.taken();
    b.hear(10, 'a');
    assert.deepEqual(said(b), []);
    assert.ok(b.taken().some((output) => output.kind === 'send' && output.message.kind === 'state'));
    b.feed(3010, { kind: 'tick' });
    assert.deepEqual(names(b), ['majority']);
  });

  test('that those it hears have no record of the past', () => {
    const b = secondary();
    const memory = { ...heartbeat().memory, history: false };
    b.hear(10, 'a', { memory });
    assert.deepEqual(said(b), [{ name: 'history', value: 'a not' }]);
    b.hear(20, 'c');
    assert.deepEqual(said(b), []);
  });

  test('that too many of those it hears are bound by a grant that no release ends', () => {
    const grant = { holder: { node: 'b', incarnation: 9 }, epoch: 2, grantMs: 5000, mark: UNMARKED };
    const b = secondary({}, { epochMax: 2, grant, sets: [VOTERS] });
    const holds = (epoch: number, node = 'a', leftMs = 4000): Partial<StateMessage> => {
      const given = { holder: { node, incarnation: 1 }, epoch, leftMs, mark: UNMARKED };
      return { memory: { ...heartbeat().memory, grant: given } };
    };
    b.hear(10, 'a', { ...holds(3), role: 'primary', run: 'run', holdingEpoch: 3, able: false });
    assert.deepEqual(said(b), [{ name: 'free', value: 'b not, by an earlier grant' }]);
    b.hear(20, 'c', holds(3));
    assert.deepEqual(said(b), [], 'the release of its holder frees the others');
    b.hear(30, 'c', holds(1, 'b', 300));
    assert.deepEqual(names(b), ['free']);
    b.feed(330, { kind: 'tick' });
    assert.deepEqual(said(b), [], 'that grant has run out');
  });

  test('what it requires, and why it has given up', () => {
    const b = secondary();
    b.hear(10, 'a');
    b.feed(20, { kind: 'judged', failed: '', unfit: 'db is\ndown' });
    assert.deepEqual(said(b), [{ name: 'fit', value: 'db is down' }]);
    b.feed(30, { kind: 'judged', failed: '', unfit: `${'x'.repeat(300)}` });
    b.feed(1010, { kind: 'tick' });
    assert.equal(said(b)[0]?.value.length, 200);
  });
});

describe('a handover that was begun', () => {
  test('is answered when it runs there, with what each phase took', () => {
    const a = handedOver();
    assert.equal(a.state().roleSet, 'secondary');
    a.hear(532, 'b', STARTS);
    assert.deepEqual(words(a.taken()), ['b has the lease after 12 ms, and starts it']);
    a.hear(1732, 'b', { ...STARTS, run: 'run' });
    assert.deepEqual(words(a.taken()), [
      'runs on b: stop took 500 ms, lease passed after 12 ms, start took 1.2 s; 1.7 s in total',
    ]);
    assert.equal(a.state().handover, null);
  });

  const asks = (node: Node): boolean =>
    node.taken().some((output) => output.kind === 'send' && output.message.kind === 'ask');

  test('[P8] is put back when the successor does not hold it any more, unasked and without complaints', () => {
    const a = handedOver();
    a.hear(532, 'b', STARTS);
    assert.equal(asks(a), false);
    const given = { name: 'rested', value: 'start exited with 1' };
    a.hear(900, 'b', { able: false, ...lacking(given) });
    assert.equal(a.state().handover?.phase, 'putting-back');
    assert.equal(asks(a), true);
  });

  test('[P8] is put back when the successor has not taken it for a lease, and not before', () => {
    const a = handedOver();
    for (const now of [1000, 2000, 3000, 3519]) a.hear(now, 'b');
    assert.equal(asks(a), false);
    a.feed(3520, { kind: 'tick' });
    assert.equal(a.state().handover?.why, 'b has not taken the lease in time');
    assert.equal(asks(a), true);
  });

  test('[P8] is put back when the successor is lost while it starts it', () => {
    const a = handedOver();
    a.hear(532, 'b', STARTS);
    for (const now of [1500, 2500, 3500]) a.hear(now, 'c', { role: 'watchdog', able: false });
    a.feed(3532, { kind: 'tick' });
    assert.equal(a.state().handover?.why, 'b is not heard any more');
    assert.equal(asks(a), true);
  });

  test('[P8] is not put back once it has run there: what comes then is for the usual rules', () => {
    const a = handedOver();
    a.hear(532, 'b', { ...STARTS, run: 'run' });
    a.hear(900, 'b', { able: false });
    a.feed(1900, { kind: 'tick' });
    assert.equal(asks(a), false);
  });

  test('[P8] ends with a word where another node has it', () => {
    const a = handedOver();
    a.hear(600, 'c', { ...STARTS });
    assert.deepEqual(words(a.taken()), ['c has taken it, and not b']);
  });

  test('[P8] is not waited for without end', () => {
    const a = handedOver();
    const giveUpAt = a.state().handover?.giveUpAt ?? 0;
    for (let now = 1000; now <= giveUpAt; now += 1000) a.hear(now, 'b', STARTS);
    a.hear(giveUpAt + 1, 'b', STARTS);
    assert.match(words(a.taken()).at(-1) ?? '', /^b holds the lease, and it has not come to run there$/);
  });

  test('[P8] a word of it that comes while it is stopped here is of an earlier one', () => {
    const a = holder();
    a.hear(10, 'b');
    switchover(a, 'b', 20);
    const old = { kind: 'handover', holder: { node: 'b', incarnation: 1 }, epoch: 9 } as const;
    a.feed(30, { kind: 'peer', from: 'b', message: old });
    assert.equal(a.state().handover?.phase, 'stopping');
  });
});

/** `voter` grants the lease under epoch 2 or later to `node`, which asks for it. */
function acquires(node: Node, self: string, voter: string, now: number): void {
  const { memory } = heartbeat();
  const answer = { kind: 'answer', holder: { node: self, incarnation: 1 }, memory } as const;
  const granted = { refusal: null, by: '', leftMs: 0 };
  const asked = { to: 'ask', epoch: 0, request: node.state().acquisition.request } as const;
  node.feed(now, { kind: 'peer', from: voter, message: { ...answer, ...granted, ...asked } });
  const { epoch, request } = node.state().acquisition;
  node.feed(now + 10, { kind: 'stored', id: node.state().voter.lastStoreId, ok: true });
  node.feed(now + 10, {
    kind: 'peer',
    from: voter,
    message: { ...answer, ...granted, to: 'request', epoch, request },
  });
}

describe('[P8] the node that something was handed over to', () => {
  /** b, which a has named and which has acquired the lease. */
  function successor(): Node {
    const b = driven('secondary', { node: 'b' });
    b.feed(1, { kind: 'cleaned', id: b.state().lastCleanId, ok: true, detail: '' });
    b.hear(10, 'a');
    const named = { kind: 'handover', holder: { node: 'a', incarnation: 1 }, epoch: 1 } as const;
    b.feed(20, { kind: 'peer', from: 'a', message: named });
    acquires(b, 'b', 'a', 30);
    assert.equal(b.state().role, 'primary');
    return b;
  }

  const told = (node: Node): unknown[] =>
    node
      .taken()
      .flatMap((output) =>
        output.kind === 'worker-message' && output.message.kind === 'successor'
          ? [{ node: output.message.node, giveBack: output.message.giveBack }]
          : [],
      );

  test('gives it back to who handed it over, also past one of better priority, until it runs', () => {
    const b = successor();
    b.hear(50, 'c', { priority: 1 });
    assert.deepEqual(told(b), [{ node: 'a', giveBack: true }]);
    b.report(60, { run: 'run', epoch: 2, heardEpoch: 2 });
    assert.deepEqual(told(b), [{ node: 'c', giveBack: false }]);
  });

  test('does not give back what has come back', () => {
    const a = handedOver();
    a.hear(600, 'b', STARTS);
    a.feed(700, {
      kind: 'peer',
      from: 'b',
      message: { kind: 'handover', holder: { node: 'b', incarnation: 1 }, epoch: 2 },
    });
    a.hear(710, 'b', { run: 'stopped' });
    acquires(a, 'a', 'b', 720);
    assert.equal(a.state().role, 'primary');
    assert.deepEqual(told(a).at(-1), { node: 'b', giveBack: false });
  });

  test('not to one that could not take it', () => {
    const b = successor();
    b.taken();
    b.hear(50, 'a', { sequence: 99, ...lacking({ name: 'stays', value: 'it ends' }) });
    assert.equal(b.state().successorTold.giveBack, false);
  });

  test('after the first start that fails, where it otherwise tries again', () => {
    for (const giveBack of [true, false]) {
      const lease = {
        epoch: 2,
        until: 1e9,
        grantedUntil: 1e9,
        sets: [VOTERS],
        granted: VOTERS,
        mark: UNMARKED,
      };
      const init = {
        settings: settings(),
        holder: { node: 'b', incarnation: 1 },
        sets: [VOTERS],
        request: 1,
      };
      const rest = { attempts: 0, forced: false, serviceFailed: '', resumed: false, maintained: false };
      let { state } = stepPrimary(initPrimary({ ...init, ...rest, lease, mark: UNMARKED }, 0), {
        kind: 'tick',
        now: 0,
      });
      state = stepPrimary(state, { kind: 'successor', node: 'a', giveBack, now: 1 }).state;
      state = stepPrimary(state, { kind: 'hook', id: 1, code: 1, detail: '', now: 10 }).state;
      state = stepPrimary(state, {
        kind: 'hook',
        id: 2,
        code: 1,
        detail: 'start exited with 1',
        now: 20,
      }).state;
      state = stepPrimary(state, { kind: 'hook', id: 3, code: 1, detail: '', now: 30 }).state;
      assert.equal(state.stop?.why, giveBack ? 'gave-up' : undefined);
      assert.equal(state.stop?.successor, giveBack ? 'a' : undefined);
    }
  });
});
