/**
 * What a voter knows of the past and of the other voters: how one without a record learns, and how the voter set changes. Part of
 * the voter; reached through voter.ts.
 */
import { allVoters, coversEveryMajority, isMajorityOfAll, sameSet, setDistance } from './lease.js';
import type { Instant, MaintenanceMark, NodeName, VoterMemory, VoterSets } from './types.js';
import { beginStore, type Grant, recordOf, type VoterOutput, type VoterState } from './voter-types.js';

/** Another voter's memory, heard in its heartbeat: what a voter without history learns from (V9), and how a change
 * of the voter set comes to its end (V11). */
export function voterHeard(
  state: VoterState,
  from: NodeName,
  memory: VoterMemory,
  now: Instant,
): VoterOutput[] {
  if (!state.history) return heardWithoutHistory(state, from, memory, now);
  state.heard = { ...state.heard, [from]: memory };
  if (state.storing !== null) return [];
  const ended = maintenanceEnded(state, memory);
  if (ended.length > 0) return ended;
  if (!sameSets(state.setsStored, state.sets)) {
    const begun = beginStore(state, recordOf(state)); // An earlier attempt failed.
    state.storing = begun.storing;
    return [begun.output];
  }
  const [newest, previous] = state.sets;
  if (newest === undefined || previous === undefined) return [];
  // For whom the resource is kept must not cease to be a voter meanwhile.
  if (state.grant?.mark.on) return [];
  return endChange(state, newest, previous, now);
}

/** Another voter has heard from the holder itself that it has taken its maintenance back: that word is as good here (L4). */
function maintenanceEnded(state: VoterState, { grant: theirs, history }: VoterMemory): VoterOutput[] {
  const { grant } = state;
  if (!history || theirs === null || !grant?.mark.on || theirs.holder.node !== grant.holder.node) return [];
  const newer =
    theirs.epoch > grant.epoch ||
    (theirs.epoch === grant.epoch && theirs.mark.revision > grant.mark.revision);
  if (!newer || theirs.mark.on) return [];
  return storeUnmarked(state, grant, theirs.mark);
}

/** Who holds a newer lease has it from a majority, none of which keeps the resource for another node: nor does this one (L8). */
export function voterSurpassed(state: VoterState, from: NodeName, holdingEpoch: number): VoterOutput[] {
  const { grant } = state;
  if (!grant?.mark.on || holdingEpoch <= grant.epoch || from === grant.holder.node) return [];
  return forgetMaintenance(state);
}

/**
 * The operator's word that what is kept here for another node does not run there any more (L8). It is no word of the holder, so its revision stays
 * as it is: the other voters, one of which may still hear that node, do not take it over.
 */
export function forgetMaintenance(state: VoterState): VoterOutput[] {
  const { grant } = state;
  if (!grant?.mark.on || state.storing !== null) return [];
  return storeUnmarked(state, grant, { on: false, reason: '', by: '', revision: grant.mark.revision });
}

/** What voters keep for this voter's own node it does not count on: the resource is known to be stopped here (L9). */
export function disownMaintenance(
  state: VoterState,
  { epoch, holder, mark }: NonNullable<VoterMemory['grant']>,
  now: Instant,
): VoterOutput[] {
  const { grant } = state;
  if (!state.history || state.storing !== null) return [];
  if (bindsToOthers(state, now)) return [];
  const kept: Grant =
    grant?.epoch === epoch ? grant : { holder, epoch, grantMs: 0, until: now, mark, restored: true };
  state.grant = kept;
  state.epochMax = Math.max(state.epochMax, epoch);
  const revision = Math.max(mark.revision, kept.mark.revision) + 1;
  return storeUnmarked(state, kept, { on: false, reason: '', by: '', revision });
}

/** `mark` counts, and not `than`. Of one revision both are there where an operator has forgotten it on a voter: on another one it goes on. */
export function isNewer(mark: MaintenanceMark, than: MaintenanceMark): boolean {
  return mark.revision > than.revision || (mark.revision === than.revision && mark.on && !than.on);
}

