/**
 * What monitoring nodes say to each other (daemon/confirm/types.ts) <-> its part of a frame. Rule N17 of docs/protocol-wire.md. Whatever
 * is encoded here can be decoded here: what does not fit is shortened, since a picture with less in it is worth more than none.
 */
import type {
  ConfirmMessage,
  DurationMs,
  LedgerImage,
  NoteImage,
  View,
  Witness,
} from '../daemon/confirm/types.js';
import * as check from './check.js';
import { hastmon } from './gen/peer.js';
import { edgeKinds, sights } from './words.js';

/** Leaves room for the rest of the frame and its seal. */
const LEDGER_BYTES_MAX = 60_000;
const NOTES_MAX = 8;
const WITNESSES_MAX = 64;
/** An edge in every second for thirty years. */
const EDGE_MAX = 1_000_000_000;
/** Three thousand years: a service may have been up for longer than a lease may last. */
const LENGTH_MS_MAX = 1e14;
/** Characters of a text that is cut; half of what a name may have, for those that count twice. */
const TEXT_MAX = 120;

export function confirmToWire(message: ConfirmMessage): hastmon.Confirm.$Properties {
  const { check: name } = message;
  switch (message.kind) {
    case 'ask':
      return { check: name, ask: message };
    case 'answer':
      return {
        check: name,
        answer: { id: message.id, view: message.view === null ? null : viewToWire(message.view) },
      };
    case 'ledger':
      return { check: name, ledger: ledgerToWire(message.ledger) };
    case 'claim':
      return { check: name, claim: message };
    case 'grant':
      return { check: name, grant: message };
    case 'refuse':
      return { check: name, refuse: { edge: message.edge, by: text(message.by) } };
    case 'release':
      return { check: name, release: message };
  }
}

/** null: a kind that this version does not know. Throws check.Invalid where a value is missing or out of range. */
export function confirmFromWire(wire: hastmon.Confirm.$Properties): ConfirmMessage | null {
  const name = check.name('confirm.check', wire.check);
  if (wire.ask) {
    const { id, edge, told } = wire.ask;
    return {
      ...{ kind: 'ask', check: name, id: check.counter('confirm.ask.id', id, 1) },
      ...{ edge: edgeFromWire('confirm.ask.edge', edge), told: edgeFromWire('confirm.ask.told', told) },
    };
  }
  if (wire.answer) {
    const { id, view } = wire.answer;
    return {
      ...{ kind: 'answer', check: name, id: check.counter('confirm.answer.id', id, 1) },
      view: view ? viewFromWire('confirm.answer.view', view) : null,
    };
  }
  if (wire.ledger) return { kind: 'ledger', check: name, ledger: ledgerFromWire(wire.ledger) };
  if (wire.claim) {
    const edge = edgeFromWire('confirm.claim.edge', wire.claim.edge, 1);
    return { kind: 'claim', check: name, edge, witness: wire.claim.witness ?? false };
  }
  if (wire.grant)
    return { kind: 'grant', check: name, edge: edgeFromWire('confirm.grant.edge', wire.grant.edge, 1) };
  if (wire.refuse) {
    const edge = edgeFromWire('confirm.refuse.edge', wire.refuse.edge, 1);
    return { kind: 'refuse', check: name, edge, by: check.nameOrNone('confirm.refuse.by', wire.refuse.by) };
  }
  if (wire.release)
    return { kind: 'release', check: name, edge: edgeFromWire('confirm.release.edge', wire.release.edge, 1) };
  return null;
}

function viewToWire(view: View): hastmon.View.$Properties {
  return {
    sight: sights.number(view.sight),
    forMs: length(view.forMs),
    resultAgeMs: length(view.resultAgeMs),
    failing: view.failing,
    nature: text(view.nature),
    address: text(view.address),
    latencyMs: length(view.latencyMs),
    goodAgo: view.goodAgoMs === null ? null : { ms: length(view.goodAgoMs) },
  };
}

function viewFromWire(field: string, wire: hastmon.View.$Properties): View {
  return {
    sight: check.word(`${field}.sight`, sights, wire.sight),
    forMs: lengthFromWire(`${field}.for_ms`, wire.forMs),
    resultAgeMs: lengthFromWire(`${field}.result_age_ms`, wire.resultAgeMs),
    failing: wire.failing ?? false,
    nature: check.nameOrNone(`${field}.nature`, wire.nature),
    address: check.nameOrNone(`${field}.address`, wire.address),
    latencyMs: lengthFromWire(`${field}.latency_ms`, wire.latencyMs),
    goodAgoMs: wire.goodAgo ? lengthFromWire(`${field}.good_ago`, wire.goodAgo.ms) : null,
  };
}

