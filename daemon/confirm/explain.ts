/**
 * Why a check counts as up or down here, why that is confirmed or not, and whether people are told: each condition with its value, whose
 * word that is and how old. Pure. What decides (views.ts, depends.ts, notify.ts) is asked here for the same facts.
 */
import type { Condition, Explanation } from '../core/conditions.js';
import { explainTold, toldVerdict, toldWords } from './explain-told.js';
import { explainViews, words } from './explain-views.js';
import { isOutage } from './ledger.js';
import type { CheckRule, ConfirmState, Instant, NodeName, View } from './types.js';
import { needed, stillDown } from './views.js';
import { lengthOf, listOf } from './words.js';

/** `here`: it is up, as this node sees it. `confirmed`: an outage is. `told`: people are told of that. */
export type CheckTopic = 'here' | 'confirmed' | 'told';

export interface CheckQuestion {
  check: string;
  node: NodeName;
  rule: CheckRule;
  /** So many good answers in a row make it up, and so many failures down. */
  rise: number;
  fall: number;
  /** What the engine says now; null: it does not run. */
  own: View | null;
  /** null where it is not known yet what was confirmed before. */
  state: ConfirmState | null;
  now: Instant;
}

type Draft = Omit<Condition<CheckTopic>, 'topic' | 'oneOf' | 'enough'>;

export function explainCheck(question: CheckQuestion): Explanation<CheckTopic> {
  const { check, node, own, state } = question;
  const here = explainHere(question).map((draft) => ({
    topic: 'here' as const,
    ...{ oneOf: '', enough: 1 },
    ...draft,
  }));
  const sight = own?.sight ?? 'unknown';
  return {
    ...{ subject: 'check', name: check, node, sentence: sentenceOf(question) },
    verdicts: {
      here: sight === 'unknown' ? null : sight === 'up',
      confirmed: state === null ? null : isOutage(state.ledgers[check]?.edge ?? 0),
      told: state === null ? null : toldVerdict(state, check),
    },
    conditions: [
      ...here,
      ...explainViews(question).map((condition) => ({ topic: 'confirmed' as const, ...condition })),
      ...(state === null ? [] : explainTold(state, question)).map((condition) => ({
        topic: 'told' as const,
        ...{ oneOf: '', enough: 1 },
        ...condition,
      })),
    ],
  };
}

function explainHere({ check, fall, node, own, rise }: CheckQuestion): Draft[] {
  const known = own !== null && own.sight !== 'unknown';
  const up = own?.sight === 'up';
  const good = own !== null && !own.failing;
  return [
    {
      ...{ name: 'checked', what: 'this node checks it, and has a result', source: node, ageMs: null },
      ...{ value: own === null ? 'the checks do not run' : known ? 'it has' : 'no result yet' },
      ...{ needed: 'a result', holds: known },
      change: known
        ? ''
        : own === null
          ? 'the checks have to run: they are started again by themselves'
          : 'the first result has to come',
    },
    {
      ...{ name: 'up', what: 'it counts as up, as seen from here', source: node, ageMs: null },
      ...{ value: known ? `${own.sight} for ${lengthOf(own.forMs)}` : 'not known' },
      needed: up ? `fewer than ${fall} failures in a row` : `${rise} good ${answers(rise)} in a row`,
      holds: known ? up : null,
      change: up ? '' : `it has to answer well, ${times(rise)} in a row`,
    },
    {
      ...{ name: 'answers', what: 'its last answer was good', source: node },
      ...{ value: known ? words(own) : 'none', needed: 'a good answer' },
      ageMs: known ? own.resultAgeMs : null,
      holds: known ? good : null,
      change: good && known ? '' : `see what it says: hastmonctl check ${check}`,
    },
  ];
}

const answers = (count: number): string => (count === 1 ? 'answer' : 'answers');
const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function sentenceOf(question: CheckQuestion): string {
  const { check, now, state } = question;
  const parts = [standing(question)];
  const ledger = state?.ledgers[check];
  if (state !== null && ledger !== undefined) parts.push(...toldWords(state, check, now));
  return parts.join('; ');
}

function standing(question: CheckQuestion): string {
  const { check, fall, now, own, rule, state } = question;
  const ledger = state?.ledgers[check];
  const trouble = state?.troubles[check];
  if (state !== null && trouble !== undefined && ledger !== undefined && isOutage(ledger.edge)) {
    const down = stillDown(state, rule, trouble, now);
    const by = down.length === 0 ? 'nobody sees it down now' : `${listOf(down)} ${see(down)} it down`;
    const since = lengthOf(now - ledger.since);
    if (own?.sight === 'down') return `down for ${since}, confirmed: ${by} (${own.nature})`;
    return `${own?.sight ?? 'not known'} here, but confirmed down for ${since}: ${by}`;
  }
  if (own === null) return 'not known here: the checks do not run';
  const ago = `${lengthOf(own.resultAgeMs)} ago`;
  switch (own.sight) {
    case 'unknown':
      return 'not known here: there is no result yet';
    case 'down':
      return `down here, not confirmed: ${others(question)}`;
    case 'up':
      return own.failing
        ? `up, but the last answer was bad (${own.nature}, ${ago}); ${fall} in a row make it down`
        : `up for ${lengthOf(own.forMs)}, last looked at ${ago}`;
  }
}

const see = (nodes: readonly NodeName[]): string => (nodes.length === 1 ? 'sees' : 'see');

/** Who does not see it down, and why that is known or not. */
function others(question: CheckQuestion): string {
  const { node: self, rule } = question;
  if (rule.nodes.length === 1) return 'only this node looks at it';
  const rows = explainViews(question).filter(({ name, holds }) => name === 'sees-down' && holds !== true);
  const away = rows.filter(({ source }) => source !== self);
  if (away.length === 0) return 'not surely seen by all at the same moment yet';
  const said = away.map(({ ageMs, holds, source, value }) => {
    const ago = ageMs === null ? '' : `, ${lengthOf(ageMs)} ago`;
    const sight = /^(up|down)\b/.exec(value)?.[0];
    return holds === null || sight === undefined ? `${source}: ${value}` : `${source} sees it ${sight}${ago}`;
  });
  const need = needed(rule);
  return `${said.join('; ')}${need < rule.nodes.length ? ` (${need} have to see it down)` : ''}`;
}
