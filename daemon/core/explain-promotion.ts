/** The conditions of a promotion, and of getting the lease; part of explain.ts. */
import { complaintCount } from './complaints.js';
import type { Condition } from './conditions.js';
import type { Topic } from './explain.js';
import type { NodeState } from './node-types.js';
import type { Instant, NodeName } from './types.js';
import { ableFacts, connectedHolder, holding, promotionReasons, quorums } from './view.js';
import { heardWords, markWords, refusalWords, seconds, votersOf } from './waiting.js';

type Draft = Omit<Condition, 'topic' | 'enough'>;

/** None where it does not apply: a holder needs no promotion, and who is neither primary nor secondary asks for nothing. */
export function explainPromotion(state: NodeState, now: Instant): Condition<Topic>[] {
  if (holding(state, now)) return [];
  const drafts =
    state.role === 'secondary'
      ? [...able(state, now), ...reasons(state, now), ...maintenance(state, now), ...lease(state, now)]
      : state.role === 'primary'
        ? [...waiting(state), ...maintenance(state, now), ...lease(state, now)]
        : [role(state), ...heldBack(state, now)];
  return drafts.map((draft) => ({ topic: 'promotion' as const, enough: 1, ...draft }));
}

const own = (state: NodeState): Pick<Draft, 'oneOf' | 'ageMs' | 'source'> => ({
  oneOf: '',
  ageMs: null,
  source: state.settings.node,
});

const fix = (holds: boolean, change: string): Pick<Draft, 'holds' | 'change'> => ({
  holds,
  change: holds ? '' : change,
});

function role(state: NodeState): Draft {
  const { resource } = state.settings;
  return {
    ...own(state),
    ...{ name: 'role', what: 'the role of this node lets it run', value: state.role },
    ...{ needed: 'primary or secondary', source: 'operator' },
    ...fix(false, `hastmonctl role primary|secondary ${resource}`),
  };
}

function able(state: NodeState, now: Instant): Draft[] {
  const facts = ableFacts(state, now);
  const { gaveUpAt, settings, unfit } = state;
  const { resource } = settings;
  const pauseMs = gaveUpAt === null ? 0 : gaveUpAt + settings.complaintIntervalMs - now;
  return [
    {
      ...own(state),
      ...{ name: 'clean', what: 'the resource is known to be stopped here' },
      ...{ value: facts.clean ? 'known' : 'a stop or a first look is under way', needed: 'known' },
      ...fix(facts.clean, 'the stop has to come to its end; see last error in hastmonctl status'),
    },
    {
      ...own(state),
      ...{ name: 'stays', what: 'hastmond is not about to end', value: facts.stays ? 'it stays' : 'it ends' },
      ...{ needed: 'it stays' },
      ...fix(facts.stays, 'hastmond has to be started again'),
    },
    {
      ...own(state),
      ...{ name: 'fit', what: 'what it requires of its primary holds here' },
      ...{ value: facts.fit ? 'it holds' : unfit, needed: 'all checks under `require` up here' },
      ...fix(facts.fit, unfit),
    },
    {
      ...own(state),
      ...{ name: 'rested', what: 'this node has not just given the resource up' },
      value:
        gaveUpAt === null
          ? 'it has not'
          : `given up ${seconds(now - gaveUpAt)} ago: ${state.lastError || 'it failed'}`,
      needed: `at least complaint_interval (${seconds(settings.complaintIntervalMs)}) ago`,
      ...fix(facts.rested, `${seconds(pauseMs)} have to pass, or hastmonctl role primary ${resource}`),
    },
    {
      ...own(state),
      ...{
        name: 'voter',
        what: 'this node is one of the voters',
        value: facts.voter ? 'it is' : 'it is not',
      },
      ...{ needed: 'it is', source: 'configuration' },
      ...fix(facts.voter, 'an `on` section for it in the file, on all nodes, and a reload'),
    },
  ];
}

