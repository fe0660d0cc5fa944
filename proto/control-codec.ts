/** Bytes <-> the requests and replies of control-types.ts. Rules N40… of docs/protocol-wire.md. */
import {
  balancerAnswerFromWire,
  balancerAnswerToWire,
  balancerRequestFromWire,
  balancerRequestToWire,
} from './balancer-codec.js';
import * as check from './check.js';
import {
  clusterAnswerFromWire,
  clusterAnswerToWire,
  clusterRequestFromWire,
  clusterRequestToWire,
} from './cluster-codec.js';
import type {
  ControlReply,
  ControlRequest,
  LeaseStatus,
  RemoteStatus,
  Selection,
  StatusEntry,
  VoterStatus,
} from './control-types.js';
import { drillDepthFromWire, drillRequestToWire } from './drill-codec.js';
import { eventFromWire, eventsRequestFromWire, eventsRequestToWire, eventToWire } from './event-codec.js';
import {
  explainRequestFromWire,
  explainRequestToWire,
  explanationFromWire,
  explanationsToWire,
} from './explain-codec.js';
import { hastmon } from './gen/control.js';
import {
  answerFromWire,
  answerToWire,
  monitorRequestFromWire,
  monitorRequestToWire,
} from './monitor-codec.js';
import { roles, runStates } from './words.js';

/** The version of the control protocol. A daemon answers an older or newer hastmonctl as well as it can. */
export const controlProtocol = 1;

/** A reply is sent in pieces of about this many bytes, well below the largest frame. */
const pieceBytes = 256 * 1024;
/** Characters take up to three bytes each. */
const pieceCharacters = pieceBytes / 3;

export type DecodedRequest =
  | { kind: 'request'; request: ControlRequest }
  /** A command that this version does not know. */
  | { kind: 'unknown' }
  | { kind: 'invalid'; reason: string };

export function encodeRequest(request: ControlRequest): Uint8Array {
  return hastmon.ControlRequest.encode({ protocol: controlProtocol, ...commandToWire(request) }).finish();
}

export function decodeRequest(bytes: Uint8Array): DecodedRequest {
  try {
    const request = commandFromWire(hastmon.ControlRequest.decode(bytes));
    return request === null ? { kind: 'unknown' } : { kind: 'request', request };
  } catch (error) {
    return { kind: 'invalid', reason: reasonOf(error) };
  }
}

/**
 * The payloads that together make up the reply: a long one is cut, all but the last piece of a final reply are not
 * final. reply-joiner.ts puts them together again.
 */
export function encodeReply(reply: ControlReply): Uint8Array[] {
  const pieces: hastmon.ControlReply.$Properties[] = [];
  let batch: hastmon.StatusEntry.$Properties[] = [];
  let batchBytes = 0;
  for (const entry of reply.status.map(statusToWire)) {
    batch.push(entry);
    batchBytes += hastmon.StatusEntry.encode(entry).finish().length;
    if (batchBytes < pieceBytes) continue;
    pieces.push({ status: batch });
    batch = [];
    batchBytes = 0;
  }
  let text = reply.text;
  while (text.length > pieceCharacters) {
    const cut = cutBefore(text, pieceCharacters);
    pieces.push({ text: text.slice(0, cut) });
    text = text.slice(cut);
  }
  const event = reply.events.map(eventToWire);
  const last = {
    final: reply.final,
    progress: reply.progress,
    error: reply.error,
    status: batch,
    text,
    event,
  };
  for (const explanation of explanationsToWire(reply.explanations)) pieces.push({ explanation });
  const parts = balancerAnswerToWire(reply.balancer);
  const cluster = clusterAnswerToWire(reply.cluster, statusToWire);
  pieces.push(...parts.slice(0, -1), ...cluster.slice(0, -1));
  const whole = { ...last, ...answerToWire(reply.monitor), ...parts.at(-1), ...cluster.at(-1) };
  return [...pieces, whole as hastmon.ControlReply.$Properties].map((piece) =>
    hastmon.ControlReply.encode(piece).finish(),
  );
}

