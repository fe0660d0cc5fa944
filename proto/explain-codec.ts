/** Explanations and the question for them, to the wire and back. */
import type { Condition, Explanation } from '../daemon/core/conditions.js';
import * as check from './check.js';
import type { ExplainRequest } from './explain-types.js';
import { hastmon } from './gen/control.js';

/** Position is the number on the wire. */
const SUBJECTS: readonly (Explanation['subject'] | '')[] = ['', 'resource', 'check', 'server', 'switchover'];
/** Texts of programs are in them, and programs may say much. */
const TEXT_MAX = 2000;
/** A reply is sent in pieces of about this many bytes, well below the largest frame. */
const PIECE_BYTES = 256 * 1024;

export function explainRequestToWire({ name }: ExplainRequest): hastmon.ControlRequest.$Properties {
  return { explain: { name } };
}

/** null where it is another request. Throws `Invalid`. */
export function explainRequestFromWire({
  explain,
}: hastmon.ControlRequest.$Properties): ExplainRequest | null {
  return explain ? { kind: 'explain', name: check.name('explain.name', explain.name) } : null;
}

/** In pieces that are each small enough for a frame; none where there is nothing. */
export function explanationsToWire(
  explanations: readonly Explanation[],
): hastmon.Explanation.$Properties[][] {
  const pieces: hastmon.Explanation.$Properties[][] = [];
  let bytes = PIECE_BYTES;
  for (const explanation of explanations) {
    const wire = toWire(explanation);
    if (bytes >= PIECE_BYTES) {
      pieces.push([]);
      bytes = 0;
    }
    pieces.at(-1)?.push(wire);
    bytes += hastmon.Explanation.encode(wire).finish().length;
  }
  return pieces;
}

function toWire(explanation: Explanation): hastmon.Explanation.$Properties {
  const { conditions, name, node, sentence, subject, verdicts } = explanation;
  return {
    ...{ name, node, sentence: cut(sentence), subject: SUBJECTS.indexOf(subject) },
    verdict: Object.entries(verdicts).map(([topic, holds]) => ({ topic, holds })),
    condition: conditions.map((condition) => ({
      ...condition,
      ...{ value: cut(condition.value), change: cut(condition.change) },
    })),
  };
}

function cut(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}…`;
}

/** Throws `Invalid`. */
export function explanationFromWire(wire: hastmon.Explanation.$Properties): Explanation {
  const subject = SUBJECTS[wire.subject ?? 0];
  if (subject === undefined || subject === '') throw new check.Invalid('explanation.subject is unknown');
  return {
    subject,
    name: wire.name ?? '',
    node: wire.node ?? '',
    sentence: wire.sentence ?? '',
    verdicts: Object.fromEntries(
      (wire.verdict ?? []).map(({ holds, topic }) => [topic ?? '', holds ?? null]),
    ),
    conditions: (wire.condition ?? []).map(conditionFromWire),
  };
}

function conditionFromWire(wire: hastmon.Condition.$Properties): Condition {
  return {
    ...{ topic: wire.topic ?? '', name: wire.name ?? '', holds: wire.holds ?? null },
    ...{ oneOf: wire.oneOf ?? '', enough: wire.enough ?? 1 },
    ...{ what: wire.what ?? '', value: wire.value ?? '', needed: wire.needed ?? '' },
    ...{ ageMs: wire.ageMs ?? null, source: wire.source ?? '', change: wire.change ?? '' },
  };
}
