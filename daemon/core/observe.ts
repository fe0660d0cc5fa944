/**
 * What has happened to a resource between one step of a node's core and the next, read off the two states: the events of
 * `hastmonctl events`, and what a timeline of a failover is made of. Pure; the core itself knows nothing of it.
 */
import { complaintCount } from './complaints.js';
import type { HandoverCause, NodeState } from './node-types.js';
import type { DurationMs, Instant, NodeName, Role, RunState } from './types.js';
import { connectedHolder, heardLately, runState } from './view.js';
import { grantInForce } from './voter.js';

/** Lengths of time count back from the moment of the event. */
export type Observation =
  | { kind: 'role-changed'; from: Role; to: Role }
  | { kind: 'run-changed'; from: RunState; to: RunState; epoch: number; error: string }
  | { kind: 'attempt-failed'; attempts: number; limit: number; error: string }
  | { kind: 'link-up'; peer: NodeName }
  | { kind: 'link-down'; peer: NodeName }
  /** Another node says that it holds the lease. */
  | { kind: 'holder-heard'; peer: NodeName; epoch: number }
  /** It has not been heard for lease_timeout, or says that it holds none any more. */
  | {
      kind: 'holder-lost';
      peer: NodeName;
      epoch: number;
      why: 'silent' | 'released';
      lastHeardMs: DurationMs;
    }
  | { kind: 'complaint'; peer: NodeName; count: number; needed: number }
  | { kind: 'vote-granted'; peer: NodeName; epoch: number }
  | {
      kind: 'vote-ended';
      peer: NodeName;
      epoch: number;
      why: 'ran-out' | 'released' | 'replaced';
      /** Since the holder last renewed it here; missing where it has not since this daemon began. */
      lastRenewedMs?: DurationMs;
    }
  | { kind: 'lease-acquired'; epoch: number }
  | { kind: 'lease-lost'; epoch: number }
  | { kind: 'lease-released'; epoch: number }
  | { kind: 'handover-begun'; to: NodeName; cause: HandoverCause }
  /** The successor runs it. */
  | { kind: 'handover-done'; to: NodeName; stopMs: DurationMs; passMs: DurationMs; startMs: DurationMs }
  /** It did not come to run there: this node takes it again. */
  | { kind: 'handover-failed'; to: NodeName; why: string }
  /** And runs it again. */
  | { kind: 'put-back'; to: NodeName; lastedMs: DurationMs }
  | { kind: 'gave-up'; error: string }
  | { kind: 'service-failed'; why: string }
  | { kind: 'service-answers' }
  | { kind: 'fencing' }
  | { kind: 'history-learned' }
  /** This voter keeps the resource for a node in maintenance, whatever happens, or does so no more. */
  | { kind: 'maintenance-on'; peer: NodeName; reason: string; by: string }
  | { kind: 'maintenance-off'; peer: NodeName };

/** In the order in which they are to be read. `after` has been stepped at `now`; `before` when it says. */
export function observe(before: NodeState, after: NodeState, now: Instant): Observation[] {
  if (before === after) return [];
  return [
    ...links(before, after),
    ...holders(before, after, now),
    ...complaints(before, after, now),
    ...votes(before, after, now),
    ...lease(before, after),
    ...roles(before, after),
    ...handover(before, after, now),
    ...service(before, after),
  ];
}

function links(before: NodeState, after: NodeState): Observation[] {
  return Object.entries(after.peers).flatMap(([peer, { linked }]): Observation[] => {
    if ((before.peers[peer]?.linked ?? false) === linked) return [];
    return [{ kind: linked ? 'link-up' : 'link-down', peer }];
  });
}

function holders(before: NodeState, after: NodeState, now: Instant): Observation[] {
  const old = connectedHolder(before, before.steppedAt);
  const present = connectedHolder(after, now);
  const epochOf = (state: NodeState, node: NodeName): number => state.peers[node]?.message?.holdingEpoch ?? 0;
  if (old === present && (present === null || epochOf(before, present) === epochOf(after, present)))
    return [];
  const found: Observation[] = [];
  if (old !== null && old !== present) {
    const heardAt = after.peers[old]?.heardAt ?? now;
    const silent = heardLately(after, old, now) === null;
    const why = silent ? 'silent' : 'released';
    found.push({
      kind: 'holder-lost',
      peer: old,
      epoch: epochOf(before, old),
      why,
      lastHeardMs: now - heardAt,
    });
  }
  if (present !== null) found.push({ kind: 'holder-heard', peer: present, epoch: epochOf(after, present) });
  return found;
}

/** As far as they count: a watchdog goes on complaining at every heartbeat for as long as nobody runs the resource. */
function complaints(before: NodeState, after: NodeState, now: Instant): Observation[] {
  const { complaintCount: threshold, complaintIntervalMs } = after.settings;
  const needed = threshold + 1;
  return Object.entries(after.complaints).flatMap(([peer, source]): Observation[] => {
    const old = before.complaints[peer];
    if (old?.incarnation === source.incarnation && old.sequence === source.sequence) return [];
    const count = complaintCount({ [peer]: source }, complaintIntervalMs, now);
    const known = old === undefined ? 0 : complaintCount({ [peer]: old }, complaintIntervalMs, now);
    return known >= needed ? [] : [{ kind: 'complaint', peer, count, needed }];
  });
}

