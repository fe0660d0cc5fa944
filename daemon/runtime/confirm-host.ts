/**
 * Confirmation on this node: feeds the pure core (daemon/confirm) with what happens, and carries out what it decides. What comes in is
 * taken a hundred at a time, with room for all else in between: the leases of resources come first in this process.
 */

import type { AlertDesk } from '../alerts/types.js';
import type { ResultView } from '../checks/ipc.js';
import { describeNature, type Nature } from '../checks/natures.js';
import type { CheckSpec, MonitorConfig } from '../checks/spec.js';
import { confirmWakeAt, initConfirm, stepConfirm } from '../confirm/confirm.js';
import { type LedgerObservation, observeLedger } from '../confirm/observe.js';
import type {
  ConfirmConfig,
  ConfirmInput,
  ConfirmMessage,
  ConfirmOutput,
  ConfirmState,
  ConfirmStep,
  NodeName,
  View,
} from '../confirm/types.js';
import type { NetLog } from '../net/log.js';
import type { Store } from '../state/store.js';
import { messageOf } from '../sys/errors.js';
import { confirmConfigOf } from './confirm-config.js';
import { createConfirmDisk } from './confirm-disk.js';
import { createLooks } from './confirm-looks.js';
import { createPost } from './confirm-post.js';
import type { MonitorHost, NamedView } from './monitor-host.js';
import { createWake } from './wake.js';

export interface ConfirmHost {
  /** What is monitored from now on; a node that does not monitor takes no part. */
  /** `leftAlone`: checks of which nothing is told, since a resource that they judge is in maintenance; with those. */
  configure(config: MonitorConfig | null, leftAlone?: ReadonlyMap<string, string>): void;
  /** An edge, as the monitor process tells it. */
  seen(view: NamedView, last: ResultView): void;
  /** The monitor process is lost. */
  blind(): void;
  /** It checks (again): what was down before is looked at anew. */
  ready(): void;
  link(node: NodeName, up: boolean): void;
  message(from: NodeName, message: ConfirmMessage): void;
  /** The alert desk's word on an edge: '' where it is told, else why not. */
  told(check: string, edge: number, why: string): void;
  /** null where this node takes no part, or has not read yet what it knew. */
  state(): ConfirmState | null;
  /** '' or why not. */
  ack(check: string, by: string): string;
  /** `forMs` 0 ends a mute. */
  mute(check: string, forMs: number): string;
  /** Resolves when all is on disk. */
  close(): Promise<void>;
}

export interface ConfirmHostOptions {
  node: NodeName;
  store: Store;
  log: NetLog;
  monitor: Pick<MonitorHost, 'look' | 'run' | 'sight'>;
  desk: Pick<AlertDesk, 'tell' | 'cancel'>;
  /** False: there is no connection. */
  send: (to: NodeName, message: ConfirmMessage) => boolean;
  /** Bytes on their way that the peer has not read. */
  waiting: (to: NodeName) => number;
  /** CLOCK_BOOTTIME and the wall clock, in milliseconds. */
  clock: () => number;
  wall: () => number;
  /** After every step. */
  changed: () => void;
  /** Something has become of a check: an edge, or that people were told. */
  observed?: (check: string, seen: LedgerObservation) => void;
}

/** Inputs of one step, and checks that a tick looks at in one: a few milliseconds each. */
const STEP_MAX = 100;
const TICK_MAX = 500;
/** A step costs the more, the more checks are in trouble: for each millisecond of one, so many are left to all else. */
const REST = 4;
const REST_MS_MAX = 200;
/** Longer than anybody means: ten years. */
const MUTE_MS_MAX = 315_360_000_000;

