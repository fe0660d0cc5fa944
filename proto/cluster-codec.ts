/** What all nodes say, and failovers, to the wire and back. A long answer is cut between nodes, or between failovers. */

import { sourceFromWire } from './balancer-codec.js';
import * as check from './check.js';
import type {
  BalancerCounts,
  ClusterAnswer,
  ClusterRequest,
  NodeAbout,
  NodeReport,
} from './cluster-types.js';
import type { StatusEntry } from './control-types.js';
import { drillAnswerFromWire, drillAnswerToWire } from './drill-codec.js';
import { hastmon } from './gen/control.js';
import type { Failover, FailoverMark, FailoverPhase, Timeline, TimelineRequest } from './timeline-types.js';

type Request = ClusterRequest | TimelineRequest | { kind: 'about' };
type Wire = hastmon.ControlReply.$Properties;
type StatusToWire = (entry: StatusEntry) => hastmon.StatusEntry.$Properties;
type StatusFromWire = (wire: hastmon.StatusEntry.$Properties) => StatusEntry;

/** A reply is sent in pieces of about this many bytes, well below the largest frame. */
const PIECE_BYTES = 256 * 1024;
/** Texts of programs are in them, and programs may say much. */
const TEXT_MAX = 2000;
/** Failovers that are asked for at a time. */
export const FAILOVERS_MAX = 100;
const KINDS: readonly Failover['kind'][] = ['lost', 'handover', 'failed', 'other'];

export function clusterRequestToWire(request: Request): hastmon.ControlRequest.$Properties {
  switch (request.kind) {
    case 'about':
      return { about: {} };
    case 'cluster':
      return { cluster: {} };
    case 'timeline':
      return { timeline: { resource: request.resource, last: request.last } };
  }
}

/** null where it is another request. Throws `Invalid`. */
export function clusterRequestFromWire(wire: hastmon.ControlRequest.$Properties): Request | null {
  if (wire.about) return { kind: 'about' };
  if (wire.cluster) return { kind: 'cluster' };
  if (!wire.timeline) return null;
  return {
    kind: 'timeline',
    resource: check.name('timeline.resource', wire.timeline.resource),
    last: check.numberWithin('timeline.last', wire.timeline.last, 1, FAILOVERS_MAX),
  };
}

/** The replies that together make up the answer; none for none. */
export function clusterAnswerToWire(answer: ClusterAnswer | null, status: StatusToWire): Wire[] {
  switch (answer?.kind) {
    case undefined:
      return [];
    case 'about':
      return [{ about: answer }];
    case 'cluster': {
      const { at, double, node, nodes } = answer;
      const doubleRun = double.map((run) => ({ resource: run.resource, node: [...run.nodes] }));
      const parts = nodes.flatMap((report) => reportToWire(report, status));
      return [
        ...parts.map((report): Wire => ({ view: { node, atMs: at, report: [report] } })),
        { view: { node, atMs: at, doubleRun } },
      ];
    }
    case 'drill':
      return drillAnswerToWire(answer);
    case 'timeline': {
      const { failovers, missing, resource } = answer;
      return [
        ...failovers.map(
          (failover): Wire => ({ timeline: { resource, failover: [failoverToWire(failover)] } }),
        ),
        { timeline: { resource, missing } },
      ];
    }
  }
}

/** One node's word, in as many parts as its resources need. */
function reportToWire(report: NodeReport, status: StatusToWire): hastmon.NodeReport.$Properties[] {
  const { said, ...rest } = report;
  const parts: hastmon.NodeReport.$Properties[] = [{ ...rest, said, status: [] }];
  let bytes = 0;
  for (const wire of (said?.status ?? []).map(status)) {
    bytes += hastmon.StatusEntry.encode(wire).finish().length;
    if (bytes > PIECE_BYTES) {
      parts.push({ ...rest, said, status: [] });
      bytes = 0;
    }
    parts.at(-1)?.status?.push(wire);
  }
  return parts;
}

function failoverToWire(failover: Failover): hastmon.Failover.$Properties {
  const { at, marks, phases, text, ...rest } = failover;
  return {
    ...{ ...rest, atMs: at, text: text.slice(0, TEXT_MAX) },
    phase: phases.map((phase) => ({ ...phase, text: phase.text.slice(0, TEXT_MAX) })),
    mark: marks.map((mark) => ({ ...mark, text: mark.text.slice(0, TEXT_MAX) })),
  };
}

