/** What outlives a restart of the balancer, but not of the machine. */
import { type BalancerState, createBalancer, newCheck, type PairMemory, pairKey } from './state.js';
import type { Restored, SavedPair, SavedState } from './types.js';

/** All that has to be known to go on, as plain data. */
export function saved(state: BalancerState): SavedState {
  const { hosts, services, aside } = state;
  const offs = [...hosts].flatMap(([host, { off }]) => (off === null ? [] : [{ host, ...off }]));
  const pairs = [...hosts.values()].flatMap((host) =>
    host.pairs.map(({ service, memory }) => savedPair(host.config.tag, service.config.tag, memory)),
  );
  return {
    kind: 'saved',
    checks: [...state.checks.values()].flatMap(({ name, state, nature, since, passAt }) =>
      state === 'unknown' || since === null ? [] : [{ name, state, nature, since, passAt }],
    ),
    hosts: [...offs, ...[...aside.hosts].map(([host, given]) => ({ host, ...given }))],
    pairs: [
      ...pairs,
      ...[...aside.pairs.values()].map(({ host, service, memory }) => savedPair(host, service, memory)),
    ],
    services: [
      ...[...services.values()]
        .filter(({ warm }) => warm)
        .map(({ config, sorryAt }) => ({ service: config.tag, sorryAt })),
      ...[...aside.services].map(([service, sorryAt]) => ({ service, sorryAt })),
    ],
    owned: [...state.owned],
    left: [...state.left].map(([service, wanted]) => ({ service, wanted })),
    addresses: [...state.addresses].map(([name, address]) => ({ name, address })),
  };
}

function savedPair(host: string, service: string, memory: PairMemory): SavedPair {
  const reasons = [...memory.reasons].map(([name, given]) => ({ name, ...given }));
  return { host, service, ...memory, reasons };
}

/**
 * Before the first file. What is known waits aside for it; what was told of this node already (settings, whether it is active) stays
 * so. Damaged: what exists of the file's services in the first table is taken for its own. None: only what is to be adopted (B11).
 */
export function restore(state: BalancerState, known: Restored): void {
  const { active, settings } = state;
  Object.assign(state, createBalancer(), { active, settings });
  if (known.kind !== 'saved') {
    state.recover = known.kind === 'damaged';
    return;
  }
  for (const { name, state: was, nature, since, passAt } of known.checks)
    state.checks.set(name, { ...newCheck(name), state: was, nature, since, passAt });
  for (const { host, by, at } of known.hosts) state.aside.hosts.set(host, { by, at });
  for (const { host, service, reasons, ...rest } of known.pairs) {
    const memory = { ...rest, reasons: new Map(reasons.map(({ name, by, at }) => [name, { by, at }])) };
    state.aside.pairs.set(pairKey(host, service), { host, service, memory });
  }
  for (const { service, sorryAt } of known.services) state.aside.services.set(service, sorryAt);
  state.owned = new Set(known.owned);
  state.left = new Map(known.left.map(({ service, wanted }) => [service, wanted]));
  state.addresses = new Map(known.addresses.map(({ name, address }) => [name, address]));
}
