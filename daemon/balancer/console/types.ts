/** What the console needs of the balancer: it asks and tells, and decides nothing. */
import type { BalancerCommand, BalancerConfig, PairView, ServiceView } from '../types.js';

export interface ConsoleHost {
  config(): BalancerConfig;
  /** null: all. In the order of hosts, then of services in the file; only pairs that the file has. */
  pairs(hosts: readonly string[] | null, services: readonly string[] | null): PairView[];
  services(names: readonly string[] | null): ServiceView[];
  /** `error` '' where it was done: it is on disk then, and the kernel has been told. */
  command(command: BalancerCommand): Promise<{ error: string; text: string }>;
  /** Reads the file again; text for people. */
  reload(): Promise<string>;
  /** What a reload would change; '' for nothing. */
  diff(): Promise<string>;
  /** ipvs-weightman's levels: 0 says least. */
  logLevel(level: number): void;
  /** How each distinct check stands, for `dump checkers`. */
  checkers(): {
    name: string;
    state: 'up' | 'down' | 'unknown';
    nature: string;
    sinceAge: number | null;
    passAge: number | null;
  }[];
  /** What is to be said where the views are not this node's own word: whose, and how old it is. '' for nothing. */
  whose(): string;
  /** Has the kernel's connections counted anew: who waits for the last one must not read an older number. */
  refresh(): Promise<void>;
  /** A line that was to change something has been typed, and answered so. */
  typed?(by: string, line: string, answer: string): void;
  /** Seconds since 1970. */
  wall(): number;
}

/** What is remembered from line to line. */
export interface ConsoleSession {
  /** Who types, for the records of what is disabled. */
  by: string;
  /** Lines that begin with `show`, the newest first, at most HISTORY_MAX. */
  shown: string[];
}

export const HISTORY_MAX = 20;

/** Stands before each line; after the answer to the one before it. */
export const PROMPT = '$ ';

export function newSession(by: string): ConsoleSession {
  return { by, shown: [] };
}
