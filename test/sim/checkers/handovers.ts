/**
 * Planned moves, held against what was said aloud:
 * - a node hands over to none that has not said, within lease_timeout, that it lacks nothing (P6);
 * - by `failback` only where that is set, to a better priority, to a node that has said so without interruption for that long, and, after
 *   failures that nobody could take for a success, after twice as long each time, up to sixteen times (P7).
 */
import type { NodeName } from '../../../daemon/core/types.js';
import type { Profile } from '../profile.js';
import { type Checker, type TraceEvent, Violation } from '../trace.js';

const BACK_OFF_MAX = 16;

/** What one node has last said to another one. */
interface Word {
  ready: boolean;
  at: number;
  /** Since when it has said so without interruption. */
  since: number;
  leaseMs: number;
}

/** The last failback of a node, and how many before it have failed one after the other. */
interface Failback {
  to: NodeName;
  at: number;
  failures: number;
  cameUpAt: number | null;
  /** Another node has come to run it since. */
  lostAt: number | null;
}

type Said = Extract<TraceEvent, { kind: 'said' }>;
type Begun = Extract<TraceEvent, { kind: 'handover' }>;

export function handovers({ nodes, times }: Profile): Checker {
  const words = new Map<NodeName, Map<NodeName, Word>>();
  const failbacks = new Map<NodeName, Failback>();
  // Clocks of nodes run faster than true time, by the drift at most.
  const trueMs = (ms: number): number => ms / (1 + times.driftPpm / 1e6) - 1;
  const priorityOf = (node: NodeName): number => nodes.find(({ name }) => name === node)?.priority ?? 0;

  function said({ by, leaseMs, node, ready }: Said, now: number): void {
    const heard = words.get(node) ?? new Map<NodeName, Word>();
    words.set(node, heard);
    const before = heard.get(by);
    // Silence is seen by a timer, a heartbeat later at most.
    const silenceMs = Math.max(leaseMs, before?.leaseMs ?? 0) + 2 * times.heartbeatMs;
    const goesOn = before?.ready === true && ready && now - before.at <= silenceMs;
    heard.set(by, { ready, leaseMs, at: now, since: goesOn ? before.since : now });
  }

  function begun(event: Begun, now: number): void {
    const { cause, node, to } = event;
    const word = words.get(node)?.get(to);
    const heardMs = now - (word?.at ?? Number.NEGATIVE_INFINITY);
    if (word?.ready !== true || heardMs > event.leaseMs)
      throw new Violation(
        'handed-over',
        `${node} hands over to ${to}, which ${word === undefined ? 'has said nothing' : word.ready ? `was last heard ${heardMs.toFixed(0)} ms ago` : 'has said that it is not able'}`,
      );
    if (cause === 'failback') broughtBack(event, word, now);
  }

  function broughtBack({ node, to }: Begun, word: Word, now: number): void {
    const { failbackMs } = times;
    if (!Number.isFinite(failbackMs))
      throw new Violation('failback', `${node} hands back to ${to} by itself, with failback never`);
    if (priorityOf(to) >= priorityOf(node))
      throw new Violation('failback', `${node} hands back to ${to}, whose priority is not better`);
    if (now - word.since < trueMs(failbackMs))
      throw new Violation(
        'failback',
        `${node} hands back to ${to}, which has been ready for ${(now - word.since).toFixed(0)} ms, and failback is after ${failbackMs} ms`,
      );
    const last = failbacks.get(node);
    const failures = last === undefined || mayHaveComeOff(last, now) ? 0 : last.failures + 1;
    const waitMs = failures === 0 ? 0 : failbackMs * Math.min(BACK_OFF_MAX, 2 ** (failures - 1));
    if (last !== undefined && now - last.at < trueMs(waitMs))
      throw new Violation(
        'failback',
        `${node} hands back to ${to} ${(now - last.at).toFixed(0)} ms after it did before, and ${failures} have failed one after the other`,
      );
    failbacks.set(node, { to, at: now, failures, cameUpAt: null, lostAt: null });
  }

  /** Who was handed it may have been heard to run it for long enough. */
  function mayHaveComeOff({ cameUpAt, lostAt }: Failback, now: number): boolean {
    return cameUpAt !== null && (lostAt ?? now) - cameUpAt >= trueMs(times.failbackMs);
  }

  return {
    see(event, now) {
      if (event.kind === 'said') said(event, now);
      else if (event.kind === 'handover') begun(event, now);
      else if (event.kind === 'service' && event.running) {
        for (const failback of failbacks.values()) {
          if (event.node === failback.to) failback.cameUpAt ??= now;
          else if (failback.cameUpAt !== null) failback.lostAt ??= now;
        }
      } else if (event.kind === 'process' && event.process === 'main') {
        if (event.what.startsWith('is paused')) return;
        // While it stands still, it sees no silence.
        if (event.what.startsWith('goes on')) {
          for (const word of words.get(event.node)?.values() ?? []) word.at = now;
          return;
        }
        words.delete(event.node);
        failbacks.delete(event.node);
      }
    },
  };
}
