/** What a drill starts from, to the wire and back. */
import type { Settings } from '../daemon/core/settings.js';
import * as check from './check.js';
import {
  DRILL_DEPTHS,
  type DrillAnswer,
  type DrillFacts,
  type DrillNode,
  type DrillRequest,
} from './drill-types.js';
import type { hastmon } from './gen/control.js';
import { roles, runStates } from './words.js';

const PRIORITY_MAX = 2 ** 31 - 1;
const COUNT_MAX = 2 ** 32 - 1;
const PPM_MAX = 1_000_000;

/** The request, with its selection as the caller writes it. */
export function drillRequestToWire(
  { depth }: DrillRequest,
  resources: hastmon.Selection.$Properties,
): hastmon.ControlRequest.$Properties {
  return { drill: { resources, depth: DRILL_DEPTHS.indexOf(depth) + 1 } };
}

/** What it asks for of these resources. Throws `Invalid`. */
export function drillDepthFromWire({ depth }: hastmon.DrillCommand.$Properties): DrillRequest['depth'] {
  const word = DRILL_DEPTHS[(depth ?? 0) - 1];
  if (word === undefined) throw new check.Invalid('drill.depth is unknown');
  return word;
}

/** The replies that together make up the answer. */
export function drillAnswerToWire({ facts, missing }: DrillAnswer): hastmon.ControlReply.$Properties[] {
  return [...facts.map((each) => ({ drill: { facts: [factsToWire(each)] } })), { drill: { missing } }];
}

/** Throws `Invalid`: with times that are none, nothing could be computed. */
export function drillAnswerFromWire({ facts, missing }: hastmon.DrillAnswer.$Properties): DrillAnswer {
  return {
    facts: (facts ?? []).map(factsFromWire),
    missing: (missing ?? []).map(({ node, why }) => ({ node: node ?? '', why: why ?? '' })),
  };
}

function factsToWire(facts: DrillFacts): hastmon.DrillFacts.$Properties {
  const { gaveUpMs, hooks, nodes, settings, ...rest } = facts;
  const { failbackMs, ...times } = settings;
  return {
    ...{ ...rest, member: nodes.map(nodeToWire), hook: [...hooks] },
    settings: { ...times, ...(Number.isFinite(failbackMs) ? { failbackMs } : {}) },
    ...(gaveUpMs === null ? {} : { gaveUpMs }),
  };
}

function nodeToWire({ heardMs, role, roleSet, run, ...rest }: DrillNode): hastmon.DrillNode.$Properties {
  return {
    ...rest,
    role: role === null ? 0 : roles.number(role),
    roleSet: roleSet === null ? 0 : roles.number(roleSet),
    run: run === null ? 0 : runStates.number(run),
    ...(heardMs === null ? {} : { heardMs }),
  };
}

function factsFromWire(wire: hastmon.DrillFacts.$Properties): DrillFacts {
  const resource = check.name('drill.resource', wire.resource);
  const node = check.name('drill.node', wire.node);
  const nodes = (wire.member ?? []).map(nodeFromWire);
  const own = nodes.find((member) => member.node === node);
  const settings = check.present('drill.settings', wire.settings);
  const { maintenance } = wire;
  return {
    ...{ resource, node, nodes },
    bootMs: check.numberWithin('drill.boot_ms', wire.bootMs, 0, Number.MAX_SAFE_INTEGER),
    settings: {
      ...{ resource, node, voters: nodes.map((member) => member.node), priority: own?.priority ?? 0 },
      ...settingsFromWire(settings),
    },
    votersChanging: wire.votersChanging ?? false,
    maintenance: maintenance
      ? {
          node: maintenance.node ?? '',
          reason: maintenance.reason ?? '',
          by: maintenance.by ?? '',
        }
      : null,
    serviceFailed: wire.serviceFailed ?? '',
    unfit: wire.unfit ?? '',
    gaveUpMs: wire.gaveUpMs ?? null,
    startFailed: wire.startFailed ?? '',
    hooks: (wire.hook ?? []).map(({ action, ms }) => ({
      action: action ?? '',
      ms: check.duration('drill.hook.ms', ms),
    })),
  };
}

type Times = Omit<Settings, 'resource' | 'node' | 'voters' | 'priority'>;

function settingsFromWire(wire: hastmon.DrillSettings.$Properties): Times {
  const time = (name: string, value: number | null | undefined): number =>
    check.duration(`drill.settings.${name}`, value);
  /** Something is done again and again after it. */
  const period = (name: string, value: number | null | undefined): number => Math.max(1, time(name, value));
  return {
    attempts: check.numberWithin('drill.settings.attempts', wire.attempts, 0, COUNT_MAX),
    complaintCount: check.numberWithin('drill.settings.complaint_count', wire.complaintCount, 0, COUNT_MAX),
    complaintIntervalMs: time('complaint_interval_ms', wire.complaintIntervalMs),
    heartbeatMs: period('heartbeat_ms', wire.heartbeatMs),
    leaseMs: period('lease_ms', wire.leaseMs),
    startTimeoutMs: time('start_timeout_ms', wire.startTimeoutMs),
    stopTimeoutMs: time('stop_timeout_ms', wire.stopTimeoutMs),
    statusTimeoutMs: time('status_timeout_ms', wire.statusTimeoutMs),
    statusIntervalMs: period('status_interval_ms', wire.statusIntervalMs),
    switchoverTimeoutMs: time('switchover_timeout_ms', wire.switchoverTimeoutMs),
    fenceTimeoutMs: time('fence_timeout_ms', wire.fenceTimeoutMs),
    deviceTimeoutMs: time('device_timeout_ms', wire.deviceTimeoutMs),
    driftPpm: check.numberWithin('drill.settings.drift_ppm', wire.driftPpm, 0, PPM_MAX),
    judgeAfterMs: time('judge_after_ms', wire.judgeAfterMs),
    failbackMs: wire.failbackMs == null ? Number.POSITIVE_INFINITY : time('failback_ms', wire.failbackMs),
  };
}

function nodeFromWire(wire: hastmon.DrillNode.$Properties): DrillNode {
  return {
    node: check.name('drill.node', wire.node),
    linked: wire.linked ?? false,
    fresh: wire.fresh ?? false,
    heardMs: wire.heardMs ?? null,
    role: roles.word(wire.role ?? 0) ?? null,
    roleSet: roles.word(wire.roleSet ?? 0) ?? null,
    run: runStates.word(wire.run ?? 0) ?? null,
    priority: check.numberWithin('drill.priority', wire.priority, -PRIORITY_MAX, PRIORITY_MAX),
    able: wire.able ?? false,
    holds: wire.holds ?? false,
    forced: wire.forced ?? false,
    history: wire.history ?? false,
  };
}
