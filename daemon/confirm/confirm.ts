/**
 * Confirmation: by which several monitoring nodes agree on an outage before anyone is told, and tell it once. Pure: one input, the
 * next state, and what is to be done. Rules in docs/confirmation.md.
 */
import { answered, answerOwed, asked, askPeers, askSoon, giveUpOwed, peerLost, see } from './asking.js';
import {
  type Draft,
  dropLedger,
  dropTrouble,
  ledgerOf,
  log,
  openDraft,
  reachable,
  ruleOf,
  troubleOf,
  undo,
} from './draft.js';
import { isCalm, remembersEdges, wouldFlap } from './flapping.js';
import { addEdge, changed, isOutage, joinLedger, restoreLedger, sendLedger } from './ledger.js';
import {
  claimed,
  couldNotSend,
  nextToSettle,
  sendClaim,
  tell,
  wasGranted,
  wasRefused,
  wasReleased,
  wasSent,
} from './notify.js';
import type {
  CheckRule,
  ConfirmConfig,
  ConfirmInput,
  ConfirmMessage,
  ConfirmState,
  ConfirmStep,
  Instant,
  LedgerRecord,
  NodeName,
  WallMs,
} from './types.js';
import { downTogether, isOver, isTroubled, needed, witnessesOf } from './views.js';
import { lengthOf, localSentence } from './words.js';

/** The state at a start; `records` is what was written down, by check (E7). */
export function initConfirm(
  self: NodeName,
  config: ConfirmConfig,
  records: Readonly<Record<string, LedgerRecord>>,
  floor: number,
  now: Instant,
  wall: WallMs,
): ConfirmState {
  const state: ConfirmState = {
    ...{
      self,
      config,
      connected: [],
      connectedAt: now,
      startedAt: now,
      floor,
      lastAsk: 0,
      ledgers: {},
      troubles: {},
    },
  };
  const draft = openDraft(state, now, wall);
  for (const [check, record] of Object.entries(records)) {
    const ledger = restoreLedger(record, now, wall);
    draft.state.ledgers[check] = ledger;
    if (ruleOf(state, check) === undefined || !needsWork(ledger)) continue;
    // Others may have told it already, and have yet to connect and say so.
    troubleOf(draft, check).turnFrom = now + 2 * config.limits.turnMs;
  }
  return draft.state;
}

function needsWork(ledger: ConfirmState['ledgers'][string]): boolean {
  return isOutage(ledger.edge) || ledger.flap !== 0 || nextToSettle(ledger) !== null;
}

/**
 * The only door. The state given is spent: only the one that comes back counts (draft.ts says why); where it throws, the one given does still.
 * Several inputs of one moment are the same as one after the other, and cost less. `now`: CLOCK_BOOTTIME; `wall`: the
 * wall clock, for the record alone.
 */
export function stepConfirm(
  before: ConfirmState,
  input: ConfirmInput | readonly ConfirmInput[],
  now: Instant,
  wall: WallMs,
): ConfirmStep {
  const draft = openDraft(before, now, wall);
  const inputs: readonly ConfirmInput[] = 'kind' in input ? [input] : input;
  try {
    for (const one of inputs) for (const check of take(draft, one)) work(draft, check);
  } catch (error) {
    undo(draft);
    throw error;
  }
  return { state: draft.state, outputs: draft.outputs, ledgersBefore: draft.ledgersBefore };
}

/** Checks with trouble that one step looks at for something that concerns all: a few milliseconds. */
const AT_ONCE_MAX = 500;

/** Takes the input in; gives back the checks that have to be looked at. */
function take(draft: Draft, input: ConfirmInput): readonly string[] {
  const { state } = draft;
  const all = (): string[] => Object.keys(state.troubles);
  /** What has happened to all of them: where they are too many for one step, the ticks that follow look at them. */
  const each = (): string[] => (all().length > AT_ONCE_MAX ? [] : all());
  switch (input.kind) {
    case 'tick':
      return input.checks ?? all();
    case 'seen':
      if (ruleOf(state, input.check) === undefined) return [];
      if (see(draft, input.check, input.view)) askSoon(draft, input.check);
      answerOwed(draft, input.check);
      return [input.check];
    case 'blind':
      for (const check of all()) troubleOf(draft, check).own = null;
      return each();
    case 'connected':
      connect(draft, input.peer);
      return each();
    case 'lost':
      state.connected = state.connected.filter((peer) => peer !== input.peer);
      for (const check of all()) peerLost(draft, check, input.peer);
      return each();
    case 'message':
      receive(draft, input.from, input.message);
      return [input.message.check];
    case 'recorded':
      if (state.ledgers[input.check] !== undefined) {
        const ledger = ledgerOf(draft, input.check);
        ledger.stored = Math.max(ledger.stored, input.edge);
      }
      return [input.check];
    case 'sent':
      wasSent(draft, input.check, input.edge);
      return [input.check];
    case 'failed':
      couldNotSend(draft, input.check, input.edge, input.why);
      return [input.check];
    case 'config':
      reconfigure(draft, input.config);
      return each();
    default:
      command(draft, input);
      return [input.check];
  }
}

