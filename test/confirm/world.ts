/** The simulated cluster: the real core on every node, its engine, disk, mail, and the connections between the nodes. */
import { confirmWakeAt, initConfirm, stepConfirm } from '../../daemon/confirm/confirm.js';
import type {
  ConfirmInput,
  ConfirmMessage,
  ConfirmOutput,
  ConfirmState,
  LedgerRecord,
  Sight,
  View,
} from '../../daemon/confirm/types.js';
import { Agenda } from '../sim/agenda.js';
import { freezeEntries } from '../sim/freeze.js';
import { overWire } from './given.js';
import type { Profile } from './profile.js';

/** A check as one node's engine has it. */
export interface EngineCheck {
  /** What the node would see if it looked: the service, from there. */
  truth: boolean;
  sight: Sight;
  since: number;
  resultAt: number;
  failing: boolean;
  row: number;
  goodAt: number | null;
}

export interface SimNode {
  name: string;
  /** Rises at every start and every crash: what belongs to an earlier life does not happen. */
  life: number;
  state: ConfirmState | null;
  bootAt: number;
  wallOffset: number;
  disk: Record<string, LedgerRecord>;
  floor: number;
  engine: Record<string, EngineCheck>;
  mailWorks: boolean;
  /** The engine hangs: no results. */
  hung: boolean;
  tickAt: number;
}

/** One connection, from both ends: broken ones are noticed by each end by itself. */
export interface Link {
  /** Each direction carries messages. */
  open: [boolean, boolean];
  /** Rises with every connection; 0: there is none. */
  connection: number;
  lastConnection: number;
  /** Which connection each end believes in. */
  ends: [number, number];
  queueAt: [number, number];
}

export interface Watcher {
  stepped(node: SimNode, input: ConfirmInput, before: ConfirmState, outputs: readonly ConfirmOutput[]): void;
  delivered(node: SimNode, check: string, edge: number, kind: string, id: string): void;
  stored(node: SimNode, check: string, record: LedgerRecord): void;
  /** Something that a reader of the run wants to know. */
  note(text: string): void;
}

export class World {
  readonly agenda = new Agenda();
  readonly nodes: SimNode[];
  readonly links = new Map<string, Link>();
  watcher: Watcher | null = null;
  readonly profile: Profile;
  steps = 0;
  /** The next node to tell people is killed while it does. */
  ambush = false;

  constructor(profile: Profile) {
    this.profile = profile;
    const { prng } = profile;
    this.nodes = profile.nodes.map((name) => ({
      ...{
        name,
        life: 0,
        state: null,
        bootAt: 0,
        disk: {},
        floor: 0,
        engine: {},
        mailWorks: true,
        hung: false,
        tickAt: 0,
      },
      wallOffset: prng.range(-12, 12) * 3_600_000,
    }));
    for (const [index, a] of profile.nodes.entries())
      for (const b of profile.nodes.slice(index + 1))
        this.links.set(`${a}${b}`, {
          ...{ open: [true, true], connection: 0, lastConnection: 0, ends: [0, 0], queueAt: [0, 0] },
        });
    for (const node of this.nodes)
      for (const check of Object.keys(profile.config.checks)) node.engine[check] = newCheck();
  }

  now(node: SimNode): number {
    return this.agenda.now - node.bootAt;
  }

  node(name: string): SimNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  link(a: string, b: string): { link: Link; end: 0 | 1 } {
    const link = this.links.get(a < b ? `${a}${b}` : `${b}${a}`);
    if (link === undefined) throw new Error(`no link ${a} ${b}`);
    return { link, end: a < b ? 0 : 1 };
  }

  start(node: SimNode): void {
    if (node.state !== null) return;
    node.life += 1;
    node.bootAt = this.agenda.now - this.profile.prng.range(0, 1_000_000);
    const wall = this.agenda.now + node.wallOffset;
    const { config } = this.profile;
    node.state = initConfirm(node.name, config, node.disk, node.floor, this.now(node), wall);
    this.watcher?.note(`${node.name} starts`);
    for (const check of Object.keys(node.engine)) {
      const { truth } = node.engine[check] as EngineCheck;
      node.engine[check] = { ...newCheck(), truth };
      this.engineRound(node, check, this.profile.prng.range(0, config.checks[check]?.intervalMs ?? 0));
    }
    this.wake(node);
  }

