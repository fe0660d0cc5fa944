/** What a node explains of a resource, in its roles; that all of it is so is what the simulator looks at (test/sim/explained.ts). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { anyOf, type Condition, type Explanation, together } from '../../daemon/core/conditions.js';
import { explain, type Topic } from '../../daemon/core/explain.js';
import { startNode, stepNode } from '../../daemon/core/node.js';
import type { NodeInput, NodeState, WithoutNow } from '../../daemon/core/node-types.js';
import type { Settings } from '../../daemon/core/settings.js';
import type { Role, StateMessage } from '../../daemon/core/types.js';
import { heartbeat, settings } from './given.js';

const NOW = 10_000;

function feed(state: NodeState, input: WithoutNow<NodeInput>, now = NOW): NodeState {
  return stepNode(state, { ...input, now } as NodeInput).state;
}

/** Node a in this role, and known to be stopped. */
function nodeIn(role: Role, change: Partial<Settings> = {}): NodeState {
  const init = { settings: settings(change), incarnation: 1, record: null, leftRunning: null, kept: null };
  const { state } = startNode({ ...init, roleOnStart: role }, NOW);
  return feed(state, { kind: 'cleaned', id: state.cleaning?.id ?? 0, ok: true, detail: '' });
}

/** Nodes that were heard at NOW. */
function hears(state: NodeState, messages: Record<string, Partial<StateMessage>>): NodeState {
  const peers = Object.entries(messages).map(([node, change]) => {
    const peer = { linked: true, since: 0, heardAt: NOW, message: heartbeat(change) };
    return [node, { ...state.peers[node], ...peer }] as const;
  });
  return { ...state, peers: { ...state.peers, ...Object.fromEntries(peers) } as NodeState['peers'] };
}

function find({ conditions }: Explanation<Topic>, place: string): Condition<Topic> {
  const found = conditions.find(({ name, topic }) => `${topic}/${name}` === place);
  assert.ok(found, place);
  return found;
}

