/** What the engine needs to know to run a check. Checks that are alike share one plan. */
import type { Flight } from './flight.js';

export interface Timing {
  intervalMs: number;
  /** The interval while it fails. */
  retryMs: number;
  connectMs: number;
  /** The longest silence after the connection stands. */
  receiveMs: number;
  /** The whole. */
  totalMs: number;
}

export interface Judging {
  /** Successes in a row that make it up, failures in a row that make it down. */
  rise: number;
  fall: number;
  /** It is down only when there was no success for this long; 0: `fall` alone decides. */
  downAfterMs: number;
}

export type WireName = 'tcp' | 'tls' | 'udp' | 'ping' | 'exec';

export interface Plan {
  wire: WireName;
  /** null: a connection that stands is all that is asked for. */
  dialogue: Dialogue | null;
  timing: Timing;
  judging: Judging;
  /** Which addresses of the name: the first one, each until one answers, or all, which must answer. */
  addresses: 'first' | 'any' | 'all';
  /** The address to come from, '' for the kernel's choice. */
  source: string;
  /** What a wire needs beyond: TLS settings, a plugin's words. */
  extra: unknown;
}

/** A dialogue goes on. */
export const MORE = 0;
/** It goes on elsewhere, as flight.hop says. */
export const HOP = -1;

/** Where a dialogue goes on: over a connection of its own, by the timing and the judging of the same check. */
export interface Hop {
  wire: WireName;
  dialogue: Dialogue;
  /** What the wire needs beyond. */
  extra: unknown;
  host: string;
  port: number;
  /** For people. */
  url: string;
}

/**
 * What is said on a wire: pure but for the flight it is given, whose `step`, `detail`, `kept` and `text` are its own. An answer is
 * MORE, HOP or the byte of a nature.
 */
export interface Dialogue {
  /** This side speaks as soon as the connection stands. */
  readonly speaksFirst?: boolean;
  /** What this side says first, good until the next call; null: the other side does. */
  opening(flight: Flight): Uint8Array | null;
  receive(flight: Flight, bytes: Buffer, length: number, say: Say): number;
  /** The other side says no more. */
  end(flight: Flight, say: Say): number;
  /** The nature of an answer that does not come in time, where that has one of its own. */
  late?(flight: Flight): number;
  /**
   * What this side says when it has heard what it wanted; empty: it just ends the connection. null: it resets it, which leaves
   * nothing behind in the kernel, but some servers complain of it.
   */
  readonly goodbye: Uint8Array | null;
}

/** Sends. */
export type Say = (flight: Flight, bytes: Uint8Array) => void;
