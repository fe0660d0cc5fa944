/** A few nodes of the core on one table: every message is delivered at once, unless the test keeps it. */
import { initConfirm, stepConfirm } from '../../daemon/confirm/confirm.js';
import type {
  CheckRule,
  ConfirmConfig,
  ConfirmInput,
  ConfirmMessage,
  ConfirmOutput,
  ConfirmState,
  LedgerRecord,
  View,
} from '../../daemon/confirm/types.js';
import { decodePeerMessage, encodePeerMessage } from '../../proto/codec.js';
import { freezeEntries } from '../sim/freeze.js';

export const LIMITS = {
  ...{ askMs: 10_000, holdMs: 120_000, turnMs: 5_000, claimMs: 30_000, sendMs: 60_000 },
  ...{ flapEdges: 0, flapWindowMs: 600_000, calmMs: 600_000 },
};

export function ruleFor(nodes: readonly string[], more: Partial<CheckRule> = {}): CheckRule {
  return { nodes, confirm: 0, intervalMs: 10_000, timeoutMs: 5_000, depends: [], ...more };
}

export const DOWN: View = {
  ...{ sight: 'down', forMs: 0, resultAgeMs: 0, failing: true, nature: 'refused', address: '192.0.2.7' },
  ...{ latencyMs: 2, goodAgoMs: 10_000 },
};
export const UP: View = { ...DOWN, sight: 'up', failing: false, nature: 'ok', goodAgoMs: 0 };

export class Table {
  now = 1_000_000;
  readonly states: Record<string, ConfirmState | undefined> = {};
  /** What each node's engine would say. */
  readonly truth: Record<string, View> = {};
  readonly told: string[] = [];
  readonly logs: string[] = [];
  readonly outputs: { node: string; output: ConfirmOutput }[] = [];
  readonly disk: Record<string, Record<string, LedgerRecord>> = {};
  readonly cuts = new Set<string>();
  /** Alerts are sent at once by these. */
  readonly senders = new Set<string>();
  /** Boot clocks of the machines, apart by this. */
  readonly clocks: Record<string, number> = {};
  readonly config: ConfirmConfig;
  readonly names: readonly string[];
  private readonly lives: Record<string, number> = {};
  private readonly queue: (() => void)[] = [];

  constructor(names: readonly string[], config: Partial<ConfirmConfig> = {}) {
    this.names = names;
    this.config = { domain: 'x', limits: LIMITS, checks: { web: ruleFor(names) }, ...config };
    for (const name of names) {
      this.senders.add(name);
      this.start(name);
    }
    this.deliver();
  }

  start(name: string): void {
    const clock = this.now + (this.clocks[name] ?? 0);
    this.lives[name] = (this.lives[name] ?? 0) + 1;
    this.states[name] = initConfirm(name, this.config, this.disk[name] ?? {}, 0, clock, this.now);
    for (const other of this.names) {
      if (other === name || this.states[other] === undefined || this.cuts.has(pair(name, other))) continue;
      this.step(name, { kind: 'connected', peer: other });
      this.step(other, { kind: 'connected', peer: name });
    }
  }

  crash(name: string): void {
    this.states[name] = undefined;
    for (const other of this.names) if (other !== name) this.step(other, { kind: 'lost', peer: name });
    this.deliver();
  }

  cut(a: string, b: string): void {
    this.cuts.add(pair(a, b));
    this.step(a, { kind: 'lost', peer: b });
    this.step(b, { kind: 'lost', peer: a });
    this.deliver();
  }

  mend(a: string, b: string): void {
    this.cuts.delete(pair(a, b));
    this.step(a, { kind: 'connected', peer: b });
    this.step(b, { kind: 'connected', peer: a });
    this.deliver();
  }

  see(name: string, check: string, view: View): void {
    this.truth[`${name} ${check}`] = view;
    this.step(name, { kind: 'seen', check, view });
    this.deliver();
  }

  input(name: string, input: ConfirmInput): void {
    this.step(name, input);
    this.deliver();
  }

  /** Lets time pass, a second at a time. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.now += 1_000;
      for (const [key, view] of Object.entries(this.truth))
        this.truth[key] = { ...view, forMs: view.forMs + 1_000 };
      for (const name of this.names) this.step(name, { kind: 'tick' });
      this.deliver();
    }
  }

  edge(name: string, check = 'web'): number {
    return this.states[name]?.ledgers[check]?.edge ?? 0;
  }

  /** Does what is under way, in its order. More than this is a loop. */
  private deliver(): void {
    let left = 10_000;
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      next();
      left -= 1;
      if (left === 0) throw new Error(`no end: ${JSON.stringify(this.outputs.slice(-8))}`);
    }
  }

  /** Soon, if the node still lives. */
  private soon(name: string, input: ConfirmInput): void {
    const { lives } = this;
    const life = lives[name];
    this.queue.push(() => {
      if (lives[name] === life) this.step(name, input);
    });
  }

  private transmit(from: string, to: string, message: ConfirmMessage): void {
    this.queue.push(() => {
      if (this.states[from] === undefined || this.cuts.has(pair(from, to))) return;
      this.step(to, { kind: 'message', from, message: overWire(message) });
    });
  }

  private step(name: string, input: ConfirmInput): void {
    const before = this.states[name];
    if (before === undefined) return;
    freezeEntries(before, ['ledgers', 'troubles']);
    const result = stepConfirm(before, input, this.now + (this.clocks[name] ?? 0), this.now);
    this.states[name] = result.state;
    for (const output of result.outputs) {
      this.outputs.push({ node: name, output });
      this.carryOut(name, output);
    }
  }

  private carryOut(name: string, output: ConfirmOutput): void {
    if (output.kind === 'send') this.transmit(name, output.to, output.message);
    else if (output.kind === 'log') this.logs.push(`${name} ${output.check}: ${output.text}`);
    else if (output.kind === 'record' && output.record !== null) {
      this.disk[name] = { ...this.disk[name], [output.check]: output.record };
      this.soon(name, { kind: 'recorded', check: output.check, edge: output.edge });
    } else if (output.kind === 'check-now')
      this.soon(name, {
        ...{ kind: 'seen', check: output.check },
        view: this.truth[`${name} ${output.check}`] ?? { ...UP, forMs: 1_000_000 },
      });
    else if (output.kind === 'notify' && this.senders.has(name)) {
      this.told.push(`${output.id} ${output.facts.what} by ${name}`);
      this.soon(name, { kind: 'sent', check: output.check, edge: output.edge });
    }
  }
}

/** The message as it comes out of a frame: what nodes say must be within the ranges of the wire. */
export function overWire(message: ConfirmMessage): ConfirmMessage {
  const decoded = decodePeerMessage(encodePeerMessage({ kind: 'confirm', message }));
  if (decoded.kind === 'message' && decoded.message.kind === 'confirm') return decoded.message.message;
  throw new Error(`${JSON.stringify(decoded)}: ${JSON.stringify(message)}`);
}

function pair(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