function reasons(state: NodeState, now: Instant): Draft[] {
  const facts = promotionReasons(state, now);
  const { settings } = state;
  const { resource } = settings;
  const holder = connectedHolder(state, now);
  const count = complaintCount(state.complaints, settings.complaintIntervalMs, now);
  const needed = settings.complaintCount + 1;
  const last = lastComplaint(state);
  const gone: Draft = {
    ...own(state),
    ...{ name: 'holder-gone', what: 'nobody is heard who holds the lease' },
    value: holder === null ? `nobody for lease_timeout (${seconds(settings.leaseMs)})` : `${holder} holds it`,
    needed: 'nobody, but for a named successor',
    ...(holder === null ? {} : heard(state, holder, now)),
    ...fix(
      facts.holderGone || facts.successor,
      `${holder} has to be lost or to release it: hastmonctl switchover ${resource}, on ${holder}`,
    ),
  };
  return [
    gone,
    {
      ...own(state),
      ...{ name: 'successor', oneOf: 'reason', what: 'the holder has named this node its successor' },
      value: facts.successor ? `for ${seconds(state.successorUntil - now)} more` : 'it has not',
      needed: 'named within the last lease',
      ...fix(facts.successor, `hastmonctl switchover ${resource} --to ${settings.node}, on the holder`),
    },
    {
      ...own(state),
      ...{ name: 'set', oneOf: 'reason', what: 'this node was set to primary', value: state.roleSet },
      ...{ needed: 'primary', source: 'operator' },
      ...fix(facts.set, `hastmonctl role primary ${resource}`),
    },
    {
      ...own(state),
      ...{
        name: 'complaints',
        oneOf: 'reason',
        what: 'a watchdog complains that nobody runs it',
      },
      value: `${count} of ${needed}`,
      needed: `${needed} within complaint_interval (${seconds(settings.complaintIntervalMs)})`,
      ...(last === null ? {} : { source: last.node, ageMs: now - last.at }),
      ...fix(facts.complained, 'a watchdog node has to be up and connected, and to miss the primary as well'),
    },
    {
      ...own(state),
      ...{ name: 'put-back', oneOf: 'reason', what: 'what it handed over did not come to run there' },
      value: facts.putBack ? (state.handover?.why ?? '') : 'it has handed nothing over that failed',
      needed: 'a handover that failed, until it is known who runs it',
      ...fix(facts.putBack, 'a handover of this node to another one has to fail'),
    },
  ];
}

function lastComplaint(state: NodeState): { node: NodeName; at: Instant } | null {
  let found: { node: NodeName; at: Instant } | null = null;
  for (const [node, { times }] of Object.entries(state.complaints)) {
    const at = times.at(-1);
    if (at !== undefined && (found === null || at > found.at)) found = { node, at };
  }
  return found;
}

function heard(state: NodeState, node: NodeName, now: Instant): Pick<Draft, 'ageMs' | 'source'> {
  return { source: node, ageMs: now - (state.peers[node]?.heardAt ?? now) };
}

/** Of a primary without a lease. */
function waiting(state: NodeState): Draft[] {
  const { report } = state.worker ?? {};
  const lawful = report?.forced !== true || report.leaseUntil === Number.NEGATIVE_INFINITY;
  const ready = state.cleaning === null && (report?.wantsLease === true || report?.forced === true) && lawful;
  const stays = !state.terminating && state.leaving === null;
  return [
    {
      ...own(state),
      ...{ name: 'stays', what: 'no change of role or end of hastmond is under way' },
      ...{
        value: stays ? 'it stays' : 'a change of role or the end of hastmond is under way',
        needed: 'it stays',
      },
      ...fix(stays, 'that has to come to its end'),
    },
    {
      ...own(state),
      ...{ name: 'clean', what: 'the resource is known to be stopped here' },
      ...{ value: ready ? 'known' : 'a stop or a first look is under way', needed: 'known' },
      ...fix(ready, 'the stop has to come to its end; see last error in hastmonctl status'),
    },
    {
      ...own(state),
      ...{ name: 'fit', what: 'what it requires of its primary holds here' },
      ...{
        value: state.unfit === '' ? 'it holds' : state.unfit,
        needed: 'all checks under `require` up here',
      },
      ...fix(state.unfit === '' || report?.forced === true || state.kept !== null, state.unfit),
    },
  ];
}