function receive(draft: Draft, from: NodeName, message: ConfirmMessage): void {
  const { check } = message;
  // Whoever asks about what is not checked here gets an answer; all else is about nothing.
  const known = ruleOf(draft.state, check) !== undefined;
  if (!known && message.kind !== 'ask' && message.kind !== 'claim') return;
  switch (message.kind) {
    case 'ask':
      return asked(draft, from, message);
    case 'answer':
      return answered(draft, from, message);
    case 'ledger': {
      const known = draft.state.ledgers[check]?.edge ?? draft.state.floor;
      joinLedger(draft, check, from, message.ledger);
      if ((draft.state.ledgers[check]?.edge ?? 0) > known) askSoon(draft, check);
      return;
    }
    case 'claim':
      return claimed(draft, from, message);
    case 'grant':
      return wasGranted(draft, check, from, message.edge);
    case 'refuse':
      return wasRefused(draft, check, message.edge);
    case 'release':
      return wasReleased(draft, check, from, message.edge);
  }
}

/** A peer that comes is told all ledgers, and a claim that stands; it is asked what it sees (E2, K6). */
function connect(draft: Draft, peer: NodeName): void {
  const { state } = draft;
  state.connectedAt = draft.now;
  if (!state.connected.includes(peer)) state.connected = [...state.connected, peer];
  for (const [check, ledger] of Object.entries(state.ledgers)) {
    if (!ruleOf(state, check)?.nodes.includes(peer)) continue;
    if (ledger.edge > state.floor || ledger.mute.revision > 0) sendLedger(draft, check, peer);
  }
  for (const [check, trouble] of Object.entries(state.troubles)) {
    if (!ruleOf(state, check)?.nodes.includes(peer)) continue;
    if (trouble.turn !== null) sendClaim(draft, check, peer);
    askSoon(draft, check);
  }
}

/** A reload: what is known of checks that stay is kept; numbers of those that go are not used again (E1). */
function reconfigure(draft: Draft, config: ConfirmConfig): void {
  const { state } = draft;
  state.config = config;
  for (const [check, ledger] of Object.entries(state.ledgers)) {
    if (ruleOf(state, check) !== undefined) continue;
    const even = ledger.edge + (ledger.edge % 2);
    if (even > state.floor) {
      state.floor = even;
      draft.outputs.push({ kind: 'floor', floor: even });
    }
    if (isOutage(ledger.said)) log(draft, 'info', check, 'removed while people believe it to be down');
    draft.outputs.push({ kind: 'record', check, edge: ledger.edge, record: null });
    dropLedger(draft, check);
  }
  for (const check of Object.keys(state.troubles)) {
    if (ruleOf(state, check) === undefined) dropTrouble(draft, check);
    else troubleOf(draft, check).askAt = draft.now;
  }
}

function command(draft: Draft, input: Extract<ConfirmInput, { kind: 'ack' | 'mute' }>): void {
  const { state, now } = draft;
  if (ruleOf(state, input.check) === undefined) return;
  if (input.kind === 'ack' && !isOutage(state.ledgers[input.check]?.edge ?? 0)) return;
  const ledger = ledgerOf(draft, input.check);
  if (input.kind === 'ack') {
    ledger.ack = ledger.edge;
    ledger.ackBy = input.by;
  } else ledger.mute = { revision: ledger.mute.revision + 1, until: now + input.forMs };
  changed(draft, input.check, null);
}

