/**
 * A node's regular word about itself, sent at every heartbeat and at once when something in it has changed. Part of the core of a
 * node; reached through node.ts.
 */
import type { NodeOutput, NodeState } from './node-types.js';
import { readinessOf } from './readiness.js';
import type { Instant, Readiness, StateMessage, VoterMemory } from './types.js';
import { holding, isAble, runState } from './view.js';
import { voterMemory } from './voter.js';

export function heartbeat(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { settings, worker } = state;
  const report = worker?.report;
  const held = holding(state, now);
  const body: HeartbeatFacts = {
    role: state.role,
    roleSet: state.roleSet,
    run: runState(state),
    priority: settings.priority,
    able: isAble(state, now),
    holdingEpoch: held ? (report?.epoch ?? 0) : 0,
    forced: report?.forced ?? false,
    readiness: readinessOf(state, now),
  };
  const memory = voterMemory(state.voter, now);
  if (now < state.heartbeatAt && sameFacts(state.lastHeartbeat, body, memory)) return;
  if (now >= state.heartbeatAt) {
    const next = state.heartbeatAt + settings.heartbeatMs;
    state.heartbeatAt = next > now ? next : now + settings.heartbeatMs;
  }
  state.sequence += 1;
  const message: StateMessage = {
    kind: 'state',
    incarnation: state.incarnation,
    sequence: state.sequence,
    ...body,
    memory,
  };
  state.lastHeartbeat = message;
  for (const node in state.peers) {
    if (state.peers[node]?.linked) outputs.push({ kind: 'send', to: node, message });
  }
}

type HeartbeatFacts = Omit<StateMessage, 'kind' | 'incarnation' | 'sequence' | 'memory'>;

/** True where a heartbeat sent now would say what the last one said. */
function sameFacts(last: StateMessage | null, body: HeartbeatFacts, memory: VoterMemory): boolean {
  return (
    last !== null &&
    last.role === body.role &&
    last.roleSet === body.roleSet &&
    last.run === body.run &&
    last.priority === body.priority &&
    last.able === body.able &&
    last.holdingEpoch === body.holdingEpoch &&
    last.forced === body.forced &&
    sameReadiness(last.readiness, body.readiness) &&
    last.memory.history === memory.history &&
    last.memory.sets === memory.sets
  );
}

/** What it lacks, not the words for it. */
function sameReadiness(last: Readiness | null, now: Readiness | null): boolean {
  const names = (said: Readiness | null): string => said?.lacks.map(({ name }) => name).join() ?? '';
  return last?.failbackMs === now?.failbackMs && names(last) === names(now);
}
