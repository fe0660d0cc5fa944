/** One run: trouble for a while, then everything is healed, and what people were told must be what is so. */
import { Violation } from '../sim/trace.js';
import { Checker, type Delivery } from './checker.js';
import type { Happening, Profile } from './profile.js';
import { type SimNode, World } from './world.js';

export interface RunResult {
  profile: Profile;
  failure: { rule: string; text: string; at: number } | null;
  simulatedMs: number;
  steps: number;
  counts: Record<string, number>;
  deliveries: readonly Delivery[];
  lines: readonly string[];
}

export function run(profile: Profile, reader = false): RunResult {
  const world = new World(profile);
  const checker = new Checker(world, reader);
  world.watcher = checker;
  let failure: RunResult['failure'] = null;
  try {
    phases(world, checker);
  } catch (error) {
    const rule = error instanceof Violation ? error.rule : 'crash';
    failure = {
      rule,
      text: rule === 'crash' ? String((error as Error).stack) : String(error),
      at: world.agenda.now,
    };
  }
  const { counts, deliveries, lines } = checker;
  return { profile, failure, simulatedMs: world.agenda.now, steps: world.steps, counts, deliveries, lines };
}

function phases(world: World, checker: Checker): void {
  const { agenda, profile } = world;
  const { prng, troubledMs } = profile;
  for (const node of world.nodes) world.start(node);
  connectAll(world);
  agenda.runUntil(longest(world));
  const pause = longest(world) * 2;
  const end = agenda.now + troubledMs;
  while (agenda.now < end) {
    happen(world, checker, draw(profile));
    agenda.runUntil(agenda.now + prng.range(1, prng.chance(300) ? pause / 20 : pause));
  }
  heal(world, checker);
  // All edges that are left over are told one after the other; and what flapped must be calm.
  const { limits } = profile.config;
  agenda.runUntil(
    agenda.now + limits.calmMs + limits.flapWindowMs + limits.holdMs + 10 * checker.bound('web'),
  );
  agenda.runUntil(agenda.now + 40 * limits.turnMs * profile.nodes.length);
  checker.end();
}

function longest(world: World): number {
  const { intervalMs = 0, timeoutMs = 0 } = world.profile.config.checks.web ?? {};
  return 3 * (intervalMs + timeoutMs);
}

function draw({ prng, weights }: Profile): Happening {
  const list = Object.entries(weights).flatMap(([what, weight]) =>
    Array<Happening>(weight).fill(what as Happening),
  );
  return list.length === 0 ? 'quiet' : prng.pick(list);
}

function happen(world: World, checker: Checker, what: Happening): void {
  const { prng } = world.profile;
  const node = prng.pick(world.nodes);
  checker.count(what);
  switch (what) {
    case 'outage':
      return setTruth(world, prng.chance(700) ? 'web' : 'gw', !prng.chance(500), world.nodes);
    case 'partial':
      return setTruth(
        world,
        prng.chance(500) ? 'web' : 'gw',
        prng.chance(400),
        world.nodes.filter(() => prng.chance(500)),
      );
    case 'router': {
      const up = prng.chance(500);
      setTruth(world, 'gw', up, world.nodes);
      return setTruth(world, 'web', up, world.nodes);
    }
    case 'cut':
    case 'one-way':
      return cut(world, checker, node, prng.pick(world.nodes), what === 'one-way');
    case 'split': {
      const side = world.nodes.filter(() => prng.chance(500));
      for (const a of side)
        for (const b of world.nodes) if (!side.includes(b)) cut(world, checker, a, b, prng.chance(200));
      return;
    }
    case 'crash':
      if (node.state === null) world.start(node);
      else world.crash(node);
      if (prng.chance(600)) world.agenda.after(prng.range(1, longest(world)), () => world.start(node));
      return;
    case 'mail':
      node.mailWorks = prng.chance(400);
      return;
    case 'ambush':
      world.ambush = true;
      return;
    case 'hang':
      node.hung = prng.chance(600);
      return;
    case 'quiet':
      return;
  }
}

function setTruth(world: World, check: string, up: boolean, nodes: readonly SimNode[]): void {
  for (const node of nodes) {
    const engine = node.engine[check];
    if (engine !== undefined) engine.truth = up;
  }
  world.watcher?.note(`${check} is ${up ? 'UP' : 'DOWN'} for ${nodes.map(({ name }) => name).join(' ')}`);
}

function cut(world: World, checker: Checker, a: SimNode, b: SimNode, oneWay: boolean): void {
  if (a === b) return;
  const { prng, detectMs } = world.profile;
  const { link, end } = world.link(a.name, b.name);
  checker.sidesApart = true;
  world.watcher?.note(`${a.name} and ${b.name} are cut off${oneWay ? ', one way' : ''}`);
  link.open[end] = false;
  if (!oneWay) link.open[1 - end] = false;
  world.agenda.after(oneWay ? prng.range(1, detectMs) : 0, () => world.breakLink(a.name, b.name));
  if (prng.chance(700))
    world.agenda.after(detectMs + prng.range(1, 2 * longest(world)), () => {
      link.open = [true, true];
      world.watcher?.note(`${a.name} and ${b.name} can talk again`);
    });
}

/** Whoever can connect does, soon. */
function connectAll(world: World): void {
  const { nodes, agenda, profile } = world;
  for (const [index, a] of nodes.entries())
    for (const b of nodes.slice(index + 1)) world.connect(a.name, b.name);
  agenda.after(profile.prng.range(100, 2_000), () => connectAll(world));
}

function heal(world: World, checker: Checker): void {
  const { prng } = world.profile;
  world.ambush = false;
  world.watcher?.note('everything is healed');
  for (const link of world.links.values()) link.open = [true, true];
  for (const node of world.nodes) {
    node.mailWorks = true;
    node.hung = false;
    world.start(node);
  }
  setTruth(world, 'gw', prng.chance(800), world.nodes);
  setTruth(world, 'web', prng.chance(600), world.nodes);
  checker.look();
}