/** Everything that follows for one check from what is known of it now. */
function work(draft: Draft, check: string): void {
  const { state } = draft;
  const rule = ruleOf(state, check);
  const ledger = state.ledgers[check];
  if (rule === undefined) return;
  if (state.troubles[check] === undefined) {
    if (ledger === undefined || !needsWork(ledger)) return;
    troubleOf(draft, check);
  }
  judge(draft, check, rule);
  askPeers(draft, check, rule);
  giveUpOwed(draft, check, rule);
  tell(draft, check, rule);
  forget(draft, check);
}

/** Confirmed, over, calm, or none of it (K3, K5, K7, E8). */
function judge(draft: Draft, check: string, rule: CheckRule): void {
  const { state, now } = draft;
  const trouble = state.troubles[check];
  if (trouble === undefined) return;
  const ledger = state.ledgers[check];
  const edge = ledger?.edge ?? state.floor;
  const { limits } = state.config;
  const kind = wouldFlap(trouble, now, limits) && ledger?.flap === 0 ? 'flapping' : null;
  if (!isOutage(edge)) {
    const { nodes, since } = downTogether(state, rule, trouble, now);
    if (nodes.length >= needed(rule)) {
      if (kind !== null) ledgerOf(draft, check).flap = edge + 1;
      addEdge(draft, check, kind ?? 'down', since, witnessesOf(state, rule, trouble, now));
      say(draft, 'warn', check, rule, `down, confirmed by ${nodes.join(', ')}`);
      return;
    }
  } else if (isOver(state, rule, trouble, now)) {
    if (kind !== null) ledgerOf(draft, check).flap = edge + 1;
    addEdge(draft, check, kind ?? 'up', ledger?.since ?? now, witnessesOf(state, rule, trouble, now));
    const lasted = lengthOf(now - (ledger?.since ?? now));
    say(draft, 'info', check, rule, `up again, after ${lasted}`);
    return;
  }
  if (ledger !== undefined && ledger.flap !== 0 && isCalm(trouble, now, limits)) {
    ledgerOf(draft, check).flap = 0;
    addEdge(draft, check, 'calm', ledger.since, witnessesOf(state, rule, trouble, now));
    log(draft, 'info', check, 'calm again');
  } else if (!isOutage(edge) && trouble.own?.sight === 'down') sayLocal(draft, check, rule);
}

/** Where one node alone monitors, its own sight of the edge has said the same already. */
function say(draft: Draft, level: 'info' | 'warn', check: string, rule: CheckRule, text: string): void {
  if (rule.nodes.length > 1) log(draft, level, check, text);
}

/** A local outage is logged, each time the sentence is another one (K5). */
function sayLocal(draft: Draft, check: string, rule: CheckRule): void {
  const { state, now } = draft;
  const trouble = troubleOf(draft, check);
  const first = reachable(state, rule).some((peer) => {
    const asked = trouble.asks[peer];
    return (
      trouble.heard[peer] === undefined &&
      (asked === undefined || now - asked.at < state.config.limits.turnMs)
    );
  });
  // Whom it has just asked for the first time will have answered in a moment.
  if (first) return;
  const sentence = localSentence(state, rule, trouble);
  if (sentence === trouble.sentence) return;
  trouble.sentence = sentence;
  log(draft, 'info', check, sentence);
}

/** Memory is for trouble: a check without any is forgotten, but for its number (K9). */
function forget(draft: Draft, check: string): void {
  const { state, now } = draft;
  const trouble = state.troubles[check];
  const ledger = state.ledgers[check];
  if (trouble === undefined || isTroubled(trouble, ledger)) return;
  if (ledger !== undefined && (needsWork(ledger) || ledger.stored < ledger.edge)) return;
  if (trouble.turn !== null || trouble.granted !== null || Object.keys(trouble.owed).length > 0) return;
  if (now < trouble.neededUntil || remembersEdges(trouble, now, state.config.limits)) return;
  dropTrouble(draft, check);
  const { edge, mute } = ledger ?? { edge: 0, mute: { revision: 1 } };
  if (edge > state.floor || mute.revision > 0) return;
  dropLedger(draft, check);
}

/** When the state has to be stepped again at the latest: twice in a turn while there is trouble. Infinite where there is none. */
export function confirmWakeAt(state: ConfirmState, now: Instant): Instant {
  for (const _check in state.troubles) return now + state.config.limits.turnMs / 2;
  return Number.POSITIVE_INFINITY;
}
