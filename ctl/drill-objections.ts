/** Why a drill for real should not be begun: what all nodes say of the resource is looked through, and every reason is told at once. Pure. */
import type { NodeName } from '../daemon/core/types.js';
import type { DrillFacts, DrillNode } from '../proto/drill-types.js';
import type { Explanation } from '../proto/explain-types.js';
import type { RealTask } from './drill-arguments.js';
import type { Known } from './drill-facts.js';
import { unableOf } from './successor.js';
import { duration } from './words.js';

/**
 * One sentence each; none where it may be begun. `outages`: names of checks whose outage is confirmed and not over; `plan`: what hastmond says of
 * the switchover that it would begin with, null where it has said nothing.
 */
export function objections(
  task: RealTask,
  known: Known,
  outages: readonly string[],
  plan: Explanation | null,
): string[] {
  const { asked, others, missing } = known;
  const words = [asked, ...others];
  const maintenance = words.find((word) => word.maintenance !== null)?.maintenance ?? null;
  return [
    ...notRunning(asked),
    ...words.flatMap(notConnected),
    ...missing
      .filter(({ node }) => asked.nodes.some((each) => each.node === node && each.fresh && each.linked))
      .map(({ node, why }) => `${node} does not answer: ${why}`),
    ...asked.nodes.filter(({ history }) => !history).map(({ node }) => `the voter of ${node} has no history`),
    ...words
      .filter((word) => word.votersChanging)
      .map(({ node }) => `the voters are being changed, as ${node} knows`),
    ...(maintenance === null ? [] : [`it is in maintenance on ${maintenance.node}`]),
    ...(asked.serviceFailed === '' ? [] : [`its service counts as failed: ${asked.serviceFailed}`]),
    ...(asked.unfit === '' ? [] : [`it could not come back to ${asked.node}: ${asked.unfit}`]),
    ...outages.map((name) => `the outage of ${name} is confirmed, and not over`),
    ...noSuccessor(task, known, plan),
  ];
}

function notRunning({ node: self, nodes }: DrillFacts): string[] {
  const own = nodes.find(({ node }) => node === self);
  const holder = nodes.find(({ holds }) => holds);
  if (nodes.some(({ forced }) => forced)) return ['it runs by force, outside the rules'];
  if (own?.holds !== true)
    return [holder === undefined ? 'nobody holds it' : `it is held by ${holder.node}: run the drill there`];
  return own.run === 'run' ? [] : [`it does not run here: it is ${own.run}`];
}

/** As this node sees the others. */
function notConnected({ node: self, nodes }: DrillFacts): string[] {
  return nodes.flatMap(({ fresh, heardMs, linked, node }) => {
    if (node === self || (fresh && linked)) return [];
    if (fresh) return [`${node} is not connected with ${self}`];
    return [
      heardMs === null
        ? `${self} has not heard ${node}`
        : `${self} heard ${node} last ${duration(heardMs)} ago`,
    ];
  });
}

/** Only the holder knows who could take it over: elsewhere nothing is said of that. */
function noSuccessor(task: RealTask, known: Known, plan: Explanation | null): string[] {
  const { asked } = known;
  if (!asked.nodes.some(({ holds, node }) => holds && node === asked.node)) return [];
  const others = asked.nodes.map(({ node }) => node).filter((node) => node !== asked.node);
  if (task.to !== '' && !others.includes(task.to))
    return [`${task.to} is not another node of it: ${others.join(', ')} are`];
  const unable = unableOf(plan);
  if (unable.length > 0) return unable;
  const successor = successorOf(task, asked);
  if (successor === null)
    return [
      task.to === '' ? 'no other node is able to take it over' : `${task.to} is not able to take it over`,
    ];
  return [
    ...(comesBack(task, asked, successor) ? [] : [noWayBack(asked, successor)]),
    ...leavesByItself(task, known, successor),
  ];
}

/** Who takes it over; null where nobody can. */
export function successorOf({ to }: RealTask, { node: self, nodes }: DrillFacts): DrillNode | null {
  const able = nodes.filter(({ able, fresh, linked, node }) => node !== self && able && fresh && linked);
  if (to !== '') return able.find(({ node }) => node === to) ?? null;
  return [...able].sort((a, b) => a.priority - b.priority)[0] ?? null;
}

/** Nothing that moves a resource is taken over the network: it comes back by its priority, or by a command on the other node. */
function comesBack({ back }: RealTask, facts: DrillFacts, successor: DrillNode): boolean {
  return back.length > 0 || facts.settings.priority < successor.priority;
}

function noWayBack({ node: self, resource, settings }: DrillFacts, { node, priority }: DrillNode): string {
  return (
    `it would not come back by itself: ${self} has priority ${settings.priority}, ${node} ${priority}; name a command that switches ` +
    `back on ${node}, as in: -- ssh {} hastmonctl switchover ${resource} --to ${self}`
  );
}

/** The successor would hand it on by itself, by priority (P2) or by `failback` (P7), before the drill has it come back. */
function leavesByItself(
  task: RealTask,
  { asked, others }: Known,
  { node: on, priority }: DrillNode,
): string[] {
  const { failbackMs } = others.find(({ node }) => node === on)?.settings ?? asked.settings;
  const rivals = asked.nodes.filter(
    (each) => each.node !== asked.node && each.able && each.priority < priority,
  );
  const set = rivals.find(({ roleSet }) => roleSet === 'primary');
  const [rival] = Number.isFinite(failbackMs) ? rivals : [];
  const next = set ?? rival;
  if (next !== undefined) {
    const why = set === undefined ? `failback is set on ${on}` : 'it is set to primary';
    return [
      `it would not stay on ${on} for the hold: ${next.node} has the better priority (${next.priority}), and ${why}`,
    ];
  }
  // This node is able again when it has stopped, and waits while the other one starts it.
  const startMs = startOn(on, others);
  if (asked.settings.priority >= priority || task.holdMs + startMs < failbackMs) return [];
  const started = startMs === 0 ? '' : `, and it needs ${duration(startMs)} to start`;
  return [
    `it would not stay on ${on} for the hold of ${duration(task.holdMs)}: failback is after ${duration(failbackMs)} there${started}; ` +
      'give a shorter --hold',
  ];
}

/** The longest start that was measured there, in milliseconds; 0 where none was. */
function startOn(on: NodeName, others: readonly DrillFacts[]): number {
  const hooks = others.find(({ node }) => node === on)?.hooks ?? [];
  return Math.max(0, ...hooks.filter(({ action }) => action === 'start').map(({ ms }) => ms));
}

/**
 * What the way back leaves behind on this node, '' for nothing. By its priority it comes back to a node that is set to primary; afterwards no
 * command takes that from the holder without moving the resource.
 */
export function roleLeft({ back }: RealTask, { node: self, nodes, resource }: DrillFacts): string {
  const roleSet = nodes.find(({ node }) => node === self)?.roleSet;
  if (back.length > 0 || roleSet === 'primary') return '';
  return (
    `${self} is set to ${roleSet ?? 'no role'}, and will be set to primary: so it comes back, and so it stays. From then on ${self} takes ` +
    `${resource} back from a node of worse priority whenever it is able. A command behind -- leaves the role as it is`
  );
}
