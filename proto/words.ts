/**
 * The words of common.proto and peer.proto, and their numbers on the wire. A tidy test compares these tables with the
 * .proto files; number 0 is never a word, so a missing field is never taken for one.
 */
import type { EdgeKind, Sight } from '../daemon/confirm/types.js';
import type { RefusalReason, Role, RunState } from '../daemon/core/types.js';

/** A closed set of words: `word` is undefined for a number that this version does not know. */
export interface Words<W extends string> {
  number(word: W): number;
  word(number: number): W | undefined;
}

export const roles = words<Role>(['init', 'primary', 'secondary', 'watchdog']);
export const runStates = words<RunState>([
  'unknown',
  'readytorun',
  'starting',
  'run',
  'stopping',
  'stopped',
  'failed',
]);
/** The verdicts of a voter; 'granted' is the refusal `null`. */
export const verdicts = words<RefusalReason | 'granted'>([
  'granted',
  'held',
  'reserved',
  'stale-epoch',
  'released',
  'restarted',
  'no-history',
  'voter-set',
  'not-a-voter',
  'disk',
  'maintenance',
]);
export const answerKinds = words<'ask' | 'request'>(['ask', 'request']);

export const sights = words<Sight>(['up', 'down', 'unknown']);
export const edgeKinds = words<EdgeKind>(['down', 'up', 'flapping', 'calm']);

/** Why one side of a handshake refuses the other. */
export type RefuseReason =
  | 'version'
  | 'not-allowed'
  | 'not-a-voter'
  | 'same-node'
  | 'key-missing'
  | 'algorithm'
  | 'wrong-key'
  | 'superseded';

export const refuseReasons = words<RefuseReason>([
  'version',
  'not-allowed',
  'not-a-voter',
  'same-node',
  'key-missing',
  'algorithm',
  'wrong-key',
  'superseded',
]);

function words<W extends string>(list: readonly W[]): Words<W> {
  const numbers = new Map(list.map((word, index) => [word, index + 1]));
  return {
    number: (word) => numbers.get(word) ?? 0,
    word: (number) => list[number - 1],
  };
}
