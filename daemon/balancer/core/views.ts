/** What people see of the balancer, made from its state alone. */
import type { Connections, PairView, ServerKey, ServiceKey, ServiceView } from '../types.js';
import { problemOf } from './kernel.js';
import { addressOf, shownService } from './keys.js';
import type { BalancerState, Check, Given, Pair, Service } from './state.js';
import { sorryServer, wantedOf } from './wanted.js';
import { fullWeight, isDisabled, isEligible, statusOf, weightNow } from './weights.js';

/** Tags; null: all. */
export interface ViewFilter {
  hosts: readonly string[] | null;
  services: readonly string[] | null;
  /** How long the director's word has not counted here any more; null: it does, or this node is the director. */
  unknownMs: number | null;
}

/** What the kernel counts for a server; undefined: it has none; null: not known. */
export type CountConnections = (service: ServiceKey, server: ServerKey) => Connections | null | undefined;

/** How a distinct check stands. */
export interface CheckerView {
  name: string;
  state: 'up' | 'down' | 'unknown';
  nature: string;
  /** Since the last change; null: never. */
  sinceAge: number | null;
  passAge: number | null;
}

const NONE: Connections = { active: 0, inactive: 0 };

/** In the order of the hosts of the file, then of its services. */
export function pairViews(
  state: BalancerState,
  now: number,
  filter: ViewFilter,
  connections: CountConnections,
): PairView[] {
  const hosts = filter.hosts === null ? null : new Set(filter.hosts);
  const services = filter.services === null ? null : new Set(filter.services);
  const order = new Map([...state.services.keys()].map((tag, at) => [tag, at]));
  const place = ({ service }: Pair): number => order.get(service.config.tag) ?? 0;
  return [...state.hosts.values()]
    .filter(({ config }) => hosts === null || hosts.has(config.tag))
    .flatMap(({ pairs }) => [...pairs].sort((a, b) => place(a) - place(b)))
    .filter(({ service }) => services === null || services.has(service.config.tag))
    .map((pair) => {
      const view = pairView(state, pair, now, connections);
      return filter.unknownMs === null ? view : unknownPair(view, pair.fileWeight, filter.unknownMs);
    });
}

function pairView(state: BalancerState, pair: Pair, now: number, connections: CountConnections): PairView {
  const { host, service, memory, real } = pair;
  const { ramp } = memory;
  const counted = connections(service.key, real);
  const sorry = service.sorryAt === null ? null : sorryServer(state, service);
  return {
    ...{ host: host.config.tag, service: service.config.tag, real, virtual: virtualOf(state, service) },
    ...{ unknownMs: null, disabled: isDisabled(pair), reasons: reasonsOf(pair, now) },
    ...{ weight: fullWeight(pair), overridden: memory.override !== null },
    // What is known of it elsewhere is not in the table here.
    stateWeight:
      real === '' || state.active !== true ? 0 : (wantedWeight(state, pair, now) ?? weightNow(pair, now)),
    desiredWeight: isEligible(pair) ? fullWeight(pair) : 0,
    procWeight: state.table?.get(service.key)?.servers.get(real)?.weight ?? null,
    connections: counted === undefined ? NONE : counted,
    ramp:
      ramp === null || ramp.deadline <= now
        ? null
        : { durationMs: ramp.durationMs, leftMs: Math.ceil(ramp.deadline - now) },
    status: statusOf(pair, now),
    check: pair.check === null ? NO_CHECK : checkView(pair.check, now),
    sorry: sorry !== null && sorry.server === real,
  };
}

/** What this node knows of it without the director: its names, its weight in the file, and what the kernel here has. */
function unknownPair(view: PairView, fileWeight: number, unknownMs: number): PairView {
  return {
    ...{ ...view, unknownMs, disabled: false, reasons: [], weight: fileWeight, overridden: false },
    ...{ desiredWeight: null, ramp: null, status: '?-UNKNOWN', sorry: false },
    check: { ...NO_CHECK, name: view.check.name },
  };
}

/** By the pair alone, but for services without results, whose table is as it was found. */
function wantedWeight(state: BalancerState, { service, real }: Pair, now: number): number | undefined {
  return service.warm ? undefined : wantedOf(state, service, now)?.servers.get(real)?.weight;
}

const NO_CHECK: CheckerView = { name: '', state: 'unknown', nature: '', sinceAge: null, passAge: null };

function reasonsOf({ host, memory }: Pair, now: number): PairView['reasons'] {
  const said = (name: string, { by, at }: Given): PairView['reasons'][number] => ({
    name,
    by,
    age: Math.round(now - at),
  });
  const whole = host.off === null ? [] : [said('', host.off)];
  return [...whole, ...[...memory.reasons].map(([name, given]) => said(name, given))];
}

function virtualOf(state: BalancerState, { config }: Service): string {
  return shownService(config, addressOf(state, config.host));
}

/** In the order of the file. */
export function serviceViews(
  state: BalancerState,
  now: number,
  filter: Omit<ViewFilter, 'hosts'>,
): ServiceView[] {
  const names = filter.services === null ? null : new Set(filter.services);
  return [...state.services.values()]
    .filter(({ config }) => names === null || names.has(config.tag))
    .map((service) => {
      const view = serviceView(state, service, now);
      const { unknownMs } = filter;
      return unknownMs === null
        ? view
        : { ...view, unknownMs, alive: null, weight: null, sorry: '', sorryAge: null };
    });
}

function serviceView(state: BalancerState, service: Service, now: number): ServiceView {
  const { config, pairs, sorryAt, key } = service;
  const weights = pairs.map((pair) => (pair.real === '' ? 0 : weightNow(pair, now)));
  return {
    ...{ service: config.tag, virtual: virtualOf(state, service), scheduler: config.scheduler },
    ...{ method: config.method, persistenceSeconds: config.persistenceSeconds },
    ...{ check: config.check?.shown ?? '', servers: pairs.length, unknownMs: null },
    alive: weights.filter((weight) => weight > 0).length,
    weight: weights.reduce((sum, weight) => sum + weight, 0),
    sorry: sorryAt === null ? '' : (sorryServer(state, service)?.tag ?? ''),
    sorryAge: sorryAt === null ? null : Math.round(now - sorryAt),
    owned: key !== '' && state.owned.has(key) && state.table?.has(key) === true,
    problem: problemOf(state, service),
  };
}

/** Every distinct check of the file; without its state where the director's word is not known. */
export function checkerViews(
  state: BalancerState,
  now: number,
  { unknownMs }: Pick<ViewFilter, 'unknownMs'>,
): CheckerView[] {
  return [...state.checks.values()]
    .filter(({ pairs }) => pairs.length > 0)
    .map((check) => (unknownMs === null ? checkView(check, now) : { ...NO_CHECK, name: check.name }));
}

function checkView({ name, state, nature, since, passAt }: Check, now: number): CheckerView {
  const age = (at: number | null): number | null => (at === null ? null : Math.round(now - at));
  return { name, state, nature, sinceAge: age(since), passAge: age(passAt) };
}
