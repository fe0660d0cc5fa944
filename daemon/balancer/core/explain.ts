/**
 * Why a real server has the weight that it has, how it would come back, and whether the kernel has it so: each condition with its value,
 * who said so and when. Pure. What decides (settle.ts, weights.ts) is asked here for the same facts.
 */
import type { Condition, Explanation } from '../../core/conditions.js';
import { lengthOf } from '../../core/words.js';
import type { DirectorWord } from '../types.js';
import { explainTable, problemWords } from './explain-table.js';
import { aliveWeight, isFailing, rampOf } from './settle.js';
import type { BalancerState, Given, Pair } from './state.js';
import { fullWeight, isDisabled, isEligible, isFresh, weightNow } from './weights.js';
import { whyZero } from './words.js';

/** `weight`: it has one. `ramp`: it comes back gradually, or would. `table`: the kernel has it as it is wanted. */
export type ServerTopic = 'weight' | 'ramp' | 'table';

export interface ServerFacts {
  state: BalancerState;
  pair: Pair;
  /** Where this is known, and by whose word. */
  node: string;
  word: DirectorWord;
  now: number;
}

type Draft = Omit<Condition<ServerTopic>, 'topic' | 'oneOf' | 'enough'>;

/** `name`: a host, in all its services, or HOST/SERVICE. None where there is no such server. */
export function explainServers(
  state: BalancerState,
  name: string,
  { node, word }: Pick<ServerFacts, 'node' | 'word'>,
  now: number,
): Explanation<ServerTopic>[] {
  const order = new Map([...state.services.keys()].map((tag, at) => [tag, at]));
  const place = ({ service }: Pair): number => order.get(service.config.tag) ?? 0;
  const pairs = [...state.hosts.values()].flatMap((host) =>
    host.pairs.filter(({ service }) => {
      const { tag } = host.config;
      return name === tag || name === `${tag}/${service.config.tag}`;
    }),
  );
  return pairs
    .sort((a, b) => place(a) - place(b))
    .map((pair) => {
      const facts = { state, pair, node, word, now };
      return state.active === true || word.fresh ? explainServer(facts) : explainUnknown(facts);
    });
}

/** Of what the director would say nothing is known; the kernel's table here is. */
function explainUnknown(facts: ServerFacts): Explanation<ServerTopic> {
  const { node, pair, word } = facts;
  const since = `unknown since ${lengthOf(word.ageMs)}`;
  const table = explainTable(facts);
  const director: Draft = {
    ...{ name: 'director', what: 'the director can be heard', value: since, needed: 'it can', holds: false },
    ...{ ageMs: word.ageMs, source: word.node === '' ? node : word.node },
    change: 'ask on the node that is primary, or see: hastmonctl status --cluster',
  };
  const drafts = { weight: [director], table };
  return {
    ...{ subject: 'server', name: `${pair.host.config.tag}/${pair.service.config.tag}`, node },
    sentence: `weight ${since}: ${word.node === '' ? 'no director has been heard' : `the last word was that of ${word.node}`}`,
    verdicts: { weight: null, ramp: null, table: table.every(({ holds }) => holds === true) },
    conditions: (['weight', 'table'] as const).flatMap((topic) =>
      drafts[topic].map((draft) => ({ topic, oneOf: '', enough: 1, ...draft })),
    ),
  };
}

function explainServer(facts: ServerFacts): Explanation<ServerTopic> {
  const { node, now, pair, state } = facts;
  const has = state.active === true && weightNow(pair, now) > 0;
  const table = explainTable(facts);
  const all = (topic: ServerTopic, drafts: readonly Draft[]): Condition<ServerTopic>[] =>
    drafts.map((draft) => ({ topic, oneOf: '', enough: 1, ...draft }));
  const ramp = explainRamp(facts);
  return {
    ...{ subject: 'server', name: `${pair.host.config.tag}/${pair.service.config.tag}`, node },
    sentence: sentenceOf(facts),
    verdicts: {
      weight: has,
      ramp: ramp.length === 0 ? null : ramp.every(({ holds }) => holds === true),
      table: table.every(({ holds }) => holds === true),
    },
    conditions: [
      ...all('weight', [...explainPlace(facts), ...explainWill(facts), ...explainCheck(facts)]),
      ...all('weight', explainService(facts)),
      ...all('ramp', ramp),
      ...all('table', table),
    ],
  };
}

/** What is known here by itself. */
const here = ({ node }: ServerFacts): Pick<Draft, 'ageMs' | 'source'> => ({ ageMs: null, source: node });

/** What the director says: it may be this node. */
const own = ({ node, word }: ServerFacts): Pick<Draft, 'ageMs' | 'source'> => ({
  ...{ ageMs: word.node === node ? null : word.ageMs, source: word.node },
});

/** This node's own file. */
const FROM_FILE: Pick<Draft, 'ageMs' | 'source'> = { ageMs: null, source: 'configuration' };

