/**
 * Checks of what came over a wire, before anything believes it. Every function returns the value in its checked type
 * or throws `Invalid`, which the codecs turn into a value; it never leaves this folder.
 */
import type { NodeName, VoterSets } from '../daemon/core/types.js';
import type { Words } from './words.js';

/** A field that is missing or out of range; the message names the field. */
export class Invalid extends Error {}

/** The longest name of a node or resource. A host name has at most 255 characters (RFC 1035, 2.3.4). */
const nameLengthMax = 255;
/** As many voters as anybody could want; a bound on what a message can make us keep. */
const votersMax = 64;
/** 2^31-1 ms, 24 days: no lease, budget or grant of a sane configuration is longer. */
const durationMsMax = 2_147_483_647;

/** A whole number from `least` to 2^53-1; where it is absent it is 0. */
export function counter(field: string, value: number | null | undefined, least = 0): number {
  const number = value ?? 0;
  if (!Number.isSafeInteger(number) || number < least) throw new Invalid(`${field} is out of range`);
  return number;
}

/** Milliseconds, from 0 to 24 days. */
export function duration(field: string, value: number | null | undefined): number {
  const number = value ?? 0;
  if (!(number >= 0 && number <= durationMsMax)) throw new Invalid(`${field} is out of range`);
  return number;
}

export function numberWithin(
  field: string,
  value: number | null | undefined,
  least: number,
  most: number,
): number {
  const number = value ?? 0;
  if (!(number >= least && number <= most)) throw new Invalid(`${field} is out of range`);
  return number;
}

/** A name of a node or a resource: 1 to 255 characters, none of them a control character. */
export function name(field: string, value: string | null | undefined): string {
  const text = nameOrNone(field, value);
  if (text === '') throw new Invalid(`${field} is missing`);
  return text;
}

/** A name, or '' for none. */
export function nameOrNone(field: string, value: string | null | undefined): string {
  const text = value ?? '';
  if (text.length > nameLengthMax) throw new Invalid(`${field} is too long`);
  // U+FFFD is what bytes that are no UTF-8 turn into.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this rejects
  if (/[\u0000-\u001f\u007f\ufffd]/.test(text)) throw new Invalid(`${field} has characters that no name has`);
  return text;
}

/** At most so many bytes; a copy, since what came over a wire lies in a buffer that is used again. */
export function bytes(field: string, value: Uint8Array | null | undefined, most: number): Uint8Array {
  const given = value ?? new Uint8Array(0);
  if (given.length > most) throw new Invalid(`${field} has ${given.length} bytes`);
  return new Uint8Array(given);
}

export function word<W extends string>(field: string, table: Words<W>, value: number | null | undefined): W {
  const found = table.word(value ?? 0);
  if (found === undefined) throw new Invalid(`${field} has the unknown value ${value ?? 0}`);
  return found;
}

export function present<T>(field: string, value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Invalid(`${field} is missing`);
  return value;
}

/** One voter set, or the old and the new; each of 1 to 64 different names. */
export function voterSets(
  field: string,
  value: readonly { node?: string[] | null }[] | null | undefined,
  least: number,
): VoterSets {
  const sets = value ?? [];
  if (sets.length < least || sets.length > 2) throw new Invalid(`${field} has ${sets.length} voter sets`);
  return sets.map((set) => voterSet(field, set.node ?? []));
}

function voterSet(field: string, nodes: readonly string[]): NodeName[] {
  if (nodes.length < 1 || nodes.length > votersMax) throw new Invalid(`${field} has ${nodes.length} voters`);
  const names = nodes.map((node) => name(field, node));
  // A majority of a set in which somebody counts twice would not be one.
  if (new Set(names).size !== names.length) throw new Invalid(`${field} names a voter twice`);
  return names;
}