export function createConfirmHost(options: ConfirmHostOptions): ConfirmHost {
  const { node, log, monitor, desk, clock, wall } = options;
  const startedAt = clock();
  let config: ConfirmConfig | null = null;
  let state: ConfirmState | null = null;
  /** Rises with every beginning and end of taking part. */
  let part = 0;
  let specs = new Map<string, CheckSpec>();
  const connected = new Set<NodeName>();
  /** What waits for the next step; of what comes twice the newest alone. */
  const inputs = new Map<string, ConfirmInput>();
  let links = 0;
  let cancelScheduled: (() => void) | null = null;
  let restMs = 0;
  /** What is left of the checks that the present tick has to look at; the next tick is set when none is. */
  let round: string[] = [];
  let tickSet = false;
  /** When edges were told, and what the last results were, of checks that had any. */
  const edgeAt = new Map<string, number>();
  const results = new Map<string, ResultView>();

  const has = (check: string): boolean => specs.has(check);
  const post = createPost({ send: options.send, waiting: options.waiting });
  const disk = createConfirmDisk({
    ...{ store: options.store, log },
    recorded: (check, edge) => put(`recorded ${check}`, { kind: 'recorded', check, edge }),
  });
  const looks = createLooks({ monitor, has, seen: looked });
  const wake = createWake(clock, () => {
    tickSet = false;
    round = Object.keys(state?.troubles ?? {});
    schedule();
  });

  /** Keeps an input for the next step, behind all that came before. */
  function put(key: string, input: ConfirmInput): void {
    if (config === null) return;
    inputs.delete(key);
    inputs.set(key, input);
    schedule();
  }

  function schedule(): void {
    if (state === null || cancelScheduled !== null) return;
    if (restMs < 1) {
      const immediate = setImmediate(drain);
      cancelScheduled = () => clearImmediate(immediate);
    } else {
      const timer = setTimeout(drain, restMs);
      cancelScheduled = () => clearTimeout(timer);
    }
  }

  function unschedule(): void {
    cancelScheduled?.();
    cancelScheduled = null;
  }

  function drain(): void {
    cancelScheduled = null;
    if (state === null) return;
    const begun = clock();
    const taken: ConfirmInput[] = [];
    for (const [key, input] of inputs) {
      if (taken.length === STEP_MAX) break;
      taken.push(input);
      inputs.delete(key);
    }
    const checks = round.splice(0, TICK_MAX);
    if (checks.length > 0) taken.push({ kind: 'tick', checks });
    if (taken.length > 0) step(taken);
    restMs = Math.min(REST * (clock() - begun), REST_MS_MAX);
    if (inputs.size > 0 || round.length > 0) schedule();
    if (round.length > 0 || tickSet) return;
    const at = confirmWakeAt(state, clock());
    tickSet = Number.isFinite(at);
    wake.at(at);
  }

  function step(taken: readonly ConfirmInput[]): void {
    if (state === null) return;
    let outputs: readonly ConfirmOutput[] = [];
    let ledgersBefore: ConfirmStep['ledgersBefore'] = new Map();
    try {
      ({ state, outputs, ledgersBefore } = stepConfirm(state, taken, clock(), wall()));
    } catch (error) {
      // The resources of this node are worth more than a word on a check: what cannot be taken in is left out, and nothing else.
      if (taken.length > 1) for (const one of taken) step([one]);
      else log.error({}, `confirmation cannot take in ${taken[0]?.kind}: ${messageOf(error)}`);
    }
    for (const output of outputs) carryOut(output);
    observe(ledgersBefore);
    options.changed();
  }

  function observe(ledgersBefore: ConfirmStep['ledgersBefore']): void {
    if (options.observed === undefined || state === null) return;
    for (const [check, before] of ledgersBefore) {
      const ledger = state.ledgers[check];
      if (ledger === undefined) continue;
      for (const seen of observeLedger(before, ledger, state.floor, clock())) options.observed(check, seen);
    }
  }

  function carryOut(output: ConfirmOutput): void {
    switch (output.kind) {
      case 'send':
        return post.send(output.to, output.message);
      case 'check-now':
        return looks.want(output.check, output.freshMs);
      case 'notify':
        return notify(output);
      case 'cancel':
        return desk.cancel(output.check, output.edge);
      case 'record':
        return disk.record(output.check, output.edge, output.record);
      case 'floor':
        return disk.floor(output.floor);
      case 'log':
        return log[output.level]({ check: output.check }, `check ${output.check}: ${output.text}`);
    }
  }

  function notify({ check, edge, id, messageId, facts }: Extract<ConfirmOutput, { kind: 'notify' }>): void {
    const spec = specs.get(check);
    if (spec === undefined) return;
    const { text = '', excerpt = '' } = results.get(check) ?? {};
    desk.tell({
      ...{ check, group: spec.group, url: spec.shownUrl, alerts: spec.options.alerts },
      ...{ edge, id, messageId, facts, answer: { text, excerpt } },
    });
  }

  function looked(view: NamedView, last: ResultView | null): void {
    if (!has(view.name)) return;
    if (last !== null) results.set(view.name, last);
    put(`seen ${view.name}`, { kind: 'seen', check: view.name, view: viewOf(view) });
  }

  /** By this machine's steady clock where that is known: the monitor process reckons by the wall clock, which may be set. */
  function viewOf({ name, state: sight, nature, detail, ...view }: NamedView): View {
    const known = Math.max(0, clock() - (edgeAt.get(name) ?? startedAt));
    return {
      sight,
      forMs: Math.min(known, length(view.sinceAge)),
      resultAgeMs: length(view.age),
      failing: nature !== 'ok' && nature !== 'none' && nature !== 'local',
      nature: describeNature(nature as Nature, detail),
      address: results.get(name)?.address ?? '',
      latencyMs: length(view.latencyMs),
      goodAgoMs: Number.isFinite(view.okAge) ? length(view.okAge) : null,
    };
  }

  async function begin(wanted: ConfirmConfig): Promise<void> {
    part += 1;
    const mine = part;
    config = wanted;
    const { records, floor } = await disk.load();
    if (part !== mine || config === null) return;
    state = initConfirm(node, config, records, floor, clock(), wall());
    // Records of checks that the file names no more leave their numbers as a floor; then, what came in meanwhile.
    const early = [...inputs];
    inputs.clear();
    put('config', { kind: 'config', config });
    for (const peer of connected) put(`connected ${peer}`, { kind: 'connected', peer });
    for (const [key, input] of early) put(key, input);
  }

  function end(): void {
    part += 1;
    for (const [check, { turn }] of Object.entries(state?.troubles ?? {}))
      if (turn?.phase === 'sending') desk.cancel(check, turn.edge);
    config = null;
    state = null;
    inputs.clear();
    round = [];
    tickSet = false;
    wake.cancel();
    unschedule();
  }

  function configure(next: MonitorConfig | null, leftAlone: ReadonlyMap<string, string> = new Map()): void {
    const taking = next?.active === true ? next : null;
    specs = new Map((taking?.checks ?? []).map((spec) => [spec.name, spec]));
    for (const known of [edgeAt, results])
      for (const check of known.keys()) if (!has(check)) known.delete(check);
    if (taking === null) {
      if (config !== null) end();
      return;
    }
    const wanted = confirmConfigOf(taking, leftAlone);
    if (config === null) void begin(wanted);
    else {
      config = wanted;
      if (state !== null) put('config', { kind: 'config', config });
    }
  }

  function message(from: NodeName, said: ConfirmMessage): void {
    const { kind, check } = said;
    const key = `${kind} ${from} ${check}`;
    const input = { kind: 'message', from, message: said } as const;
    // An ask or an answer that is repeated keeps its place: where there is much to do, its turn would never come.
    if (has(check) && (kind === 'ask' || kind === 'answer') && inputs.has(key))
      return void inputs.set(key, input);
    if (has(check)) return put(key, input);
    // Nothing is kept of what a peer calls a check and this node does not.
    if (kind === 'ask') post.send(from, { kind: 'answer', check, id: said.id, view: null });
    else if (kind === 'claim') post.send(from, { kind: 'grant', check, edge: said.edge });
  }

  function command(check: string, input: () => ConfirmInput): string {
    if (config === null) return 'this node does not monitor';
    if (!has(check)) return `there is no check ${check}`;
    if (state === null) return 'hastmond is just starting';
    put(`${input().kind} ${check}`, input());
    return '';
  }

  return {
    configure,
    seen(view, last) {
      if (!has(view.name)) return;
      edgeAt.set(view.name, clock());
      looked(view, last);
    },
    blind: () => put('blind', { kind: 'blind' }),
    ready() {
      for (const [check, { options: wanted }] of specs)
        if (monitor.sight(check) === 'down') looks.want(check, wanted.intervalMs + wanted.timeoutMs);
    },
    link(peer, up) {
      if (up) connected.add(peer);
      else {
        connected.delete(peer);
        post.lost(peer);
      }
      links += 1;
      if (state !== null) put(`link ${links}`, { kind: up ? 'connected' : 'lost', peer });
    },
    message,
    told: (check, edge, why) =>
      put(
        `told ${check} ${edge}`,
        why === '' ? { kind: 'sent', check, edge } : { kind: 'failed', check, edge, why },
      ),
    state: () => state,
    ack(check, by) {
      const edge = state?.ledgers[check]?.edge ?? 0;
      if (has(check) && state !== null && edge % 2 === 0) return 'it is not confirmed to be down';
      return command(check, () => ({ kind: 'ack', check, by }));
    },
    mute: (check, forMs) =>
      command(check, () => ({ kind: 'mute', check, forMs: Math.min(Math.max(0, forMs), MUTE_MS_MAX) })),
    async close() {
      // What is under way is not cancelled: the desk keeps it.
      unschedule();
      wake.cancel();
      looks.close();
      post.close();
      config = null;
      state = null;
      await disk.idle();
    },
  };
}

/** A length of time; 0 where it is none, and for what never was, as long as there has been anything. */
function length(ms: number): number {
  if (ms === Number.POSITIVE_INFINITY) return 1e13;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
