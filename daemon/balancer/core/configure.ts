/** The file: its hosts, services, pairs and checks take the place of those of before; what is known of them is kept. */
import type { CheckSpec } from '../../checks/spec.js';
import type { Addresses, BalancerConfig, HostConfig, ServiceConfig } from '../types.js';
import { disown } from './kernel.js';
import { addressOf, knownAddresses, portOf, serverKey, serviceKey } from './keys.js';
import {
  type BalancerState,
  type Check,
  type Draft,
  type Host,
  log,
  newCheck,
  newMemory,
  type Pair,
  type PairMemory,
  pairKey,
  renewMemory,
  type Service,
} from './state.js';
import { fullWeight, isDisabled } from './weights.js';

/** What is kept of tags that the file does not have, at most; those that were put aside first go first. */
const ASIDE_MAX = 20_000;

/** What there was before a reload. */
interface Before {
  first: boolean;
  hosts: Map<string, Host>;
  services: Map<string, Service>;
  pairs: Map<string, Pair>;
}

export function configure(draft: Draft, config: BalancerConfig, addresses: Addresses): void {
  const { state } = draft;
  const before: Before = {
    ...{ first: state.config === null, hosts: state.hosts, services: state.services, pairs: new Map() },
  };
  for (const service of before.services.values()) {
    if (service.key !== '') state.dirty.add(service.key);
    for (const pair of service.pairs)
      before.pairs.set(pairKey(pair.host.config.tag, service.config.tag), pair);
  }
  state.config = config;
  setAddresses(draft, config, addresses);
  setServices(draft, before, config.services);
  for (const { pairs } of state.checks.values()) pairs.length = 0;
  state.ramping.clear();
  state.hosts = new Map(config.hosts.map((host) => [host.tag, hostOf(draft, before, host)]));
  // What is left is not in the file any more.
  for (const [key, pair] of before.pairs) putAside(draft, key, pair);
  for (const [tag, { off }] of before.hosts)
    if (off !== null && !state.hosts.has(tag)) keep(state.aside.hosts, tag, off);
  setChecks(state);
  if (state.active !== false) forgetStrangers(state, draft.now);
  for (const key of state.owned) state.dirty.add(key);
  for (const service of state.services.values()) draft.touched.add(service);
  disown(draft, [...state.owned]);
  draft.save = true;
  const text = `${config.services.length} virtual services and ${config.hosts.length} hosts, ${state.specs.length} checks`;
  log(draft, 'info', `${before.first ? 'the file has' : 'the file was read again: it has'} ${text}`);
}

function setAddresses(draft: Draft, { services, hosts, options }: BalancerConfig, fresh: Addresses): void {
  const names = new Set<string>();
  for (const { protocol, host } of services) if (protocol !== 'fwmark') names.add(host);
  for (const { host } of hosts) names.add(host);
  if (options.sorryFallback !== null) names.add(options.sorryFallback.address);
  const known = knownAddresses(names, fresh, draft.state.addresses);
  for (const name of names) {
    const address = known.get(name);
    if (address === undefined)
      log(draft, 'warn', `${name} does not resolve: what is there is out of the table`);
    else if (!fresh.has(name) && address !== name)
      log(draft, 'warn', `${name} does not resolve: it is taken to be at ${address} still`);
  }
  draft.state.addresses = known;
}

function setServices(draft: Draft, before: Before, configs: readonly ServiceConfig[]): void {
  const { state } = draft;
  state.services = new Map();
  state.byKey = new Map();
  for (const config of configs) {
    const service = before.services.get(config.tag) ?? newService(state, config);
    const key = serviceKey(config, addressOf(state, config.host));
    const other = state.byKey.get(key);
    Object.assign(service, { config, key: other === undefined ? key : '', pairs: [], fault: '' });
    if (key === '') service.fault = `its name ${config.host} does not resolve`;
    else if (other !== undefined) service.fault = `${other.config.tag} has the same address`;
    else state.byKey.set(key, service);
    if (service.fault !== '')
      log(draft, 'warn', `${config.tag} is not in the table: ${service.fault}`, { service: config.tag });
    state.services.set(config.tag, service);
  }
}

function newService(state: BalancerState, config: ServiceConfig): Service {
  const known = state.aside.services.get(config.tag);
  state.aside.services.delete(config.tag);
  return {
    ...{
      config,
      key: '',
      fault: '',
      pairs: [],
      warm: known !== undefined,
      sorryAt: known ?? null,
      foreign: false,
    },
  };
}

function hostOf(draft: Draft, before: Before, config: HostConfig): Host {
  const { state } = draft;
  const off = before.hosts.get(config.tag)?.off ?? state.aside.hosts.get(config.tag) ?? null;
  state.aside.hosts.delete(config.tag);
  const host: Host = { config, address: addressOf(state, config.host), off, pairs: [] };
  for (const [tag, weight] of config.weights) {
    const service = state.services.get(tag);
    if (service !== undefined) addPair(draft, before, host, service, weight);
  }
  return host;
}