describe('a secondary', () => {
  test('beside a holder says whose the lease is, and who could hand it over', () => {
    const state = hears(nodeIn('secondary'), { b: { role: 'primary', run: 'run', holdingEpoch: 7 }, c: {} });
    const said = explain(state, NOW + 1200);
    assert.match(said.sentence, /^secondary; b holds the lease/);
    assert.deepEqual(said.verdicts, {
      running: false,
      promotion: false,
      staying: null,
      'stepping-down': null,
    });
    const { ageMs, change, holds, source } = find(said, 'promotion/holder-gone');
    assert.deepEqual([ageMs, holds, source], [1200, false, 'b']);
    assert.match(change, /hastmonctl switchover shared, on b$/);
    assert.deepEqual([find(said, 'running/lease').change], ['b has to lose it, or to hand it over']);
  });

  test('that nobody is heard by says who is missing, and since when', () => {
    const state = hears(nodeIn('secondary'), { b: {} });
    const { change, holds, needed, value } = find(explain(state, NOW + 4000), 'promotion/majority');
    assert.deepEqual([holds, needed], [false, '2, within lease_timeout (3.0 s)']);
    assert.equal(value, '1 of 3; not b (last heard 4.0 s ago), c (never heard)');
    assert.equal(change, 'b and c have to be started, or the network mended');
  });

  test('behind the maintenance of another node says which voters keep it for that one, and what ends it', () => {
    const mark = { on: true, reason: 'upgrade', by: 'op', revision: 1 };
    const grant = { holder: { node: 'b', incarnation: 1 }, epoch: 4, leftMs: 0, mark };
    const memory = { ...heartbeat().memory, grant };
    for (const role of ['secondary', 'primary', 'watchdog', 'init'] as const) {
      const one = explain(hears(nodeIn(role), { b: { memory }, c: {} }), NOW + 500);
      const still = one.conditions.find(({ name }) => name === 'maintenance');
      assert.equal(still?.holds, role === 'secondary' || role === 'primary' ? true : undefined, role);
      const state = hears(nodeIn(role), { b: { memory }, c: { memory } });
      const said = explain(state, NOW + 500);
      const { ageMs, change, holds, needed, source, value } = find(said, 'promotion/maintenance');
      assert.deepEqual([ageMs, holds, needed, source], [500, false, 'at most 1 keep it', 'b, c'], role);
      assert.equal(value, 'b and c for b, which is in maintenance (upgrade, by op)');
      assert.match(change, /^hastmonctl maintenance off shared, on b; .*maintenance forget shared/);
      assert.equal(said.verdicts.promotion, false);
      // What is not heard any more says nothing.
      const late = explain(state, NOW + 5000).conditions.find(({ name }) => name === 'maintenance');
      assert.notEqual(late?.holds, false);
    }
  });

  test('names each thing that keeps it from the lease, and what would change it', () => {
    const free = hears(nodeIn('secondary'), { b: {}, c: {} });
    const cases: [string, Partial<NodeState>, RegExp, RegExp][] = [
      [
        'clean',
        { cleaning: { id: 1, required: false } as NodeState['cleaning'] },
        /under way/,
        /come to its end/,
      ],
      ['stays', { terminating: true }, /^it ends$/, /started again/],
      ['fit', { unfit: 'gateway is down as seen from here' }, /^gateway is down/, /^gateway is down/],
      [
        'rested',
        { gaveUpAt: NOW - 5000, lastError: 'start failed' },
        /^given up 5.0 s ago: start failed$/,
        /^55.0 s have/,
      ],
      ['voter', { voter: { ...free.voter, sets: [['b', 'c']] } }, /^it is not$/, /`on` section/],
    ];
    for (const [name, change, value, help] of cases) {
      const said = find(explain({ ...free, ...change }, NOW), `promotion/${name}`);
      assert.equal(said.holds, false, name);
      assert.match(said.value, value);
      assert.match(said.change, help);
      assert.deepEqual([find(explain(free, NOW), `promotion/${name}`).holds, said.enough], [true, 1]);
    }
  });

  test('has four reasons to ask for it, of which one is enough', () => {
    const free = hears(nodeIn('secondary'), { b: {}, c: {} });
    const complaints = {
      c: { times: [1, 2, 3, 4].map((at) => NOW - at) },
    } as unknown as NodeState['complaints'];
    const reasons: [string, Partial<NodeState>, string][] = [
      ['successor', { successorUntil: NOW + 1500 }, 'for 1.5 s more'],
      ['set', { roleSet: 'primary' }, 'primary'],
      ['complaints', { complaints }, '4 of 4'],
      [
        'put-back',
        { handover: { phase: 'putting-back', why: 'b is lost' } as NodeState['handover'] },
        'b is lost',
      ],
    ];
    assert.equal(explain(free, NOW).verdicts.promotion, false);
    for (const [name, change, value] of reasons) {
      const said = explain({ ...free, ...change }, NOW);
      assert.deepEqual([said.verdicts.promotion, find(said, `promotion/${name}`).value], [true, value]);
    }
    assert.deepEqual(
      [find(explain({ ...free, complaints }, NOW), 'promotion/complaints')].map(({ ageMs, source }) => [
        ageMs,
        source,
      ]),
      [[4, 'c']],
    );
  });

  test('tells what voters have said against it', () => {
    const state = hears(nodeIn('secondary'), { b: {}, c: {} });
    const refusals = {
      b: { reason: 'held', by: 'd', until: NOW + 4000 },
      c: { reason: 'disk', by: '', until: 0 },
    } as NodeState['acquisition']['refusals'];
    const acquisition = { ...state.acquisition, refusals, sentAt: NOW - 300 };
    const { ageMs, holds, value } = find(explain({ ...state, acquisition }, NOW), 'promotion/granted');
    assert.deepEqual([ageMs, holds], [300, false]);
    assert.match(value, /^b has granted it to d for 4.0 s more; c cannot store its grant/);
  });
});

