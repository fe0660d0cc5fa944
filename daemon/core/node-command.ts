/**
 * The operator's commands: `role`, `switchover`, `bootstrap`. Each is answered once. Part of the core of a node;
 * reached through node.ts.
 */
import { endHandover } from './handover.js';
import { beginHandover } from './node-handover.js';
import { maintenanceOff, maintenanceOn } from './node-maintenance.js';
import { become, leavePrimary } from './node-role.js';
import type { NodeCommand, NodeOutput, NodeState } from './node-types.js';
import { chooseSuccessor } from './plan.js';
import type { Instant, NodeName, Role, StateMessage } from './types.js';
import { connectedHolder, heardLately, holding } from './view.js';
import { bootstrapVoter, forgetMaintenance } from './voter.js';

/** Carries a command out, or answers why not. */
export function runCommand(
  state: NodeState,
  id: number,
  command: NodeCommand,
  now: Instant,
  outputs: NodeOutput[],
): void {
  const reply = (error: string, text = ''): void => {
    outputs.push({ kind: 'reply', command: id, error, text });
  };
  if (state.terminating) return reply('hastmond is about to end');
  if (command.kind === 'maintenance-on') return maintenanceOn(state, id, command, now, outputs, reply);
  if (command.kind === 'maintenance-forget') return forget(state, now, outputs, reply);
  if (command.kind === 'maintenance-off') return maintenanceOff(state, id, now, reply);
  if (state.kept !== null && command.kind !== 'bootstrap') {
    const { resource } = state.settings;
    return reply(
      `${resource} is in maintenance (${state.kept.reason}): hastmonctl maintenance off ${resource} first`,
    );
  }
  switch (command.kind) {
    case 'role':
      if (command.force) return forcePrimary(state, now, outputs, reply);
      if (command.role === 'primary') return setPrimary(state, now, outputs, reply);
      return setOther(state, id, command.role, now, outputs, reply);
    case 'switchover':
      return switchover(state, id, command.to, now, outputs, reply);
    case 'bootstrap':
      return bootstrap(state, now, outputs, reply);
    default:
      command satisfies never;
  }
}

type Reply = (error: string, text?: string) => void;

/** `role primary`: competes by priority; a node worse than the present holder is sent to `switchover` (P3). */
function setPrimary(state: NodeState, now: Instant, outputs: NodeOutput[], reply: Reply): void {
  const { settings } = state;
  if (state.role === 'primary' && state.leaving === null) {
    overtake(state, now, outputs);
    state.roleSet = 'primary';
    return reply('', 'already primary');
  }
  if (state.leaving !== null) return reply('a change of role is under way; wait for it and try again');
  const holder = connectedHolder(state, now);
  const message = holder === null ? null : heardLately(state, holder, now);
  if (holder !== null && message !== null && message.priority <= settings.priority) {
    return reply(
      `${holder} holds ${settings.resource} with priority ${message.priority}, and this node has ${settings.priority}; ` +
        `to move it here, run on ${holder}: hastmonctl switchover ${settings.resource} --to ${settings.node}`,
    );
  }
  overtake(state, now, outputs);
  state.roleSet = 'primary';
  state.gaveUpAt = null;
  if (holder !== null) {
    if (state.role !== 'secondary') become(state, 'secondary', now, outputs);
    return reply('', `${holder} holds the resource with a worse priority and will hand it over`);
  }
  become(state, 'primary', now, outputs);
  reply('');
}

/** What becomes of a handover that was released is not awaited any more: the role that is set now is not to be undone by it. */
function overtake(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  if (state.handover?.phase !== 'stopping')
    endHandover(state, 'overtaken by a role command', '', now, outputs);
}

