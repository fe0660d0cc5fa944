/**
 * Whether a switchover would be done, to whom, and what would happen in which order. The command itself asks here, so that `--dry-run` cannot
 * say otherwise. Pure.
 */
import { type Condition, type Explanation, together } from './conditions.js';
import { failbackFrom } from './failback.js';
import type { NodeState } from './node-types.js';
import { successorConditions, whyNot, whyNotAgain } from './readiness.js';
import type { DurationMs, Instant, NodeName } from './types.js';
import { connectedHolder, holding, readySuccessor } from './view.js';
import { seconds } from './waiting.js';
import { shortLengthOf } from './words.js';

/** What a hook took here when it last ended well; null where that is not known. */
export interface Measured {
  stopMs: DurationMs | null;
  startMs: DurationMs | null;
}

export interface SwitchoverPlan {
  /** The node that would run it; '' where there is none. */
  to: NodeName;
  /** Why it would be refused, one sentence; '' where it would be done. */
  refusal: string;
  explanation: Explanation<'here' | 'successor'>;
  /** In their order; none where it would be refused. */
  steps: string[];
}

/** Whom a switchover would go to, `wanted` or the best; `refusal` is '' where it can be done. */
export function chooseSuccessor(
  state: NodeState,
  wanted: NodeName,
  now: Instant,
): { to: NodeName; refusal: string } {
  const { node, resource, voters } = state.settings;
  const unmet = hereConditions(state, now).find(({ holds }) => holds !== true);
  if (unmet !== undefined) return { to: wanted, refusal: unmet.change };
  if (wanted !== '' && !voters.includes(wanted))
    return { to: '', refusal: `${wanted} is not a node of ${resource}: ${voters.join(', ')} are` };
  if (wanted === node) return { to: node, refusal: `${node} holds ${resource} already` };
  const to = wanted === '' ? readySuccessor(state, now) : wanted;
  if (to === '') {
    const others = voters.filter((other) => other !== node);
    const words = others.map((other) => `${other}: ${whyNot(state, other, now).join('; ')}`);
    return { to, refusal: `no other node can take over now (${words.join(' | ')})` };
  }
  const missing = whyNot(state, to, now);
  return { to, refusal: missing.length === 0 ? '' : `${to} cannot take over now: ${missing.join('; ')}` };
}

/** Every condition with its present value, and what would happen. */
export function planSwitchover(
  state: NodeState,
  wanted: NodeName,
  measured: Measured,
  now: Instant,
): SwitchoverPlan {
  const { node, resource, voters } = state.settings;
  const { refusal, to } = chooseSuccessor(state, wanted, now);
  const asked = voters.filter((other) => other !== node && (to === '' || other === to));
  const here = hereConditions(state, now);
  const there = asked.flatMap((other) => successorConditions(state, other, now));
  const sentence = refusal === '' ? `would be handed over to ${to}` : `would not be handed over: ${refusal}`;
  return {
    to,
    refusal,
    explanation: {
      ...{ subject: 'switchover', name: resource, node, sentence },
      verdicts: { here: together(here), successor: to === '' ? false : together(there) },
      conditions: [...here, ...there],
    },
    steps: refusal === '' ? stepsOf(state, to, measured, now) : [],
  };
}

/** What has to hold of the node that hands over; `change` is the sentence of a refusal. */
function hereConditions(state: NodeState, now: Instant): Condition<'here'>[] {
  const { kept, leaving, settings, terminating, worker } = state;
  const { node, resource } = settings;
  const held = holding(state, now);
  const holder = connectedHolder(state, now);
  const of = (
    name: string,
    holds: boolean,
    words: Pick<Condition, 'what' | 'value' | 'needed' | 'change'>,
  ): Condition<'here'> => ({
    ...{ topic: 'here', name, holds, oneOf: '', enough: 1, ageMs: null, source: node },
    ...words,
    change: holds ? '' : words.change,
  });
  return [
    of('stays', !terminating, {
      ...{ what: 'hastmond is not about to end', value: terminating ? 'it ends' : 'it stays' },
      ...{ needed: 'it stays', change: 'hastmond is about to end' },
    }),
    of('maintenance', kept === null, {
      ...{ what: 'it is not in maintenance', value: kept === null ? 'it is not' : kept.reason || 'it is' },
      needed: 'it is not',
      change: `${resource} is in maintenance (${kept?.reason ?? ''}): hastmonctl maintenance off ${resource} first`,
    }),
    of('lease', held, {
      ...{ what: 'this node holds the lease', needed: `held by ${node}` },
      value: held
        ? `epoch ${worker?.report?.epoch ?? 0}, ${seconds((worker?.report?.leaseUntil ?? now) - now)} left`
        : holder === null
          ? 'nobody is known to hold it'
          : `${holder} holds it`,
      change:
        holder === null
          ? `${resource} is not held here, nor by any node that is connected: there is nothing to switch over`
          : `${resource} is held by ${holder}: run switchover there`,
    }),
    of('idle', leaving === null, {
      ...{ what: 'no change of role is under way', needed: 'none is' },
      value: leaving === null ? 'none is' : `this node becomes ${leaving.to}`,
      change: 'a change of role is under way; wait for it and try again',
    }),
  ];
}

function stepsOf(state: NodeState, to: NodeName, { startMs, stopMs }: Measured, now: Instant): string[] {
  const { attempts, leaseMs, node, resource, startTimeoutMs, stopTimeoutMs, switchoverTimeoutMs } =
    state.settings;
  const took = (ms: DurationMs | null, what: string): string =>
    ms === null ? `no ${what} has been measured here` : `the last ${what} here took ${shortLengthOf(ms)}`;
  const stopLimit = shortLengthOf(Math.max(switchoverTimeoutMs, stopTimeoutMs));
  const total = startMs === null || stopMs === null ? '' : shortLengthOf(startMs + stopMs);
  const against = whyNotAgain(state, now);
  // What cannot be given back is tried for as often as the file says (R6).
  const often = against === '' ? 'once' : `up to ${attempts} times (attempts)`;
  const otherwise =
    against === ''
      ? `put it back on ${node}.`
      : `it cannot be put back on ${node}: ${against}. A watchdog's complaints bring it up on any other node that can run it.`;
  const next = failbackFrom(state, to, now);
  return [
    `stop it on ${node}: at most ${stopLimit} (switchover_timeout); ${took(stopMs, 'stop')}. If it does not stop, it goes on running here.`,
    `release the lease, and keep it for ${to} for ${shortLengthOf(leaseMs)} (lease_timeout): ${to} takes it at once.`,
    `start it on ${to}: at most ${shortLengthOf(startTimeoutMs)} (start_timeout), ${often}; ${took(startMs, 'start')}.`,
    `If it does not start there, or ${to} does not take the lease or is lost: ${otherwise}`,
    ...(next === ''
      ? []
      : [
          `It ${next}. hastmonctl maintenance on ${resource} there, or failback never in that file, prevents it.`,
        ]),
    ...(total === '' ? [] : [`By what was measured here, it would be away for ${total} and a few messages.`]),
  ];
}
