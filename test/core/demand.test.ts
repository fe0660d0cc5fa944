/** What is done with the watchdog device: every demand of two resources, in every state of the device. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Demand, type DeviceAction, deviceAction } from '../../daemon/core/demand.js';

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
