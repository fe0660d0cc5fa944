/** What `hastmonctl status` says of one resource, read off the core's state and the network's links. */
import type { ReportedState, StatusEntry, VoterStatus } from '../../proto/control-types.js';
import { formatDuration } from '../config/duration.js';
import { complaintCount } from '../core/complaints.js';
import { failbackDiffers } from '../core/failback.js';
import { grantMs } from '../core/lease.js';
import type { NodeState } from '../core/node-types.js';
import { leaseTerms } from '../core/settings.js';
import type { Instant, NodeName } from '../core/types.js';
import { connectedHolder, heardLately, holding, runState } from '../core/view.js';
import { grantInForce } from '../core/voter.js';
import { waitingFor } from '../core/waiting.js';
import type { LinkInfo } from '../net/peer-network.js';

export interface StatusFacts {
  state: NodeState;
  exec: string;
  links: LinkInfo[];
  workerPid: number;
  warnings: string[];
  /** An init or watchdog node has seen the resource run here. */
  seenRunning: boolean;
  /** How long this daemon took from its start until it took part. */
  startupMs: number;
  /** null where no stop was seen. */
  lastStopMs: number | null;
  /** What checks of actions have said, as of `now`. */
  reports: ReportedState[];
  /** What is wrong with the watchdog device, '' for nothing; null where none is configured. */
  device: string | null;
}

/** The entry of one resource at `now`. */
export function statusOf(facts: StatusFacts, now: Instant): StatusEntry {
  const { state } = facts;
  const { settings } = state;
  const report = state.worker?.role === 'primary' ? state.worker.report : null;
  const holder = connectedHolder(state, now);
  const backedBy = backing(facts);
  return {
    resource: settings.resource,
    role: state.role,
    roleSet: state.roleSet,
    workerPid: facts.workerPid,
    exec: facts.exec,
    remotes: remotes(facts, now),
    state: facts.seenRunning ? 'run' : runState(state),
    attempts: { now: state.attempts, limit: settings.attempts },
    complaints: {
      now: complaintCount(state.complaints, settings.complaintIntervalMs, now),
      intervalMs: settings.complaintIntervalMs,
      threshold: settings.complaintCount,
    },
    heartbeatMs: settings.heartbeatMs,
    lease: lease(state, now),
    voters: voters(state, now),
    priority: settings.priority,
    waiting: waitingFor(state, now),
    warnings: [...warnings(facts, backedBy), ...differing(state, now)],
    forced: report?.forced ?? false,
    holder: holding(state, now) ? settings.node : (holder ?? ''),
    lastError: state.lastError,
    restartMarginMs: restartMargin(facts),
    backedBy,
    reports: reports(facts, now),
    maintenance: maintenanceOf(state),
  };
}

/** The node that the resource is left alone on, as that node itself or this voter knows; null where it is not. */
export function maintenanceOf({ kept, settings, voter }: NodeState): StatusEntry['maintenance'] {
  if (kept !== null) return { node: settings.node, reason: kept.reason, by: kept.by };
  if (!voter.grant?.mark.on) return null;
  const { holder, mark } = voter.grant;
  return { node: holder.node, reason: mark.reason, by: mark.by };
}

function remotes({ state, links }: StatusFacts, now: Instant): StatusEntry['remotes'] {
  return links
    .filter((link) => link.remote)
    .map(({ address, node, connected, lastHeard, reason }) => {
      const message = node === null || !connected ? null : heardLately(state, node, now);
      const heardMs = lastHeard === 0 ? null : Math.max(0, now - lastHeard);
      const [role, run] = [message?.role ?? null, message?.run ?? null];
      return { address, node, connected, heardMs, role, state: run, reason };
    });
}

/** What a node that is not heard any more has said of its checks is not known to be so now. */
function reports({ reports: said, state }: StatusFacts, now: Instant): ReportedState[] {
  return said.map((report) => {
    const current = report.node === state.settings.node || heardLately(state, report.node, now) !== null;
    return current ? report : { ...report, state: '' };
  });
}

function lease(state: NodeState, now: Instant): StatusEntry['lease'] {
  const terms = leaseTerms(state.settings);
  const report = state.worker?.report;
  const held = holding(state, now);
  const granted = grantInForce(state.voter, now);
  const until = held ? (report?.leaseUntil ?? now) : (granted?.until ?? now);
  return {
    held,
    epoch: held ? (report?.epoch ?? 0) : state.voter.epochMax,
    leftMs: Math.max(0, until - now),
    leaseMs: terms.leaseMs,
    grantMs: grantMs(terms),
    stopBudgetMs: terms.stopBudgetMs,
  };
}

function voters(state: NodeState, now: Instant): VoterStatus[] {
  const { settings, voter } = state;
  const nodes: NodeName[] = [...new Set(voter.sets.flat())];
  return nodes.map((node) => {
    if (node === settings.node) {
      const grantingTo = grantInForce(voter, now)?.holder.node ?? '';
      return { node, self: true, reachable: true, heardMs: 0, grantingTo, history: voter.history };
    }
    const peer = state.peers[node];
    const heardMs = peer?.message == null ? null : Math.max(0, now - peer.heardAt);
    const message = heardLately(state, node, now);
    const grant = message?.memory.grant ?? null;
    // What was left of it when that was said.
    const granted = grant !== null && (grant.leftMs > (heardMs ?? 0) || grant.mark.on);
    const grantingTo = granted ? grant.holder.node : '';
    return {
      node,
      self: false,
      reachable: message !== null,
      heardMs,
      grantingTo,
      history: message?.memory.history ?? false,
    };
  });
}

function backing({ state, device }: StatusFacts): string {
  const fence = state.settings.fenceTimeoutMs > 0 ? 'the fence program' : '';
  const watchdog = device === '' ? 'the watchdog device' : '';
  return [watchdog, fence].filter((word) => word !== '').join(' and ');
}

function warnings({ state, warnings: given, device }: StatusFacts, backedBy: string): string[] {
  const all = [...given];
  if (device !== null && device !== '') all.push(device);
  if (backedBy === '' && state.role !== 'watchdog') {
    const why =
      device === null
        ? 'neither watchdog_device nor fence is configured'
        : 'the watchdog device cannot be used, and no fence is configured';
    all.push(`nothing backs the stop up: ${why}`);
  }
  return all;
}

/** The holder goes by its own file: what others say would come true when they hold it. */
function differing(state: NodeState, now: Instant): string[] {
  const words = (ms: number): string => (Number.isFinite(ms) ? `after ${formatDuration(ms)}` : 'never');
  return failbackDiffers(state, now).map(
    ({ failbackMs, node }) =>
      `failback is ${words(state.settings.failbackMs)} here and ${words(failbackMs)} on ${node}: the files of the nodes differ`,
  );
}

/**
 * What is left of the grant when both main and worker are lost at once and a supervisor restarts the daemon: the
 * grant less one heartbeat, this daemon's own start, and a stop. The supervisor's own delay comes off it.
 */
function restartMargin({ state, startupMs, lastStopMs }: StatusFacts): number | null {
  const { settings } = state;
  const stopMs = lastStopMs ?? settings.stopTimeoutMs;
  return grantMs(leaseTerms(settings)) - settings.heartbeatMs - startupMs - stopMs;
}
