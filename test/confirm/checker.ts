/** What must hold, seen from outside: from what the nodes saw, who could talk, and what people were told. */

import type {
  CheckRule,
  ConfirmInput,
  ConfirmOutput,
  ConfirmState,
  LedgerRecord,
} from '../../daemon/confirm/types.js';
import { Violation } from '../sim/trace.js';
import type { SimNode, Watcher, World } from './world.js';

/** The rules once more, in the checker's own words: it must not believe the core. */
function needed({ confirm, nodes }: CheckRule): number {
  if (nodes.length === 1) return 1;
  return confirm === 0 ? 2 : Math.min(confirm, nodes.length);
}

function freshMs({ intervalMs, timeoutMs }: CheckRule): number {
  return intervalMs + timeoutMs;
}

export interface Delivery {
  at: number;
  node: string;
  check: string;
  edge: number;
  kind: string;
  id: string;
}

/** Spans of true time during which something held; the last one may be open. */
class Spans {
  private readonly list: { from: number; to: number }[] = [];

  set(holds: boolean, now: number): void {
    const last = this.list.at(-1);
    const open = last !== undefined && last.to === Number.POSITIVE_INFINITY;
    if (holds && !open) this.list.push({ from: now, to: Number.POSITIVE_INFINITY });
    else if (!holds && open && last !== undefined) last.to = now;
  }

  /** All of this time, both ends included. */
  covers(from: number, to: number): boolean {
    return this.list.some((span) => span.from <= from && to <= span.to);
  }

  /** The parts that touch this time. */
  within(from: number, to: number): { from: number; to: number }[] {
    return this.list.filter((span) => span.from <= to && span.to >= from);
  }
}

export class Checker implements Watcher {
  readonly deliveries: Delivery[] = [];
  readonly counts: Record<string, number> = {};
  readonly lines: string[] = [];
  /** Cases in which everything that must be told can be counted: nothing is held back and nothing flaps. */
  private readonly world: World;
  private readonly sights = new Map<string, Spans>();
  private readonly truths = new Map<string, Spans>();
  private readonly links = new Map<string, Spans>();
  private readonly lives = new Map<string, Spans>();
  private readonly saidOnDisk = new Map<string, number>();
  private readonly downFor = new Map<string, number>();
  private readonly reader: boolean;

  constructor(world: World, reader: boolean) {
    this.world = world;
    this.reader = reader;
  }

  private fail(rule: string, text: string): never {
    throw new Violation(rule, text);
  }