/** null where there is none. Throws `Invalid`. */
export function clusterAnswerFromWire(wire: Wire, status: StatusFromWire): ClusterAnswer | null {
  if (wire.about) return { kind: 'about', ...aboutFromWire(wire.about) };
  if (wire.view) {
    const { atMs, doubleRun, node, report } = wire.view;
    const double = (doubleRun ?? []).map((run) => ({ resource: run.resource ?? '', nodes: run.node ?? [] }));
    const nodes = (report ?? []).map((each) => reportFromWire(each, status));
    return { kind: 'cluster', node: node ?? '', at: atMs ?? 0, nodes, double };
  }
  if (wire.drill) return { kind: 'drill', ...drillAnswerFromWire(wire.drill) };
  return wire.timeline ? { kind: 'timeline', ...timelineFromWire(wire.timeline) } : null;
}

function reportFromWire(wire: hastmon.NodeReport.$Properties, status: StatusFromWire): NodeReport {
  const { ageMs, heardMs, node, note, said, self } = wire;
  return {
    ...{
      node: node ?? '',
      self: self ?? false,
      note: note ?? '',
      heardMs: heardMs ?? null,
      ageMs: ageMs ?? 0,
    },
    said: said ? { ...aboutFromWire(said), status: (wire.status ?? []).map(status) } : null,
  };
}

function aboutFromWire({ balancer, checks, uptimeMs, version }: hastmon.NodeAbout.$Properties): NodeAbout {
  return {
    version: version ?? '',
    uptimeMs: uptimeMs ?? 0,
    checks: checks
      ? {
          ...{ up: checks.up ?? 0, down: checks.down ?? 0 },
          ...{ unknown: checks.unknown ?? 0, outages: checks.outages ?? 0 },
        }
      : null,
    balancer: balancer ? countsFromWire(balancer) : null,
  };
}

function countsFromWire(wire: hastmon.BalancerCounts.$Properties): BalancerCounts {
  const source = sourceFromWire(wire.source);
  const known = (count: number | null | undefined): number | null => (source.fresh ? (count ?? 0) : null);
  return {
    ...{ services: wire.services ?? 0, servicesDown: known(wire.servicesDown) },
    ...{ servers: wire.servers ?? 0, serversDown: known(wire.serversDown), source },
  };
}

function timelineFromWire({ failover, missing, resource }: hastmon.Timeline.$Properties): Timeline {
  return {
    resource: resource ?? '',
    failovers: (failover ?? []).map(failoverFromWire),
    missing: (missing ?? []).map(({ node, why }) => ({ node: node ?? '', why: why ?? '' })),
  };
}

function failoverFromWire(wire: hastmon.Failover.$Properties): Failover {
  return {
    epoch: check.counter('failover.epoch', wire.epoch),
    from: wire.from ?? '',
    to: wire.to ?? '',
    at: wire.atMs ?? 0,
    kind: KINDS.find((kind) => kind === wire.kind) ?? 'other',
    text: wire.text ?? '',
    tookMs: wire.tookMs ?? null,
    phases: (wire.phase ?? []).map(phaseFromWire),
    marks: (wire.mark ?? []).map(markFromWire),
  };
}

function phaseFromWire(wire: hastmon.FailoverPhase.$Properties): FailoverPhase {
  return {
    ...{ name: wire.name ?? '', beginMs: wire.beginMs ?? 0, tookMs: wire.tookMs ?? 0, node: wire.node ?? '' },
    ...{ text: wire.text ?? '', setting: wire.setting ?? '', settingMs: wire.settingMs ?? null },
  };
}

function markFromWire(wire: hastmon.FailoverMark.$Properties): FailoverMark {
  return {
    ...{ node: wire.node ?? '', afterMs: wire.afterMs ?? 0, number: wire.number ?? 0 },
    ...{ kind: wire.kind ?? '', text: wire.text ?? '' },
  };
}

/** The whole of an answer whose parts have come one after the other; null for none, or where they do not belong together. */
export function joinClusterAnswers(parts: readonly ClusterAnswer[]): ClusterAnswer | null {
  const [first] = parts;
  if (first === undefined || parts.some(({ kind }) => kind !== first.kind)) return null;
  if (first.kind === 'about') return first;
  if (first.kind === 'timeline') {
    const all = parts as readonly Extract<ClusterAnswer, { kind: 'timeline' }>[];
    const failovers = all.flatMap((part) => part.failovers);
    return { ...first, failovers, missing: all.flatMap(({ missing }) => missing) };
  }
  if (first.kind === 'drill') {
    const all = parts as readonly Extract<ClusterAnswer, { kind: 'drill' }>[];
    const facts = all.flatMap((part) => part.facts);
    return { ...first, facts, missing: all.flatMap(({ missing }) => missing) };
  }
  const all = parts as readonly Extract<ClusterAnswer, { kind: 'cluster' }>[];
  const nodes: NodeReport[] = [];
  for (const report of all.flatMap((part) => part.nodes)) {
    const last = nodes.at(-1);
    if (last?.node === report.node && last.said !== null && report.said !== null)
      last.said.status.push(...report.said.status);
    else nodes.push(report);
  }
  return { ...first, nodes, double: all.flatMap(({ double }) => double) };
}