test('who has no role, or watches, is told how to change that', () => {
  for (const role of ['init', 'watchdog'] as const) {
    const said = explain(nodeIn(role), NOW);
    const { change, value } = find(said, 'promotion/role');
    assert.deepEqual([value, change], [role, 'hastmonctl role primary|secondary shared']);
    assert.ok(said.sentence.startsWith(`${role}; `), said.sentence);
  }
});

describe('a primary', () => {
  const report = {
    epoch: 3,
    leaseUntil: NOW + 2500,
    run: 'run',
    forced: false,
    stopEnd: Number.POSITIVE_INFINITY,
  };
  function holder(change: Partial<NodeState> = {}, reported: object = {}): NodeState {
    const state = hears(nodeIn('primary'), { b: {} });
    const worker = { role: 'primary', aliveAt: NOW - 100, report: { ...report, ...reported } };
    return { ...state, worker: worker as unknown as NodeState['worker'], ...change };
  }

  test('that runs it says how long its lease lasts, and how many voters may still be lost', () => {
    const said = explain(holder(), NOW);
    assert.deepEqual(said.verdicts, {
      running: true,
      promotion: null,
      staying: true,
      'stepping-down': false,
    });
    assert.match(said.sentence, /^primary; the resource runs here; c cannot be heard/);
    assert.equal(find(said, 'running/lease').value, 'epoch 3, 2.5 s left');
    assert.equal(find(said, 'staying/majority').needed, '2; no other may be lost');
    assert.equal(find(said, 'staying/lease').ageMs, 100);
  });

  test('says what is about to end that', () => {
    const cases: [string, Partial<NodeState>, object, RegExp][] = [
      ['staying/lease', {}, { leaseUntil: NOW + 50 }, /^0\.[01] s left$/],
      ['staying/service', { serviceFailed: 'web is confirmed down for 3 s' }, {}, /^web is confirmed down/],
      ['staying/attempts', { attempts: 3 }, {}, /^3 failed$/],
      ['running/started', { lastError: 'no disk' }, { run: 'failed' }, /^failed: no disk$/],
    ];
    for (const [place, change, reported, value] of cases) {
      const said = find(explain(holder(change, reported), NOW), place);
      assert.equal(said.holds, false, place);
      assert.match(said.value, value);
      assert.notEqual(said.change, '', place);
    }
    const leaving = { command: 5, why: 'handover', successor: 'b', to: 'secondary' } as NodeState['leaving'];
    const handover = { to: 'b', cause: 'operator' } as NodeState['handover'];
    const down = explain(holder({ leaving, handover }), NOW);
    assert.deepEqual(
      [down.verdicts['stepping-down'], find(down, 'stepping-down/operator').value],
      [true, 'handing over to b'],
    );
    for (const cause of ['priority', 'failback'] as const) {
      const unasked = explain(
        holder({ leaving, handover: { ...handover, cause } as NodeState['handover'] }),
        NOW,
      );
      assert.equal(find(unasked, `stepping-down/${cause}`).holds, true);
      assert.equal(find(unasked, 'stepping-down/operator').holds, false);
    }
  });
});

test('alternatives count together, so many of them as are needed', () => {
  const condition = (holds: boolean | null, oneOf = '', enough = 1) => ({ holds, oneOf, enough });
  assert.equal(together([]), null);
  assert.equal(together([condition(true), condition(null)]), false);
  assert.equal(together([condition(true), condition(false, 'x'), condition(true, 'x')]), true);
  assert.equal(together([condition(true, 'x', 2), condition(false, 'x', 2), condition(null, 'x', 2)]), false);
  assert.equal(together([condition(true, 'x', 2), condition(false, 'x', 2), condition(true, 'x', 2)]), true);
  assert.equal(together([condition(true, 'x'), condition(false, 'y')]), false);
  assert.deepEqual(
    [anyOf([]), anyOf([condition(false), condition(true)]), anyOf([condition(null)])],
    [null, true, false],
  );
});