/** True where this voter has promised the resource to another node, and that still counts. */
export function bindsToOthers({ grant, self }: VoterState, now: Instant): boolean {
  return grant !== null && grant.holder.node !== self && (grant.mark.on || now < grant.until);
}

function storeUnmarked(state: VoterState, grant: Grant, mark: MaintenanceMark): VoterOutput[] {
  const { epoch, grantMs, holder } = grant;
  const begun = beginStore(state, {
    epochMax: state.epochMax,
    grant: { holder, epoch, grantMs, mark },
    sets: state.sets,
  });
  state.storing = { ...begun.storing, mark: { holder, epoch, mark } };
  return [begun.output];
}

/**
 * Drops the voter set of before (V11): when a majority of it has stored the new one, and whatever was granted before that
 * has run out. What that majority remembers is taken over, for its members may not be asked any more.
 */
function endChange(state: VoterState, newest: NodeName[], previous: NodeName[], now: Instant): VoterOutput[] {
  const stored = (node: NodeName): boolean => {
    if (node === state.self) return true;
    const memory = state.heard[node];
    return memory?.history === true && memory.sets[0] !== undefined && sameSet(memory.sets[0], newest);
  };
  if (!isMajorityOfAll([previous], stored)) return [];
  const memories = previous.filter(stored).flatMap((node) => state.heard[node] ?? []);
  if (state.changeEndsAt === null) {
    const longest = Math.max(state.ownGrantMs, ...memories.map(({ longestGrantMs }) => longestGrantMs));
    state.changeEndsAt = now + longest;
  }
  if (now < state.changeEndsAt) return [];
  state.sets = [newest];
  state.changeEndsAt = null;
  state.epochMax = Math.max(state.epochMax, ...memories.map(({ epochMax }) => epochMax));
  const begun = beginStore(state, recordOf(state));
  state.storing = begun.storing;
  return [begun.output, { kind: 'log', level: 'info', text: `the voters are now ${newest.join(', ')}` }];
}

/**
 * The configuration names other voters than before (V10). Returns null where the change was begun, else why it
 * cannot be made now; a change of the order alone is none.
 */
export function changeVoters(
  state: VoterState,
  members: readonly NodeName[],
): { refused: string } | { outputs: VoterOutput[] } {
  const [newest, previous] = state.sets;
  if (newest === undefined || sameSet(newest, members)) return { outputs: [] };
  if (state.grant?.mark.on)
    return {
      refused: `${state.grant.holder.node} is in maintenance: hastmonctl maintenance off there first`,
    };
  if (!state.history) {
    state.sets = [[...members]];
    state.setsStored = state.sets;
    // A history under way to the disk is one of other voters: it is learned anew.
    if (state.storing !== null) state.storing = { ...state.storing, learned: '' };
    return { outputs: [] };
  }
  if (previous !== undefined && !sameSet(previous, members)) {
    return {
      refused: `an earlier change of the voters (${previous.join(' ')} to ${newest.join(' ')}) is not stored by a majority yet`,
    };
  }
  if (setDistance(newest, members) > 1) {
    return {
      refused: `the voters differ by more than one node (${newest.join(' ')} to ${members.join(' ')}); change one at a time`,
    };
  }
  const forgetful = newest.find(
    (node) => node !== state.self && members.includes(node) && state.heard[node]?.history === false,
  );
  if (forgetful !== undefined)
    return {
      refused: `${forgetful} does not vote yet: it has no record of the past; reload again when it does`,
    };
  if (state.storing !== null) return { refused: 'a record is being written; reload again in a moment' };
  // A change that is taken back is a change too: both sets count meanwhile, as they do already.
  state.sets = [[...members], newest];
  state.changeEndsAt = null;
  const begun = beginStore(state, recordOf(state));
  state.storing = begun.storing;
  return { outputs: [begun.output] };
}

/** A voter that is alone has nobody to learn from: it is a new cluster by itself. */
export function voterAlone(state: VoterState, now: Instant): VoterOutput[] {
  return state.history || allVoters(state.sets).length > 1 ? [] : learn(state, now);
}

