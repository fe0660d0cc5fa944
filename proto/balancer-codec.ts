/** Requests and answers about the balancer <-> their messages in control.proto. */
import type {
  BalancerCommand,
  DirectorWord,
  Method,
  PairView,
  ServiceView,
  TStatus,
} from '../daemon/balancer/types.js';
import type { BalancerAnswer, BalancerRequest } from './balancer-types.js';
import * as check from './check.js';
import { hastmon } from './gen/control.js';

/** Position is the number on the wire; the first of changes is none, so that a missing one is refused. */
const CHANGES = ['', 'off', 'on', 'weight', 'adopt'] as const;
const STATES = ['unknown', 'up', 'down'] as const;
const STATUSES: readonly (TStatus | '')[] = [
  ...(['', '0-DISABLED', '0-ENABLED', '1-AWAITPASS', '1-RAMPING', '?-UNKNOWN'] as const),
];
const METHODS: readonly (Method | '')[] = ['', 'masq', 'gate', 'ipip'];

/** Tags in one request. */
const TAGS_MAX = 10_000;
const LINE_CHARACTERS_MAX = 64 * 1024;
/** The kernel's: ip_vs.h keeps weights in an int. */
const WEIGHT_MAX = 2 ** 31 - 1;
/** A day: longer ramps are mistakes. */
const RAMP_MS_MAX = 24 * 3_600_000;

/** A reply is sent in pieces of about this many bytes, well below the largest frame. */
const PIECE_BYTES = 256 * 1024;

export function balancerRequestToWire(request: BalancerRequest): hastmon.ControlRequest.$Properties {
  switch (request.kind) {
    case 'balancer-hosts':
      return { balancerHosts: { host: [...request.hosts], service: [...request.services] } };
    case 'balancer-services':
      return { balancerServices: { service: [...request.services] } };
    case 'balancer-set':
      return { balancerSet: commandToWire(request.command) };
    case 'balancer-diff':
      return { balancerDiff: {} };
    case 'balancer-reload':
      return { balancerReload: {} };
    case 'balancer-console':
      return { balancerConsole: { session: request.session, line: request.line, by: request.by } };
  }
}

/** null where it is about something else. Throws `Invalid`. */
export function balancerRequestFromWire(wire: hastmon.ControlRequest): BalancerRequest | null {
  if (wire.balancerHosts) {
    const { host, service } = wire.balancerHosts;
    return {
      kind: 'balancer-hosts',
      hosts: tags('balancer_hosts.host', host),
      services: tags('balancer_hosts.service', service),
    };
  }
  if (wire.balancerServices) {
    const services = tags('balancer_services.service', wire.balancerServices.service);
    return { kind: 'balancer-services', services };
  }
  if (wire.balancerSet) return { kind: 'balancer-set', command: commandFromWire(wire.balancerSet) };
  if (wire.balancerDiff) return { kind: 'balancer-diff' };
  if (wire.balancerReload) return { kind: 'balancer-reload' };
  if (!wire.balancerConsole) return null;
  const line = wire.balancerConsole.line ?? '';
  if (line.length > LINE_CHARACTERS_MAX) throw new check.Invalid('balancer_console.line is too long');
  const session = check.name('balancer_console.session', wire.balancerConsole.session);
  const by = check.name('balancer_console.by', wire.balancerConsole.by);
  return { kind: 'balancer-console', session, by, line };
}

function tags(field: string, given: readonly string[] | null | undefined): string[] {
  const list = given ?? [];
  if (list.length > TAGS_MAX) throw new check.Invalid(`${field} is there more than ${TAGS_MAX} times`);
  return list.map((tag) => check.name(field, tag));
}

function commandToWire(command: BalancerCommand): hastmon.BalancerSetCommand.$Properties {
  const { kind, by } = command;
  const common = { change: CHANGES.indexOf(kind), by, service: [...(command.services ?? [])] };
  if (kind === 'adopt') return common;
  const set = { ...common, host: [...command.hosts], wholeHost: command.services === null };
  if (kind === 'weight') return { ...set, weight: command.weight };
  const reason = [...command.reasons];
  return kind === 'off' ? { ...set, reason } : { ...set, reason, rampMs: command.rampMs };
}

