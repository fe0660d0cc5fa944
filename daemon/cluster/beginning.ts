/**
 * Why a resource ceased to run, and when. Part of timeline.ts. Pure. What passed without it having ceased to run was no cause: a moment of silence
 * after which the lease was renewed, a failure after which the service answered.
 */
import type { Failover } from '../../proto/timeline-types.js';
import type { DurationMs, NodeName } from '../core/types.js';
import { numberIn, type Timed, wordIn } from './clocks.js';
import type { Gap } from './milestones.js';
import type { Run } from './runs.js';

/** How it began. */
export interface Beginning {
  kind: Failover['kind'];
  at: number;
  /** Words for that moment. */
  since: string;
}

/** Of what is known to have gone wrong, the first. */
export function begun(gap: Gap, window: readonly Timed[], voters: readonly NodeName[]): Beginning {
  const { before } = gap;
  const own = ownOf(before, window);
  const ended = own.find(({ event }) => event === before?.ended);
  const failed = own.find((candidate) => isFailure(candidate) && !hasPassed(candidate, before, own));
  const handed = own.find(({ event }) => event.kind === 'handover-begun');
  const silent = lossesOf(before, window, voters).at(-1);
  const found: Beginning[] = [];
  if (failed !== undefined)
    found.push({ kind: 'failed', at: Math.min(failed.time, ended?.time ?? failed.time), since: 'it failed' });
  if (handed !== undefined) found.push({ kind: 'handover', at: handed.time, since: 'it was asked for' });
  if (silent !== undefined) found.push({ kind: 'lost', ...lastSign(before, window, voters, silent) });
  const [first] = found.sort((a, b) => a.at - b.at);
  if (first !== undefined) return first;
  const at = ended?.time ?? lastWord(gap, window);
  return { kind: 'other', at: at ?? gap.next?.began.at ?? 0, since: 'it ended' };
}

const ownOf = (before: Run | null, window: readonly Timed[]): Timed[] =>
  window.filter(({ event }) => event.node === before?.node);

const FAILURES: readonly string[] = ['service-failed', 'attempt-failed', 'gave-up'];

function isFailure({ event }: Timed): boolean {
  return FAILURES.includes(event.kind) || (event.kind === 'run-changed' && wordIn(event, 'to') === 'failed');
}

/** The service answered again before it was stopped for that. */
function hasPassed({ event }: Timed, before: Run | null, own: readonly Timed[]): boolean {
  const end = before?.ended?.number ?? Number.POSITIVE_INFINITY;
  return (
    event.kind === 'service-failed' &&
    own.some(
      ({ event: { kind, number } }) => kind === 'service-answers' && number > event.number && number < end,
    )
  );
}

/**
 * That other nodes had not heard the holder for too long, as far as it then was lost: it has not said itself that it ended the run under its
 * lease, which a majority had not renewed since.
 */
export function lossesOf(before: Run | null, window: readonly Timed[], voters: readonly NodeName[]): Timed[] {
  if (before !== null && endedUnderLease(before, ownOf(before, window))) return [];
  const renewedAt = lastRenewal(before, window, voters);
  return window.filter(
    (loss) =>
      isLoss(loss.event, before) &&
      (renewedAt === null ? !isHeardAgain(loss, window) : loss.time >= renewedAt),
  );
}

/** Another node has not heard the holder for too long. */
function isLoss(event: Timed['event'], before: Run | null): boolean {
  return (
    event.kind === 'holder-lost' &&
    wordIn(event, 'why') === 'silent' &&
    event.node !== before?.node &&
    (before === null || wordIn(event, 'peer') === before.node)
  );
}

/** By its own word; where its lease was over, that comes first. */
function endedUnderLease({ ended, epoch }: Run, own: readonly Timed[]): boolean {
  return (
    ended !== null &&
    !own.some(
      ({ event }) =>
        event.kind === 'lease-lost' && numberIn(event, 'epoch') === epoch && event.number < ended.number,
    )
  );
}

/** By the same node, under the same lease. */
function isHeardAgain({ event: loss }: Timed, window: readonly Timed[]): boolean {
  return window.some(
    ({ event }) =>
      event.kind === 'holder-heard' &&
      event.node === loss.node &&
      event.number > loss.number &&
      wordIn(event, 'peer') === wordIn(loss, 'peer') &&
      numberIn(event, 'epoch') === numberIn(loss, 'epoch'),
  );
}

/**
 * When a majority of the voters had renewed its lease last, itself among them. What voters say whose events are missing is not known: then by the
 * one that renewed it first. null: none has said.
 */
function lastRenewal(
  before: Run | null,
  window: readonly Timed[],
  voters: readonly NodeName[],
): number | null {
  const last = new Map<NodeName, number>();
  for (const { event, time } of window) {
    if (event.kind !== 'vote-ended' || event.node === before?.node) continue;
    if (
      before !== null &&
      (wordIn(event, 'peer') !== before.node || numberIn(event, 'epoch') !== before.epoch)
    )
      continue;
    // A voter that has restarted since does not know.
    if (typeof event.data.lastRenewedMs !== 'number') continue;
    const renewed: DurationMs = numberIn(event, 'lastRenewedMs');
    last.set(event.node, Math.max(last.get(event.node) ?? Number.NEGATIVE_INFINITY, time - renewed));
  }
  const sorted = [...last.values()].sort((a, b) => b - a);
  const others = Math.max(1, Math.floor(voters.length / 2));
  return sorted[Math.min(others, sorted.length) - 1] ?? null;
}

/** When it last renewed its lease; else when it was last heard. */
function lastSign(
  before: Run | null,
  window: readonly Timed[],
  voters: readonly NodeName[],
  silent: Timed,
): { at: number; since: string } {
  const renewedAt = lastRenewal(before, window, voters);
  const heard = silent.time - numberIn(silent.event, 'lastHeardMs');
  return renewedAt === null
    ? { at: heard, since: 'it was last heard' }
    : { at: Math.min(silent.time, renewedAt), since: 'its last renewal' };
}

/** Where its own node does not say when it ended: when others heard so, else when the next lease was granted. */
function lastWord({ before, next }: Gap, window: readonly Timed[]): number | null {
  const said = window.findLast(
    ({ event }) => event.kind === 'holder-lost' && wordIn(event, 'peer') === before?.node,
  );
  const granted = window.find(
    ({ event }) => event.kind === 'vote-granted' && next !== null && numberIn(event, 'epoch') === next.epoch,
  );
  return (said ?? granted ?? window.at(-1))?.time ?? null;
}
