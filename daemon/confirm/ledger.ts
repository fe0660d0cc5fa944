/** The ledger of a check: how edges are added, how copies are joined, how they travel and how they are kept (E1, E2, E7). */
import { type Draft, ledgerOf, log, newLedger, reachable, ruleOf, send, troubleOf } from './draft.js';
import { flips } from './flapping.js';
import type {
  DurationMs,
  EdgeKind,
  Instant,
  Ledger,
  LedgerImage,
  LedgerRecord,
  NodeName,
  Note,
  WallMs,
  Witness,
} from './types.js';
import { lengthOf } from './words.js';

/** Facts are kept of so many edges; of older ones that wait to be told only that they were. */
const NOTES_MAX = 8;

/** The same on every node that counts the same edges (E1). */
export function edgeId(check: string, edge: number): string {
  return `${check}#${edge}`;
}

/** The Message-ID of an edge: every node makes the same (E1). Bytes that RFC 5322 does not let stand in an atom become `=XX`. */
export function messageId(check: string, edge: number, domain: string): string {
  const safe = [...check].map((letter) =>
    /[\w.-]/.test(letter) ? letter : `=${(letter.codePointAt(0) ?? 0).toString(16)}`,
  );
  return `<hastmon.${safe.join('')}.${edge}@${domain}>`;
}

export function isOutage(edge: number): boolean {
  return edge % 2 === 1;
}

export function noteOf(ledger: Ledger, edge: number): Note | undefined {
  return ledger.notes.find((note) => note.edge === edge);
}

/** Adds an edge that this node has found (K3, K7, E8): to disk, and to every peer that can be reached. */
export function addEdge(
  draft: Draft,
  check: string,
  kind: EdgeKind,
  since: Instant,
  witnesses: readonly Witness[],
): void {
  const { now } = draft;
  const ledger = ledgerOf(draft, check);
  const trouble = troubleOf(draft, check);
  ledger.edge += kind === 'calm' ? 2 : 1;
  ledger.since = since;
  const note = { edge: ledger.edge, kind, at: now, since, witnesses };
  ledger.notes = [...ledger.notes, note].slice(-NOTES_MAX);
  trouble.edgeAt = now;
  trouble.turnFrom = now;
  trouble.flips = flips(trouble.flips, now, draft.state.config.limits);
  changed(draft, check, null);
}

/** A ledger that has changed is written down, and told to all others: idempotent, so it ends when all have it. */
export function changed(draft: Draft, check: string, from: NodeName | null): void {
  const { state, now, wall } = draft;
  const ledger = ledgerOf(draft, check);
  ledger.notes = ledger.notes.filter(({ edge }) => edge > ledger.told || edge >= ledger.edge - 1);
  const record = recordOf(ledger, now, wall);
  draft.outputs.push({ kind: 'record', check, edge: ledger.edge, record });
  const rule = ruleOf(state, check);
  if (rule === undefined) return;
  for (const peer of reachable(state, rule)) if (peer !== from) sendLedger(draft, check, peer);
}

export function sendLedger(draft: Draft, check: string, to: NodeName): void {
  const ledger = draft.state.ledgers[check] ?? ledgerOf(draft, check);
  send(draft, to, { kind: 'ledger', check, ledger: imageOf(ledger, draft.now) });
}

/** True where this side knows something that the other one does not. */
function isAhead(
  mine: Pick<Ledger, 'edge' | 'told' | 'said' | 'ack' | 'flap'>,
  muteRevision: number,
  other: LedgerImage,
): boolean {
  return (
    mine.edge > other.edge ||
    mine.told > other.told ||
    mine.said > other.said ||
    mine.ack > other.ack ||
    (mine.edge === other.edge && mine.flap > other.flap) ||
    muteRevision > other.mute.revision
  );
}

/**
 * Joins what a peer knows (E2): the greater of each number. What this side knew already may be news to the peer, so whoever is behind
 * is told.
 */
