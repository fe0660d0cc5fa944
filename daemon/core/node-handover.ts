/**
 * Handing over: by an operator's word, by priority, or by `failback`; and taking the resource again where it does not come to run on the
 * successor (rules P2, P6 to P8 of docs/protocol.md). Part of the core of a node; reached through node.ts.
 */
import { failbackDue, failbackFrom } from './failback.js';
import { endHandover, tellProgress } from './handover.js';
import { grantMs } from './lease.js';
import { leavePrimary } from './node-role.js';
import type { Handover, HandoverCause, NodeOutput, NodeState } from './node-types.js';
import { whyNotAgain } from './readiness.js';
import { leaseTerms } from './settings.js';
import type { DurationMs, Instant, NodeName } from './types.js';
import { betterPrimary, connectedHolder, heardLately, holding } from './view.js';
import { shortLengthOf } from './words.js';

/** Stops the resource here in favour of another node. `command`: to be answered when it is known what came of it; 0 for none. */
export function beginHandover(
  state: NodeState,
  to: NodeName,
  cause: HandoverCause,
  command: number,
  now: Instant,
  outputs: NodeOutput[],
): void {
  const limitMs = Math.max(state.settings.switchoverTimeoutMs, state.settings.stopTimeoutMs);
  state.handover = {
    ...{ to, cause, command, phase: 'stopping', roleSet: state.roleSet },
    epoch: state.worker?.report?.epoch ?? 0,
    ...{ beganAt: now, releasedAt: now, acquiredAt: now, why: '' },
    giveUpAt: now + limitMs + watchMs(state),
  };
  tellProgress(state.handover, `stopping it here, which may take ${shortLengthOf(limitMs)}`, outputs);
  leavePrimary(state, { to: 'secondary', why: 'handover', successor: to, command }, outputs);
}

/** How long a successor may take from the release until it runs the resource or has given it back; after that it is left to the usual rules. */
function watchMs({ settings }: NodeState): DurationMs {
  const { attempts, heartbeatMs, startTimeoutMs, statusTimeoutMs, stopTimeoutMs } = settings;
  return (
    grantMs(leaseTerms(settings)) +
    stopTimeoutMs +
    attempts * (startTimeoutMs + statusTimeoutMs + heartbeatMs)
  );
}

/** What nobody ordered: handing over to who was set to primary, or whom `failback` favours. */
export function handOverUnasked(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  if (state.leaving !== null || state.kept !== null || state.terminating) return;
  if (!holding(state, now) || state.worker?.report?.run !== 'run') return;
  const better = now < state.handoverNotBefore ? null : betterPrimary(state, now);
  if (better !== null) {
    log(outputs, 'info', `handing over to ${better}: set to primary, with a better priority`, better);
    beginHandover(state, better, 'priority', 0, now, outputs);
    return;
  }
  const back = failbackDue(state, now);
  if (back === null) return;
  log(outputs, 'info', `handing over to ${back}: its priority is better, and it is back (failback)`, back);
  beginHandover(state, back, 'failback', 0, now, outputs);
}

/** The successor gives it back: its word comes before its heartbeat. */
export function givenBack(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { handover } = state;
  if (handover === null || handover.phase === 'stopping' || handover.phase === 'putting-back') return;
  putBack(state, handover, `${handover.to} has given it back`, now, outputs);
}

