/**
 * What the simulator tells its checkers and the reader: the trace. Checkers see nothing else, so that none of them can be
 * misled by what the core believes of itself. Times are true time; node clocks do not occur.
 */

import type { HandoverCause } from '../../daemon/core/node-types.js';
import type { PrimaryAction } from '../../daemon/core/primary.js';
import type { Holder, LeaseTerms, NodeName, VoterSets } from '../../daemon/core/types.js';

export type HookAction = PrimaryAction;

/** What a batch of runs must have seen to be worth something. */
export const COUNTED = [
  'failover',
  'handover',
  'worker-replaced',
  'guard-take-over',
  'voter-restarted',
  'acquisition-refused',
  'voters-changed',
  'device-reset',
  'gave-up',
  'service-failed',
  'put-back',
  'failback',
] as const;
export type Counted = (typeof COUNTED)[number];

export type TraceEvent =
  /** The service itself came up or went down; `forced`: started by an operator's --force. */
  | { kind: 'service'; node: NodeName; running: boolean; forced: boolean; epoch: number }
  | {
      kind: 'hook-begin';
      node: NodeName;
      action: HookAction;
      epoch: number;
      incarnation: number;
      forced: boolean;
    }
  | { kind: 'hook-end'; node: NodeName; action: HookAction; code: number | null }
  /** A voter said yes to a request: a promise not to grant to another before `until`. */
  | {
      kind: 'promise';
      voter: NodeName;
      holder: Holder;
      epoch: number;
      until: number;
      terms: LeaseTerms;
      /** The voter sets that the request reckoned with. */
      sets: VoterSets;
    }
  /** A voter has on disk that the resource is kept for this node, whatever time passes; or no more. */
  | { kind: 'marked'; voter: NodeName; node: NodeName; on: boolean }
  /** From now on that node counts on what a majority of them has on disk, or counts on it no more and says so. */
  | { kind: 'counts-on-marks'; node: NodeName; on: boolean }
  /** A worker counts on a majority's grants until then: its lease and the time to stop after it. */
  | { kind: 'lease'; holder: Holder; epoch: number; until: number }
  /** A hook is on record and executes in a moment. */
  | { kind: 'hook-recorded'; node: NodeName }
  /** A holder says that it gives a lease up. */
  | { kind: 'release'; holder: Holder; epoch: number }
  /** A voter has heard so. */
  | { kind: 'release-heard'; voter: NodeName; holder: Holder; epoch: number }
  /** A node asks the voters for a lease under a new epoch; `forced`: for what runs there already, by force or in maintenance. */
  | { kind: 'acquiring'; node: NodeName; forced: boolean }
  /** A node knows from now on whether it sees what the resource requires. */
  | { kind: 'fit'; node: NodeName; fit: boolean }
  /** A node has heard another one say whether it lacks something to take over; `leaseMs`: how long that counts. */
  | { kind: 'said'; node: NodeName; by: NodeName; ready: boolean; leaseMs: number }
  /** A node begins to hand over. */
  | { kind: 'handover'; node: NodeName; to: NodeName; cause: HandoverCause; leaseMs: number }
  /** What a voter reckons with from now on. */
  | {
      kind: 'voter-sets';
      voter: NodeName;
      sets: readonly (readonly NodeName[])[];
      epochMax: number;
      /** Read back from its disk by a new process. */
      restarted: boolean;
    }
  /** A voter without history has heard one that has one. */
  | { kind: 'memory-heard'; voter: NodeName; from: NodeName }
  /** The record of a voter is lost. */
  | { kind: 'forgotten'; voter: NodeName }
  /** The voters that a node's configuration names from now on. */
  | { kind: 'voters'; node: NodeName; members: readonly NodeName[] }
  | { kind: 'machine'; node: NodeName; up: boolean; why: string }
  | { kind: 'process'; node: NodeName; process: string; what: string }
  /** A main process stops the resource in its worker's place; `unread`: words of that wait to be read. */
  | { kind: 'take-over'; node: NodeName; unread: number }
  | { kind: 'fault'; text: string }
  | { kind: 'command'; node: NodeName; text: string }
  | { kind: 'reply'; node: NodeName; error: string; text: string }
  | { kind: 'progress'; node: NodeName; text: string }
  | { kind: 'log'; node: NodeName; process: 'main' | 'worker'; level: string; text: string }
  | { kind: 'message'; from: NodeName; to: NodeName; text: string }
  | { kind: 'counted'; what: Counted; node: NodeName };

/** A rule that the run has broken; the text says what happened. */
export class Violation extends Error {
  readonly rule: string;
  constructor(rule: string, text: string) {
    super(text);
    this.rule = rule;
  }
}

/** Sees every event as it happens; throws a Violation where a rule is broken. */
export interface Checker {
  see(event: TraceEvent, now: number): void;
  /** The run is over. */
  end?(now: number): void;
}

/** One line for the reader, without the time; '' for what only checkers want to know. */
export function describeEvent(event: TraceEvent): string {
  switch (event.kind) {
    case 'service':
      return line(
        event.node,
        event.running ? `SERVICE UP${event.forced ? ' (forced)' : ''}` : 'SERVICE DOWN',
      );
    case 'hook-begin':
      return line(
        event.node,
        `hook ${event.action} begins${event.epoch > 0 ? `, epoch ${event.epoch}` : ''}`,
      );
    case 'hook-end':
      return line(
        event.node,
        `hook ${event.action} ${event.code === null ? 'was ended by a signal' : `exits ${event.code}`}`,
      );
    case 'machine':
      return line(event.node, `MACHINE ${event.up ? 'up' : 'DOWN'} (${event.why})`);
    case 'process':
      return line(event.node, `${event.process} ${event.what}`);
    case 'fault':
      return line('', `*** ${event.text}`);
    case 'command':
      return line(event.node, `$ ${event.text}`);
    case 'reply':
      return line(event.node, event.error === '' ? `> ${event.text || 'done'}` : `> failed: ${event.error}`);
    case 'progress':
      return line(event.node, `: ${event.text}`);
    case 'log':
      return line(event.node, `${event.process}: ${event.text}`);
    case 'voters':
      return line(event.node, `reloads: voters ${event.members.join(' ')}`);
    case 'message':
      return line(event.from, `-> ${event.to} ${event.text}`);
    case 'marked':
      return line(
        event.voter,
        `keeps the resource for ${event.node}, in maintenance${event.on ? '' : ', no more'}`,
      );
    case 'counts-on-marks':
    case 'promise':
    case 'release':
    case 'release-heard':
    case 'lease':
    case 'acquiring':
    case 'fit':
    case 'said':
    case 'handover':
    case 'voter-sets':
    case 'memory-heard':
    case 'hook-recorded':
    case 'forgotten':
    case 'take-over':
    case 'counted':
      return '';
    default:
      return event satisfies never;
  }
}

function line(node: NodeName, text: string): string {
  return `${node.padEnd(3)} ${text}`;
}