/** To whom this voter grants, and how that ended. Grants of the node to itself are votes as well. */
function votes(before: NodeState, after: NodeState, now: Instant): Observation[] {
  const found: Observation[] = [];
  if (!before.voter.history && after.voter.history) found.push({ kind: 'history-learned' });
  found.push(...maintenance(before.voter.grant, after.voter.grant));
  const old = grantInForce(before.voter, before.steppedAt);
  const present = grantInForce(after.voter, now);
  if (old?.epoch === present?.epoch && old?.holder.incarnation === present?.holder.incarnation) return found;
  if (old !== null) {
    const ended =
      after.voter.grant?.epoch === old.epoch ? 'ran-out' : present === null ? 'released' : 'replaced';
    const renewed = old.restored ? {} : { lastRenewedMs: now - (old.until - old.grantMs) };
    found.push({ kind: 'vote-ended', peer: old.holder.node, epoch: old.epoch, why: ended, ...renewed });
  }
  if (present !== null) found.push({ kind: 'vote-granted', peer: present.holder.node, epoch: present.epoch });
  return found;
}

type Given = NodeState['voter']['grant'];

function maintenance(old: Given, present: Given): Observation[] {
  const [was, is] = [old?.mark.on ? old.holder.node : '', present?.mark.on ? present.holder.node : ''];
  if (was === is) return [];
  const found: Observation[] = [];
  if (was !== '') found.push({ kind: 'maintenance-off', peer: was });
  if (is !== '' && present?.mark.on)
    found.push({ kind: 'maintenance-on', peer: is, reason: present.mark.reason, by: present.mark.by });
  return found;
}

function lease(before: NodeState, after: NodeState): Observation[] {
  const old = before.worker?.report ?? null;
  const present = after.worker?.report ?? null;
  const held = (old?.leaseUntil ?? NONE) > NONE;
  const holds = (present?.leaseUntil ?? NONE) > NONE;
  if (holds && (!held || present?.epoch !== old?.epoch))
    return [{ kind: 'lease-acquired', epoch: present?.epoch ?? 0 }];
  if (!held || holds) return [];
  // A worker that has released its lease knows of none any more; one that has lost it has still to release it.
  const released = present !== null && present.epoch === 0;
  return [{ kind: released ? 'lease-released' : 'lease-lost', epoch: old?.epoch ?? 0 }];
}

const NONE = Number.NEGATIVE_INFINITY;

function roles(before: NodeState, after: NodeState): Observation[] {
  const found: Observation[] = [];
  if (before.role !== after.role) found.push({ kind: 'role-changed', from: before.role, to: after.role });
  return found;
}

function handover({ handover: old }: NodeState, after: NodeState, now: Instant): Observation[] {
  const { handover: present } = after;
  if (present !== null && present.beganAt !== old?.beganAt)
    return [{ kind: 'handover-begun', to: present.to, cause: present.cause }];
  if (old === null || old.phase === 'stopping') return [];
  if (present?.phase === 'putting-back' && old.phase !== 'putting-back')
    return [{ kind: 'handover-failed', to: old.to, why: present.why }];
  if (present !== null) return [];
  const { beganAt, epoch, releasedAt, to } = old;
  if (after.role === 'primary' && runState(after) === 'run')
    return [{ kind: 'put-back', to, lastedMs: now - releasedAt }];
  const message = heardLately(after, to, now);
  if (message?.run !== 'run' || message.holdingEpoch <= epoch) return [];
  const acquiredAt = old.phase === 'starting' ? old.acquiredAt : now;
  const [stopMs, passMs, startMs] = [releasedAt - beganAt, acquiredAt - releasedAt, now - acquiredAt];
  return [{ kind: 'handover-done', to, stopMs, passMs, startMs }];
}

function service(before: NodeState, after: NodeState): Observation[] {
  const found: Observation[] = [];
  if (after.attempts > before.attempts) {
    const { attempts, lastError: error } = after;
    found.push({ kind: 'attempt-failed', attempts, limit: after.settings.attempts, error });
  }
  if (after.gaveUpAt !== null && after.gaveUpAt !== before.gaveUpAt)
    found.push({ kind: 'gave-up', error: after.lastError });
  const [from, to] = [runState(before), runState(after)];
  if (from !== to) {
    const epoch = after.worker?.report?.epoch ?? 0;
    found.push({ kind: 'run-changed', from, to, epoch, error: to === 'failed' ? after.lastError : '' });
  }
  if (before.serviceFailed !== after.serviceFailed) {
    if (after.serviceFailed === '') found.push({ kind: 'service-answers' });
    else if (before.serviceFailed === '') found.push({ kind: 'service-failed', why: after.serviceFailed });
  }
  if (after.cleaning?.fencing === true && before.cleaning?.fencing !== true) found.push({ kind: 'fencing' });
  return found;
}