const fix = (holds: boolean, change: string): Pick<Draft, 'holds' | 'change'> => ({
  holds,
  change: holds ? '' : change,
});

function explainPlace(facts: ServerFacts): Draft[] {
  const { now, pair, state } = facts;
  const director = state.active === true;
  const placed = pair.real !== '';
  return [
    {
      ...here(facts),
      ...{ name: 'director', what: 'this node is the director', needed: 'it is' },
      value: director ? 'it is' : `it is not; this is what ${facts.word.node} has told`,
      ...fix(director, 'its table counts on the node that is primary: ask there'),
    },
    {
      ...here(facts),
      ...{ name: 'address', what: 'it has an address', value: placed ? pair.real : whyZero(pair, now) },
      needed: 'one of its own',
      ...fix(placed, 'its name has to resolve to an address of its own, then: hastmonctl balancer reload'),
    },
  ];
}

/** What operators and the file want. */
function explainWill(facts: ServerFacts): Draft[] {
  const { now, pair } = facts;
  const { host, memory, service, fileWeight } = pair;
  const on = `hastmonctl host ${host.config.tag} on`;
  const full = fullWeight(pair);
  const given = ({ at, by }: Given): Pick<Draft, 'ageMs' | 'source'> => ({ ageMs: now - at, source: by });
  const reasons = [...memory.reasons].map(
    ([name, said]): Draft => ({
      ...{ name: 'reason', what: `it is not disabled for reason ${name}`, value: 'disabled' },
      ...{ needed: 'taken back', ...given(said) },
      ...fix(
        false,
        `${on} --vs ${service.config.tag}${name === 'default' ? '' : ` --reason ${quoted(name)}`}`,
      ),
    }),
  );
  const byHand = memory.override === null ? '' : `, set by hand (${fileWeight} in the file)`;
  return [
    {
      ...(host.off === null ? own(facts) : given(host.off)),
      ...{ name: 'host', what: 'the host is not off as a whole' },
      ...{ value: host.off === null ? 'it is not' : 'off', needed: 'not off' },
      ...fix(host.off === null, on),
    },
    ...(reasons.length > 0
      ? reasons
      : [
          {
            ...own(facts),
            ...{ name: 'reason', what: 'it is not disabled', value: 'for no reason', needed: 'no reason' },
            ...fix(true, ''),
          },
        ]),
    {
      ...own(facts),
      ...{ name: 'full-weight', what: 'its full weight is not 0', value: `${full}${byHand}` },
      ...{ needed: '1 or more', ...(memory.override === null ? FROM_FILE : { source: 'operator' }) },
      ...fix(
        full > 0,
        memory.override === null
          ? 'another weight in the file, then: hastmonctl balancer reload'
          : `hastmonctl host ${host.config.tag} weight N --vs ${service.config.tag}`,
      ),
    },
  ];
}

