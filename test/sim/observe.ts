/**
 * Turns a step of a main process into trace events that the checkers understand: promises of voters, releases, and the
 * incidents that a batch of runs has to contain. Reads messages and states; changes nothing.
 */
import type { NodeInput, NodeOutput, NodeState } from '../../daemon/core/node-types.js';
import type { Holder, NodeName, PeerMessage, RequestMessage, StateMessage } from '../../daemon/core/types.js';
import type { Counted } from './trace.js';
import { describeMessage } from './words.js';
import type { MainProcess, World } from './world.js';

export function observeStep(
  world: World,
  main: MainProcess,
  before: NodeState,
  input: NodeInput,
  outputs: readonly NodeOutput[],
): void {
  if (input.kind === 'peer' && input.message.kind === 'release') {
    const { holder, epoch } = input.message;
    world.trace({ kind: 'release-heard', voter: main.machine.name, holder, epoch });
  }
  if (input.kind === 'judged') world.trace({ kind: 'fit', node: main.machine.name, fit: input.unfit === '' });
  observeVoter(world, main, before, input);
  if (input.kind === 'peer' && input.message.kind === 'state') said(world, main, input.from, input.message);
  observePromises(world, main, before, input, outputs);
  observeMaintenance(world, main, before);
  for (const output of outputs) {
    if (output.kind === 'send' && output.message.kind === 'release') released(world, output.message);
    else if (output.kind === 'clean' && before.worker?.role === 'primary')
      tookOver(world, main, before.worker.id, input);
    else if (output.kind === 'worker-start' && output.init?.lease != null && before.role === 'primary')
      count(world, main, 'worker-replaced');
  }
  if (input.kind === 'worker-finish' && input.outcome === 'gave-up') count(world, main, 'gave-up');
  if (input.kind === 'peer' && input.message.kind === 'answer' && input.message.refusal !== null)
    count(world, main, 'acquisition-refused');
  observeHandover(world, main, before);
  if (before.voter.sets.length > 1 && main.state.voter.sets.length === 1)
    count(world, main, 'voters-changed');
}

/** What a node says of itself, as far as the one that hears it takes that for its latest word. */
function said(world: World, main: MainProcess, by: NodeName, message: StateMessage): void {
  if (main.state.peers[by]?.message !== message) return;
  const ready = message.able && (message.readiness?.lacks.length ?? 0) === 0;
  world.trace({ kind: 'said', node: main.machine.name, by, ready, leaseMs: main.state.settings.leaseMs });
}

function observeHandover(world: World, main: MainProcess, { handover: old }: NodeState): void {
  const { handover, role, worker } = main.state;
  if (handover !== null && old === null) {
    const { cause, to } = handover;
    const { leaseMs } = main.state.settings;
    world.trace({ kind: 'handover', node: main.machine.name, to, cause, leaseMs });
    if (cause === 'failback') count(world, main, 'failback');
  }
  const runs = role === 'primary' && worker?.report?.run === 'run';
  if (old !== null && old.phase !== 'stopping' && handover === null && runs) count(world, main, 'put-back');
}

function observeVoter(world: World, main: MainProcess, before: NodeState, input: NodeInput): void {
  const { voter, acquisition } = main.state;
  const { name } = main.machine;
  if (acquisition.phase === 'acquiring' && before.acquisition.phase !== 'acquiring')
    world.trace({
      kind: 'acquiring',
      node: name,
      // What it runs already is not to depend on anything.
      forced: main.state.worker?.report?.forced === true || main.state.kept !== null,
    });
  if (
    input.kind === 'peer' &&
    input.message.kind === 'state' &&
    !before.voter.history &&
    input.message.memory.history
  )
    world.trace({ kind: 'memory-heard', voter: name, from: input.from });
  // Without history there is nothing that could be dropped.
  if (voter.history && (voter.sets !== before.voter.sets || !before.voter.history))
    world.trace({
      ...{ kind: 'voter-sets', voter: name, sets: voter.sets },
      ...{ epochMax: voter.epochMax, restarted: false },
    });
}

