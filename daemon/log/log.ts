/**
 * The log: pino in front, one synchronous destination behind, so that nothing is lost at exit. Which destination is decided
 * once, at the start. It does not know what is worth logging.
 */
import type { Logger } from 'pino';
import type { LogConfig } from '../config/types.js';
import type { Native } from '../sys/native.js';

/** Where lines go. */
export type LogTarget =
  /** Readable lines on stderr; colours only where asked for. */
  | { kind: 'terminal'; colour: boolean }
  /** Lines with a priority prefix on stderr, for the journal (sd-daemon(3)). */
  | { kind: 'journal' }
  /** One JSON object per line. */
  | { kind: 'file'; path: string }
  | { kind: 'syslog'; facility: string; identity: string; native: Native };

export type LogLevel = LogConfig['level'];

export interface Log {
  /** Child loggers carry `resource`, `role` and `peer`. */
  readonly logger: Logger;
  setLevel(level: LogLevel): void;
  /** After SIGHUP: opens the file anew. null: done; else what failed (the old one stays in use). */
  reopen(): string | null;
}

/** Opens the target. Throws an Error with a clear message where a file cannot be opened. */
export declare function createLogger(target: LogTarget, level: LogLevel): Log;

/** Decides: a configured file, else syslog in the background, else the journal, else the terminal. */
export declare function chooseTarget(
  config: Pick<LogConfig, 'file' | 'facility'>,
  surroundings: { background: boolean; native: () => Native; env?: NodeJS.ProcessEnv },
): LogTarget;

/** The level of the configuration, raised by -d (debug) and -dd (trace). */
export declare function levelFor(config: LogLevel, debug: number): LogLevel;