  private spans(map: Map<string, Spans>, key: string): Spans {
    let found = map.get(key);
    if (found === undefined) {
      found = new Spans();
      map.set(key, found);
    }
    return found;
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  note(text: string): void {
    if (this.reader) this.lines.push(`${(this.world.agenda.now / 1000).toFixed(2).padStart(9)}  ${text}`);
  }

  /** Called whenever anything may have changed: what every node sees, and who is connected. */
  look(): void {
    const { now } = this.world.agenda;
    for (const node of this.world.nodes) {
      const alive = node.state !== null;
      this.spans(this.lives, node.name).set(alive, now);
      for (const [check, engine] of Object.entries(node.engine)) {
        const rule = this.world.profile.config.checks[check];
        const stale = rule === undefined || now - engine.resultAt > freshMs(rule) + 1;
        this.spans(this.sights, `${check} ${node.name}`).set(alive && engine.sight === 'down' && !stale, now);
        this.spans(this.truths, `${check} ${node.name}`).set(!engine.truth, now);
      }
    }
    for (const [pair, link] of this.world.links) {
      const { connection, ends, open } = link;
      const whole = connection !== 0 && ends[0] === connection && ends[1] === connection;
      this.spans(this.links, pair).set(whole && open[0] && open[1], now);
    }
    for (const check of Object.keys(this.world.profile.config.checks)) this.completeness(check, now);
  }

  stepped(node: SimNode, input: ConfirmInput, before: ConfirmState, outputs: readonly ConfirmOutput[]): void {
    this.look();
    for (const check of Object.keys(node.state?.ledgers ?? {})) {
      const old = before.ledgers[check]?.edge ?? 0;
      const ledger = node.state?.ledgers[check];
      if (ledger === undefined || ledger.edge <= old) continue;
      const key = `${node.name} ${node.life} ${check}`;
      this.edgesAt.set(key, [this.edgesAt.get(key)?.[1] ?? 0, this.world.agenda.now]);
      const kind = ledger.notes.find(({ edge }) => edge === ledger.edge)?.kind;
      if ((input.kind === 'message' && input.message.kind === 'ledger') || kind === 'calm') continue;
      if (ledger.edge % 2 === 1) this.outageDecided(node, check, ledger.edge);
      else this.recoveryDecided(node, check, ledger.edge);
    }
    for (const output of outputs) if (output.kind === 'notify') this.notified(node, output);
  }

  /** K3: there was a moment, lately, at which so many nodes saw it down. */
  private outageDecided(node: SimNode, check: string, edge: number): void {
    const { config, nodes } = this.world.profile;
    const rule = config.checks[check];
    if (rule === undefined) return;
    const { now } = this.world.agenda;
    // What was seen before the edge before this one does not count (K4).
    const from = Math.max(now - 2 * freshMs(rule) - 10_000, this.edgeBefore(node, check));
    const spans = nodes.flatMap((name) => this.spans(this.sights, `${check} ${name}`).within(from, now));
    const moments = spans.map((span) => Math.max(span.from, from));
    const most = Math.max(
      0,
      ...moments.map((moment) => spans.filter((span) => span.from <= moment && moment <= span.to).length),
    );
    this.count('outages confirmed');
    if (most < needed(rule))
      this.fail('false-alarm', `${node.name} confirms ${check}#${edge}, seen by ${most} at most`);
  }

  /** K7, K8: not while so many are seeing it down whom this node was in touch with a moment ago. */
  private recoveryDecided(node: SimNode, check: string, edge: number): void {
    const rule = this.world.profile.config.checks[check];
    if (rule === undefined) return;
    this.count('recoveries found');
    const { now } = this.world.agenda;
    const seeing = this.world.profile.nodes.filter((name) => this.stillDown(node, check, name, rule, now));
    if (seeing.length >= needed(rule))
      this.fail('false-recovery', `${node.name} ends ${check}#${edge}, ${seeing.join(', ')} see it down`);
    this.enoughInTouch(node, check, edge, needed(rule));
    if (!this.spansUp(check, now)) this.fail('false-recovery', `${check}#${edge}: nobody sees it up`);
  }

  /** It has seen it down all the time, as this node must have heard, now or before it lost touch with it. */
  private stillDown(node: SimNode, check: string, name: string, rule: CheckRule, now: number): boolean {
    const { limits } = this.world.profile.config;
    const heard = this.bound(check) / 3 + freshMs(rule);
    const sights = this.spans(this.sights, `${check} ${name}`);
    const truths = this.spans(this.truths, `${check} ${name}`);
    if (name === node.name) return node.engine[check]?.sight === 'down' && sights.covers(now - 1, now);
    const links = this.spans(this.links, pairOf(name, node.name));
    for (const gap of [0, 5_000, 20_000, limits.holdMs / 2]) {
      if (heard + gap > limits.holdMs) continue;
      const [from, to] = [now - heard - gap, now - gap];
      if (!sights.covers(from, to) || !truths.covers(from, now) || !links.covers(from, to)) continue;
      if (gap === 0 || this.knewFor(node, check, heard + gap)) return true;
    }
    return false;
  }

  /** When the last edge but one came to be known, in true time. */
  private edgeBefore(node: SimNode, check: string): number {
    return this.edgesAt.get(`${node.name} ${node.life} ${check}`)?.[0] ?? 0;
  }

  private readonly edgesAt = new Map<string, [before: number, last: number]>();

  /** K7: who is alone, or nearly so, ends nothing that the others may still see. */
  private enoughInTouch(node: SimNode, check: string, edge: number, need: number): void {
    const touch = node.state?.connected ?? [];
    const others = this.world.profile.nodes.length - 1 - touch.length;
    if (touch.length + 1 < need && others >= need)
      this.fail('false-recovery', `${node.name} ends ${check}#${edge} with ${touch.length} peers in touch`);
  }

  private knewFor(node: SimNode, check: string, time: number): boolean {
    const since = this.oddSince.get(`${check} ${node.name}`);
    return since !== undefined && this.world.agenda.now - since >= time;
  }

  private readonly oddSince = new Map<string, number>();

  /** Somebody's engine said up within what counts as fresh. */
  private spansUp(check: string, now: number): boolean {
    const rule = this.world.profile.config.checks[check];
    const back = rule === undefined ? 0 : 2 * freshMs(rule) + 10_000;
    return this.world.nodes.some(({ name, state, engine }) => {
      if (state !== null && engine[check]?.sight === 'up') return true;
      const spans = this.spans(this.sights, `${check} ${name}`);
      return !spans.covers(now - back, now);
    });
  }

  /**
   * K6: where enough nodes that are all connected have seen it down for the bound, each of them knows of the outage.
   */
  private completeness(check: string, now: number): void {
    const { config, nodes } = this.world.profile;
    const rule = config.checks[check];
    if (rule === undefined) return;
    const bound = this.bound(check);
    for (const node of this.world.nodes) {
      this.lateness(node, now);
      const key = `${check} ${node.name}`;
      const odd = (node.state?.ledgers[check]?.edge ?? 0) % 2 === 1;
      if (!odd) this.oddSince.delete(key);
      else if (!this.oddSince.has(key)) this.oddSince.set(key, now);
      if (node.state === null || node.engine[check]?.sight !== 'down' || odd || node.hung) {
        this.downFor.delete(key);
        continue;
      }
      const since = this.downFor.get(key) ?? now;
      this.downFor.set(key, since);
      if (now - since < bound) continue;
      const with_ = nodes.filter((name) => this.sawLong(check, name, node.name, now, bound));
      if (with_.length >= needed(rule))
        this.fail('missed', `${with_.join(', ')} see ${check} down for ${bound} ms and nothing is confirmed`);
    }
  }

  private sawLong(check: string, name: string, node: string, now: number, bound: number): boolean {
    if (!this.spans(this.sights, `${check} ${name}`).covers(now - bound, now)) return false;
    return name === node || this.spans(this.links, pairOf(name, node)).covers(now - bound, now);
  }

  /** How long it may take to be confirmed. */
  bound(check: string): number {
    const { config, latencyMs } = this.world.profile;
    const rule = config.checks[check];
    return rule === undefined ? 0 : 3 * (freshMs(rule) + config.limits.askMs + 10_000 + 2 * latencyMs);
  }

  private notified(node: SimNode, { check, edge }: Extract<ConfirmOutput, { kind: 'notify' }>): void {
    this.count('notify');
    this.note(`${node.name} tells people of ${check}#${edge}`);
    if (edge <= (this.saidOnDisk.get(`${node.name} ${check}`) ?? 0))
      this.fail(
        'told-again',
        `${node.name} tells ${check}#${edge} again, though it has written down that it was told`,
      );
    if ((node.state?.ledgers[check]?.stored ?? 0) < edge || (node.disk[check]?.edge ?? 0) < edge)
      this.fail('not-recorded', `${node.name} tells ${check}#${edge} before it is on its disk`);
    if (check !== 'web' || edge % 2 === 0 || node.state?.ledgers.web?.edge !== edge) return;
    const gw = this.world.profile.config.checks.gw;
    const { now } = this.world.agenda;
    const noted = node.state?.ledgers.web?.notes.find((note) => note.edge === edge);
    if (gw === undefined || noted === undefined) return;
    const begun = noted.at + node.bootAt - gw.timeoutMs - 1;
    const late = now - begun >= 3 * freshMs(gw);
    const seen =
      node.engine.gw?.sight === 'down' &&
      this.spans(this.sights, `gw ${node.name}`).covers(now - freshMs(gw), now);
    if (seen || (!late && !node.hung && this.spans(this.truths, `gw ${node.name}`).covers(begun, now)))
      this.fail('behind', `${node.name} tells ${check}#${edge} while it sees gw down`);
  }

  stored(node: SimNode, check: string, record: LedgerRecord): void {
    const key = `${node.name} ${check}`;
    this.saidOnDisk.set(key, Math.max(this.saidOnDisk.get(key) ?? 0, record.said));
  }

  delivered(node: SimNode, check: string, edge: number, kind: string, id: string): void {
    const { now } = this.world.agenda;
    this.count('told');
    this.note(`PEOPLE are told ${id} (${kind}) by ${node.name}`);
    for (const first of this.deliveries) {
      if (first.id !== id) continue;
      this.count('told twice');
      const died = !this.spans(this.lives, first.node).covers(first.at, now);
      if (!died && this.couldTalk(first, node.name, now))
        this.fail('twice', `${id} is told by ${first.node} and by ${node.name}, who can talk`);
    }
    const { flapEdges, flapWindowMs } = this.world.profile.config.limits;
    const lately = this.deliveries.filter((other) => other.check === check && now - other.at < flapWindowMs);
    if (
      flapEdges > 0 &&
      !this.sidesApart &&
      !this.counts.mail &&
      !this.counts.crash &&
      new Set(lately.map((other) => other.id)).size > flapEdges + 2
    )
      this.fail('flapping', `people are told ${id}, and were told ${lately.length} edges lately`);
    if (kind === 'up' && !this.deliveries.some((other) => other.check === check && other.kind !== 'up'))
      this.fail('recovery', `${id} is a recovery, and nobody was told of an outage`);
    if (kind === 'up') this.recoveryTold(check, edge, id);
    this.deliveries.push({ at: now, node: node.name, check, edge, kind, id });
  }

  /** Directly, or both with a third node, from before the first one claimed it until now. */
  private couldTalk(first: Delivery, second: string, now: number): boolean {
    if (first.node === second) return true;
    const { mailMs, nodes, config } = this.world.profile;
    const from = first.at - mailMs - 2 * config.limits.claimMs;
    const whole = (a: string, b: string): boolean => this.spans(this.links, pairOf(a, b)).covers(from, now);
    if (whole(first.node, second)) return true;
    return nodes.some(
      (name) => name !== first.node && name !== second && whole(first.node, name) && whole(name, second),
    );
  }

  /** E6: an edge that a node could tell is told by someone within the bound, whoever has died meanwhile. */
  private lateness(node: SimNode, now: number): void {
    const ledger = node.state?.ledgers.gw;
    const { nodes, detectMs, mailMs, config } = this.world.profile;
    const { claimMs, turnMs } = config.limits;
    const key = `${node.name} ${node.life}`;
    const works = this.world.nodes.every(({ mailWorks }) => mailWorks);
    if (ledger === undefined || ledger.told >= ledger.edge || !works) {
      this.waiting.delete(key);
      return;
    }
    const waiting = this.waiting.get(key);
    if (waiting === undefined || waiting.told !== ledger.told)
      this.waiting.set(key, { told: ledger.told, since: now });
    else if (now - waiting.since > 2 * claimMs + detectMs + mailMs + (3 * nodes.length + 2) * turnMs)
      this.fail(
        'late',
        `${node.name} could tell gw#${ledger.told + 1} since ${waiting.since} ms, and nobody does`,
      );
  }

  private readonly waiting = new Map<string, { told: number; since: number }>();

  /** E5: the last that people were told before a recovery was an outage. */
  private recoveryTold(check: string, edge: number, id: string): void {
    const earlier = this.deliveries.filter((other) => other.check === check && other.edge < edge);
    const last = earlier.reduce((most, other) => Math.max(most, other.edge), 0);
    if (last % 2 !== 1) this.fail('recovery', `${id} is a recovery, and the last people heard was #${last}`);
  }

  /** After everything is healed and quiet: all agree, all is told, and people believe what is so. */
  end(): void {
    const { nodes, profile } = this.world;
    for (const [check, rule] of Object.entries(profile.config.checks)) {
      const ledgers = nodes.map(({ state }) => state?.ledgers[check]);
      const words = ledgers.map((ledger) =>
        ledger === undefined ? 'none' : `${ledger.edge}/${ledger.told}/${ledger.said}/${ledger.flap}`,
      );
      if (new Set(words).size > 1) this.fail('disagree', `${check}: ${words.join(', ')}`);
      const down = nodes.filter(({ engine }) => engine[check]?.sight === 'down').length >= needed(rule);
      const edge = ledgers[0]?.edge ?? 0;
      if (down !== (edge % 2 === 1))
        this.fail('missed', `${check} is ${down ? 'down' : 'up'}, and its edge is ${edge}`);
      if (ledgers.some((ledger) => (ledger?.flap ?? 0) !== 0)) this.fail('flapping', `${check} is not calm`);
      const told = this.deliveries.filter((delivery) => delivery.check === check);
      const last = told.reduce((most, delivery) => Math.max(most, delivery.edge), 0);
      const held = check === 'web' && nodes.some(({ engine }) => engine.gw?.sight === 'down');
      if (!held && down !== (last % 2 === 1))
        this.fail('untold', `${check} is ${down ? 'down' : 'up'}, and people were last told #${last}`);
      if (check === 'gw' && profile.config.limits.flapEdges === 0 && !this.sidesApart)
        this.allTold(told, edge, check);
      if (nodes.some(({ state }) => state?.troubles[check] !== undefined) && !down && edge === 0)
        this.fail('memory', `${check} is up and never was down, and is remembered`);
    }
  }

  /** Nothing holds this check back: each of its edges was told, late rather than never. */
  private allTold(told: readonly Delivery[], edge: number, check: string): void {
    for (let number = 1; number <= edge; number += 1)
      if (!told.some((delivery) => delivery.edge === number))
        this.fail('untold', `${check}#${number} was never told`);
  }

  /** Two sides counted apart, so that one's numbers may have covered the other's. */
  sidesApart = false;
}

function pairOf(a: string, b: string): string {
  return a < b ? `${a}${b}` : `${b}${a}`;
}
