/**
 * `failback after D`: a node of better priority that has been able to take over for D without interruption gets the resource back (rule P7 of
 * docs/protocol.md). Decided by the holder alone, from what it has heard. Pure.
 */
import type { NodeState } from './node-types.js';
import { whyNotAgain } from './readiness.js';
import type { DurationMs, Instant, NodeName } from './types.js';
import { byPriority, heardLately, holding, isReady } from './view.js';
import { lengthOf } from './words.js';

/** After failures it is tried again after so many times the time of the file at most. */
const BACK_OFF_MAX = 16;

/** Notes since when each other node could take over without interruption. */
export function noteReady(state: NodeState, now: Instant): void {
  for (const [node, peer] of Object.entries(state.peers)) {
    const ready = isReady(state, node, now);
    if (ready === (peer.readySince !== null)) continue;
    state.peers = { ...state.peers, [node]: { ...peer, readySince: ready ? now : null } };
  }
}

/** To whom the resource goes back, and when at the earliest: of those that are due the first by priority, else who is due next; null where
 * nobody waits for it. */
export function failbackTo(state: NodeState, now: Instant): { node: NodeName; at: Instant } | null {
  const { failbackMs, priority } = state.settings;
  if (!Number.isFinite(failbackMs)) return null;
  const better = byPriority(state, (other) => {
    const message = state.peers[other]?.message;
    return message != null && isReady(state, other, now) && message.priority < priority;
  });
  const waiting = better.flatMap((node) => {
    const since = state.peers[node]?.readySince ?? null;
    return since === null ? [] : [{ node, at: Math.max(since + failbackMs, state.failback.notBefore) }];
  });
  const due = waiting.find(({ at }) => now >= at);
  if (due !== undefined) return due;
  const earliest = Math.min(...waiting.map(({ at }) => at));
  return waiting.find(({ at }) => at === earliest) ?? null;
}

/** Why the holder hands nothing back now, although somebody waits for it; '' where it does. */
export function failbackHeldUp(state: NodeState, now: Instant): string {
  const report = state.worker?.report;
  if (state.kept !== null) return 'in maintenance';
  if (!holding(state, now)) return 'this node does not hold the lease';
  if (report?.run !== 'run') return 'the resource does not run well here';
  if (state.serviceFailed !== '') return 'its checks say that the service does not answer';
  if (state.leaving !== null || state.terminating) return 'a change of role is under way';
  return '';
}

/** The node to hand back to now, null for none. */
export function failbackDue(state: NodeState, now: Instant): NodeName | null {
  const next = failbackTo(state, now);
  return next !== null && now >= next.at && failbackHeldUp(state, now) === '' ? next.node : null;
}

/** Nothing has failed, and nothing is awaited. */
export const NO_FAILBACK: NodeState['failback'] = {
  failures: 0,
  notBefore: Number.NEGATIVE_INFINITY,
  arrived: null,
};

/** The resource runs where it was handed back to. That alone is no success: a node on which it dies again and again would get it for ever. */
export function failbackArrived(state: NodeState, node: NodeName, now: Instant): void {
  const epoch = state.peers[node]?.message?.holdingEpoch ?? 0;
  state.failback = { ...state.failback, arrived: { node, epoch, at: now } };
}

/**
 * What has come of a failback that arrived: it has come off once the resource has run there without interruption for the time of the file, and
 * for complaint_interval at least, in which a node may use up its attempts; it has failed where another node has it before. Called after every
 * input.
 */
export function noteArrived(state: NodeState, now: Instant): void {
  const { arrived } = state.failback;
  if (arrived === null) return;
  const message = heardLately(state, arrived.node, now);
  const runs = message !== null && message.holdingEpoch > 0 && message.run === 'run';
  const goesOn = runs && message.holdingEpoch === arrived.epoch;
  const { complaintIntervalMs, failbackMs } = state.settings;
  if (goesOn && now - arrived.at >= Math.max(failbackMs, complaintIntervalMs)) {
    state.failback = NO_FAILBACK;
    return;
  }
  const other = state.settings.voters.some(
    (node) => node !== arrived.node && (heardLately(state, node, now)?.holdingEpoch ?? 0) > arrived.epoch,
  );
  if (other || holding(state, now)) return failbackFailed(state, now);
  // It has died there, or runs under another lease: what is heard of it after that counts from then on. Silence says nothing.
  const epoch = runs ? message.holdingEpoch : arrived.epoch;
  if (message !== null && !goesOn)
    state.failback = { ...state.failback, arrived: { ...arrived, epoch, at: now } };
}

