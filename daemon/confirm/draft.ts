/** The state while a step works on it: what a step touches is copied once, the rest is shared with the state of before. */
import type {
  CheckRule,
  ConfirmMessage,
  ConfirmOutput,
  ConfirmState,
  Instant,
  Ledger,
  NodeName,
  Trouble,
  WallMs,
} from './types.js';

export interface Draft {
  state: ConfirmState;
  outputs: ConfirmOutput[];
  now: Instant;
  wall: WallMs;
  /** What this step has copied already. */
  troubles: Set<string>;
  ledgers: Set<string>;
}

export function openDraft(before: ConfirmState, now: Instant, wall: WallMs): Draft {
  const state = { ...before, ledgers: { ...before.ledgers }, troubles: { ...before.troubles } };
  return { state, outputs: [], now, wall, troubles: new Set(), ledgers: new Set() };
}

/** The rule of a check that this node monitors. */
export function ruleOf(state: ConfirmState, check: string): CheckRule | undefined {
  const rule = Object.hasOwn(state.config.checks, check) ? state.config.checks[check] : undefined;
  return rule?.nodes.includes(state.self) ? rule : undefined;
}

/** What is kept of a check's trouble, to be changed; made where there was none. */
export function troubleOf(draft: Draft, check: string): Trouble {
  const { state, now } = draft;
  const found = state.troubles[check];
  if (found !== undefined && draft.troubles.has(check)) return found;
  const trouble: Trouble =
    found === undefined
      ? {
          ...{ startedAt: now, own: null, heard: {}, asks: {}, askAt: now, owed: {}, checkAt: null },
          ...{ edgeAt: Number.NEGATIVE_INFINITY, flips: [], turn: null, turnFrom: now, granted: null },
          ...{ sentence: '', neededUntil: now },
        }
      : { ...found, heard: { ...found.heard }, asks: { ...found.asks }, owed: { ...found.owed } };
  draft.troubles.add(check);
  state.troubles[check] = trouble;
  return trouble;
}

/** A check's ledger, to be changed; a check without a past begins at the floor. */
export function ledgerOf(draft: Draft, check: string): Ledger {
  const { state, now } = draft;
  const found = state.ledgers[check];
  if (found !== undefined && draft.ledgers.has(check)) return found;
  const ledger = found === undefined ? newLedger(state.floor, now) : { ...found };
  draft.ledgers.add(check);
  state.ledgers[check] = ledger;
  return ledger;
}

export function newLedger(floor: number, now: Instant): Ledger {
  return {
    ...{ edge: floor, told: floor, said: floor, saidBy: '', flap: 0, held: 0, ack: 0, ackBy: '' },
    ...{ mute: { revision: 0, until: now }, since: now, notes: [], stored: floor },
  };
}

export function send(draft: Draft, to: NodeName, message: ConfirmMessage): void {
  draft.outputs.push({ kind: 'send', to, message });
}

export function log(draft: Draft, level: 'info' | 'warn', check: string, text: string): void {
  draft.outputs.push({ kind: 'log', level, check, text });
}

/** The peers that monitor a check and are connected, in the order of the file. */
export function reachable(state: ConfirmState, rule: CheckRule): NodeName[] {
  return rule.nodes.filter((node) => node !== state.self && state.connected.includes(node));
}

/** A result older than this says nothing any more (K2). */
export function freshMs(rule: CheckRule): number {
  return rule.intervalMs + rule.timeoutMs;
}