/** What became of a handover of this node; called after every input. */
export function driveHandover(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { handover } = state;
  if (handover === null) return;
  if (handover.phase === 'stopping') {
    // An operator's word on the role goes before a handover that nobody ordered.
    if (state.leaving?.why !== 'handover')
      endHandover(state, 'overtaken by a change of role on this node', '', now, outputs);
    return;
  }
  const { epoch, giveUpAt, phase, to } = handover;
  if (state.role === 'primary') return driveHere(state, handover, now, outputs);
  if (state.role !== 'secondary')
    return endHandover(state, 'overtaken by a change of role on this node', '', now, outputs);
  const message = heardLately(state, to, now);
  if (message !== null && message.holdingEpoch > epoch) {
    const there = heldThere(state, handover, now, outputs);
    if (message.run === 'run') return arrived(state, there, now, outputs);
    if (now >= giveUpAt)
      endHandover(state, `${to} holds the lease, and it has not come to run there`, '', now, outputs);
    return;
  }
  const other = connectedHolder(state, now);
  if (other !== null && (state.peers[other]?.message?.holdingEpoch ?? 0) > epoch)
    return endHandover(state, `${other} has taken it, and not ${to}`, '', now, outputs);
  if (phase === 'passing') {
    // So long it is reserved for the successor.
    if (now >= handover.releasedAt + state.settings.leaseMs)
      putBack(state, handover, `${to} has not taken the lease in time`, now, outputs);
  } else if (phase === 'starting') {
    const why = message === null ? 'is not heard any more' : 'has lost or given up the lease';
    putBack(state, handover, `${to} ${why}`, now, outputs);
  } else if (now >= giveUpAt) {
    endHandover(state, `${reasonOf(state, handover)}; it could not be put back in time`, '', now, outputs);
  }
}

/** This node has it again. */
function driveHere(state: NodeState, handover: Handover, now: Instant, outputs: NodeOutput[]): void {
  if (!holding(state, now)) {
    if (now >= handover.giveUpAt)
      endHandover(state, `${reasonOf(state, handover)}; it could not be put back in time`, '', now, outputs);
    return;
  }
  // Whoever had set another role since would have ended the handover by that.
  state.roleSet = handover.roleSet;
  if (state.worker?.report?.run !== 'run') return;
  const reason = reasonOf(state, handover) || `${handover.to} did not come to run it`;
  log(outputs, 'warn', `put back: it runs here again (${reason})`, handover.to);
  endHandover(state, `put back: ${reason}; it runs here again`, '', now, outputs);
}

/** The successor holds the lease. */
function heldThere(state: NodeState, handover: Handover, now: Instant, outputs: NodeOutput[]): Handover {
  if (handover.phase === 'starting') return handover;
  const there: Handover = { ...handover, phase: 'starting', acquiredAt: now, why: '' };
  state.handover = there;
  const took = shortLengthOf(now - handover.releasedAt);
  tellProgress(handover, `${handover.to} has the lease after ${took}, and starts it`, outputs);
  return there;
}

function arrived(state: NodeState, handover: Handover, now: Instant, outputs: NodeOutput[]): void {
  const { acquiredAt, beganAt, cause, releasedAt, to } = handover;
  const next = cause === 'operator' ? failbackFrom(state, to, now) : '';
  const text =
    `runs on ${to}: stop took ${shortLengthOf(releasedAt - beganAt)}, lease passed after ` +
    `${shortLengthOf(acquiredAt - releasedAt)}, start took ${shortLengthOf(now - acquiredAt)}; ` +
    `${shortLengthOf(now - beganAt)} in total${next === '' ? '' : `; it ${next}`}`;
  log(outputs, 'info', text, to);
  endHandover(state, '', text, now, outputs);
}

function putBack(
  state: NodeState,
  handover: Handover,
  why: string,
  now: Instant,
  outputs: NodeOutput[],
): void {
  state.handover = { ...handover, phase: 'putting-back', why };
  const against = whyNotAgain(state, now);
  const what = (it: string): string =>
    against === '' ? `putting ${it} back here` : `${it} cannot be put back here now (${against})`;
  log(outputs, 'warn', `${why}: ${what('the resource')}`, handover.to);
  tellProgress(handover, `${why}: ${what('it')}`, outputs);
}

/** Why it is put back; what the successor has said of it meanwhile goes before what was seen from here. */
function reasonOf(state: NodeState, { to, why }: Handover): string {
  const lacks = state.peers[to]?.message?.readiness?.lacks ?? [];
  const error = lacks.find(({ name }) => name === 'rested')?.value ?? '';
  return error === '' ? why : `${to} could not start it: ${error}`;
}

function log(outputs: NodeOutput[], level: 'info' | 'warn', text: string, peer: NodeName): void {
  outputs.push({ kind: 'log', level, text, peer });
}
