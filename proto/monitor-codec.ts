/** Requests and answers about monitoring <-> their messages in control.proto. */
import * as check from './check.js';
import type { hastmon } from './gen/control.js';
import type {
  CheckDetail,
  CheckEntry,
  CheckResult,
  CheckState,
  ChecksPage,
  MonitorAnswer,
  MonitorRequest,
  NodeView,
  ProbeReport,
} from './monitor-types.js';

/** Position is the number on the wire. */
const STATES: readonly CheckState[] = ['unknown', 'up', 'down'];
/** Names or patterns in one request, and statements of one check. */
const WORDS_MAX = 1000;
const STATEMENTS_MAX = 50;
const WORD_CHARACTERS_MAX = 4096;
/** 24 days, as for all lengths of time that are asked for. */
const MUTE_MS_MAX = 2_147_483_647;

export function monitorRequestToWire(request: MonitorRequest): hastmon.ControlRequest.$Properties {
  switch (request.kind) {
    case 'checks':
      return { checks: { ...request, pattern: [...request.patterns] } };
    case 'check':
      return { check: { name: request.name } };
    case 'run-check':
      return { runCheck: { target: request.target, option: [...request.options] } };
    case 'ack':
      return { ack: { name: [...request.names], by: request.by } };
    case 'mute':
      return { mute: { name: [...request.names], forMs: request.forMs } };
    case 'test-alert':
      return { testAlert: { name: request.name } };
  }
}

/** null where it is about something else. Throws `Invalid`. */
export function monitorRequestFromWire(wire: hastmon.ControlRequest): MonitorRequest | null {
  if (wire.checks) {
    const { down, host, group, pattern, from } = wire.checks;
    return {
      kind: 'checks',
      down: down ?? false,
      host: check.nameOrNone('checks.host', host),
      group: check.nameOrNone('checks.group', group),
      patterns: words('checks.pattern', pattern),
      from: check.counter('checks.from', from),
    };
  }
  if (wire.check) return { kind: 'check', name: check.name('check.name', wire.check.name) };
  if (wire.runCheck) {
    const [target = ''] = words('run_check.target', [wire.runCheck.target ?? '']);
    return {
      kind: 'run-check',
      target,
      options: words('run_check.option', wire.runCheck.option, STATEMENTS_MAX),
    };
  }
  if (wire.ack) {
    const names = words('ack.name', wire.ack.name);
    return { kind: 'ack', names, by: check.name('ack.by', wire.ack.by) };
  }
  if (wire.mute) {
    const forMs = check.numberWithin('mute.for_ms', wire.mute.forMs, 0, MUTE_MS_MAX);
    return { kind: 'mute', names: words('mute.name', wire.mute.name), forMs };
  }
  if (wire.testAlert) return { kind: 'test-alert', name: check.name('test_alert.name', wire.testAlert.name) };
  return null;
}

function words(field: string, given: readonly string[] | null | undefined, most = WORDS_MAX): string[] {
  const list = [...(given ?? [])];
  if (list.length > most) throw new check.Invalid(`${field} is there more than ${most} times`);
  if (list.some((word) => word === '' || word.length > WORD_CHARACTERS_MAX))
    throw new check.Invalid(`${field} is empty or too long`);
  return list;
}

export function answerToWire(answer: MonitorAnswer | null): Partial<hastmon.ControlReply.$Properties> {
  switch (answer?.kind) {
    case undefined:
      return {};
    case 'checks': {
      const { kind: _, entries, ...rest } = answer;
      return { checks: { ...rest, entry: entries.map(entryToWire) } };
    }
    case 'check':
      return { check: detailToWire(answer) };
    case 'probe':
      return { probe: { ...answer, phase: answer.phases } };
    case 'test':
      return { test: { alert: answer.alert, ok: answer.ok, line: answer.lines } };
  }
}

export function answerFromWire(wire: hastmon.ControlReply): MonitorAnswer | null {
  if (wire.checks) return { kind: 'checks', ...pageFromWire(wire.checks) };
  if (wire.check) return { kind: 'check', ...detailFromWire(wire.check) };
  if (wire.probe) return { kind: 'probe', ...probeFromWire(wire.probe) };
  if (!wire.test) return null;
  const { alert, ok, line } = wire.test;
  return { kind: 'test', alert: alert ?? '', ok: ok ?? false, lines: line ?? [] };
}

