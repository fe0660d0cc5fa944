/**
 * The state while a step works on it. Of thousands of checks a step touches a few, many times a second: so the two tables by check
 * are changed in place, entry by entry, and the state of before is spent with the step. The entries themselves are copied when they are
 * touched first; what they were is kept until the step is over, so that one that fails leaves everything as it was.
 */
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
  /** What entries were before it, undefined where there was none. */
  troublesBefore: Map<string, Trouble | undefined>;
  ledgersBefore: Map<string, Ledger | undefined>;
}

export function openDraft(before: ConfirmState, now: Instant, wall: WallMs): Draft {
  return {
    ...{ state: { ...before }, outputs: [], now, wall, troubles: new Set(), ledgers: new Set() },
    ...{ troublesBefore: new Map(), ledgersBefore: new Map() },
  };
}

/** Puts back what a step that failed has changed. */
export function undo({ state, troublesBefore, ledgersBefore }: Draft): void {
  for (const [check, trouble] of troublesBefore) put(state.troubles, check, trouble);
  for (const [check, ledger] of ledgersBefore) put(state.ledgers, check, ledger);
}

function put<T>(table: Record<string, T>, check: string, entry: T | undefined): void {
  if (entry === undefined) delete table[check];
  else table[check] = entry;
}

function keep<T>(before: Map<string, T | undefined>, check: string, entry: T | undefined): void {
  if (!before.has(check)) before.set(check, entry);
}

/** Forgets what is kept of a check's trouble. */
export function dropTrouble(draft: Draft, check: string): void {
  keep(draft.troublesBefore, check, draft.state.troubles[check]);
  draft.troubles.delete(check);
  delete draft.state.troubles[check];
}

export function dropLedger(draft: Draft, check: string): void {
  keep(draft.ledgersBefore, check, draft.state.ledgers[check]);
  draft.ledgers.delete(check);
  delete draft.state.ledgers[check];
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
  keep(draft.troublesBefore, check, found);
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
  keep(draft.ledgersBefore, check, found);
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
