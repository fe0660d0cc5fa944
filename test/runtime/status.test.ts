/** What status says of other nodes: what they say now, and of those that are not heard any more only since when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNode, stepNode } from '../../daemon/core/node.js';
import type { NodeState } from '../../daemon/core/node-types.js';
import { type StatusFacts, statusOf } from '../../daemon/runtime/status.js';
import { heartbeat, settings, VOTERS } from '../core/given.js';

const BEGAN = 100_000;
const link = { remote: true, connected: true, since: BEGAN, reason: '' };

/** This node, a, has heard b's heartbeat at the beginning: it holds nothing, and grants to c for two seconds more. */
function heardOnce(): NodeState {
  const { state } = startNode(
    {
      ...{ settings: settings(), incarnation: 1, record: null, leftRunning: null },
      ...{ roleOnStart: 'watchdog', kept: null },
    },
    BEGAN,
  );
  const { memory } = heartbeat();
  const holder = { node: 'c', incarnation: 1 };
  const mark = { on: false, reason: '', by: '', revision: 0 };
  const message = heartbeat({
    ...{ role: 'primary', run: 'run' },
    memory: { ...memory, sets: [VOTERS], grant: { holder, epoch: 1, leftMs: 2000, mark } },
  });
  return stepNode(state, { kind: 'peer', from: 'b', message, now: BEGAN }).state;
}

function statusAt(afterMs: number, other: Partial<StatusFacts> = {}) {
  const now = BEGAN + afterMs;
  const reports = ['a', 'b'].map((node) => ({
    node,
    check: 'lag',
    state: 'ok',
    ageMs: afterMs,
    forMs: 9000,
  }));
  const facts: StatusFacts = {
    ...{ state: heardOnce(), exec: '', workerPid: 0, warnings: [], seenRunning: false, startupMs: 0 },
    links: [{ ...link, address: 'tcp4://b', node: 'b', lastHeard: BEGAN }],
    ...{ lastStopMs: null, reports, device: null },
    ...other,
  };
  return statusOf(facts, now);
}

const voterB = (afterMs: number) => statusAt(afterMs).voters.find(({ node }) => node === 'b');

test('what a node says that is heard', () => {
  const { remotes, reports } = statusAt(500);
  assert.deepEqual(
    remotes.map(({ heardMs, role, state }) => [role, state, heardMs]),
    [['primary', 'run', 500]],
  );
  assert.deepEqual(
    reports.map(({ node, state }) => [node, state]),
    [
      ['a', 'ok'],
      ['b', 'ok'],
    ],
  );
  const { grantingTo, heardMs, reachable } = voterB(500) ?? {};
  assert.deepEqual([reachable, heardMs, grantingTo], [true, 500, 'c']);
});

test('its grant is over when that much has passed since it was said', () => {
  assert.equal(voterB(1999)?.grantingTo, 'c');
  assert.equal(voterB(2001)?.grantingTo, '');
});

test('of one that is not heard any more only since when: within lease_timeout, whatever its connection says', () => {
  const { remotes, reports } = statusAt(3000);
  assert.deepEqual(
    remotes.map(({ heardMs, role, state }) => [role, state, heardMs]),
    [[null, null, 3000]],
  );
  assert.deepEqual(
    reports.map(({ node, state }) => [node, state]),
    [
      ['a', 'ok'],
      ['b', ''],
    ],
  );
  const { grantingTo, heardMs, reachable } = voterB(3000) ?? {};
  assert.deepEqual([reachable, heardMs, grantingTo], [false, 3000, '']);
  assert.equal(statusAt(0).voters.find(({ node }) => node === 'c')?.heardMs, null);
});
