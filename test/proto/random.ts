/** Random numbers from a seed, and random messages made of them: the same seed, the same messages. */
import type { ShareEntry } from '../../daemon/balancer/core/types.js';
import type { ConfirmMessage, LedgerImage, View } from '../../daemon/confirm/types.js';
import type {
  Holder,
  LeaseTerms,
  MaintenanceMark,
  PeerMessage,
  Readiness,
  RefusalReason,
  Role,
  RunState,
  VoterMemory,
  VoterSets,
} from '../../daemon/core/types.js';
import { UNMARKED } from '../../daemon/core/types.js';
import type { InquiryMessage, ReplyMessage } from '../../proto/inquiry-codec.js';
import type { ShareMessage } from '../../proto/share-codec.js';

export interface Random {
  /** From 0 to n-1. */
  below(n: number): number;
  chance(percent: number): boolean;
  pick<T>(list: readonly T[]): T;
  bytes(length: number): Buffer;
}

/** Marsaglia's xorshift with 32 bits of state: enough to vary tests, and short. */
export function random(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  const below = (n: number) => next() % n;
  return {
    below,
    chance: (percent) => below(100) < percent,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    bytes: (length) => Buffer.from(Array.from({ length }, () => next() & 255)),
  };
}

const roles: readonly Role[] = ['init', 'primary', 'secondary', 'watchdog'];
const runStates: readonly RunState[] = [
  'unknown',
  'readytorun',
  'starting',
  'run',
  'stopping',
  'stopped',
  'failed',
];
const refusals: readonly (RefusalReason | null)[] = [
  null,
  'held',
  'reserved',
  'stale-epoch',
  'released',
  'restarted',
  'no-history',
  'voter-set',
  'not-a-voter',
  'disk',
];
export const messageKinds: readonly PeerMessage['kind'][] = [
  'state',
  'ask',
  'request',
  'answer',
  'release',
  'complaint',
  'handover',
];

function readiness(r: Random): Readiness {
  const lacks = Array.from({ length: r.below(4) }, () => ({
    name: name(r),
    value: r.chance(50) ? '' : name(r),
  }));
  return { lacks, failbackMs: r.chance(50) ? Number.POSITIVE_INFINITY : duration(r) };
}

export function randomMessage(r: Random, kind: PeerMessage['kind'] = r.pick(messageKinds)): PeerMessage {
  switch (kind) {
    case 'state':
      return {
        kind,
        incarnation: counter(r) || 1,
        sequence: counter(r),
        role: r.pick(roles),
        roleSet: r.pick(roles),
        run: r.pick(runStates),
        priority: r.below(2000) - 1000,
        able: r.chance(50),
        holdingEpoch: counter(r),
        forced: r.chance(50),
        readiness: r.chance(30) ? null : readiness(r),
        memory: memory(r),
      };
    case 'ask':
      return { kind, holder: holder(r), request: counter(r), sets: sets(r, 1) };
    case 'request':
      return {
        ...{ kind, holder: holder(r), epoch: counter(r), request: counter(r) },
        terms: terms(r),
        sets: sets(r, 1),
        mark: mark(r),
      };
    case 'answer':
      return {
        ...{ kind, to: r.pick(['ask', 'request'] as const), holder: holder(r), epoch: counter(r) },
        ...{ request: counter(r), refusal: r.pick(refusals), by: r.chance(50) ? '' : name(r) },
        ...{ leftMs: duration(r), memory: memory(r) },
      };
    case 'release': {
      const successor = r.chance(50) ? '' : name(r);
      return { kind, holder: holder(r), epoch: counter(r), successor, reservationMs: duration(r) };
    }
    case 'complaint':
      return { kind, incarnation: counter(r) || 1, sequence: counter(r) };
    case 'handover':
      return { kind, holder: holder(r), epoch: counter(r) };
  }
}

function counter(r: Random): number {
  const size = r.pick([2, 200, 70_000, 2 ** 32]);
  return r.chance(5) ? Number.MAX_SAFE_INTEGER : r.below(size);
}

/** Times with fractions: they must arrive as they were sent. */
function duration(r: Random): number {
  return r.chance(10) ? r.pick([0, 2_147_483_647]) : r.below(10_000_000) / 7;
}

function name(r: Random): string {
  const letters = ['a', 'Z', '9', '-', '.', '_', 'ü', '節', '😀', "'", '"', '/'];
  const length = r.chance(3) ? 120 : 1 + r.below(12);
  return Array.from({ length }, () => r.pick(letters)).join('');
}

function holder(r: Random): Holder {
  return { node: name(r), incarnation: counter(r) || 1 };
}

function terms(r: Random): LeaseTerms {
  return { leaseMs: duration(r) || 1, stopBudgetMs: duration(r), driftPpm: r.below(1_000_001) };
}

function sets(r: Random, least: number): VoterSets {
  const count = least + r.below(3 - least);
  return Array.from({ length: count }, () => {
    const size = r.chance(3) ? 64 : 1 + r.below(5);
    return Array.from({ length: size }, (_, index) => `${[...name(r)].slice(0, 9).join('')}${index}`);
  });
}

function mark(r: Random): MaintenanceMark {
  if (r.chance(50)) return UNMARKED;
  const on = r.chance(50);
  return { on, reason: on ? name(r) : '', by: on ? name(r) : '', revision: counter(r) || 1 };
}