export function joinLedger(draft: Draft, check: string, from: NodeName, image: LedgerImage): void {
  const { now } = draft;
  if (!ruleOf(draft.state, check)?.nodes.includes(from)) return;
  const ledger = ledgerOf(draft, check);
  if (isAhead(ledger, ledger.mute.revision, image)) sendLedger(draft, check, from);
  const theirs = { ...image, mute: { ...image.mute, until: now + image.mute.leftMs } };
  const news = isAhead(theirs, image.mute.revision, imageOf(ledger, now));
  if (!news) return;
  const trouble = troubleOf(draft, check);
  if (image.edge > ledger.edge) {
    sayLearnt(draft, check, from, image);
    trouble.edgeAt = now;
    trouble.turnFrom = now;
    trouble.flips = flips(trouble.flips, now, draft.state.config.limits);
    ledger.since = now - image.sinceMs;
    ledger.flap = image.flap;
  } else if (image.edge === ledger.edge) ledger.flap = Math.max(ledger.flap, image.flap);
  ledger.edge = Math.max(ledger.edge, image.edge);
  if (image.said > ledger.said) {
    ledger.saidBy = image.saidBy;
    log(draft, 'info', check, `people were told of ${edgeId(check, image.said)} by ${image.saidBy}`);
  }
  ledger.told = Math.max(ledger.told, image.told);
  ledger.said = Math.max(ledger.said, image.said);
  if (image.ack > ledger.ack) {
    ledger.ack = image.ack;
    ledger.ackBy = image.ackBy;
  }
  if (image.mute.revision > ledger.mute.revision) ledger.mute = theirs.mute;
  ledger.notes = joinNotes(ledger, image, now);
  changed(draft, check, from);
}

/** An edge that a peer was the first to find. */
function sayLearnt(draft: Draft, check: string, from: NodeName, { edge, sinceMs, notes }: LedgerImage): void {
  const note = notes.find((other) => other.edge === edge);
  if (isOutage(edge)) {
    const down = (note?.witnesses ?? []).filter(({ view }) => view.sight === 'down');
    const who =
      down.length > 0 ? `confirmed by ${down.map(({ node }) => node).join(', ')}` : `as ${from} knows`;
    log(draft, 'warn', check, `down, ${who}`);
  } else if (note?.kind === 'calm') log(draft, 'info', check, 'calm again');
  else log(draft, 'info', check, `up again, after ${lengthOf(sinceMs)}`);
}

function joinNotes(ledger: Ledger, image: LedgerImage, now: Instant): Note[] {
  const theirs = image.notes
    .filter(({ edge }) => noteOf(ledger, edge) === undefined)
    .map(({ edge, kind, atMs, sinceMs, witnesses }) => ({
      ...{ edge, kind, at: now - atMs, since: now - sinceMs, witnesses },
    }));
  return [...ledger.notes, ...theirs].sort((a, b) => a.edge - b.edge).slice(-NOTES_MAX);
}

export function imageOf(ledger: Ledger, now: Instant): LedgerImage {
  const { edge, told, said, saidBy, flap, ack, ackBy, mute, since, notes } = ledger;
  return {
    ...{ edge, told, said, saidBy, flap, ack, ackBy },
    mute: { revision: mute.revision, leftMs: Math.max(0, mute.until - now) },
    sinceMs: now - since,
    notes: notes.map((note) => ({
      ...{ edge: note.edge, kind: note.kind, atMs: now - note.at, sinceMs: now - note.since },
      witnesses: note.witnesses,
    })),
  };
}

function recordOf(ledger: Ledger, now: Instant, wall: WallMs): LedgerRecord {
  return { ...imageOf(ledger, now), held: ledger.held, wall };
}

/** A ledger read back (E7). The gap is bridged by the wall clock, which only lengths that are shown depend on, and a mute's end. */
export function restoreLedger(record: LedgerRecord, now: Instant, wall: WallMs): Ledger {
  const gap: DurationMs = Math.max(0, wall - record.wall);
  const { edge, told, said, saidBy, flap, held, ack, ackBy, mute } = record;
  return {
    ...newLedger(0, now),
    ...{ edge, told, said, saidBy, flap, held, ack, ackBy, stored: edge },
    mute: { revision: mute.revision, until: now + Math.max(0, mute.leftMs - gap) },
    since: now - record.sinceMs - gap,
    notes: record.notes.map((note) => ({
      ...{ edge: note.edge, kind: note.kind, witnesses: note.witnesses },
      ...{ at: now - note.atMs - gap, since: now - note.sinceMs - gap },
    })),
  };
}