/** The operator's word that there is no earlier history (hastmonctl bootstrap). */
export function bootstrapVoter(state: VoterState, now: Instant): VoterOutput[] {
  if (state.history) return [];
  return takeHistory(state, 'the operator said that there is no earlier history', now);
}

/**
 * What others remember is taken over only after what this voter may have granted and forgotten has run out (V8): before
 * that an acquisition that counts on such a grant may be under way still, and others would not know of it yet.
 */
function heardWithoutHistory(
  state: VoterState,
  from: NodeName,
  memory: VoterMemory,
  now: Instant,
): VoterOutput[] {
  state.quarantineUntil = Math.max(state.quarantineUntil, state.startedAt + memory.longestGrantMs);
  // An empty history is of one that was only quicker to see that the cluster is new.
  if (memory.history && (memory.epochMax > 0 || memory.grant !== null)) state.pastHeard = true;
  if (now < state.quarantineUntil) return [];
  state.heard = { ...state.heard, [from]: memory };
  return learn(state, now);
}

function learn(state: VoterState, now: Instant): VoterOutput[] {
  // Whom its own file does not name has nothing to grant; what it took for the past would be believed by others.
  if (state.sets[0]?.includes(state.self) !== true) return [];
  const sets = setsOfAll(state);
  const others = allVoters(sets).filter((node) => node !== state.self);
  const heard = others.filter((node) => state.heard[node] !== undefined);
  // Nobody that remembers may be left out: not one whose voters are others, for it does not know of this one yet, and not one that was
  // heard before the wait was over and has not been since.
  if (heard.length === others.length && !state.pastHeard) {
    return takeHistory(state, 'all voters are here and none has a history: a new cluster', now);
  }
  const remembers = (node: NodeName): boolean => state.heard[node]?.history === true;
  // Changes of the voters that cross each other have to be over first.
  if (sets.length > SETS_MAX || !coversEveryMajority(sets, state.self, remembers)) return [];
  if (state.storing !== null) return [];
  // It takes part in a change that is under way: to know only the set of its own file would narrow what others reckon with.
  state.sets = sets;
  return takeHistory(state, `history learned from ${heard.join(', ')}`, now);
}

/** A set, and the one before it while it is being changed. */
const SETS_MAX = 2;

/**
 * The sets that this voter's forgotten grants may have counted in: its own file's, and those that others reckon with. In the middle
 * of a change of the voters the file has only the new one.
 */
function setsOfAll(state: VoterState): NodeName[][] {
  const all = [...state.sets];
  for (const [from, { history, sets }] of Object.entries(state.heard)) {
    if (!history) continue;
    // Who is no member of a set may remember it long after its members have dropped it.
    for (const set of sets)
      if (set.includes(state.self) && set.includes(from) && !all.some((known) => sameSet(known, set)))
        all.push([...set]);
  }
  return all;
}

/**
 * Takes over what the others remember. That counts as a history when it is on disk: before that a restart would lose it, and
 * whoever had relied on it would not be believed. After a bootstrap the quarantine of the start goes on.
 */
function takeHistory(state: VoterState, why: string, now: Instant): VoterOutput[] {
  if (state.storing !== null) return [];
  for (const memory of Object.values(state.heard)) {
    state.epochMax = Math.max(state.epochMax, memory.epochMax);
    if (memory.grant === null || memory.grant.epoch < (state.grant?.epoch ?? 0)) continue;
    // One that has run out binds nobody, but for what it says of maintenance.
    if (memory.grant.leftMs === 0 && !memory.grant.mark.on) continue;
    const { holder, epoch, leftMs, mark } = memory.grant;
    // Of two that differ, the newer word of the holder; of two as new, the one that keeps it: the other one is an operator's, of another voter.
    if (state.grant?.epoch === epoch && isNewer(state.grant.mark, mark)) continue;
    state.grant = { holder, epoch, grantMs: leftMs, until: now + leftMs, mark, restored: true };
  }
  const begun = beginStore(state, recordOf(state));
  state.storing = { ...begun.storing, learned: why };
  return [begun.output];
}

function sameSets(a: VoterSets, b: VoterSets): boolean {
  return a.length === b.length && a.every((set, index) => sameSet(set, b[index] ?? []));
}