function memory(r: Random): VoterMemory {
  const history = r.chance(70);
  const grant = r.chance(50)
    ? null
    : { holder: holder(r), epoch: counter(r), leftMs: duration(r), mark: mark(r) };
  return {
    history,
    epochMax: counter(r),
    sets: sets(r, history ? 1 : 0),
    longestGrantMs: duration(r),
    grant,
  };
}

export const confirmKinds: readonly ConfirmMessage['kind'][] = [
  'ask',
  'answer',
  'ledger',
  'claim',
  'grant',
  'refuse',
  'release',
];

/** What nodes that monitor say to each other. */
export function randomConfirm(
  r: Random,
  kind: ConfirmMessage['kind'] = r.pick(confirmKinds),
): ConfirmMessage {
  const check = r.chance(10) ? r.pick(['__proto__', 'constructor', 'toString']) : name(r);
  const edge = 1 + r.below(r.pick([3, 200, 1_000_000_000]));
  switch (kind) {
    case 'ask':
      return { kind, check, id: counter(r) || 1, edge: r.below(edge + 1), told: r.below(edge + 1) };
    case 'answer':
      return { kind, check, id: counter(r) || 1, view: r.chance(20) ? null : view(r) };
    case 'ledger':
      return { kind, check, ledger: ledger(r, edge) };
    case 'claim':
      return { kind, check, edge, witness: r.chance(50) };
    case 'refuse':
      return { kind, check, edge, by: name(r) };
    case 'grant':
    case 'release':
      return { kind, check, edge };
  }
}

function view(r: Random): View {
  return {
    ...{
      sight: r.pick(['up', 'down', 'unknown'] as const),
      forMs: duration(r) * 1000,
      failing: r.chance(50),
    },
    ...{ resultAgeMs: duration(r), nature: r.chance(90) ? 'http-status 503' : name(r), address: name(r) },
    ...{ latencyMs: duration(r), goodAgoMs: r.chance(30) ? null : duration(r) },
  };
}

function ledger(r: Random, edge: number): LedgerImage {
  const upTo = (): number => r.below(edge + 1);
  const witnesses = (): LedgerImage['notes'][number]['witnesses'] =>
    Array.from({ length: r.below(8) }, () => ({ node: name(r), view: view(r) }));
  return {
    ...{ edge, told: upTo(), said: upTo(), saidBy: r.chance(50) ? '' : name(r), flap: upTo(), ack: upTo() },
    ...{ ackBy: r.chance(50) ? '' : name(r), sinceMs: duration(r) },
    mute: { revision: r.below(9), leftMs: duration(r) },
    notes: Array.from({ length: r.below(9) }, () => ({
      ...{ edge: upTo(), kind: r.pick(['down', 'up', 'flapping', 'calm'] as const) },
      ...{ atMs: duration(r), sinceMs: duration(r), witnesses: witnesses() },
    })),
  };
}

/** What the balancer of a director says: checks before hosts before services before pairs, as they travel. */
export function randomShare(r: Random): ShareMessage {
  const many = (most: number, make: () => ShareEntry): ShareEntry[] =>
    Array.from({ length: r.below(most) }, make);
  const age = (): number | null => (r.chance(40) ? null : duration(r) * 1000);
  const reason = (): { name: string; by: string; age: number } => {
    return { name: name(r), by: r.chance(20) ? '' : name(r), age: duration(r) };
  };
  const checks = many(5, () => {
    const state = r.pick(['up', 'down'] as const);
    const nature = r.pick(['', 'refused', 'http-status 503']);
    return {
      kind: 'check',
      name: `http://${name(r)}/`,
      state,
      nature,
      sinceAge: duration(r),
      passAge: age(),
    };
  });
  const hosts = many(5, () => {
    const off = r.chance(50) ? null : { by: name(r), age: duration(r) };
    return { kind: 'host', host: name(r), off };
  });
  const services = many(4, () => ({ kind: 'service', service: name(r), sorryAge: age() }));
  const pairs = many(8, () => ({
    real: r.pick(['', '10.0.0.2:80', '[fd00::2]:80']),
    ...{ kind: 'pair', host: name(r), service: name(r), reasons: Array.from({ length: r.below(4) }, reason) },
    ...{ zeroAge: age(), awaitAge: age(), rampAskedMs: age() },
    ramp: r.chance(50) ? null : { durationMs: duration(r), leftMs: duration(r) },
    override: r.chance(50) ? null : r.pick([0, 1, 100, 2 ** 31 - 1]),
  }));
  return { full: r.chance(50), more: r.chance(50), entries: [...checks, ...hosts, ...services, ...pairs] };
}

/** What a node asks another one for people, and a part of the answer. */
export function randomInquiry(r: Random): InquiryMessage | ReplyMessage {
  const bytes = new Uint8Array(r.bytes(r.below(r.chance(10) ? 3000 : 60)));
  const [number, part] = [counter(r) || 1, r.below(257)];
  if (r.chance(50)) return { kind: 'inquiry', number, part, request: bytes };
  return { kind: 'reply', number, part, bytes, more: r.chance(50), refusal: r.chance(50) ? '' : name(r) };
}