/** The reply, or why the bytes are none. */
export function decodeReply(bytes: Uint8Array): ControlReply | string {
  try {
    const wire = hastmon.ControlReply.decode(bytes);
    return {
      final: wire.final ?? false,
      progress: wire.progress ?? '',
      error: wire.error ? { code: wire.error.code ?? 0, message: wire.error.message ?? '' } : null,
      status: (wire.status ?? []).map(statusFromWire),
      text: wire.text ?? '',
      monitor: answerFromWire(wire),
      balancer: balancerAnswerFromWire(wire),
      events: (wire.event ?? []).map(eventFromWire),
      explanations: (wire.explanation ?? []).map(explanationFromWire),
      cluster: clusterAnswerFromWire(wire, statusFromWire),
    };
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A place at or before `at` that does not tear a character of two code units. */
function cutBefore(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  return unit >= 0xd800 && unit < 0xdc00 ? at - 1 : at;
}

function commandToWire(request: ControlRequest): hastmon.ControlRequest.$Properties {
  switch (request.kind) {
    case 'role':
      return {
        role: { ...request, role: roles.number(request.role), resources: selectionToWire(request.resources) },
      };
    case 'status':
      return { status: selectionToWire(request.resources) };
    case 'dump':
      return { dump: selectionToWire(request.resources) };
    case 'drill':
      return drillRequestToWire(request, selectionToWire(request.resources));
    case 'reload':
      return { reload: {} };
    case 'switchover':
      return { switchover: request };
    case 'switchover-plan':
      return { switchoverPlan: request };
    case 'bootstrap':
      return { bootstrap: request };
    case 'report':
      return { report: request };
    case 'maintenance': {
      const { forMs, reason, resources, what } = request;
      const limit = forMs === null ? {} : { forMs };
      const which = { on: what === 'on', forget: what === 'forget' };
      return { maintenance: { ...which, reason, resources: selectionToWire(resources), ...limit } };
    }
    case 'version':
      return { version: {} };
    case 'events':
      return eventsRequestToWire(request);
    case 'explain':
      return explainRequestToWire(request);
    case 'about':
    case 'cluster':
    case 'timeline':
      return clusterRequestToWire(request);
    case 'balancer-hosts':
    case 'balancer-services':
    case 'balancer-set':
    case 'balancer-diff':
    case 'balancer-reload':
    case 'balancer-console':
      return balancerRequestToWire(request);
    default:
      return monitorRequestToWire(request);
  }
}

function commandFromWire(wire: hastmon.ControlRequest): ControlRequest | null {
  if (wire.role) {
    return {
      kind: 'role',
      role: check.word('role', roles, wire.role.role),
      resources: selectionFromWire(check.present('role.resources', wire.role.resources)),
      force: wire.role.force ?? false,
      wait: wire.role.wait ?? false,
    };
  }
  if (wire.status) return { kind: 'status', resources: selectionFromWire(wire.status) };
  if (wire.dump) return { kind: 'dump', resources: selectionFromWire(wire.dump) };
  if (wire.drill) {
    const resources = selectionFromWire(check.present('drill.resources', wire.drill.resources));
    return { kind: 'drill', resources, depth: drillDepthFromWire(wire.drill) };
  }
  if (wire.reload) return { kind: 'reload' };
  if (wire.switchover) {
    return {
      kind: 'switchover',
      resource: check.name('switchover.resource', wire.switchover.resource),
      to: check.nameOrNone('switchover.to', wire.switchover.to),
      wait: wire.switchover.wait ?? false,
    };
  }
  if (wire.switchoverPlan) {
    return {
      kind: 'switchover-plan',
      resource: check.name('switchover_plan.resource', wire.switchoverPlan.resource),
      to: check.nameOrNone('switchover_plan.to', wire.switchoverPlan.to),
    };
  }
  if (wire.bootstrap) {
    return { kind: 'bootstrap', resource: check.name('bootstrap.resource', wire.bootstrap.resource) };
  }
  if (wire.report) {
    return {
      kind: 'report',
      check: check.name('report.check', wire.report.check),
      state: check.name('report.state', wire.report.state),
      resource: check.nameOrNone('report.resource', wire.report.resource),
    };
  }
  if (wire.version) return { kind: 'version' };
  if (wire.maintenance) {
    const { forget, forMs, on, reason, resources } = wire.maintenance;
    return {
      kind: 'maintenance',
      what: on ? 'on' : forget ? 'forget' : 'off',
      resources: selectionFromWire(check.present('maintenance.resources', resources)),
      reason: check.nameOrNone('maintenance.reason', reason),
      forMs: forMs == null ? null : check.duration('maintenance.for_ms', forMs),
    };
  }
  return (
    monitorRequestFromWire(wire) ??
    balancerRequestFromWire(wire) ??
    eventsRequestFromWire(wire) ??
    explainRequestFromWire(wire) ??
    clusterRequestFromWire(wire)
  );
}

function selectionToWire(selection: Selection): hastmon.Selection.$Properties {
  return selection === 'all' ? { all: true } : { resource: [...selection] };
}

/** An empty selection means nothing, never everything. */
function selectionFromWire(wire: hastmon.Selection.$Properties): Selection {
  if (wire.all) return 'all';
  return (wire.resource ?? []).map((resource) => check.name('resource', resource));
}

function statusToWire(entry: StatusEntry): hastmon.StatusEntry.$Properties {
  return {
    ...entry,
    role: roles.number(entry.role),
    roleSet: roles.number(entry.roleSet),
    remote: entry.remotes.map((remote) => ({
      ...remote,
      node: remote.node ?? '',
      role: remote.role === null ? 0 : roles.number(remote.role),
      state: remote.state === null ? 0 : runStates.number(remote.state),
    })),
    state: runStates.number(entry.state),
    attemptsNow: entry.attempts.now,
    attemptsLimit: entry.attempts.limit,
    complaintsNow: entry.complaints.now,
    complaintIntervalMs: entry.complaints.intervalMs,
    complaintThreshold: entry.complaints.threshold,
    voter: entry.voters,
    warning: entry.warnings,
    report: entry.reports,
  };
}

function statusFromWire(wire: hastmon.StatusEntry.$Properties): StatusEntry {
  return {
    resource: wire.resource ?? '',
    role: check.word('status.role', roles, wire.role),
    roleSet: check.word('status.role_set', roles, wire.roleSet),
    workerPid: wire.workerPid ?? 0,
    exec: wire.exec ?? '',
    remotes: (wire.remote ?? []).map(remoteFromWire),
    state: check.word('status.state', runStates, wire.state),
    attempts: { now: wire.attemptsNow ?? 0, limit: wire.attemptsLimit ?? 0 },
    complaints: {
      now: wire.complaintsNow ?? 0,
      intervalMs: wire.complaintIntervalMs ?? 0,
      threshold: wire.complaintThreshold ?? 0,
    },
    heartbeatMs: wire.heartbeatMs ?? 0,
    lease: leaseFromWire(wire.lease ?? {}),
    voters: (wire.voter ?? []).map(voterFromWire),
    priority: wire.priority ?? 0,
    waiting: wire.waiting ?? '',
    warnings: wire.warning ?? [],
    forced: wire.forced ?? false,
    holder: wire.holder ?? '',
    lastError: wire.lastError ?? '',
    restartMarginMs: wire.restartMarginMs ?? null,
    backedBy: wire.backedBy ?? '',
    reports: (wire.report ?? []).map(({ node, check, state, ageMs, forMs }) => ({
      ...{ node: node ?? '', check: check ?? '', state: state ?? '' },
      ...{ ageMs: ageMs ?? 0, forMs: forMs ?? 0 },
    })),
    maintenance: wire.maintenance ? maintenanceFromWire(wire.maintenance) : null,
  };
}

function maintenanceFromWire({ by, node, reason }: hastmon.MaintenanceState.$Properties) {
  return { node: node ?? '', reason: reason ?? '', by: by ?? '' };
}

function remoteFromWire(wire: hastmon.RemoteStatus.$Properties): RemoteStatus {
  return {
    address: wire.address ?? '',
    node: wire.node || null,
    connected: wire.connected ?? false,
    role: roles.word(wire.role ?? 0) ?? null,
    state: runStates.word(wire.state ?? 0) ?? null,
    reason: wire.reason ?? '',
    heardMs: wire.heardMs ?? null,
  };
}

function leaseFromWire(wire: hastmon.LeaseStatus.$Properties): LeaseStatus {
  return {
    held: wire.held ?? false,
    epoch: check.counter('lease.epoch', wire.epoch),
    leftMs: wire.leftMs ?? 0,
    leaseMs: wire.leaseMs ?? 0,
    grantMs: wire.grantMs ?? 0,
    stopBudgetMs: wire.stopBudgetMs ?? 0,
  };
}

function voterFromWire(wire: hastmon.VoterStatus.$Properties): VoterStatus {
  return {
    node: wire.node ?? '',
    self: wire.self ?? false,
    reachable: wire.reachable ?? false,
    grantingTo: wire.grantingTo ?? '',
    history: wire.history ?? false,
    heardMs: wire.heardMs ?? null,
  };
}