function addPair(draft: Draft, before: Before, host: Host, service: Service, fileWeight: number): void {
  const { state } = draft;
  const key = pairKey(host.config.tag, service.config.tag);
  const port = portOf(host.config, service.config);
  const wanted = serverKey(service.config, host.address, port);
  // An entry of the table can follow one of them only.
  const twin = wanted === '' ? undefined : service.pairs.find(({ real }) => real === wanted);
  const real = twin === undefined ? wanted : '';
  const old = before.pairs.get(key);
  const memory = memoryOf(draft, before, key, real);
  const check = real === '' ? null : checkOf(state, service, host.address, port);
  const pair: Pair = { host, service, fileWeight, real, check, memory, shown: old?.shown ?? 0 };
  // Another check: weight that it has, it keeps until there is a result; what it has not, it has to earn from this one.
  const earns = state.active === true && memory.zeroSince !== null && old !== undefined;
  if (earns && old.check?.name !== check?.name) {
    memory.awaitSince = draft.now;
    draft.changed.pairs.add(pair);
  }
  host.pairs.push(pair);
  service.pairs.push(pair);
  check?.pairs.push(pair);
  if (memory.ramp !== null) state.ramping.add(pair);
  if (memory !== old?.memory && !before.first) draft.changed.pairs.add(pair);
  tellPair(draft, pair, old, twin);
  before.pairs.delete(key);
}

/** What is known of it: from before, or from what was put aside. Another server behind its tags has to earn its weight. */
function memoryOf({ state, now }: Draft, before: Before, key: string, real: string): PairMemory {
  const old = before.pairs.get(key)?.memory;
  const known = old ?? state.aside.pairs.get(key)?.memory;
  state.aside.pairs.delete(key);
  if (known === undefined) return newMemory(real, now);
  // Of one that comes into the file while this node decides, only what operators said of it counts.
  const comes = old === undefined && !before.first && state.active === true;
  return known.real === real && !comes ? known : renewMemory(known, real, now);
}

function checkOf(state: BalancerState, { config }: Service, address: string, port: number): Check | null {
  if (config.check === null) return null;
  const spec = config.check.of(address, port);
  const check = state.checks.get(spec.name) ?? newCheck(spec.name);
  // The first of the file says how it is run.
  if (check.pairs.length === 0) check.spec = spec;
  state.checks.set(spec.name, check);
  return check;
}

function tellPair(draft: Draft, pair: Pair, old: Pair | undefined, twin: Pair | undefined): void {
  const about = { host: pair.host.config.tag, service: pair.service.config.tag };
  const name = `${about.host} in ${about.service}`;
  if (twin !== undefined) {
    const text = `${name} is not in the table: ${twin.host.config.tag} is the same server`;
    log(draft, 'warn', text, about);
  }
  if (old === undefined) return;
  if (old.real !== pair.real)
    log(draft, 'info', `${name}: ${old.real || 'nowhere'} -> ${pair.real || 'nowhere'}`, about);
  if (old.fileWeight === pair.fileWeight) return;
  // What was kept from the table was of the file of before.
  pair.memory.kept = null;
  const state =
    pair.memory.override !== null ? `, ${fullWeight(pair)} was set` : isDisabled(pair) ? ', disabled' : '';
  log(draft, 'info', `${name}: full weight ${old.fileWeight} -> ${pair.fileWeight}${state}`, about);
}

/** What an operator said of it is not forgotten: who puts it back into the file does not put it back into service by that. */
function putAside({ state, now }: Draft, key: string, { host, service, memory }: Pair): void {
  if (memory.reasons.size === 0 && memory.override === null) return;
  const names = { host: host.config.tag, service: service.config.tag };
  keep(state.aside.pairs, key, { ...names, memory: renewMemory(memory, memory.real, now) });
}

/**
 * Once this node decides by its own file: of what that does not have only what operators said is kept. Before, it may be what the
 * director's newer file has.
 */
export function forgetStrangers(state: BalancerState, now: number): void {
  for (const [key, { memory, ...names }] of state.aside.pairs)
    if (memory.reasons.size === 0 && memory.override === null) state.aside.pairs.delete(key);
    else state.aside.pairs.set(key, { ...names, memory: renewMemory(memory, memory.real, now) });
  state.aside.services.clear();
  for (const [name, { pairs }] of state.checks) if (pairs.length === 0) state.checks.delete(name);
}

/** Puts something aside; what was put there first goes where there is too much. */
export function keep<T>(aside: Map<string, T>, key: string, value: T): void {
  aside.delete(key);
  aside.set(key, value);
  for (const first of aside.keys()) {
    if (aside.size <= ASIDE_MAX) break;
    aside.delete(first);
  }
}

/** What left the file is not known any more; of what it does not have yet, the director may have told. */
function setChecks(state: BalancerState): void {
  const specs: CheckSpec[] = [];
  for (const [name, check] of state.checks) {
    if (check.pairs.length > 0 && check.spec !== null) specs.push(check.spec);
    else if (state.active !== false || check.spec !== null || state.checks.size > ASIDE_MAX)
      state.checks.delete(name);
    if (check.pairs.length === 0) state.awaited.delete(name);
  }
  state.specs = specs;
}
