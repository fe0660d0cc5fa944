/** Faults of the network: cuts without a word, in one direction or both, and slow ways. */
import type { Fault, FaultContext } from './faults.js';
import type { Path } from './network.js';

/** Two machines do not reach each other. */
export const cutPair: Fault = (context) => {
  const { world, target } = context;
  const other = world.prng.pick(world.machines);
  if (other === target) return false;
  const between = ({ from, to }: Path): boolean =>
    (from === target && to === other) || (from === other && to === target);
  return cut(context, between, `link ${target.name} - ${other.name} is cut`);
};

/** One machine does not reach another, while the other still reaches it. */
export const cutOneWay: Fault = (context) => {
  const { world, target } = context;
  const other = world.prng.pick(world.machines);
  if (other === target) return false;
  const [here, there] = world.prng.chance(500) ? [target, other] : [other, target];
  return cut(
    context,
    ({ from, to }) => from === here && to === there,
    `link ${here.name} -> ${there.name} is cut, in this direction only`,
  );
};

/** A machine is cut off from all others. */
export const isolate: Fault = (context) => {
  const { target } = context;
  return cut(context, ({ from, to }) => from === target || to === target, `${target.name} is isolated`);
};

/** A machine can hear all others and none hears it, or the other way round. */
export const isolateOneWay: Fault = (context) => {
  const { world, target } = context;
  const dumb = world.prng.chance(500);
  return cut(
    context,
    ({ from, to }) => (dumb ? from : to) === target,
    `${target.name} ${dumb ? 'is heard by nobody' : 'hears nobody'}`,
  );
};

/** The machines fall into two groups. */
export const cutGroup: Fault = (context) => {
  const { world } = context;
  const group = world.machines.filter(() => world.prng.chance(500));
  return cut(
    context,
    ({ from, to }) => group.includes(from) !== group.includes(to),
    `the network falls apart: ${group.map(({ name }) => name).join(' ') || 'nobody'} | the others`,
  );
};

/** Messages of a machine come late, or some do not come. */
export const slowPath: Fault = ({ world, network, target, ms, endLater }) => {
  const { prng, profile } = world;
  const slowMs = prng.below(profile.times.leaseMs);
  const lossPermille = prng.pick([0, 100, 400]);
  const paths = network.paths.filter(
    ({ from, to }) => (from === target || to === target) && prng.chance(600),
  );
  world.trace({
    kind: 'fault',
    text: `links of ${target.name} are slow by ${slowMs} ms and lose ${lossPermille / 10} %`,
  });
  for (const path of paths) {
    path.slowMs = slowMs;
    path.lossPermille = lossPermille;
  }
  endLater(ms, () => {
    for (const path of paths) {
      path.slowMs = 0;
      path.lossPermille = 0;
    }
  });
  return true;
};

function cut(context: FaultContext, which: (path: Path) => boolean, text: string): boolean {
  const { world, network, ms, endLater } = context;
  const paths = network.paths.filter(which);
  world.trace({ kind: 'fault', text });
  for (const path of paths) path.cuts += 1;
  endLater(ms, () => {
    world.trace({ kind: 'fault', text: `over: ${text}` });
    for (const path of paths) path.cuts -= 1;
  });
  return true;
}