function setOther(
  state: NodeState,
  id: number,
  role: Role,
  now: Instant,
  outputs: NodeOutput[],
  reply: Reply,
): void {
  if (state.leaving !== null && state.leaving.command !== 0)
    return reply('a change of role is under way; wait for it and try again');
  overtake(state, now, outputs);
  state.roleSet = role;
  state.gaveUpAt = null;
  if (state.role === role && state.leaving === null) return reply('', `already ${role}`);
  if (state.worker?.role === 'primary') {
    leavePrimary(state, { to: role, why: 'role', successor: '', command: id }, outputs);
    return;
  }
  if (state.role === 'primary' && state.cleaning !== null) {
    state.leaving = { to: role, why: 'role', successor: '', command: id };
    return;
  }
  become(state, role, now, outputs);
  reply('');
}

/** `role primary --force`: outside the guarantee, for the operator who knows better. */
function forcePrimary(state: NodeState, now: Instant, outputs: NodeOutput[], reply: Reply): void {
  const holder = connectedHolder(state, now);
  if (holder !== null)
    return reply(`${holder} holds the lease and is connected: use switchover on ${holder} instead`);
  if (state.cleaning !== null || state.leaving !== null)
    return reply('a stop is under way; wait for it and try again');
  if (holding(state, now)) return reply('', 'already primary, lawfully');
  overtake(state, now, outputs);
  state.roleSet = 'primary';
  state.gaveUpAt = null;
  outputs.push({
    kind: 'log',
    level: 'warn',
    text: 'PRIMARY BY FORCE: no majority protects this; the resource may run on another node too',
    peer: '',
  });
  become(state, 'primary', now, outputs, { forced: true });
  reply('', 'primary by force: the resource may run on another node too, until a lawful holder is met');
}

function switchover(
  state: NodeState,
  id: number,
  wanted: NodeName,
  now: Instant,
  outputs: NodeOutput[],
  reply: Reply,
): void {
  const { refusal, to } = chooseSuccessor(state, wanted, now);
  if (refusal !== '') return reply(refusal);
  beginHandover(state, to, 'operator', id, now, outputs);
}

/** `maintenance forget`: outside the guarantee, where the node that it is kept for is lost for good. */
function forget(state: NodeState, now: Instant, outputs: NodeOutput[], reply: Reply): void {
  const { grant } = state.voter;
  if (!grant?.mark.on) return reply('', 'this voter keeps nothing for anybody; nothing to do');
  if (grant.holder.node === state.settings.node)
    return reply(`it is kept for this node: hastmonctl maintenance off ${state.settings.resource}`);
  const theirs = heardLately(state, grant.holder.node, now);
  if (theirs !== null && !hasForgotten(theirs))
    return reply(
      `${grant.holder.node} is connected: hastmonctl maintenance off ${state.settings.resource} there`,
    );
  const stores = forgetMaintenance(state.voter);
  if (stores.length === 0) return reply('a record is being written; try again in a moment');
  for (const output of stores) if (output.kind === 'store') outputs.push(output);
  const there =
    theirs === null ? 'what may still run there runs unguarded' : 'it says that nothing runs there';
  reply('', `this voter keeps nothing for ${grant.holder.node} any more; ${there}`);
}

/** It has lost its record, and cannot take back what it does not know of; by its own word the resource is stopped there. */
function hasForgotten({ forced, holdingEpoch, memory, run }: StateMessage): boolean {
  return !memory.history && !forced && holdingEpoch === 0 && (run === 'stopped' || run === 'readytorun');
}

function bootstrap(state: NodeState, now: Instant, outputs: NodeOutput[], reply: Reply): void {
  if (state.voter.history) return reply('', 'this voter has a history already; nothing to do');
  for (const output of bootstrapVoter(state.voter, now)) {
    if (output.kind === 'store') outputs.push(output);
    else if (output.kind === 'log') outputs.push({ kind: 'log', level: 'warn', text: output.text, peer: '' });
  }
  reply(
    '',
    'this voter counts from now on; a primary that it granted to before its memory was lost may still run',
  );
}
