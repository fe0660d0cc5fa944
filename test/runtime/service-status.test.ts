// What the service manager is told: one line, and whether the daemon does its duty.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNode, stepNode } from '../../daemon/core/node.js';
import { isLive } from '../../daemon/core/node-guard.js';
import type { NodeState } from '../../daemon/core/node-types.js';
import { serviceStatus } from '../../daemon/runtime/service-status.js';
import { heartbeat, settings, VOTERS } from '../core/given.js';

const RECORD = { epochMax: 0, grant: null, sets: [VOTERS] };

function node(resource: string, roleOnStart: 'primary' | 'secondary'): NodeState {
  const init = {
    settings: settings({ resource }),
    incarnation: 1,
    record: RECORD,
    leftRunning: null,
    kept: null,
  };
  return startNode({ ...init, roleOnStart }, 0).state;
}

test('one line names resources, roles and who holds the lease', () => {
  const message = heartbeat({ role: 'primary', run: 'run', holdingEpoch: 3 });
  const mail = stepNode(node('mail', 'secondary'), { kind: 'peer', from: 'b', message, now: 10 }).state;
  assert.equal(
    serviceStatus([node('shared', 'primary'), mail], 10),
    'shared: primary without a lease, unknown; mail: secondary of b',
  );
  assert.equal(serviceStatus([], 10), 'no resources');
  const many = Array.from({ length: 10 }, (_, index) => node(`r${index}`, 'secondary'));
  assert.match(serviceStatus(many, 10), /^r0: secondary, nobody holds the lease; .*; r7: .*; 2 more$/);
});

test('who is not stepped, or has left a silent worker alone, is not alive', () => {
  const state = node('shared', 'primary');
  assert.ok(isLive(state, 3000));
  assert.ok(!isLive(state, 60_000), 'nothing has stepped it for a minute');
  const spoken = stepNode(state, { kind: 'worker-alive', worker: state.lastWorkerId, now: 10 }).state;
  const stuck = { ...spoken, steppedAt: 60_000 };
  assert.ok(!isLive(stuck, 60_000), 'its worker has been silent for a minute');
  assert.ok(isLive({ ...stuck, worker: null }, 60_000));
});
