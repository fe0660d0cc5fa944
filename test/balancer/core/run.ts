/**
 * Plays a profile: two nodes with a kernel each, one of them the director, and a twin that says what must come of it. After every step
 * the rules of docs/balancer.md are looked at.
 */
import assert, { AssertionError } from 'node:assert/strict';
import {
  type BalancerState,
  createBalancer,
  planChanges,
  restore,
  saved,
  shareAll,
  stepBalancer,
  wantedTable,
} from '../../../daemon/balancer/core/balancer.js';
import type { BalancerEvent, BalancerInput, Restored } from '../../../daemon/balancer/core/types.js';
import { afterChanges } from '../../../daemon/balancer/ipvs/diff.js';
import type { BalancerConfig, Change, ServiceKey } from '../../../daemon/balancer/types.js';
import { nameOf, type Untimed } from './given.js';
import { judgeBelieved, judgeRules, judgeTwin, type Node } from './judge.js';
import type { Profile, Step } from './profile.js';
import { addressesOf, configOf, KEYS, keyOf, meddled, named, sorted, telling, weightsOf } from './shapes.js';
import { RETRY_MS, type Shape, Twin } from './twin.js';

export interface Failure {
  rule: string;
  text: string;
}

export function run(profile: Profile): { failure: Failure | null } {
  let at = -1;
  try {
    const world = new World(profile.shape);
    for (const step of profile.steps) {
      at += 1;
      world.play(step);
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    // Whatever the core throws is its failure, but no rule's.
    const rule = error instanceof AssertionError ? (/^\w+/.exec(text)?.[0] ?? 'rule') : 'throws';
    return { failure: { rule, text: `step ${at} (${JSON.stringify(profile.steps[at])}): ${text}` } };
  }
  return { failure: null };
}

class World {
  private now = 1_000_000;
  private readonly twin = new Twin();
  private nodes: [Node, Node] = [newNode(), newNode()];
  private config: BalancerConfig;
  private addresses: ReadonlyMap<string, string>;
  private refuseAfter: number | null = null;
  /** Refused, and left alone until then. */
  private readonly held = new Map<ServiceKey, number>();
  /** The core as it was before a restart from what it saved: it has to say the same from there on. */
  private shadow: BalancerState | null = null;

  constructor(shape: Shape) {
    this.config = configOf(shape);
    this.addresses = addressesOf(shape);
    this.twin.reload(shape, this.now);
    for (const node of this.nodes) {
      restore(node.state, { kind: 'none' });
      this.begin(node, node === this.nodes[0], 0);
    }
    this.feed(this.nodes[1], { kind: 'share', full: true, entries: shareAll(this.nodes[0].state, this.now) });
    this.settle();
  }

  play(step: Step): void {
    this.now += step.dt;
    this.take(step);
    this.settle();
  }

  private take(step: Step): void {
    const { now, twin } = this;
    const by = 'root';
    switch (step.kind) {
      case 'results': {
        const path = this.path();
        const results = step.results.map(({ at, state, pass, back }) => ({
          ...{ name: nameOf(`10.0.0.${at}`, 80, path), state, pass, nature: state, begunAt: now - back },
        }));
        for (const { name, state, pass, begunAt } of results) {
          twin.result(name, state === 'up', pass, begunAt, now);
          this.tell({
            kind: 'results',
            results: results
              .filter(
                (one) =>
                  one.name === name && one.begunAt === begunAt && one.state === state && one.pass === pass,
              )
              .slice(0, 1),
          });
          twin.decide(now);
        }
        return;
      }
      case 'off':
      case 'on':
      case 'weight':
        return this.command(step);
      case 'adopt': {
        const key = keyOf(step.service);
        const there = this.director.kernel.get(key);
        const known = twin.services.includes(step.service);
        if (there !== undefined && known && !this.director.made.has(key)) {
          this.director.made.add(key);
          twin.believe(step.service, weightsOf(there));
        }
        return this.tell({ kind: 'command', command: { kind: 'adopt', services: [step.service], by } });
      }
      case 'reload':
        return this.reload(step.shape, step.resolved);
      case 'tick':
        return this.tell({ kind: 'tick' });
      case 'meddle':
        return this.meddle(keyOf(step.service), step.what);
      case 'strange':
        return this.strange(KEYS[step.key] ?? step.key);
      case 'refuse':
        this.refuseAfter = step.after;
        return;
      case 'restart':
        return this.restart(step.how, step.order);
      case 'failover':
        return this.failover(step.full);
      default:
        step satisfies never;
    }
  }

  private get director(): Node {
    return this.nodes[0];
  }

  private path(): string {
    return (
      this.config.services.find(({ check }) => check !== null)?.check?.shown.replace('http://www', '') ?? '/'
    );
  }

  private command(step: Extract<Step, { kind: 'off' | 'on' | 'weight' }>): void {
    const { twin, now } = this;
    const { dt: _, ...rest } = step;
    if (step.kind === 'off') twin.off(step.hosts, step.services, step.reasons);
    else if (step.kind === 'on') twin.on(step.hosts, step.services, step.reasons, step.rampMs, now);
    else twin.weight(step.hosts, step.services, step.weight);
    this.tell({ kind: 'command', command: { ...rest, by: 'root' } as never });
  }

  private reload(shape: Shape, resolved: boolean): void {
    this.config = configOf(shape);
    this.addresses = addressesOf(shape);
    // What does not resolve keeps the address that is known; s2 never moves, but has to have been there.
    const known = resolved || !this.director.state.addresses.has('s3.example');
    const addresses = new Map([...this.addresses].filter(([name]) => known || name !== 's3.example'));
    this.twin.reload(shape, this.now);
    const { config } = this;
    this.tell({ kind: 'config', config, addresses });
    this.feed(this.nodes[1], { kind: 'config', config, addresses });
  }

  private meddle(key: ServiceKey, what: Extract<Step, { kind: 'meddle' }>['what']): void {
    const { kernel, made } = this.director;
    const before = kernel.get(key);
    if (before === undefined || !made.has(key)) return;
    const table = meddled(kernel, key, before, what);
    this.director.kernel = table;
    this.tell({ kind: 'table', table });
  }

  private strange(key: ServiceKey): void {
    if (this.director.kernel.has(key)) return;
    const servers = new Map([['10.9.9.9:80', { weight: 1, method: 'masq' as const, more: '' }]]);
    const table = new Map(this.director.kernel).set(key, {
      scheduler: 'lc',
      persistenceSeconds: 7,
      more: '',
      servers,
    });
    this.director.kernel = table;
    this.director.made.delete(key);
    this.tell({ kind: 'table', table });
  }

  private restart(how: Restored['kind'], order: number): void {
    const { director, twin, now } = this;
    // What the time alone has moved.
    this.apply(director);
    const old = director.state;
    const known: Restored = how === 'saved' ? JSON.parse(JSON.stringify(saved(old))) : { kind: how };
    const fresh = createBalancer();
    restore(fresh, known);
    this.shadow = how === 'saved' ? old : null;
    director.state = fresh;
    if (how !== 'saved') {
      director.made.clear();
      if (how === 'damaged')
        for (const key of twin.services.map(keyOf)) if (director.kernel.has(key)) director.made.add(key);
      const believed = [...director.made].flatMap((key) => named(key, director.kernel.get(key)));
      twin.forget(new Map(believed), now);
      this.held.clear();
    }
    const found = director.kernel;
    const changed = this.begin(director, true, order);
    if (how === 'damaged') judgeBelieved(director, twin, found);
    // Who begins tells all.
    this.feed(this.nodes[1], { kind: 'share', full: true, entries: shareAll(fresh, now) });
    if (how === 'saved' && this.held.size === 0)
      assert.deepEqual(changed, [], 'B10: a restart changed the table');
    if (how === 'saved')
      assert.deepEqual(wantedTable(fresh, now), wantedTable(old, now), 'B10: another table is wanted');
  }

  /** As the shell begins; the order of what it knows is not always the same. What was changed by it. */
  private begin(node: Node, active: boolean, order: number): Change[] {
    const { config, addresses } = this;
    const inputs: Untimed[] = [
      { kind: 'table', table: node.kernel },
      { kind: 'active', active },
      { kind: 'config', config, addresses },
    ];
    const [first, second, third] = inputs;
    const orders = [
      inputs,
      [second, first, third],
      [third, first, second],
      [third, second, first],
      [first, third, second],
      [second, third, first],
    ];
    stepBalancer(node.state, { now: this.now, kind: 'settings', adopt: false, foreign: 'restore' });
    for (const input of orders[order] ?? inputs)
      if (input !== undefined) stepBalancer(node.state, { ...input, now: this.now } as BalancerInput);
    this.twin.decide(this.now);
    return this.apply(node);
  }

  private failover(full: boolean): void {
    const { now, twin } = this;
    const [old, next] = this.nodes;
    this.shadow = null;
    this.refuseAfter = null;
    if (full) this.feed(next, { kind: 'share', full: true, entries: shareAll(old.state, now) });
    const before = wantedTable(old.state, now);
    this.feed(old, { kind: 'active', active: false });
    this.held.clear();
    for (const key of old.made)
      assert.ok(!old.kernel.has(key), `B12: ${key} is left where this node is not the director`);
    old.made.clear();
    this.nodes = [next, old];
    twin.failover(now);
    twin.decide(now);
    this.feed(next, { kind: 'active', active: true });
    if (twin.exact)
      for (const [key, wanted] of wantedTable(next.state, now))
        if (before.has(key))
          assert.deepEqual(
            sorted(wanted),
            sorted(before.get(key)),
            `B12: the new director wants something else of ${key}`,
          );
    this.feed(old, { kind: 'share', full: true, entries: shareAll(next.state, now) });
  }

  /** To the director, and to what it was before a restart. */
  private tell(input: Untimed): void {
    const events = stepBalancer(this.director.state, { ...input, now: this.now } as BalancerInput);
    if (this.shadow !== null) {
      const same = stepBalancer(this.shadow, { ...input, now: this.now } as BalancerInput);
      assert.deepEqual(telling(events), telling(same), 'B10: a restart says something else');
    }
    this.follow(this.director, events);
  }

  private feed(node: Node, input: Untimed): void {
    this.follow(node, stepBalancer(node.state, { ...input, now: this.now } as BalancerInput));
  }

  private follow(node: Node, events: readonly BalancerEvent[]): void {
    for (const event of events)
      if (event.kind === 'share' && node === this.director)
        stepBalancer(this.nodes[1].state, {
          now: this.now,
          kind: 'share',
          full: false,
          entries: event.entries,
        });
    this.twin.decide(this.now);
    this.apply(node);
  }

  /** What the shell does after every step. */
  private apply(node: Node): Change[] {
    const { now } = this;
    const changes = planChanges(node.state, now);
    if (changes.length === 0) return [];
    for (const change of changes) {
      const made = change.kind === 'add-service' && !node.kernel.has(change.service);
      if (made) node.made.add(change.service);
      assert.ok(node.made.has(change.service), `B6: not its own: ${JSON.stringify(change)}`);
    }
    const { refuseAfter } = this;
    this.refuseAfter = null;
    const [first] = changes;
    if (refuseAfter !== null && first !== undefined && node === this.director) {
      const of = changes.filter(({ service }) => service === first.service);
      const applied = [
        ...changes.filter(({ service }) => service !== first.service),
        ...of.slice(0, refuseAfter),
      ];
      node.kernel = afterChanges(node.kernel, applied);
      this.held.set(first.service, now + RETRY_MS);
      this.shadow = null;
      const services = [first.service];
      stepBalancer(node.state, { now, kind: 'refused', services, why: 'No space left' });
      stepBalancer(node.state, { now, kind: 'table', table: node.kernel });
      if (!node.kernel.has(first.service)) node.made.delete(first.service);
      return applied;
    }
    node.kernel = afterChanges(node.kernel, changes);
    const applied: BalancerInput = { now, kind: 'applied', changes };
    if (node === this.director && this.shadow !== null) stepBalancer(this.shadow, applied);
    this.follow(node, stepBalancer(node.state, applied));
    return changes;
  }

  /** What must hold after every step. */
  private settle(): void {
    const { now, twin, director } = this;
    twin.decide(now);
    const again = this.apply(director).filter(({ service }) => !this.held.has(service));
    for (const [key, until] of this.held) if (until < now) this.held.delete(key);
    // Weights of ramps move with the time alone; nothing else is left over from the step.
    assert.ok(
      again.every(({ kind }) => kind === 'edit-server'),
      `plan: left over: ${JSON.stringify(again)}`,
    );
    const wanted = wantedTable(director.state, now);
    for (const [service, key] of Object.entries(KEYS)) {
      if (this.held.has(key) || !director.made.has(key)) continue;
      const actual = director.kernel.get(key);
      assert.deepEqual(sorted(actual), sorted(wanted.get(key)), `plan: ${key} is not as wanted`);
      if (actual !== undefined) judgeRules(director, twin, service, actual);
      if (twin.exact) judgeTwin(twin, service, actual, now);
    }
  }
}

function newNode(): Node {
  return { state: createBalancer(), kernel: new Map(), made: new Set() };
}
