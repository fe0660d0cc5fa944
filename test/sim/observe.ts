/**
 * Turns a step of a main process into trace events that the checkers understand: promises of voters, releases, and the
 * incidents that a batch of runs has to contain. Reads messages and states; changes nothing.
 */
import type { NodeInput, NodeOutput, NodeState } from '../../daemon/core/node-types.js';
import type { Holder, LeaseTerms, PeerMessage } from '../../daemon/core/types.js';
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
  observePromises(world, main, before, input, outputs);
  for (const output of outputs) {
    if (output.kind === 'send' && output.message.kind === 'release') released(world, output.message);
    else if (output.kind === 'clean' && before.worker?.role === 'primary')
      count(world, main, 'guard-take-over');
    else if (output.kind === 'worker-start' && output.init?.lease != null && before.role === 'primary')
      count(world, main, 'worker-replaced');
  }
  if (input.kind === 'worker-finish' && input.outcome === 'gave-up') count(world, main, 'gave-up');
  if (input.kind === 'peer' && input.message.kind === 'answer' && input.message.refusal !== null)
    count(world, main, 'acquisition-refused');
  if (before.voter.sets.length > 1 && main.state.voter.sets.length === 1)
    count(world, main, 'voters-changed');
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
  const terms = termsAnswered(before, input);
  if (terms === null) return;
  for (const output of outputs) {
    if (output.kind !== 'send' || output.message.kind !== 'answer') continue;
    const { to, refusal, holder, epoch } = output.message;
    if (to === 'request' && refusal === null) promise(world, main, holder, epoch, terms);
  }
  const own = main.state.voter.grant;
  if (own !== null && own !== before.voter.grant && own.holder.node === main.machine.name)
    promise(world, main, own.holder, own.epoch, terms);
}

function promise(world: World, main: MainProcess, holder: Holder, epoch: number, terms: LeaseTerms): void {
  const { machine } = main;
  // The checker's own arithmetic: a grant that the core makes shorter is found out when another gets the next.
  const localMs = (terms.leaseMs + terms.stopBudgetMs) * (1 + terms.driftPpm / 1_000_000);
  const until = world.agenda.now + localMs / machine.plan.rate;
  world.trace({ kind: 'promise', voter: machine.name, holder, epoch, until, terms });
}

/** The terms of the request that this input may have answered. */
function termsAnswered(before: NodeState, input: NodeInput): LeaseTerms | null {
  if (input.kind === 'peer' && input.message.kind === 'request') return input.message.terms;
  if (input.kind === 'worker-send' && input.message.kind === 'request') return input.message.terms;
  if (input.kind === 'stored') return before.voter.storing?.answer?.request.terms ?? null;
  return null;
}

/** Tells the reader of a message on its way. */
export function observeMessage(world: World, from: string, to: string, message: PeerMessage): void {
  if (world.reading) world.trace({ kind: 'message', from, to, text: describeMessage(message) });
}
