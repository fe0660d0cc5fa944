/** What each monitoring node sees of a check, and whether that makes an outage; part of explain.ts. */
import type { Condition } from '../core/conditions.js';
import type { CheckQuestion } from './explain.js';
import { isOutage } from './ledger.js';
import type { ConfirmState, DurationMs, NodeName, Trouble, View } from './types.js';
import { currentMs, downTogether, isOver, later, mayBeDown, needed, spansOf } from './views.js';
import { lengthOf, listOf, unknownSince } from './words.js';

type Draft = Omit<Condition, 'topic'>;

/** `refused after 0.3 ms`. */
export function words({ latencyMs, nature }: View): string {
  return `${nature === '' ? 'none' : nature} after ${latencyMs < 10 ? latencyMs.toFixed(1) : Math.round(latencyMs)} ms`;
}

/** The view of each node, and what they make together. */
export function explainViews(question: CheckQuestion): Draft[] {
  const { check, node, rule, state } = question;
  const outage = isOutage(state?.ledgers[check]?.edge ?? 0);
  const need = needed(rule);
  const rows = rule.nodes.map((each): Draft => {
    const { ageMs, change, sight, value } = each === node ? ownSight(question) : otherSight(question, each);
    const holds = sight === 'unknown' ? null : sight === 'down';
    return {
      ...{ name: 'sees-down', oneOf: 'seen', enough: need, what: `${each} sees it down`, value, ageMs },
      ...{ needed: 'down', source: each, holds },
      // Nobody waits for an outage while it is up.
      change: holds === true || outage || question.own?.sight !== 'down' ? '' : change,
    };
  });
  const trouble = state?.troubles[check];
  if (state === null || trouble === undefined) return rows;
  if (outage) return [...rows, lasts(question, state, trouble)];
  // Where too few see it down at all, that is said already.
  const enough = rows.filter(({ holds }) => holds === true).length >= need;
  return enough ? [...rows, atOnce(question, state, trouble, need)] : rows;
}

interface Seen {
  /** `unknown` also for what does not count. */
  sight: View['sight'];
  value: string;
  ageMs: DurationMs | null;
  /** What would have to change for a word that counts. */
  change: string;
}

const unknown = (value: string, ageMs: DurationMs | null, change: string): Seen => ({
  ...{ sight: 'unknown', value, ageMs, change },
});

function ownSight({ own }: CheckQuestion): Seen {
  if (own === null) return unknown('the checks do not run', null, 'they are started again by themselves');
  if (own.sight === 'unknown') return unknown('no result yet', null, 'a result has to come');
  return seen(own, 'it would have to be down here');
}

function seen(view: View, change: string): Seen {
  const why = view.sight === 'down' ? `: ${words(view)}` : '';
  const value = `${view.sight} for ${lengthOf(view.forMs)}${why}`;
  return { sight: view.sight, value, ageMs: view.resultAgeMs, change };
}

/** What another node said last, and whether it counts. */
function otherSight({ check, now, rule, state }: CheckQuestion, node: NodeName): Seen {
  if (state === null) return unknown('not known yet', null, 'what is on disk has to be read first');
  const connected = state.connected.includes(node);
  const trouble = state.troubles[check];
  const span = trouble && spansOf(state, rule, trouble, now).find((each) => each.node === node);
  if (span !== undefined) return seen(span.view, `it would have to be down for ${node} too`);
  const heard = trouble?.heard[node];
  const mend = connected
    ? 'it is asked again by itself'
    : `${node} has to run, and the network between to work`;
  if (heard === undefined) {
    if (!connected) return unknown('not connected', null, mend);
    return unknown(trouble === undefined ? 'not asked: it is not down' : 'no answer yet', null, mend);
  }
  if (heard.view === null)
    return unknown(
      'it has no such check',
      now - heard.heardAt,
      `the same file on ${node}, and a reload there`,
    );
  const passed = now - heard.heardAt;
  const was = later(heard.view, passed);
  // An outage that is confirmed is held by older words too (K10).
  if (isOutage(state.ledgers[check]?.edge ?? 0) && connected && passed <= currentMs(state, rule))
    return seen(was, '');
  const why = connected ? 'what it said is too old to count' : 'not connected';
  return unknown(`${unknownSince(passed)}: ${why}`, was.resultAgeMs, mend);
}

/** Enough of them at one and the same moment (K3). */
function atOnce(
  { node, now, rule }: CheckQuestion,
  state: ConfirmState,
  trouble: Trouble,
  need: number,
): Draft {
  const { nodes } = downTogether(state, rule, trouble, now);
  const holds = nodes.length >= need;
  return {
    ...{ name: 'at-once', oneOf: '', enough: 1, what: 'enough nodes saw it down at one and the same moment' },
    ...{ value: nodes.length === 0 ? 'nobody' : `${nodes.length}: ${listOf(nodes)}`, needed: String(need) },
    ...{ ageMs: null, source: node, holds },
    change: holds ? '' : `${need - nodes.length} more would have to see it down`,
  };
}

/** What keeps a confirmed outage (K7, K8). */
function lasts({ node, now, rule }: CheckQuestion, state: ConfirmState, trouble: Trouble): Draft {
  const spans = spansOf(state, rule, trouble, now);
  const up = spans.filter(({ sight }) => sight === 'up').map((span) => span.node);
  const down = rule.nodes.filter((each) => mayBeDown(state, trouble, spans, each, now));
  const holds = !isOver(state, rule, trouble, now);
  const parts = [
    up.length === 0 ? 'nobody sees it up' : `${listOf(up)} ${up.length === 1 ? 'sees' : 'see'} it up`,
    ...(down.length === 0
      ? []
      : [`${listOf(down)} ${down.length === 1 ? 'sees' : 'see'} it down, or may still`]),
  ];
  return {
    ...{ name: 'lasts', oneOf: '', enough: 1, what: 'its end has not been seen', value: parts.join('; ') },
    needed: `it ends when somebody sees it up, and fewer than ${needed(rule)} down`,
    ...{ ageMs: null, source: node, holds },
    change: holds ? '' : 'it ends in this moment',
  };
}
