/**
 * A second balancer, as dumb as can be, to compare the core with: it keeps the history of results, decides about everything anew after
 * every input, and knows nothing of keys, shares, files and dirty sets. Written from docs/balancer.md, not from the core.
 */
import { RETRY_MS } from '../../../daemon/balancer/core/types.js';
import { nameOf } from './given.js';

export { RETRY_MS };

export const RAMP_MS = 4000;
export const TRIGGER_MS = 2000;

/** What the file says, as far as tests vary it. */
export interface Shape {
  /** By host, then by service. */
  weights: Record<string, Record<string, number>>;
  services: readonly string[];
  path: string;
  /** s1 is at its other address. */
  moved: boolean;
}

/** What tests do not vary. */
export const RULES: Record<
  string,
  { curve: 'weightman' | 'linear' | 'slowstart'; quorum: number; hysteresis: number; check: boolean }
> = {
  www: { curve: 'weightman', quorum: 1, hysteresis: 0, check: true },
  api: { curve: 'linear', quorum: 12, hysteresis: 4, check: true },
  dns: { curve: 'slowstart', quorum: 1, hysteresis: 0, check: false },
};

export function addressOf(host: string, moved: boolean): string {
  return host === 's1' && moved ? '10.0.0.4' : `10.0.0.${host.slice(1)}`;
}

interface TwinPair {
  host: string;
  service: string;
  address: string;
  check: string | null;
  definedAt: number;
  enabledAt: number;
  reasons: Set<string>;
  fileWeight: number;
  override: number | null;
  has: boolean;
  zeroAt: number;
  rampEnd: number;
  rampMs: number;
  asked: number | null;
  /** It has not passed since it was defined or enabled, or since a failure that ended its ramp. */
  waits: boolean;
}

interface History {
  up: boolean;
  downAt: number;
  passes: number[];
}

const NEVER = Number.NEGATIVE_INFINITY;

export class Twin {
  pairs = new Map<string, TwinPair>();
  offs = new Set<string>();
  checks = new Map<string, History>();
  warm = new Set<string>();
  failing = new Set<string>();
  services: readonly string[] = [];
  /** What operators said of pairs that left the file. */
  past = new Map<string, { reasons: Set<string>; override: number | null }>();
  /** Something happened after which only the rules hold, and not every weight is known. */
  exact = true;

  reload({ weights, services, path, moved }: Shape, now: number): void {
    const before = this.pairs;
    this.pairs = new Map();
    this.services = services;
    for (const [host, line] of Object.entries(weights))
      for (const [service, fileWeight] of Object.entries(line)) {
        if (!services.includes(service)) continue;
        const key = `${host} ${service}`;
        const address = addressOf(host, moved);
        const check = RULES[service]?.check === true ? nameOf(address, 80, path) : null;
        const old = before.get(key);
        before.delete(key);
        const same = old !== undefined && old.address === address;
        const said = old ?? this.past.get(key) ?? { reasons: new Set(), override: null };
        this.past.delete(key);
        const { reasons, override } = said;
        const fresh = {
          ...{ definedAt: now, enabledAt: NEVER, has: false, zeroAt: now, rampEnd: NEVER },
          rampMs: 0,
          asked: null,
          waits: true,
        };
        const known = same ? old : { ...fresh, reasons, override };
        // Another check: who has no weight has to earn it from that; who has some has earned it.
        if (same && old.check !== check)
          Object.assign(
            old,
            old.has ? { definedAt: NEVER, enabledAt: NEVER } : { definedAt: now, waits: true },
          );
        this.pairs.set(key, { ...known, host, service, address, check, fileWeight });
      }
    for (const [key, { reasons, override }] of before)
      if (reasons.size > 0 || override !== null) this.past.set(key, { reasons, override });
    const used = new Set([...this.pairs.values()].map(({ check }) => check));
    for (const name of this.checks.keys()) if (!used.has(name)) this.checks.delete(name);
    for (const service of [...this.warm]) if (!services.includes(service)) this.warm.delete(service);
    for (const service of [...this.failing]) if (!services.includes(service)) this.failing.delete(service);
  }

  result(name: string, up: boolean, pass: boolean, begunAt: number, now: number): void {
    if (![...this.pairs.values()].some(({ check }) => check === name)) return;
    const known = this.checks.get(name);
    const history = known ?? { up: false, downAt: NEVER, passes: [] };
    if (pass) history.passes.push(begunAt);
    if (!up) {
      if (history.up || known === undefined) history.downAt = now;
      history.up = false;
    } else if (!history.up) {
      if (!pass || begunAt <= history.downAt) {
        // No result to decide by, where there was none before.
        if (known === undefined) return;
      } else history.up = true;
    }
    this.checks.set(name, history);
  }

  off(hosts: readonly string[], services: readonly string[] | null, reasons: readonly string[]): void {
    for (const pair of this.of(hosts, services)) {
      if (services !== null) for (const reason of reasons) pair.reasons.add(reason);
      pair.asked = null;
    }
    if (services === null) for (const host of hosts) this.offs.add(host);
  }

