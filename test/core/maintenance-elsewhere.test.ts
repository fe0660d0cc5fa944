/** Maintenance as another node than its holder sees it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNode } from '../../daemon/core/node.js';
import type { NodeState } from '../../daemon/core/node-types.js';
import type { StateMessage } from '../../daemon/core/types.js';
import { waitingFor } from '../../daemon/core/waiting.js';
import { holder, words } from './driven.js';
import { GRANT_MS, heartbeat, settings, VOTERS } from './given.js';
import { ON, replies, step } from './left-alone.js';

test('[L7] status says where it ends, and what helps where that node is lost', () => {
  const grant = { holder: { node: 'b', incarnation: 1 }, epoch: 3, grantMs: GRANT_MS, mark: ON };
  const init = { incarnation: 9, leftRunning: null, roleOnStart: 'secondary', kept: null } as const;
  const record = { epochMax: 3, grant, sets: [VOTERS] };
  const own = startNode({ settings: settings(), ...init, record }, 0).state;
  const { state } = step(own, { kind: 'cleaned', id: own.lastCleanId, ok: true, detail: '' }, 10);
  const off = (from: NodeState): string =>
    replies(step(from, { kind: 'command', id: 7, command: { kind: 'maintenance-off' } }, 21).outputs)[0] ??
    '';
  assert.match(
    waitingFor(state, 20),
    /^b to come back, which is in maintenance \(upgrade, by op\) .* forget/,
  );
  assert.match(
    off(state),
    /^b is in maintenance, .*: hastmonctl maintenance off \w+ there, once it is back$/,
  );
  const heard = step(state, { kind: 'peer', from: 'b', message: heartbeat() }, 20).state;
  assert.match(
    waitingFor(heard, 20),
    /^nothing: b is in maintenance \(upgrade, by op\): .* off \w+ there ends it/,
  );
  assert.match(
    off(heard),
    /^b is in maintenance, and this node is not: hastmonctl maintenance off \w+ there$/,
  );
  const without = { ...record, grant: null };
  assert.equal(off(startNode({ settings: settings(), ...init, record: without }, 0).state), '');
});

test('[L7] does not begin while another voter changes the voters, as far as that is heard', () => {
  const on = { kind: 'maintenance-on', reason: '', by: 'op', forMs: Number.POSITIVE_INFINITY } as const;
  const said = (now: number, sets: readonly (readonly string[])[], history = true): string => {
    const a = holder();
    a.hear(10, 'b', { memory: { ...heartbeat().memory, sets, history } });
    a.taken();
    a.feed(now, { kind: 'command', id: 7, command: on });
    return words(a.taken()).join();
  };
  const refused = 'a change of the voters is under way; wait for its end and try again';
  assert.equal(said(20, [['a', 'b'], VOTERS]), refused);
  assert.equal(said(20, [['a', 'b']]), refused);
  assert.equal(said(20, [VOTERS]), '');
  // Who has no record follows its file, and what is old is not known.
  assert.equal(said(20, [['a', 'b']], false), '');
  assert.equal(said(4000, [['a', 'b']]), '');
});

test('[L8] keeps nothing any more by the word of the operator, but for a node that can say so itself', () => {
  const grant = { holder: { node: 'b', incarnation: 1 }, epoch: 3, grantMs: GRANT_MS, mark: ON };
  const init = { incarnation: 9, leftRunning: null, roleOnStart: 'secondary', kept: null } as const;
  const own = startNode({ settings: settings(), ...init, record: { epochMax: 3, grant, sets: [VOTERS] } }, 0);
  const forget = (message: StateMessage | null): [string, boolean] => {
    const heard =
      message === null ? own.state : step(own.state, { kind: 'peer', from: 'b', message }, 10).state;
    const { outputs } = step(heard, { kind: 'command', id: 7, command: { kind: 'maintenance-forget' } }, 11);
    return [replies(outputs)[0] ?? '', outputs.some(({ kind }) => kind === 'store')];
  };
  const blank = { ...heartbeat().memory, history: false, sets: [] };
  assert.deepEqual(forget(null), ['', true]);
  const again = { kind: 'command', id: 8, command: { kind: 'maintenance-forget' } } as const;
  assert.match(replies(step(step(own.state, again, 10).state, again, 11).outputs)[0] ?? '', /being written/);
  assert.deepEqual(forget(heartbeat({ memory: blank })), ['', true]);
  const refused = /^b is connected: hastmonctl maintenance off \w+ there$/;
  for (const message of [
    heartbeat(),
    heartbeat({ memory: blank, run: 'run' }),
    heartbeat({ memory: blank, run: 'unknown' }),
    heartbeat({ memory: blank, holdingEpoch: 3 }),
    heartbeat({ memory: blank, forced: true }),
  ]) {
    const [error, stores] = forget(message);
    assert.match(error, refused);
    assert.ok(!stores);
  }
});