function observeMaintenance(world: World, main: MainProcess, before: NodeState): void {
  const { acquisition, kept, voter } = main.state;
  const { name } = main.machine;
  const { grant } = voter;
  const old = before.voter.grant;
  if (grant?.mark.on && grant !== old)
    world.trace({ kind: 'marked', voter: name, node: grant.holder.node, on: true });
  else if (old?.mark.on && !grant?.mark.on)
    world.trace({ kind: 'marked', voter: name, node: old.holder.node, on: false });
  const counts = (given: NodeState['kept']): boolean =>
    given !== null && given.phase !== 'entering' && given.phase !== 'leaving';
  const asksWithout =
    acquisition.phase === 'acquiring' && before.acquisition.phase !== 'acquiring' && !acquisition.mark.on;
  if (counts(kept) && !counts(before.kept)) world.trace({ kind: 'counts-on-marks', node: name, on: true });
  if ((counts(before.kept) && !counts(kept)) || asksWithout)
    world.trace({ kind: 'counts-on-marks', node: name, on: false });
}

function tookOver(world: World, main: MainProcess, worker: number, input: NodeInput): void {
  count(world, main, 'guard-take-over');
  // A worker that is dead says nothing that matters any more.
  const unread = input.kind === 'worker-exit' ? 0 : main.unread.filter((id) => id === worker).length;
  world.trace({ kind: 'take-over', node: main.machine.name, unread });
}

function count(world: World, main: MainProcess, what: Counted): void {
  world.trace({ kind: 'counted', what, node: main.machine.name });
}

function released(world: World, message: Extract<PeerMessage, { kind: 'release' }>): void {
  world.trace({ kind: 'release', holder: message.holder, epoch: message.epoch });
}

/** A voter's yes is a promise from the moment it is given, whatever the voter itself makes of it. */
function observePromises(
  world: World,
  main: MainProcess,
  before: NodeState,
  input: NodeInput,
  outputs: readonly NodeOutput[],
): void {
  const requests = requestsAnswered(before, input);
  if (requests.length === 0) return;
  const requestOf = (holder: Holder, epoch: number): RequestMessage | undefined =>
    requests.find(
      (request) =>
        request.epoch === epoch &&
        request.holder.node === holder.node &&
        request.holder.incarnation === holder.incarnation,
    );
  for (const output of outputs) {
    if (output.kind !== 'send' || output.message.kind !== 'answer') continue;
    const { to, refusal, holder, epoch } = output.message;
    const request = to === 'request' && refusal === null ? requestOf(holder, epoch) : undefined;
    if (request !== undefined) promise(world, main, request);
  }
  const own = main.state.voter.grant;
  if (own === null || own === before.voter.grant || own.holder.node !== main.machine.name) return;
  const request = requestOf(own.holder, own.epoch);
  if (request !== undefined) promise(world, main, request);
}

/** The requests that this input may have answered. */
function requestsAnswered(before: NodeState, input: NodeInput): RequestMessage[] {
  if (input.kind === 'peer' || input.kind === 'worker-send')
    return input.message.kind === 'request' ? [input.message] : [];
  if (input.kind !== 'stored') return [];
  const { storing, waiting } = before.voter;
  return [storing?.answer?.request, waiting?.request].filter((request) => request !== undefined);
}

function promise(world: World, main: MainProcess, request: RequestMessage): void {
  const { machine } = main;
  const { holder, epoch, terms, sets } = request;
  // The checker's own arithmetic: a grant that the core makes shorter is found out when another gets the next.
  const localMs = (terms.leaseMs + terms.stopBudgetMs) * (1 + terms.driftPpm / 1_000_000);
  const until = world.agenda.now + localMs / machine.plan.rate;
  world.trace({ kind: 'promise', voter: machine.name, holder, epoch, until, terms, sets });
}

/** Tells the reader of a message on its way. */
export function observeMessage(world: World, from: string, to: string, message: PeerMessage): void {
  if (world.reading) world.trace({ kind: 'message', from, to, text: describeMessage(message) });
}