function commandFromWire(wire: hastmon.BalancerSetCommand.$Properties): BalancerCommand {
  const kind = CHANGES[wire.change ?? 0];
  const by = check.name('balancer_set.by', wire.by);
  const services = some('balancer_set.service', tags('balancer_set.service', wire.service), !wire.wholeHost);
  if (kind === 'adopt') return { kind, services, by };
  const hosts = some('balancer_set.host', tags('balancer_set.host', wire.host), true);
  if (kind === 'weight') {
    const { weight } = wire;
    if (wire.wholeHost) throw new check.Invalid('balancer_set.weight is for services');
    const number = check.numberWithin('balancer_set.weight', weight, 0, WEIGHT_MAX);
    return { kind, hosts, services, weight: weight === null || weight === undefined ? null : number, by };
  }
  if (kind !== 'off' && kind !== 'on') throw new check.Invalid('balancer_set.change is missing or unknown');
  const reasons = tags('balancer_set.reason', wire.reason);
  const pairs = wire.wholeHost ? null : services;
  if (kind === 'off') return { kind, hosts, services: pairs, reasons, by };
  const { rampMs } = wire;
  const ramp = check.numberWithin('balancer_set.ramp_ms', rampMs, 0, RAMP_MS_MAX);
  return {
    ...{ kind, hosts, services: pairs, reasons, by },
    rampMs: rampMs === null || rampMs === undefined ? null : ramp,
  };
}

/** An empty list would be nothing, and no list everything: neither is believed. */
function some(field: string, list: string[], wanted: boolean): string[] {
  if (list.length > 0 !== wanted) throw new check.Invalid(`${field} is ${wanted ? 'missing' : 'not wanted'}`);
  return list;
}

/** The parts of the answer, each small enough for a frame; at least one. */
export function balancerAnswerToWire(answer: BalancerAnswer | null): Part[] {
  switch (answer?.kind) {
    case undefined:
      return [{}];
    case 'hosts': {
      const size = (pair: hastmon.BalancerPair.$Properties) =>
        hastmon.BalancerPair.encode(pair).finish().length;
      const pieces = cut(answer.hosts.map(pairToWire), size);
      return pieces.map((pair, index) => ({
        balancerPairs: { pair, note: index === pieces.length - 1 ? answer.note : '', source: answer.source },
      }));
    }
    case 'services': {
      const size = (service: hastmon.BalancerService.$Properties) =>
        hastmon.BalancerService.encode(service).finish().length;
      const pieces = cut(answer.services.map(serviceToWire), size);
      return pieces.map((service, index) => ({
        balancerServices: {
          service,
          note: index === pieces.length - 1 ? answer.note : '',
          source: answer.source,
        },
      }));
    }
    case 'console': {
      // Line by line, so that no character is torn; no line of the console is as long as a frame.
      const pieces = cut(answer.text.split(/(?<=\n)/), (line) => Buffer.byteLength(line));
      return pieces.map((lines, index) => ({
        balancerConsole: { text: lines.join(''), ended: index === pieces.length - 1 && answer.ended },
      }));
    }
  }
}

type Part = Partial<hastmon.ControlReply.$Properties>;

/** Lists that are not much larger than a piece. */
function cut<T>(list: readonly T[], sizeOf: (item: T) => number): T[][] {
  const pieces: T[][] = [[]];
  let bytes = 0;
  for (const item of list) {
    pieces.at(-1)?.push(item);
    bytes += sizeOf(item);
    if (bytes < PIECE_BYTES) continue;
    pieces.push([]);
    bytes = 0;
  }
  return pieces;
}

/** Throws `Invalid`. */
export function balancerAnswerFromWire(wire: hastmon.ControlReply): BalancerAnswer | null {
  if (wire.balancerPairs) {
    const { pair, note, source } = wire.balancerPairs;
    const hosts = (pair ?? []).map(pairFromWire);
    return { kind: 'hosts', hosts, note: note ?? '', source: sourceFromWire(source) };
  }
  if (wire.balancerServices) {
    const { service, note, source } = wire.balancerServices;
    const services = (service ?? []).map(serviceFromWire);
    return { kind: 'services', services, note: note ?? '', source: sourceFromWire(source) };
  }
  if (!wire.balancerConsole) return null;
  const { text, ended } = wire.balancerConsole;
  return { kind: 'console', text: text ?? '', ended: ended ?? false };
}