/** What is known after a failback that failed: the next one waits for longer each time. */
export function failbackFailed(state: NodeState, now: Instant): void {
  const { failbackMs } = state.settings;
  const failures = state.failback.failures + 1;
  const times = Math.min(BACK_OFF_MAX, 2 ** (failures - 1));
  const notBefore = now + (Number.isFinite(failbackMs) ? failbackMs * times : 0);
  state.failback = { failures, notBefore, arrived: null };
}

/**
 * What the file of `to` makes of a resource that is handed over to it: `comes back to hostA after 10 min: failback in the file of hostB`;
 * '' where it stays there, as far as is known here.
 */
export function failbackFrom(state: NodeState, to: NodeName, now: Instant): string {
  const { node: self, priority, voters } = state.settings;
  const successor = heardLately(state, to, now);
  const afterMs = successor?.readiness?.failbackMs ?? Number.POSITIVE_INFINITY;
  if (successor === null || !Number.isFinite(afterMs)) return '';
  const priorityOf = (node: NodeName): number =>
    node === self ? priority : (state.peers[node]?.message?.priority ?? Number.POSITIVE_INFINITY);
  const could = (node: NodeName): boolean =>
    node === self ? whyNotAgain(state, now) === '' : node !== to && isReady(state, node, now);
  const [first] = voters
    .filter((node) => could(node) && priorityOf(node) < successor.priority)
    .sort((a, b) => priorityOf(a) - priorityOf(b));
  if (first === undefined) return '';
  const where = first === self ? `comes back to ${first}` : `goes on to ${first}`;
  return `${where} after ${lengthOf(afterMs)}: failback in the file of ${to}`;
}

/** How it stands, for `explain`; `node` is '' for nobody. */
export function failbackWords(
  state: NodeState,
  now: Instant,
): { node: NodeName; value: string; needed: string } {
  const { failbackMs } = state.settings;
  if (!Number.isFinite(failbackMs))
    return {
      node: '',
      value: 'nobody is waited for',
      needed: 'failback after a time; the file says never',
    };
  const needed = `a number below ${state.settings.priority}, able without interruption: failback after ${lengthOf(failbackMs)}`;
  const next = failbackTo(state, now);
  if (next === null) return { node: '', value: 'nobody', needed };
  const { at, node } = next;
  const peer = state.peers[node];
  const ready = `${node} has ${peer?.message?.priority ?? '?'}, able for ${lengthOf(now - (peer?.readySince ?? now))}`;
  const held = failbackHeldUp(state, now);
  const then = held === '' ? `would hand over to it ${inTime(at - now)}` : `not now: ${held}`;
  return { node, value: `${ready}: ${then}${failedBefore(state)}`, needed };
}

function failedBefore({ failback: { failures } }: NodeState): string {
  return failures === 0 ? '' : `; failed ${failures === 1 ? 'once' : `${failures} times`} before`;
}

/** What comes next of it, for `status`: `would hand over to hostA in 4 min (failback after 10 min)`; '' for nothing. */
export function failbackAhead(state: NodeState, now: Instant): string {
  const next = failbackTo(state, now);
  if (next === null || failbackHeldUp(state, now) !== '') return '';
  const after = lengthOf(state.settings.failbackMs);
  return `would hand over to ${next.node} ${inTime(next.at - now)} (failback after ${after}${failedBefore(state)})`;
}

const inTime = (ms: DurationMs): string => (ms <= 0 ? 'now' : `in ${lengthOf(ms)}`);

/** The other nodes that are heard and whose files say otherwise of `failback`. */
export function failbackDiffers(
  state: NodeState,
  now: Instant,
): { node: NodeName; failbackMs: DurationMs }[] {
  return state.settings.voters.flatMap((node) => {
    const readiness = heardLately(state, node, now)?.readiness;
    if (readiness == null || readiness.failbackMs === state.settings.failbackMs) return [];
    return [{ node, failbackMs: readiness.failbackMs }];
  });
}
