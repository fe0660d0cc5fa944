/** What the core was seen to do, and what hooks did, as events: one sentence for people, and the facts under the names of docs/events.md. */
import type { NewEvent } from '../../proto/event-types.js';
import type { Observation } from '../core/observe.js';
import type { HookResult } from '../hooks/types.js';

/** The event of an observation about this resource. */
export function eventOfObservation(resource: string, { kind, ...data }: Observation): NewEvent {
  return { kind, resource, text: textOf({ kind, ...data } as Observation), data } as NewEvent;
}

function textOf(seen: Observation): string {
  switch (seen.kind) {
    case 'role-changed':
      return `role changed from ${seen.from} to ${seen.to}`;
    case 'run-changed':
      return `the resource was ${seen.from}, now ${seen.to}${because(seen.error)}`;
    case 'attempt-failed':
      return `attempt ${seen.attempts} of ${seen.limit} failed${because(seen.error)}`;
    case 'link-up':
      return `connected with ${seen.peer}`;
    case 'link-down':
      return `no longer connected with ${seen.peer}`;
    case 'holder-heard':
      return `${seen.peer} holds the lease, epoch ${seen.epoch}`;
    case 'holder-lost':
      return seen.why === 'released'
        ? `${seen.peer} no longer holds the lease, epoch ${seen.epoch}`
        : `${seen.peer}, which held the lease, epoch ${seen.epoch}, has not been heard for ${seconds(seen.lastHeardMs)}`;
    case 'complaint':
      return `${seen.peer} complains that nobody runs the resource (${seen.count} of ${seen.needed})`;
    case 'vote-granted':
      return `this voter has granted the lease to ${seen.peer}, epoch ${seen.epoch}`;
    case 'vote-ended':
      return `the grant to ${seen.peer}, epoch ${seen.epoch}, ${ENDS[seen.why]}, ${
        seen.lastRenewedMs === undefined
          ? 'not renewed since hastmond began'
          : `${seconds(seen.lastRenewedMs)} after it was last renewed`
      }`;
    case 'lease-acquired':
      return `this node holds the lease, epoch ${seen.epoch}`;
    case 'lease-lost':
      return `this node has lost the lease, epoch ${seen.epoch}`;
    case 'lease-released':
      return `this node has released the lease, epoch ${seen.epoch}`;
    case 'handover-begun':
      return `handing over to ${seen.to}${CAUSES[seen.cause]}`;
    case 'handover-done':
      return `${seen.to} runs it: stop took ${seconds(seen.stopMs)}, lease passed after ${seconds(seen.passMs)}, start took ${seconds(seen.startMs)}`;
    case 'handover-failed':
      return `${seen.why}: it is put back here`;
    case 'put-back':
      return `put back: what was to go to ${seen.to} runs here again, ${seconds(seen.lastedMs)} after it was released`;
    case 'gave-up':
      return `this node has given the resource up${because(seen.error)}`;
    case 'service-failed':
      return `the service counts as failed: ${seen.why}`;
    case 'service-answers':
      return 'the service answers again';
    case 'fencing':
      return 'the fence program is run, since the resource could not be stopped';
    case 'maintenance-on':
      return `${seen.peer} is in maintenance${because(seen.reason)}; by ${seen.by}`;
    case 'maintenance-off':
      return `${seen.peer} is in maintenance no more`;
    case 'history-learned':
      return 'this voter has a record of the past from now on, and votes';
    default:
      return seen satisfies never;
  }
}

const CAUSES = {
  operator: '',
  priority: ', which was set to primary and has a better priority',
  failback: ', which has a better priority and is back (failback)',
} as const;

const ENDS = {
  'ran-out': 'has run out',
  released: 'was released',
  replaced: 'was replaced by a newer one',
} as const;

/** How a hook ended. */
export type HookEnd = Pick<HookResult, 'action' | 'outcome' | 'code' | 'durationMs' | 'detail'>;

/**
 * The event of a hook's end. null for what is run at every turn: a status says nothing by itself (what follows from it is seen in the
 * core), and complaints are events of their own.
 */
export function eventOfHook(
  resource: string,
  {
    action,
    code,
    detail,
    durationMs,
    outcome,
  }: Pick<HookResult, 'action' | 'outcome' | 'code' | 'durationMs' | 'detail'>,
): NewEvent | null {
  if (action === 'status' || action === 'complain') return null;
  const ok = outcome === 'exit' && code === 0;
  const ms = Math.round(durationMs * 10) / 10;
  const text = ok ? `${action} has ended well after ${seconds(durationMs)}` : detail;
  return { kind: 'hook', resource, text, data: { action, ok, outcome, code: code ?? -1, ms } };
}

const because = (error: string): string => (error === '' ? '' : `: ${error}`);
const seconds = (ms: number): string => (ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