/** What came in pieces. Pieces of different kinds are no answer: null. */
export function joinBalancerAnswers(parts: readonly BalancerAnswer[]): BalancerAnswer | null {
  const [first] = parts;
  const last = parts.at(-1);
  if (first === undefined || last === undefined || parts.some(({ kind }) => kind !== first.kind)) return null;
  switch (last.kind) {
    case 'hosts':
      return { ...last, hosts: parts.flatMap((part) => (part.kind === 'hosts' ? part.hosts : [])) };
    case 'services':
      return { ...last, services: parts.flatMap((part) => (part.kind === 'services' ? part.services : [])) };
    case 'console':
      return { ...last, text: parts.map((part) => (part.kind === 'console' ? part.text : '')).join('') };
  }
}

/** One that is not said is of an earlier version, whose answers were always its own. */
export function sourceFromWire(wire: hastmon.BalancerSource.$Properties | null | undefined): DirectorWord {
  if (!wire) return { node: '', ageMs: 0, fresh: true };
  return { node: wire.node ?? '', ageMs: wire.ageMs ?? 0, fresh: wire.fresh ?? false };
}

function pairToWire(pair: PairView): hastmon.BalancerPair.$Properties {
  const { sinceAge, passAge, ...check } = pair.check;
  return {
    ...pair,
    reason: pair.reasons.map(({ name, by, age }) => ({ name, by, ageMs: age })),
    active: pair.connections?.active ?? null,
    inactive: pair.connections?.inactive ?? null,
    status: STATUSES.indexOf(pair.status),
    check: { ...check, state: STATES.indexOf(check.state), sinceMs: sinceAge, passMs: passAge },
  };
}

function pairFromWire(wire: hastmon.BalancerPair.$Properties): PairView {
  const { ramp } = wire;
  return {
    host: wire.host ?? '',
    service: wire.service ?? '',
    real: wire.real ?? '',
    virtual: wire.virtual ?? '',
    unknownMs: wire.unknownMs ?? null,
    disabled: wire.disabled ?? false,
    reasons: (wire.reason ?? []).map(({ name, by, ageMs }) => ({
      name: name ?? '',
      by: by ?? '',
      age: ageMs ?? 0,
    })),
    weight: wire.weight ?? 0,
    overridden: wire.overridden ?? false,
    stateWeight: wire.stateWeight ?? 0,
    desiredWeight: wire.unknownMs == null ? (wire.desiredWeight ?? 0) : null,
    procWeight: wire.procWeight ?? null,
    connections: wire.active == null ? null : { active: wire.active, inactive: wire.inactive ?? 0 },
    ramp: ramp ? { durationMs: ramp.durationMs ?? 0, leftMs: ramp.leftMs ?? 0 } : null,
    status: oneOf('balancer_pair.status', STATUSES, wire.status),
    check: {
      name: wire.check?.name ?? '',
      state: STATES[wire.check?.state ?? 0] ?? 'unknown',
      nature: wire.check?.nature ?? '',
      sinceAge: wire.check?.sinceMs ?? null,
      passAge: wire.check?.passMs ?? null,
    },
    sorry: wire.sorry ?? false,
  };
}

function serviceToWire({ sorryAge, method, ...rest }: ServiceView): hastmon.BalancerService.$Properties {
  return { ...rest, method: METHODS.indexOf(method), sorryMs: sorryAge };
}

function serviceFromWire(wire: hastmon.BalancerService.$Properties): ServiceView {
  return {
    service: wire.service ?? '',
    virtual: wire.virtual ?? '',
    scheduler: wire.scheduler ?? '',
    method: oneOf('balancer_service.method', METHODS, wire.method),
    persistenceSeconds: wire.persistenceSeconds ?? 0,
    check: wire.check ?? '',
    servers: wire.servers ?? 0,
    unknownMs: wire.unknownMs ?? null,
    alive: wire.unknownMs == null ? (wire.alive ?? 0) : null,
    weight: wire.unknownMs == null ? check.counter('balancer_service.weight', wire.weight) : null,
    sorry: wire.sorry ?? '',
    sorryAge: wire.sorryMs ?? null,
    owned: wire.owned ?? false,
    problem: wire.problem ?? '',
  };
}

function oneOf<W extends string>(
  field: string,
  table: readonly (W | '')[],
  number: number | null | undefined,
): W {
  const word = table[number ?? 0];
  if (word === undefined || word === '')
    throw new check.Invalid(`${field} has the unknown value ${number ?? 0}`);
  return word;
}
