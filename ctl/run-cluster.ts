/** Carries out what asks all nodes at once: asks the one node, prints what they say, and gives the exit status. */
import { exitCode } from '../daemon/process/sysexits.js';
import type { ClusterAnswer, ClusterView } from '../proto/cluster-types.js';
import type { ControlRequest, Selection } from '../proto/control-types.js';
import { succeeded } from './answer.js';
import { formatCluster, selectFrom, unknownIn } from './cluster.js';
import type { ClusterTask } from './cluster-arguments.js';
import { CtlError } from './error.js';
import type { Session } from './run.js';
import { formatTimeline } from './timeline.js';

/** hastmond waits two seconds for each of its rounds at most. */
const ANSWER_MS = 15_000;

export async function runCluster(session: Session, task: ClusterTask): Promise<number> {
  return task.kind === 'cluster-status' ? status(session, task) : timeline(session, task);
}

/** The exit status is 1 where a resource runs on more than one node. */
async function status(
  session: Session,
  { resources }: Extract<ClusterTask, { kind: 'cluster-status' }>,
): Promise<number> {
  const { invocation, terminal } = session;
  const view = await clusterOf(session, resources);
  if (invocation.json) terminal.print(`${JSON.stringify(view, null, 2)}\n`);
  else terminal.print(formatCluster(view, { columns: terminal.columns(), colour: terminal.colour }));
  return view.double.length === 0 ? exitCode.ok : exitCode.no;
}

/** What all nodes say of these resources. Rejects with a CtlError where no node that has answered knows one of them. */
export async function clusterOf(session: Session, resources: Selection): Promise<ClusterView> {
  const { kind: _, ...whole } = await ask(session, { kind: 'cluster' }, 'cluster');
  const [unknown] = unknownIn(whole, resources);
  if (unknown !== undefined)
    throw new CtlError(exitCode.noHost, `no resource ${unknown} on any node that has answered`);
  return selectFrom(whole, resources);
}

async function timeline(
  session: Session,
  { last, marks, resource }: Extract<ClusterTask, { kind: 'timeline-of' }>,
): Promise<number> {
  const { invocation, terminal } = session;
  const { kind: _, ...answer } = await ask(session, { kind: 'timeline', resource, last }, 'timeline');
  if (invocation.json) terminal.print(`${JSON.stringify(answer, null, 2)}\n`);
  else
    terminal.print(formatTimeline(answer, marks, { columns: terminal.columns(), colour: terminal.colour }));
  if (answer.failovers.length === 0 && !invocation.json)
    terminal.note(`hastmonctl: no failover of ${resource} is known`);
  return exitCode.ok;
}

async function ask<K extends ClusterAnswer['kind']>(
  session: Session,
  request: ControlRequest,
  kind: K,
): Promise<Extract<ClusterAnswer, { kind: K }>> {
  const { cluster } = succeeded(await session.ask(request, ANSWER_MS));
  if (cluster?.kind !== kind)
    throw new CtlError(exitCode.protocol, `hastmond gave no answer of the kind '${kind}'`);
  return cluster as Extract<ClusterAnswer, { kind: K }>;
}