function stateToWire(state: CheckState): number {
  return STATES.indexOf(state);
}

function stateFromWire(number: number | null | undefined): CheckState {
  return STATES[number ?? 0] ?? 'unknown';
}

function entryToWire(entry: CheckEntry): hastmon.CheckEntry.$Properties {
  return { ...entry, state: stateToWire(entry.state), seenBy: entry.seenBy, behind: entry.behind };
}

function entryFromWire(wire: hastmon.CheckEntry.$Properties): CheckEntry {
  return {
    name: wire.name ?? '',
    group: wire.group ?? '',
    url: wire.url ?? '',
    state: stateFromWire(wire.state),
    outage: wire.outage ?? false,
    nature: wire.nature ?? '',
    latencyMs: wire.latencyMs ?? 0,
    sinceMs: wire.sinceMs ?? null,
    lastMs: wire.lastMs ?? null,
    goodMs: wire.goodMs ?? null,
    confirm: wire.confirm ?? 0,
    nodes: wire.nodes ?? 0,
    seenBy: wire.seenBy ?? [],
    muteMs: wire.muteMs ?? 0,
    ackBy: wire.ackBy ?? '',
    flapping: wire.flapping ?? false,
    behind: wire.behind ?? [],
    note: wire.note ?? '',
  };
}

function pageFromWire(wire: hastmon.ChecksPage.$Properties): ChecksPage {
  return {
    entries: (wire.entry ?? []).map(entryFromWire),
    up: wire.up ?? 0,
    down: wire.down ?? 0,
    unknown: wire.unknown ?? 0,
    next: wire.next ?? 0,
    lateMs: wire.lateMs ?? null,
    skipped: wire.skipped ?? 0,
    note: wire.note ?? '',
  };
}

function detailToWire(detail: CheckDetail): hastmon.CheckDetail.$Properties {
  return {
    entry: entryToWire(detail.entry),
    view: detail.views.map((view) => ({ ...view, state: stateToWire(view.state) })),
    edge: detail.edge,
    outageMs: detail.outageMs,
    told: detail.told,
    toldBy: detail.toldBy,
    depends: detail.depends.map(({ name, state }) => ({ name, state: stateToWire(state) })),
    alert: detail.alerts,
    option: detail.options,
    result: detail.results,
  };
}

function detailFromWire(wire: hastmon.CheckDetail.$Properties): CheckDetail {
  return {
    entry: entryFromWire(wire.entry ?? {}),
    views: (wire.view ?? []).map(viewFromWire),
    edge: wire.edge ?? '',
    outageMs: wire.outageMs ?? null,
    told: wire.told ?? '',
    toldBy: wire.toldBy ?? '',
    depends: (wire.depends ?? []).map(({ name, state }) => ({
      name: name ?? '',
      state: stateFromWire(state),
    })),
    alerts: wire.alert ?? [],
    options: wire.option ?? [],
    results: (wire.result ?? []).map(resultFromWire),
  };
}

function viewFromWire(wire: hastmon.NodeView.$Properties): NodeView {
  return {
    node: wire.node ?? '',
    self: wire.self ?? false,
    state: stateFromWire(wire.state),
    note: wire.note ?? '',
    nature: wire.nature ?? '',
    address: wire.address ?? '',
    latencyMs: wire.latencyMs ?? 0,
    sinceMs: wire.sinceMs ?? null,
    lastMs: wire.lastMs ?? null,
    goodMs: wire.goodMs ?? null,
  };
}

function resultFromWire(wire: hastmon.CheckResult.$Properties): CheckResult {
  return {
    ageMs: wire.ageMs ?? 0,
    ok: wire.ok ?? false,
    nature: wire.nature ?? '',
    latencyMs: wire.latencyMs ?? 0,
    text: wire.text ?? '',
    excerpt: wire.excerpt ?? '',
  };
}

function probeFromWire(wire: hastmon.ProbeReport.$Properties): ProbeReport {
  return {
    name: wire.name ?? '',
    url: wire.url ?? '',
    address: wire.address ?? '',
    result: resultFromWire(wire.result ?? {}),
    phases: (wire.phase ?? []).map(({ name, tookMs, reached }) => ({
      name: name ?? '',
      tookMs: tookMs ?? 0,
      reached: reached ?? false,
    })),
  };
}