  crash(node: SimNode): void {
    if (node.state === null) return;
    node.life += 1;
    node.state = null;
    node.hung = false;
    this.watcher?.note(`${node.name} crashes`);
    for (const other of this.nodes) if (other !== node) this.breakLink(node.name, other.name);
  }

  /** Does something in this life of the node, or not at all. */
  later(node: SimNode, delay: number, run: () => void): void {
    const { life } = node;
    this.agenda.after(delay, () => {
      if (node.life === life) run();
    });
  }

  step(node: SimNode, input: ConfirmInput): void {
    if (node.state === null) return;
    this.steps += 1;
    const before = {
      ...node.state,
      ledgers: { ...node.state.ledgers },
      troubles: { ...node.state.troubles },
    };
    if (this.profile.seed % 8 === 0) freezeEntries(node.state, ['ledgers', 'troubles']);
    const result = stepConfirm(node.state, input, this.now(node), this.agenda.now + node.wallOffset);
    node.state = result.state;
    this.watcher?.stepped(node, input, before, result.outputs);
    for (const output of result.outputs) this.carryOut(node, output);
    this.wake(node);
  }

  private wake(node: SimNode): void {
    if (node.state === null || node.tickAt > this.agenda.now) return;
    const at = confirmWakeAt(node.state, this.now(node)) + node.bootAt;
    if (at === Number.POSITIVE_INFINITY) return;
    node.tickAt = at;
    this.agenda.at(at, () => {
      if (node.tickAt === at) node.tickAt = 0;
      this.step(node, { kind: 'tick' });
    });
  }

  private carryOut(node: SimNode, output: ConfirmOutput): void {
    const { prng, diskMs } = this.profile;
    if (output.kind === 'send') this.transmit(node, output.to, output.message);
    else if (output.kind === 'check-now') this.checkNow(node, output.check, output.freshMs);
    else if (output.kind === 'notify') this.mail(node, output);
    else if (output.kind === 'record') {
      const { check, edge, record } = output;
      this.later(node, prng.range(0, diskMs), () => {
        // Written in any order, a shell keeps the newest.
        if (record !== null && !isOlder(record, node.disk[check])) {
          node.disk[check] = record;
          this.watcher?.stored(node, check, record);
        }
        this.step(node, { kind: 'recorded', check, edge });
      });
    } else if (output.kind === 'log') this.watcher?.note(`${node.name} ${output.check}: ${output.text}`);
  }

  private mail(node: SimNode, { check, edge, id, facts }: Extract<ConfirmOutput, { kind: 'notify' }>): void {
    const { prng, mailMs, ackMs } = this.profile;
    if (this.ambush) {
      this.ambush = false;
      this.later(node, prng.range(1, mailMs + ackMs), () => this.crash(node));
    }
    this.later(node, prng.range(0, mailMs), () => {
      if (!node.mailWorks) {
        this.step(node, { kind: 'failed', check, edge, why: 'the mail server is down' });
        return;
      }
      // A shell whose mail is not necessary any more drops it while it can.
      const turn = node.state?.troubles[check]?.turn;
      if (turn?.phase !== 'sending' || turn.edge !== edge) return;
      this.watcher?.delivered(node, check, edge, facts.what, id);
      this.later(node, prng.range(0, ackMs), () => this.step(node, { kind: 'sent', check, edge }));
    });
  }

  private transmit(node: SimNode, to: string, said: ConfirmMessage): void {
    const message = this.profile.seed % 8 === 0 ? overWire(said) : said;
    const { prng, latencyMs } = this.profile;
    const { link, end } = this.link(node.name, to);
    const { connection } = link;
    if (connection === 0 || link.ends[end] !== connection || !link.open[end]) return;
    const at = Math.max(link.queueAt[end], this.agenda.now + prng.range(1, latencyMs));
    link.queueAt[end] = at;
    this.agenda.at(at, () => {
      // What was under way on a connection that broke is lost, and so is what meets a cut.
      if (link.ends[1 - end] !== connection || !link.open[end]) return;
      this.step(this.node(to), { kind: 'message', from: node.name, message });
    });
  }

