/** What must hold of the kernel's table, by docs/balancer.md and by the twin. */
import assert from 'node:assert/strict';
import type { BalancerState } from '../../../daemon/balancer/core/balancer.js';
import type { ServiceKey, Table, TableService } from '../../../daemon/balancer/types.js';
import { keyOf, weightsOf } from './shapes.js';
import type { Twin } from './twin.js';

export interface Node {
  state: BalancerState;
  kernel: Table;
  /** What this node's balancer may change: what it has made, or was given. */
  made: Set<ServiceKey>;
}

/** What worked before the damage works after it. `api` has a quorum, which may not be there by the weights of the file. */
export function judgeBelieved({ kernel }: Node, twin: Twin, found: Table): void {
  for (const { service, address, fileWeight } of twin.pairs.values()) {
    const weight = weightsOf(found.get(keyOf(service))).get(address) ?? 0;
    if (service === 'api' || fileWeight === 0 || weight === 0) continue;
    const now = weightsOf(kernel.get(keyOf(service))).get(address) ?? 0;
    assert.ok(now > 0, `B11: ${address} had weight ${weight} in ${service} before the damage, and has none`);
  }
}

/** B1, B2 and B5 of a service of the kernel's table. */
export function judgeRules({ state }: Node, twin: Twin, service: string, actual: TableService): void {
  const weights = weightsOf(actual);
  let sum = 0;
  for (const pair of twin.pairs.values()) {
    if (pair.service !== service) continue;
    const weight = weights.get(pair.address) ?? 0;
    sum += weight;
    if (weight === 0) continue;
    assert.ok(!twin.isDisabled(pair), `B1: ${pair.host} is disabled in ${service} and has weight ${weight}`);
    assert.ok(twin.mayHave(pair), `B2: ${pair.host} has weight ${weight} in ${service} without a fresh pass`);
  }
  // A service that was taken over and has no results yet is as it was found.
  if (!twin.exact && state.services.get(service)?.warm !== true) return;
  assert.equal(
    weights.has('10.0.0.9'),
    sum === 0,
    `B5: ${service} has ${sum} and the sorry server is ${weights.has('10.0.0.9') ? 'in' : 'out'}`,
  );
}

/** Every weight, where all is known. */
export function judgeTwin(twin: Twin, service: string, actual: TableService | undefined, now: number): void {
  if (!twin.services.includes(service) || !twin.warm.has(service)) {
    assert.equal(actual, undefined, `B7: ${service} is there`);
    return;
  }
  const weights = [...weightsOf(actual)].sort();
  assert.deepEqual(weights, [...twin.table(service, now)].sort(), `twin: ${service} at ${now}`);
}