/** Of old edges it is forgotten first who saw them. */
function ledgerToWire(ledger: LedgerImage): hastmon.Ledger.$Properties {
  const notes = ledger.notes.slice(-NOTES_MAX);
  for (let bare = 0; ; bare += 1) {
    const wire = ledgerWith(
      ledger,
      notes.map((note, index) => (index < bare ? { ...note, witnesses: [] } : note)),
    );
    const small = notes.every(({ witnesses }) => witnesses.length < 8);
    if (small || bare >= notes.length || hastmon.Ledger.encode(wire).finish().length <= LEDGER_BYTES_MAX)
      return wire;
  }
}

function ledgerWith(ledger: LedgerImage, notes: readonly NoteImage[]): hastmon.Ledger.$Properties {
  const { edge, told, said, saidBy, flap, ack, ackBy, mute, sinceMs } = ledger;
  return {
    ...{ edge, told, said, saidBy: text(saidBy), flap, ack, ackBy: text(ackBy) },
    ...{ muteRevision: mute.revision, muteLeftMs: length(mute.leftMs), sinceMs: length(sinceMs) },
    note: notes.map((note) => ({
      ...{ edge: note.edge, kind: edgeKinds.number(note.kind) },
      ...{ atMs: length(note.atMs), sinceMs: length(note.sinceMs) },
      witness: note.witnesses
        .slice(0, WITNESSES_MAX)
        .map(({ node, view }) => ({ node, view: viewToWire(view) })),
    })),
  };
}

function ledgerFromWire(wire: hastmon.Ledger.$Properties): LedgerImage {
  const edge = edgeFromWire('ledger.edge', wire.edge);
  const notes = wire.note ?? [];
  if (notes.length > NOTES_MAX) throw new check.Invalid(`ledger.note is there ${notes.length} times`);
  const upTo = (field: string, value: number | null | undefined): number => {
    const number = edgeFromWire(`ledger.${field}`, value);
    if (number > edge) throw new check.Invalid(`ledger.${field} is out of range`);
    return number;
  };
  return {
    ...{ edge, told: upTo('told', wire.told), said: upTo('said', wire.said) },
    saidBy: check.nameOrNone('ledger.said_by', wire.saidBy),
    ...{ flap: upTo('flap', wire.flap), ack: upTo('ack', wire.ack) },
    ackBy: check.nameOrNone('ledger.ack_by', wire.ackBy),
    mute: {
      revision: edgeFromWire('ledger.mute_revision', wire.muteRevision),
      leftMs: lengthFromWire('ledger.mute_left_ms', wire.muteLeftMs),
    },
    sinceMs: lengthFromWire('ledger.since_ms', wire.sinceMs),
    notes: notes.map((note) => noteFromWire(note, upTo)),
  };
}

function noteFromWire(
  wire: hastmon.Note.$Properties,
  upTo: (field: string, value: number | null | undefined) => number,
): NoteImage {
  const witnesses = wire.witness ?? [];
  if (witnesses.length > WITNESSES_MAX)
    throw new check.Invalid(`ledger.note.witness is there ${witnesses.length} times`);
  return {
    edge: upTo('note.edge', wire.edge),
    kind: check.word('ledger.note.kind', edgeKinds, wire.kind),
    atMs: lengthFromWire('ledger.note.at_ms', wire.atMs),
    sinceMs: lengthFromWire('ledger.note.since_ms', wire.sinceMs),
    witnesses: witnesses.map(
      ({ node, view }): Witness => ({
        node: check.name('ledger.note.witness.node', node),
        view: viewFromWire(
          'ledger.note.witness.view',
          check.present<hastmon.View.$Properties>('ledger.note.witness.view', view),
        ),
      }),
    ),
  };
}

function edgeFromWire(field: string, value: number | null | undefined, least = 0): number {
  const edge = check.counter(field, value, least);
  if (edge > EDGE_MAX) throw new check.Invalid(`${field} is out of range`);
  return edge;
}

function lengthFromWire(field: string, value: number | null | undefined): DurationMs {
  return check.numberWithin(field, value, 0, LENGTH_MS_MAX);
}

/** A length that is not known, or not a number, is 0. */
function length(ms: DurationMs): DurationMs {
  return ms > 0 ? Math.min(ms, LENGTH_MS_MAX) : 0;
}

/** A text that a name's check lets pass. */
function text(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this replaces
  const plain = value.replace(/[\u0000-\u001f\u007f\ufffd]|\p{Cs}/gu, '?');
  return plain.length <= 2 * TEXT_MAX ? plain : [...plain].slice(0, TEXT_MAX).join('');
}