  connect(a: string, b: string): void {
    const { link } = this.link(a, b);
    const [first, second] = a < b ? [a, b] : [b, a];
    const here = [first, second].map((name) => this.node(name));
    if (link.connection !== 0 || !link.open[0] || !link.open[1]) return;
    if (link.ends[0] !== 0 || link.ends[1] !== 0 || here.some(({ state }) => state === null)) return;
    link.lastConnection += 1;
    link.connection = link.lastConnection;
    link.ends = [link.connection, link.connection];
    link.queueAt = [0, 0];
    this.step(this.node(first), { kind: 'connected', peer: second });
    this.step(this.node(second), { kind: 'connected', peer: first });
  }

  /** The connection is gone; each end notices in its own time. */
  breakLink(a: string, b: string): void {
    const { link } = this.link(a, b);
    const { connection } = link;
    if (connection === 0) return;
    link.connection = 0;
    for (const [end, name] of (a < b ? [a, b] : [b, a]).entries()) {
      const notice = (): void => {
        if (link.ends[end] !== connection) return;
        link.ends[end] = 0;
        this.step(this.node(name), { kind: 'lost', peer: name === a ? b : a });
      };
      if (this.node(name).state === null) link.ends[end] = 0;
      else this.agenda.after(this.profile.prng.range(1, this.profile.detectMs), notice);
    }
  }

  /** Looks at a service every interval, while this life lasts. */
  private engineRound(node: SimNode, check: string, delay: number): void {
    const { intervalMs = 0, timeoutMs = 0 } = this.profile.config.checks[check] ?? {};
    this.later(node, delay, () => {
      this.look(node, check, this.profile.prng.range(0, Math.min(timeoutMs, intervalMs / 2)), false);
      this.engineRound(node, check, intervalMs);
    });
  }

  private look(node: SimNode, check: string, takesMs: number, tell: boolean): void {
    const mine = node.engine[check] as EngineCheck;
    const up = mine.truth;
    if (node.hung) return;
    this.later(node, takesMs, () => {
      const { now } = this.agenda;
      mine.row = mine.failing === !up ? mine.row + 1 : 1;
      mine.failing = !up;
      mine.resultAt = now;
      if (up) mine.goodAt = now;
      const sight = up ? 'up' : 'down';
      const turned = mine.sight !== sight && (up || mine.row >= this.profile.fall);
      if (turned) {
        mine.sight = sight;
        mine.since = now;
      }
      if (turned || tell) this.step(node, { kind: 'seen', check, view: this.view(mine) });
    });
  }

  private checkNow(node: SimNode, check: string, freshMs: number): void {
    const mine = node.engine[check] as EngineCheck;
    const { prng, config } = this.profile;
    if (node.hung) return;
    if (mine.sight !== 'unknown' && this.agenda.now - mine.resultAt <= freshMs)
      this.later(node, 1, () => this.step(node, { kind: 'seen', check, view: this.view(mine) }));
    else this.look(node, check, prng.range(1, config.checks[check]?.timeoutMs ?? 1), true);
  }

  private view(mine: EngineCheck): View {
    const { now } = this.agenda;
    return {
      ...{
        sight: mine.sight,
        forMs: now - mine.since,
        resultAgeMs: now - mine.resultAt,
        failing: mine.failing,
      },
      ...{ nature: mine.failing ? 'refused' : 'ok', address: '192.0.2.7', latencyMs: 3 },
      goodAgoMs: mine.goodAt === null ? null : now - mine.goodAt,
    };
  }
}

function newCheck(): EngineCheck {
  return {
    ...{
      truth: true,
      sight: 'unknown',
      since: 0,
      resultAt: Number.NEGATIVE_INFINITY,
      failing: false,
      row: 0,
    },
    goodAt: null,
  };
}

function isOlder(record: LedgerRecord, stored: LedgerRecord | undefined): boolean {
  if (stored === undefined) return false;
  return record.edge < stored.edge || record.told < stored.told || record.said < stored.said;
}
