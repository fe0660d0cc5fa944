/** What has become of a check between two steps of confirmation, read off its two ledgers: for the journal. Pure. */

import { isOutage, noteOf } from './ledger.js';
import type { DurationMs, EdgeKind, Instant, Ledger, NodeName } from './types.js';
import { edgeSentence } from './words.js';

export type LedgerObservation =
  | {
      kind: EdgeKind;
      edge: number;
      downBy: NodeName[];
      upBy: NodeName[];
      /** How long it has been down, or was. */
      lastedMs: DurationMs;
      text: string;
    }
  /** People were told of this edge, by this node. */
  | { kind: 'told'; edge: number; node: NodeName };

/**
 * In their order; edges that were passed at once show by the number of the last one. `floor` is the edge of a check without a past;
 * `before` undefined: it had none.
 */
export function observeLedger(
  before: Ledger | undefined,
  after: Ledger,
  floor: number,
  now: Instant,
): LedgerObservation[] {
  const found: LedgerObservation[] = [];
  if (after.edge > (before?.edge ?? floor)) found.push(edgeOf(before, after, now));
  if (after.said > (before?.said ?? floor))
    found.push({ kind: 'told', edge: after.said, node: after.saidBy });
  return found;
}

function edgeOf(before: Ledger | undefined, after: Ledger, now: Instant): LedgerObservation {
  const { edge } = after;
  const note = noteOf(after, edge);
  const kind = note?.kind ?? (isOutage(edge) ? 'down' : 'up');
  const witnesses = note?.witnesses ?? [];
  const by = (sight: string): NodeName[] =>
    witnesses.filter(({ view }) => view.sight === sight).map(({ node }) => node);
  const lastedMs = now - (isOutage(edge) ? after : (before ?? after)).since;
  const text = edgeSentence(kind, witnesses, [], kind === 'up' ? lastedMs : isOutage(edge) ? null : 0);
  return { kind, edge, downBy: by('down'), upBy: by('up'), lastedMs, text };
}
