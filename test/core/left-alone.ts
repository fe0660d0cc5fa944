/** A node in maintenance, for tests. */
import assert from 'node:assert/strict';
import { startNode, stepNode } from '../../daemon/core/node.js';
import type { KeptNote, NodeInput, NodeOutput, NodeState, WithoutNow } from '../../daemon/core/node-types.js';
import type { MaintenanceMark } from '../../daemon/core/types.js';
import { GRANT_MS, settings, VOTERS } from './given.js';

export const ON: MaintenanceMark = { on: true, reason: 'upgrade', by: 'op', revision: 1 };
const KEPT: KeptNote = {
  ...{ reason: 'upgrade', by: 'op', leftMs: Number.POSITIVE_INFINITY, roleSet: 'secondary' },
};

/** Node a after a restart in maintenance, at 0. */
export function adopted(): NodeState {
  const grant = { holder: { node: 'a', incarnation: 9 }, epoch: 4, grantMs: GRANT_MS, mark: ON };
  const record = { epochMax: 4, grant, sets: [VOTERS] };
  const init = {
    settings: settings(),
    incarnation: 1,
    record,
    leftRunning: 2000,
    roleOnStart: 'init',
  } as const;
  const { outputs, state } = startNode({ ...init, kept: KEPT }, 0);
  assert.equal(
    outputs.some(({ kind }) => kind === 'clean'),
    false,
    'nothing is stopped',
  );
  assert.equal(state.role, 'primary');
  return state;
}

export const step = (state: NodeState, input: WithoutNow<NodeInput>, now: number) =>
  stepNode(state, { ...input, now } as NodeInput);
/** The errors of what it answers; '' for what was done. */
export const replies = (outputs: readonly NodeOutput[]): string[] =>
  outputs.flatMap((output) => (output.kind === 'reply' ? [output.error] : []));
