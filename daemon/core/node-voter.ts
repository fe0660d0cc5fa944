/** Carries out what this node's voter puts out. Part of the core of a node; reached through node.ts. */
import { tellWorker } from './node-role.js';
import type { NodeOutput, NodeState } from './node-types.js';
import type { VoterOutput } from './voter.js';

/** Answers and records go out; a change of the voters is for the primary's worker to know as well. */
export function voterOutputs(state: NodeState, from: VoterOutput[], outputs: NodeOutput[]): void {
  const sets = state.voter.sets;
  for (const output of from) {
    if (output.kind === 'answer') outputs.push({ kind: 'send', to: output.to, message: output.message });
    else if (output.kind === 'store') outputs.push(output);
    else {
      outputs.push({ kind: 'log', level: output.level, text: output.text, peer: '' });
      if (state.worker?.role === 'primary') {
        tellWorker(state, { kind: 'settings', settings: state.settings, sets }, outputs);
      }
    }
  }
}