/** Of a node whose role asks for nothing: what more than its role would stand in its way. */
function heldBack(state: NodeState, now: Instant): Draft[] {
  const all = maintenance(state, now);
  return all.some(({ holds }) => !holds) ? all : [];
}

/** Whether the resource is kept for another node, by each set of voters: whatever else holds, it is left alone there (L1). */
function maintenance(state: NodeState, now: Instant): Draft[] {
  const { resource } = state.settings;
  return quorums(state, now).map(({ keeping, needed, set }): Draft => {
    const holds = set.length - keeping.length >= needed;
    const holders = [...new Set(keeping.map(({ holder }) => holder))];
    const words = holders.map((holder) => {
      const newest = keeping
        .filter((kept) => kept.holder === holder)
        .reduce((a, b) => (b.mark.revision > a.mark.revision ? b : a));
      const by = keeping.filter((kept) => kept.holder === holder).map(({ voter }) => voter);
      return `${by.join(' and ')} for ${holder}, which is in maintenance (${markWords(newest.mark)})`;
    });
    const others = keeping.filter(({ voter }) => voter !== state.settings.node);
    const oldest = others.map(({ voter }) => now - (state.peers[voter]?.heardAt ?? now));
    return {
      ...own(state),
      ...{
        name: 'maintenance',
        what: `a majority of ${votersOf(state, set)} keeps it for no node in maintenance`,
      },
      value: keeping.length === 0 ? 'nobody keeps it' : words.join('; '),
      needed: `at most ${set.length - needed} keep it`,
      source: keeping.length === 0 ? state.settings.node : keeping.map(({ voter }) => voter).join(', '),
      ageMs: oldest.length === 0 ? null : Math.max(...oldest),
      ...fix(
        holds,
        `hastmonctl maintenance off ${resource}, on ${holders.join(' and ')}; where that is lost for good, ` +
          `hastmonctl maintenance forget ${resource} on each of the others`,
      ),
    };
  });
}

/** A majority of every set of voters, one after the other. */
function lease(state: NodeState, now: Instant): Draft[] {
  const { acquisition, settings } = state;
  return quorums(state, now).flatMap(({ bound, forgetful, missing, needed, set, there }): Draft[] => {
    const against = set.flatMap((node) => {
      const refusal = acquisition.refusals[node];
      return refusal === undefined ? [] : [refusalWords(node, refusal, now)];
    });
    const enough = there.length >= needed;
    const unbound = set.length - bound.length;
    const remembering = there.length - forgetful.length;
    const free = set.length - against.length >= needed;
    return [
      {
        ...own(state),
        ...{ name: 'majority', what: `a majority of ${votersOf(state, set)} can be heard` },
        value: heardWords(state, there, missing, now),
        needed: `${needed}, within lease_timeout (${seconds(settings.leaseMs)})`,
        ...fix(enough, `${missing.join(' and ')} have to be started, or the network mended`),
      },
      {
        ...own(state),
        ...{ name: 'history', what: `a majority of ${votersOf(state, set)} remembers earlier leases` },
        value: forgetful.length === 0 ? 'all that are heard do' : `${forgetful.join(' and ')} not`,
        needed: `${needed}`,
        ...fix(
          remembering >= needed,
          `the others have to be heard, all for a new cluster; or, where there is no history: hastmonctl bootstrap ${settings.resource}`,
        ),
      },
      {
        ...own(state),
        ...{ name: 'free', what: `a majority of ${votersOf(state, set)} is not known to have granted it` },
        value: bound.length === 0 ? 'nobody is' : `${bound.join(' and ')} to somebody else than its holder`,
        needed: `${needed}`,
        ...fix(unbound >= needed, 'those grants have to run out, by themselves'),
      },
      {
        ...own(state),
        ...{ name: 'granted', what: 'a majority of them does not refuse the lease' },
        value: against.length === 0 ? 'nobody has refused it' : against.join('; '),
        needed: `at most ${set.length - needed} refuse`,
        ageMs: against.length === 0 ? null : Math.max(0, now - acquisition.sentAt),
        ...fix(free, 'what they wait for has to pass; it is asked again by itself'),
      },
    ];
  });
}
