/** What happens in a run of the properties: drawn by fast-check, which makes a failing one small. */
import fc from 'fast-check';
import type { Shape } from './twin.js';

export type Step = { dt: number } & (
  | { kind: 'results'; results: readonly Result[] }
  | { kind: 'off'; hosts: string[]; services: string[] | null; reasons: string[] }
  | { kind: 'on'; hosts: string[]; services: string[] | null; reasons: string[]; rampMs: number | null }
  | { kind: 'weight'; hosts: string[]; services: string[]; weight: number | null }
  | { kind: 'reload'; shape: Shape; resolved: boolean }
  | { kind: 'tick' }
  /** Somebody else changes a service, or makes one. */
  | { kind: 'meddle'; service: string; what: 'weight' | 'server' | 'extra' | 'scheduler' | 'gone' }
  | { kind: 'strange'; key: string }
  /** The next changes are refused, after so many of them. */
  | { kind: 'refuse'; after: number }
  | { kind: 'restart'; how: 'saved' | 'damaged' | 'none'; order: number }
  | { kind: 'failover'; full: boolean }
  | { kind: 'adopt'; service: string }
);

export interface Result {
  /** The last number of its address. */
  at: number;
  state: 'up' | 'down';
  pass: boolean;
  /** It began so long ago. */
  back: number;
}

export interface Profile {
  shape: Shape;
  steps: readonly Step[];
}

/** How often each kind comes, where that is not as usual. */
export type Focus = Partial<Record<Step['kind'], number>>;

const HOSTS = ['s1', 's2', 's3'] as const;
const SERVICES = ['www', 'api', 'dns'] as const;

const weight = fc.constantFrom(0, 1, 5, 10, 100);
const some = <T>(of: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...of], { minLength: 1 });
const reasons = fc.oneof(
  { weight: 3, arbitrary: some(['default', 'deploy']) },
  { weight: 1, arbitrary: some(['disk']) },
);
/** Pairs that every shape has: commands about others are for tables. */
const services = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constant(['*']) },
);

const shape: fc.Arbitrary<Shape> = fc.record({
  weights: fc.record(
    {
      s1: fc.record({ www: weight, api: weight, dns: weight }, { requiredKeys: ['www'] }),
      s2: fc.record({ www: weight, api: weight, dns: weight }, { requiredKeys: ['www'] }),
      s3: fc.record({ www: weight, api: weight, dns: weight }, { requiredKeys: [] }),
    },
    { requiredKeys: ['s1', 's3'] },
  ),
  services: fc.constantFrom(SERVICES, SERVICES, ['www'], ['www', 'dns'], ['api', 'www']),
  path: fc.constantFrom('/', '/', '/', '/new'),
  moved: fc.constantFrom(false, false, false, true),
}) as fc.Arbitrary<Shape>;

const result: fc.Arbitrary<Result> = fc.record({
  at: fc.constantFrom(1, 2, 3, 4),
  ...{
    state: fc.constantFrom('up', 'up', 'up', 'down'),
    pass: fc.boolean(),
    back: fc.constantFrom(0, 0, 1, 100, 1500),
  },
});
/** Mostly what a check says that has no patience: one result decides. */
const plain = fc
  .record({ at: fc.constantFrom(1, 2, 3, 4), up: fc.constantFrom(true, true, false) })
  .map(({ at, up }): Result => ({ at, state: up ? 'up' : 'down', pass: up, back: 0 }));
const results = fc.oneof(
  { weight: 4, arbitrary: fc.array(plain, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(result, { minLength: 1, maxLength: 3 }) },
  // All of them at once.
  { weight: 2, arbitrary: fc.constantFrom('up', 'up', 'down').map((state) => all(state as 'up' | 'down')) },
);

function all(state: 'up' | 'down'): Result[] {
  return [1, 2, 3, 4].map((at) => ({ at, state, pass: state === 'up', back: 0 }));
}

const steps: { [Kind in Step['kind']]: [weight: number, fields: Record<string, fc.Arbitrary<unknown>>] } = {
  results: [14, { results }],
  off: [4, { hosts: some(HOSTS.slice(0, 1).concat(HOSTS.slice(2) as never)), services, reasons }],
  on: [
    6,
    {
      hosts: some(HOSTS.slice(0, 1).concat(HOSTS.slice(2) as never)),
      services,
      reasons: fc.oneof(reasons, fc.constant(['*'])),
      rampMs: fc.constantFrom(null, null, 0, 2500, 6000),
    },
  ],
  weight: [1, { hosts: some(['s1']), services: fc.constant(['*']), weight: fc.option(weight) }],
  reload: [3, { shape, resolved: fc.constantFrom(true, true, false) }],
  tick: [5, {}],
  meddle: [
    2,
    {
      service: fc.constantFrom(...SERVICES),
      what: fc.constantFrom('weight', 'server', 'extra', 'scheduler', 'gone'),
    },
  ],
  strange: [1, { key: fc.constantFrom('www', 'api', 'dns', '-t 9.9.9.9:9', '-u [fd00::1]:53') }],
  refuse: [1, { after: fc.nat({ max: 3 }) }],
  restart: [
    3,
    {
      how: fc.constantFrom('saved', 'saved', 'saved', 'saved', 'damaged', 'none'),
      order: fc.nat({ max: 5 }),
    },
  ],
  failover: [2, { full: fc.boolean() }],
  adopt: [1, { service: fc.constantFrom(...SERVICES) }],
};

export function profiles(focus: Focus = {}): fc.Arbitrary<Profile> {
  const dt = fc.constantFrom(0, 1, 50, 400, 1000, 2500);
  const step = fc.oneof(
    ...Object.entries(steps).map(([kind, [usual, fields]]) => ({
      weight: focus[kind as Step['kind']] ?? usual,
      arbitrary: fc.record({ kind: fc.constant(kind), dt, ...fields }) as unknown as fc.Arbitrary<Step>,
    })),
  );
  return fc.record({ shape, steps: fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }) });
}

/** A seed's run. */
export function drawProfile(seed: number, focus: Focus = {}): Profile {
  const [profile] = fc.sample(profiles(focus), { seed, numRuns: 1 });
  if (profile === undefined) throw new Error('fast-check drew nothing');
  return profile;
}
