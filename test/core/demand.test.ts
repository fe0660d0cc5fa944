/** What is done with the watchdog device: every demand of two resources, in every state of the device. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Demand, type DeviceAction, demandOf, deviceAction } from '../../daemon/core/demand.js';
import type { NodeState } from '../../daemon/core/node-types.js';
import { settings } from './given.js';

const DEMANDS: Demand[] = ['none', 'feed', 'starve'];

test('[G5] the device is fed or opened only while no resource may be running without a lease', () => {
  // Closed and still; left counting by an earlier process; open.
  const table: Record<string, [DeviceAction, DeviceAction, DeviceAction]> = {
    'none none': ['wait', 'open', 'close'],
    'none feed': ['open', 'open', 'feed'],
    'feed feed': ['open', 'open', 'feed'],
    'none starve': ['open', 'wait', 'wait'],
    'feed starve': ['open', 'wait', 'wait'],
    'starve starve': ['open', 'wait', 'wait'],
  };
  for (const one of DEMANDS)
    for (const other of DEMANDS) {
      const row = table[`${one} ${other}`] ?? table[`${other} ${one}`];
      const states = [
        { open: false, counting: false },
        { open: false, counting: true },
        { open: true, counting: true },
      ];
      assert.deepEqual(
        states.map((state) => deviceAction([one, other], state)),
        row,
        `${one} ${other}`,
      );
    }
  assert.equal(deviceAction([], { open: true, counting: true }), 'close');
});

test('[G5] what a resource demands: fed under a good lease or by force, starved where it may run without', () => {
  const report = { mayRun: true, leaseUntil: 1000, epoch: 1, forced: false };
  const demand = (change: object, state: object = {}): Demand => {
    const worker = { report: { ...report, ...change } };
    return demandOf(
      {
        ...{ role: 'primary', cleaning: null, stopFailed: false, worker, steppedAt: 490 },
        ...{ guardNotBefore: Number.NEGATIVE_INFINITY, settings: settings({ heartbeatMs: 100 }) },
        ...state,
      } as NodeState,
      500,
    );
  };
  const none = { leaseUntil: Number.NEGATIVE_INFINITY };
  assert.equal(demand({}), 'feed');
  assert.equal(demand({ leaseUntil: 500 }), 'starve');
  assert.equal(demand({ mayRun: false }), 'feed', 'armed before the start');
  assert.equal(demand({ ...none, mayRun: false }), 'none');
  const over = { mayRun: false, leaseUntil: 400 };
  assert.equal(demand(over), 'none');
  assert.equal(demand(over, { steppedAt: 340 }), 'starve', 'it stood still: a start may not be read yet');
  assert.equal(demand(over, { guardNotBefore: 510 }), 'starve');
  assert.equal(demand({ ...none, mayRun: false }, { steppedAt: 0 }), 'none');
  assert.equal(demand({ ...none, epoch: 0, forced: true }), 'feed');
  assert.equal(demand({ ...none, epoch: 0 }), 'none', 'a first look');
  assert.equal(demand({}, { role: 'secondary' }), 'none');
  assert.equal(demand({}, { cleaning: { required: true } }), 'starve');
  assert.equal(demand({}, { stopFailed: true }), 'starve');
});
