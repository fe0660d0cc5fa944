/**
 * When the main process wants the lease, and what it does with one it acquired. Part of the core of a node; reached
 * through node.ts.
 */
import {
  type AcquireContext,
  type AcquireOutput,
  acquisitionTick,
  beginAcquisition,
  cancelAcquisition,
  describeRefusal,
} from './acquire.js';
import type { GivenLease } from './hold.js';
import { allVoters, guardMarginMs } from './lease.js';
import { become, markOf, tellWorker } from './node-role.js';
import type { NodeOutput, NodeState } from './node-types.js';
import { leaseTerms } from './settings.js';
import type { Instant } from './types.js';
import { promotable, rank, standsBack } from './view.js';

/** What an acquisition needs to know of this node. */
export function acquireContext(state: NodeState, now: Instant): AcquireContext {
  return {
    holder: { node: state.settings.node, incarnation: state.incarnation },
    terms: leaseTerms(state.settings),
    heartbeatMs: state.settings.heartbeatMs,
    rank: rank(state, now),
    standBackMs: standsBack(state, now) ? 2 * state.settings.heartbeatMs : 0,
    urgent: now < state.successorUntil,
    mark: markOf(state).mark,
  };
}

/** True where this node asks for the lease: a primary that is stopped and has none, or a secondary that may be promoted. */
export function wantsLease(state: NodeState, now: Instant): boolean {
  if (state.cleaning !== null || state.terminating || state.leaving !== null) return false;
  if (state.role === 'primary')
    return (
      (state.worker?.report?.wantsLease === true && (state.unfit === '' || state.kept !== null)) ||
      wantsLawful(state)
    );
  return promotable(state, now);
}

/** Begins, goes on with, or ends an acquisition, as the state calls for. */
export function driveAcquisition(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { acquisition } = state;
  const context = acquireContext(state, now);
  if (!wantsLease(state, now)) {
    if (acquisition.phase !== 'idle' || acquisition.clearSince !== null)
      handleAcquisition(state, cancelAcquisition(acquisition, context), now, outputs);
    return;
  }
  if (acquisition.phase !== 'idle')
    handleAcquisition(state, acquisitionTick(acquisition, context, now), now, outputs);
  if (acquisition.phase === 'idle' && now >= acquisition.retryAt) {
    handleAcquisition(state, beginAcquisition(acquisition, context, state.voter.sets, now), now, outputs);
  }
}

/** Carries an acquisition's outputs out. */
export function handleAcquisition(
  state: NodeState,
  from: AcquireOutput[],
  now: Instant,
  outputs: NodeOutput[],
): void {
  for (const output of from) {
    if (output.kind === 'send') outputs.push(output);
    else if (output.kind === 'acquired') acquired(state, output, now, outputs);
    else logRefusal(state, now, outputs);
  }
}

/**
 * Says who stands in the way, and for how long: loud when there is a reason that was not told since the last lease, else for
 * those who debug. Attempts end at the first majority against them, so that the voters take turns in refusing.
 */
function logRefusal(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const told = state.refusalTold.split('; ');
  const fresh = refusals(state, now, false)
    .split('; ')
    .filter((reason) => !told.includes(reason));
  const level = fresh.length === 0 ? 'debug' : 'info';
  if (fresh.length > 0) state.refusalTold = [...told, ...fresh].join('; ');
  outputs.push({ kind: 'log', level, text: `no lease: ${refusals(state, now, true)}`, peer: '' });
}

/** What each voter of the last attempt said or did not say; with the time left where that is wanted. */
export function refusals(state: NodeState, now: Instant, times: boolean): string {
  const { acquisition } = state;
  // An attempt without hope ends before all have answered.
  const missing = allVoters(acquisition.sets).filter(
    (node) =>
      !acquisition.granted.includes(node) &&
      (acquisition.refusals[node] !== undefined || now >= acquisition.deadline),
  );
  const words = missing.map((node) => {
    const refusal = acquisition.refusals[node];
    if (refusal === undefined) return `${node} has not answered`;
    const leftMs = refusal.until - now;
    const left = times && leftMs > 0 ? ` (${(leftMs / 1000).toFixed(1)} s left)` : '';
    return `${node} refuses: ${describeRefusal(refusal.reason, refusal.by)}${left}`;
  });
  if (words.length === 0) return 'the answers came too late';
  const silent = missing.some((node) => acquisition.refusals[node] === undefined);
  return `${words.join('; ')}${silent ? '; start what does not answer, or mend the network' : ''}`;
}

/** A primary by force goes on asking, to become lawful. */
function wantsLawful(state: NodeState): boolean {
  const report = state.worker?.report;
  return report?.forced === true && report.leaseUntil === Number.NEGATIVE_INFINITY;
}

function acquired(state: NodeState, lease: GivenLease, now: Instant, outputs: NodeOutput[]): void {
  const { epoch, until, grantedUntil, sets, granted, mark } = lease;
  const holder = { node: state.settings.node, incarnation: state.incarnation };
  if (!wantsLease(state, now) || now >= until - guardMarginMs(state.settings.leaseMs)) {
    const release = { kind: 'release', holder, epoch, successor: '', reservationMs: 0 } as const;
    for (const to of allVoters(sets)) outputs.push({ kind: 'send', to, message: release });
    return;
  }
  outputs.push({ kind: 'log', level: 'info', text: `lease acquired, epoch ${epoch}`, peer: '' });
  // What comes back to who handed it over is not given back once more.
  const giver = now < state.successorUntil && state.handover === null ? state.namedBy : '';
  state.successorUntil = Number.NEGATIVE_INFINITY;
  state.refusalTold = '';
  if (state.role === 'secondary') {
    become(state, 'primary', now, outputs, { lease: { epoch, until, grantedUntil, sets, granted, mark } });
    state.giver = giver;
    return;
  }
  const { worker } = state;
  if (worker?.report != null) {
    worker.report = {
      ...worker.report,
      epoch,
      heardEpoch: epoch,
      leaseUntil: until,
      grantedUntil,
      mayRun: true,
      wantsLease: false,
    };
  }
  tellWorker(state, { kind: 'lease', epoch, until, grantedUntil, sets, granted, mark }, outputs);
}