  on(
    hosts: readonly string[],
    services: readonly string[] | null,
    reasons: readonly string[],
    rampMs: number | null,
    now: number,
  ): void {
    const pairs = this.of(hosts, services);
    const were = pairs.filter((pair) => this.isDisabled(pair));
    if (services === null) for (const host of hosts) this.offs.delete(host);
    for (const pair of pairs) {
      if (services !== null)
        for (const reason of [...pair.reasons])
          if (reasons.includes(reason) || reasons.includes('*')) pair.reasons.delete(reason);
      if (were.includes(pair) && !this.isDisabled(pair)) Object.assign(pair, { enabledAt: now, waits: true });
      if (!pair.has && rampMs !== null) pair.asked = rampMs;
    }
  }

  weight(hosts: readonly string[], services: readonly string[], weight: number | null): void {
    for (const pair of this.of(hosts, services)) pair.override = weight;
  }

  /** Another node decides now: who waits has to pass there. */
  failover(now: number): void {
    for (const pair of this.pairs.values()) if (pair.waits) pair.definedAt = now;
  }

  /** All is forgotten, and the weights of these services in the table are believed. */
  forget(believed: ReadonlyMap<string, ReadonlyMap<string, number>>, now: number): void {
    this.exact = false;
    for (const set of [this.offs, this.checks, this.warm, this.failing, this.past]) set.clear();
    for (const pair of this.pairs.values()) {
      pair.reasons.clear();
      Object.assign(pair, {
        override: null,
        definedAt: now,
        enabledAt: NEVER,
        has: false,
        zeroAt: now,
        rampEnd: NEVER,
        asked: null,
        waits: true,
      });
    }
    for (const [service, weights] of believed) this.believe(service, weights);
  }

  believe(service: string, weights: ReadonlyMap<string, number>): void {
    this.exact = false;
    for (const pair of this.pairs.values())
      if (pair.service === service && (weights.get(pair.address) ?? 0) > 0 && !this.isDisabled(pair))
        Object.assign(pair, { definedAt: NEVER, enabledAt: NEVER, has: true });
  }

  decide(now: number): void {
    for (const service of this.services) {
      const pairs = [...this.pairs.values()].filter((pair) => pair.service === service);
      const rule = RULES[service];
      if (rule === undefined) continue;
      for (const pair of pairs) if (this.isProved(pair)) pair.waits = false;
      let alive = 0;
      for (const pair of pairs) if (this.mayHave(pair)) alive += pair.override ?? pair.fileWeight;
      const bound = this.failing.has(service) ? rule.quorum + rule.hysteresis : rule.quorum - rule.hysteresis;
      const failing = alive === 0 || alive < bound;
      const open = pairs.some(
        (pair) => !this.isDisabled(pair) && pair.check !== null && !this.checks.has(pair.check),
      );
      if (!failing || !open) this.warm.add(service);
      const warm = this.warm.has(service);
      for (const pair of pairs) this.give(pair, this.mayHave(pair) && (warm ? !failing : pair.has), now);
      if (warm && failing) this.failing.add(service);
      else this.failing.delete(service);
    }
  }

  private give(pair: TwinPair, wanted: boolean, now: number): void {
    if (wanted && !pair.has) {
      pair.rampMs = pair.asked ?? (now - pair.zeroAt >= TRIGGER_MS ? RAMP_MS : 0);
      Object.assign(pair, { has: true, asked: null, rampEnd: now + pair.rampMs });
    } else if (!wanted && pair.has) {
      if (now < pair.rampEnd && !this.isProved(pair)) pair.waits = true;
      Object.assign(pair, { has: false, zeroAt: now, rampEnd: NEVER });
    }
  }

  /** By its servers' addresses. */
  table(service: string, now: number): Map<string, number> {
    const table = new Map<string, number>();
    for (const pair of this.pairs.values())
      if (pair.service === service) table.set(pair.address, this.weightOf(pair, now));
    if (this.failing.has(service)) table.set('10.0.0.9', 1);
    return table;
  }

  private weightOf(pair: TwinPair, now: number): number {
    if (!pair.has) return 0;
    const full = pair.override ?? pair.fileWeight;
    let left = 0;
    while (now + left * 1000 < pair.rampEnd) left += 1;
    if (left === 0) return full;
    const whole = BigInt(pair.rampMs);
    const gone = whole - BigInt(Math.min(pair.rampMs, left * 1000));
    const curve = RULES[pair.service]?.curve;
    if (curve === 'weightman') return Math.ceil(full / (left + 1));
    const power = curve === 'linear' ? 1n : 2n;
    const divisor = whole ** power;
    return Math.max(1, Number((BigInt(full) * gone ** power + divisor - 1n) / divisor));
  }

  isDisabled(pair: TwinPair): boolean {
    return this.offs.has(pair.host) || pair.reasons.size > 0;
  }

  /** B1, B2: what it takes to have weight at all. */
  mayHave(pair: TwinPair): boolean {
    return !this.isDisabled(pair) && (pair.override ?? pair.fileWeight) > 0 && this.isProved(pair);
  }

  private isProved(pair: TwinPair): boolean {
    if (pair.check === null) return true;
    const history = this.checks.get(pair.check);
    if (history === undefined) return pair.has;
    const from = Math.max(pair.definedAt, pair.enabledAt, history.downAt);
    return history.up && history.passes.some((begunAt) => begunAt > from);
  }

  private of(hosts: readonly string[], services: readonly string[] | null): TwinPair[] {
    const all = services === null || services.includes('*');
    return [...this.pairs.values()].filter(
      (pair) => hosts.includes(pair.host) && (all || services.includes(pair.service)),
    );
  }
}