/** As one word for a shell. */
function quoted(word: string): string {
  return /^[\w.:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function explainCheck(facts: ServerFacts): Draft[] {
  const { now, pair } = facts;
  const { check, memory } = pair;
  if (check === null)
    return [
      {
        ...own(facts),
        ...{ name: 'check', what: 'its check passes', value: 'it has none', needed: 'none, or passing' },
        ...{ ...FROM_FILE, ...fix(true, '') },
      },
    ];
  const { nature, passAt, since, state } = check;
  const forHow = since === null ? '' : ` for ${lengthOf(now - since)}`;
  // Who has weight keeps it until there is a result.
  const kept = state === 'unknown' && memory.zeroSince === null;
  const waits = memory.awaitSince !== null && !isFresh(check, memory.awaitSince);
  const drafts: Draft[] = [
    {
      ...own(facts),
      ...{
        name: 'check',
        what: `its check ${check.name} passes`,
        ageMs: passAt === null ? null : now - passAt,
      },
      value:
        state === 'down'
          ? `down${forHow}: ${nature}`
          : state === 'up'
            ? `up${forHow}`
            : `no result yet${kept ? '; it keeps its weight until then' : ''}`,
      needed: 'up',
      holds: state === 'unknown' && !kept ? null : state !== 'down',
      change: state === 'up' || kept ? '' : 'the server has to answer its check',
    },
    {
      ...own(facts),
      ...{ name: 'fresh-pass', what: 'it has passed since it was enabled or defined' },
      value: waits ? `it has waited for one for ${lengthOf(now - (memory.awaitSince ?? now))}` : 'it has',
      ...{
        needed: 'a check that began later',
        ...fix(!waits, 'the next check has to pass; it is begun at once'),
      },
    },
  ];
  if (memory.foundZero)
    drafts.push({
      ...own(facts),
      ...{ name: 'found', what: 'it was not found with weight 0 in the kernel', value: 'it was' },
      ...{ needed: 'a result of its check', source: 'kernel' },
      ...fix(
        false,
        'its check has to have a result: if it passes, the server counts as disabled by somebody',
      ),
    });
  return drafts;
}

/** What its service needs of all of them. */
function explainService(facts: ServerFacts): Draft[] {
  const { pair } = facts;
  const { memory, service } = pair;
  const { hysteresis, quorum, tag } = service.config;
  // What keeps it from having weight is said already.
  const alive = aliveWeight(service) + (isEligible(pair) ? 0 : fullWeight(pair));
  const enough = !isFailing(service, alive);
  const least = Math.max(1, service.sorryAt === null ? quorum - hysteresis : quorum + hysteresis);
  const drafts: Draft[] = [
    {
      ...own(facts),
      ...{ name: 'quorum', what: `enough weight is alive in ${tag}, with this server`, value: String(alive) },
      needed: `${least}${hysteresis === 0 ? '' : ` (quorum ${quorum}, hysteresis ${hysteresis})`}`,
      ...fix(enough, `more servers of ${tag} have to come back: hastmonctl hosts --vs ${tag}`),
    },
  ];
  if (!service.warm && memory.zeroSince !== null)
    drafts.push({
      ...own(facts),
      ...{ name: 'warm', what: 'there are results enough to decide by', value: 'not yet' },
      ...{ needed: 'of one server that passes, or of all', ...fix(false, 'the first results have to come') },
    });
  return drafts;
}

/** A ramp that is under way, or the one that would begin; none for who has its full weight. */
function explainRamp(facts: ServerFacts): Draft[] {
  const { now, pair, state } = facts;
  const { memory, service } = pair;
  const { ramp, rampAskedMs, zeroSince } = memory;
  if (zeroSince === null) {
    if (ramp === null || ramp.deadline <= now) return [];
    const left = lengthOf(ramp.deadline - now);
    return [
      {
        ...own(facts),
        ...{ name: 'ramping', what: 'it comes back gradually' },
        ...{ value: `${weightNow(pair, now)} of ${fullWeight(pair)}, full in ${left}` },
        ...{ needed: `${lengthOf(ramp.durationMs)} in all`, ...fix(true, '') },
      },
    ];
  }
  const next = rampOf({ state, now }, pair);
  const triggerMs = service.config.rampTriggerMs ?? state.config?.options.rampTriggerMs ?? 0;
  const away = `without weight for ${lengthOf(now - zeroSince)}`;
  return [
    {
      ...own(facts),
      ...{ name: 'would-ramp', what: 'it would come back gradually, if it did now' },
      value: next === null ? `at once: ${away}` : `over ${lengthOf(next.durationMs)}: ${away}`,
      ...(rampAskedMs === null
        ? { needed: `${lengthOf(triggerMs)} without weight`, source: 'configuration' }
        : { needed: `${lengthOf(rampAskedMs)} were asked for`, source: 'operator' }),
      ...fix(
        next !== null,
        `longer without weight, or: hastmonctl host ${pair.host.config.tag} on --vs ${service.config.tag} --ramp 30s`,
      ),
    },
  ];
}

function sentenceOf(facts: ServerFacts): string {
  const { now, pair, state } = facts;
  const { memory } = pair;
  const ramp = memory.zeroSince === null ? null : rampOf({ state, now }, pair);
  const parts = [standing(facts)];
  if (memory.zeroSince !== null && pair.real !== '')
    parts.push(ramp === null ? 'would come back at once' : `would ramp for ${lengthOf(ramp.durationMs)}`);
  const problem = problemWords(facts);
  if (problem !== '') parts.push(problem);
  return parts.join('; ');
}

function standing({ now, pair }: ServerFacts): string {
  const { check, host, memory } = pair;
  const full = fullWeight(pair);
  if (memory.zeroSince === null) {
    const weight = weightNow(pair, now);
    const { ramp } = memory;
    if (ramp !== null && ramp.deadline > now)
      return `weight ${weight} of ${full}: it comes back, and has all of it in ${lengthOf(ramp.deadline - now)}`;
    return `weight ${weight}: ${check === null ? 'it has no check' : check.state === 'up' ? 'its check passes' : 'its check has no result yet'}`;
  }
  if (pair.real !== '' && isDisabled(pair)) {
    const ago = ({ at, by }: Given): string => `by ${by}, ${lengthOf(now - at)} ago`;
    const whole = host.off === null ? [] : [`as a whole host ${ago(host.off)}`];
    const reasons = [...memory.reasons].map(([name, given]) => `for reason ${name} ${ago(given)}`);
    return `weight 0: disabled ${[...whole, ...reasons].join(', and ')}`;
  }
  if (pair.real !== '' && full > 0 && check?.state === 'down')
    return `weight 0: down for ${lengthOf(now - (check.since ?? now))}: ${check.nature}`;
  return `weight 0: ${whyZero(pair, now)}`;
}
