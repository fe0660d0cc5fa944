/** What checks say of the service and of the nodes, as the daemons' monitors would: the service does not answer, a gateway is gone. */
import type { Fault } from './faults.js';
import { tellJudged } from './main-process.js';
import type { Machine, World } from './world.js';

/** The checks say something else from now on; a daemon that does not run is told when it does. */
export function judge(world: World, machine: Machine, change: Partial<Machine['judged']>): void {
  machine.judged = { ...machine.judged, ...change };
  tellJudged(world, machine);
}

/** The service runs and does not answer, wherever it runs: each node comes to know of it at a moment of its own. */
export const failService: Fault = ({ world, ms, endLater }) => {
  world.trace({ kind: 'fault', text: 'the service does not answer' });
  world.failing += 1;
  tellAll(world);
  endLater(ms, () => {
    world.failing -= 1;
    tellAll(world);
  });
  return true;
};

/** A node does not see what the resource requires. */
export const missRequired: Fault = ({ world, target, ms, endLater }) => {
  world.trace({ kind: 'fault', text: `${target.name} does not see the gateway` });
  judge(world, target, { unfit: 'gateway is down as seen from here' });
  endLater(ms, () => judge(world, target, { unfit: '' }));
  return true;
};

function tellAll(world: World): void {
  for (const machine of world.machines) {
    const ms = world.prng.below(world.profile.times.heartbeatMs);
    world.agenda.after(ms, () =>
      judge(world, machine, { failed: world.failing > 0 ? 'web is confirmed down' : '' }),
    );
  }
}
