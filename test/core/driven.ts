/** One node of the core that a test steps: what it is told, what it puts out, and how far a switchover of it is. */
import assert from 'node:assert/strict';
import { startNode, stepNode } from '../../daemon/core/node.js';
import type { NodeInput, NodeOutput, NodeState, WithoutNow } from '../../daemon/core/node-types.js';
import type { PrimaryReport } from '../../daemon/core/primary-types.js';
import type { Settings } from '../../daemon/core/settings.js';
import type { Lack, StateMessage } from '../../daemon/core/types.js';
import type { VoterRecord } from '../../daemon/core/voter-types.js';
import { heartbeat, settings, VOTERS } from './given.js';

export const RECORD: VoterRecord = { epochMax: 0, grant: null, sets: [VOTERS] };
const NEVER = Number.POSITIVE_INFINITY;
const REPORT: PrimaryReport = {
  ...{ run: 'run', epoch: 1, heardEpoch: 1, stopsHeard: 0, leaseUntil: 1e9, grantedUntil: 1e9 },
  ...{ mayRun: true, maintained: false, settled: 0, stopEnd: NEVER, actBy: NEVER, wantsLease: false },
  ...{ forced: false, attempts: 0, lastError: '' },
};

/** A node that is stepped; what it has put out since it was last asked. */
export function driven(
  role: 'primary' | 'secondary',
  change: Partial<Settings> = {},
  record: VoterRecord = RECORD,
) {
  const init = { incarnation: 1, record, leftRunning: null, kept: null, roleOnStart: role };
  let state = startNode({ settings: settings(change), ...init }, 0).state;
  const outputs: NodeOutput[] = [];
  let sequence = 1;
  const feed = (now: number, input: WithoutNow<NodeInput>): void => {
    const step = stepNode(state, { ...input, now } as NodeInput);
    state = step.state;
    outputs.push(...step.outputs);
  };
  return {
    feed,
    state: (): NodeState => state,
    hear(now: number, from: string, message: Partial<StateMessage> = {}): void {
      sequence += 1;
      if (state.peers[from] === undefined) feed(now, { kind: 'link', node: from, up: true });
      feed(now, { kind: 'peer', from, message: heartbeat({ sequence, ...message }) });
    },
    report: (now: number, report: Partial<PrimaryReport> = {}): void =>
      feed(now, { kind: 'worker-report', worker: state.lastWorkerId, report: { ...REPORT, ...report } }),
    taken(): NodeOutput[] {
      return outputs.splice(0);
    },
  };
}

export type Node = ReturnType<typeof driven>;

/** The holder a, whose resource runs. */
export function holder(change: Partial<Settings> = {}): Node {
  const a = driven('primary', change);
  a.report(0);
  return a;
}

export const words = (outputs: readonly NodeOutput[]): string[] =>
  outputs.flatMap((output) =>
    output.kind === 'reply' ? [output.error || output.text] : output.kind === 'progress' ? [output.text] : [],
  );

export function switchover(node: Node, to: string, now: number): string[] {
  node.taken();
  node.feed(now, { kind: 'command', id: 7, command: { kind: 'switchover', to } });
  return words(node.taken());
}

export const lacking = (...lacks: Lack[]): Partial<StateMessage> => ({
  readiness: { lacks, failbackMs: NEVER },
});

/** a hands over to b, has released it, and has heard that b holds it. */
export function handedOver(): Node {
  const a = holder();
  a.hear(10, 'b');
  a.hear(10, 'c', { role: 'watchdog', able: false });
  switchover(a, 'b', 20);
  a.feed(520, { kind: 'worker-finish', worker: a.state().lastWorkerId, outcome: 'stopped' });
  assert.deepEqual(words(a.taken()), ['stopped here after 500 ms; the lease passes to b']);
  return a;
}

export const STARTS = { role: 'primary', run: 'starting', holdingEpoch: 2, able: false } as const;
