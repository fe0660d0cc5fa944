/**
 * Failovers that end on this node, read off its events: what began them, and how long each phase took. Pure. Each failover ends on one
 * node, so that the sum over all nodes counts none twice.
 */
import type { HaEvent } from '../../../proto/event-types.js';

export const FAILOVER_KINDS = ['lost', 'handover', 'failed', 'other'] as const;
export type FailoverKind = (typeof FAILOVER_KINDS)[number];
export type PhaseName = 'unnoticed' | 'complaints' | 'lease' | 'start';

export interface CountedFailover {
  resource: string;
  kind: FailoverKind;
  tookMs: number;
  phases: Readonly<Partial<Record<PhaseName, number>>>;
}

/** What is known of one resource between the loss of its service and its return. Times are those of the node's bootMs. */
interface Loss {
  /** ended: it was found not to run, or nobody knows what it does since its worker has gone. */
  why: 'silent' | 'released' | 'own-lease' | 'service' | 'ended';
  beganAt: number;
  noticedAt: number;
  complainedAt: number | null;
  acquiredAt: number | null;
  /** It was started or stopped since, or found not to run: else it has run all the while, and nothing was lost. */
  touched: boolean;
  epoch: number;
}

export type FailoverState = ReadonlyMap<string, Loss>;

export const NO_FAILOVERS: FailoverState = new Map();

/** The state after an event, and the failover that has come to its end with it. */
export function followFailovers(
  state: FailoverState,
  event: HaEvent,
): { state: FailoverState; ended: CountedFailover | null } {
  const { resource } = event;
  if (resource === undefined) return { state, ended: null };
  const loss = state.get(resource) ?? null;
  const next = after(loss, event);
  const runs = event.kind === 'run-changed' && event.data.to === 'run';
  const ended = runs && next !== null ? endOf(resource, next, event.bootMs) : null;
  const kept = runs ? null : next;
  if (kept === loss) return { state, ended };
  const changed = new Map(state);
  if (kept === null) changed.delete(resource);
  else changed.set(resource, kept);
  return { state: changed, ended };
}

function after(loss: Loss | null, { bootMs, data, kind }: HaEvent): Loss | null {
  const begun = (why: Loss['why'], agoMs: number): Loss => {
    const epoch = Number(data.epoch ?? 0);
    const noticed = { noticedAt: bootMs, complainedAt: null, acquiredAt: null, touched: false };
    return { why, beganAt: bootMs - agoMs, ...noticed, epoch };
  };
  switch (kind) {
    case 'holder-lost': {
      const silent = data.why === 'silent';
      return begun(silent ? 'silent' : 'released', silent ? Number(data.lastHeardMs ?? 0) : 0);
    }
    // Somebody else runs it.
    case 'holder-heard':
      return null;
    case 'lease-lost':
      return loss ?? begun('own-lease', 0);
    // It was given back: whoever takes it counts that.
    case 'lease-released':
      return null;
    case 'complaint':
      return loss === null ? null : { ...loss, complainedAt: bootMs };
    case 'lease-acquired':
      return loss === null ? null : { ...loss, acquiredAt: bootMs };
    case 'attempt-failed':
    case 'service-failed':
      return loss?.why === 'ended' ? { ...loss, why: 'service' } : loss;
    case 'run-changed': {
      const { from, to } = data;
      const lapsed = from === 'run' && to !== 'run' && Number(data.epoch) > 0;
      const why = to === 'stopped' || to === 'unknown' ? 'ended' : 'service';
      const present = loss ?? (lapsed ? { ...begun(why, 0), acquiredAt: bootMs } : null);
      const touches = MOVED.has(from) || MOVED.has(to);
      return present === null || present.touched || !touches ? present : { ...present, touched: true };
    }
    default:
      return loss;
  }
}

/** States of a resource that is not left as it was. */
const MOVED: ReadonlySet<unknown> = new Set(['starting', 'stopping', 'stopped', 'failed']);

function endOf(resource: string, loss: Loss, at: number): CountedFailover | null {
  const { acquiredAt, beganAt, complainedAt, noticedAt, touched } = loss;
  if (acquiredAt === null || !touched) return null;
  const askedAt = complainedAt ?? noticedAt;
  const phases: CountedFailover['phases'] = {
    ...(loss.why === 'silent' && { unnoticed: noticedAt - beganAt }),
    ...(complainedAt !== null && { complaints: complainedAt - noticedAt }),
    ...((acquiredAt > noticedAt || !ownService(loss)) && { lease: Math.max(0, acquiredAt - askedAt) }),
    start: at - acquiredAt,
  };
  return { resource, kind: kindOf(loss), tookMs: at - beganAt, phases };
}

/** The lease was held all the while, as a rule. */
const ownService = ({ why }: Loss): boolean => why === 'service' || why === 'ended';

function kindOf({ complainedAt, why }: Loss): FailoverKind {
  switch (why) {
    case 'silent':
      return 'lost';
    case 'service':
      return 'failed';
    // Nobody complains where a successor was named.
    case 'released':
      return complainedAt === null ? 'handover' : 'failed';
    case 'own-lease':
    case 'ended':
      return 'other';
  }
}
