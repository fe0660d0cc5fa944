/**
 * The log: pino in front, one synchronous destination behind, so that nothing is lost at exit. Which destination is decided
 * once, at the start. It does not know what is worth logging.
 */
import { fstatSync } from 'node:fs';
import { type Logger, pino, stdTimeFunctions } from 'pino';
import type { LogConfig } from '../config/types.js';
import type { Native } from '../sys/native.js';
import {
  formatJournal,
  formatMessage,
  formatTerminal,
  type LogRecord,
  priorityOf,
  redactSecrets,
} from './format.js';
import { descriptorSink, fileSink, type Sink, syslogSink } from './sink.js';

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
  /** Where lines go. */
  readonly kind: LogTarget['kind'];
  /**
   * Child loggers carry `resource`, `role` and `peer` (`logger.child({ resource })`); these stand first in a line. Values of
   * fields called `secret` are never written.
   */
  readonly logger: Logger;
  /** For all child loggers, too. */
  setLevel(level: LogLevel): void;
  /** After SIGHUP: opens the file anew. null: done; else what failed (the old one stays in use). */
  reopen(): string | null;
}

/** Opens the target. Throws an Error with a clear message where a file cannot be opened. */
export function createLogger(target: LogTarget, level: LogLevel): Log {
  const { write, reopen } = openTarget(target);
  const logger = pino(
    {
      level,
      base: target.kind === 'file' ? { pid: process.pid } : null,
      timestamp: target.kind === 'file' ? stdTimeFunctions.isoTime : stdTimeFunctions.epochTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(redactSecrets(line)) },
  );
  // pino's child loggers follow, as they are made here without a level of their own.
  const setLevel = (next: LogLevel): void => {
    logger.level = next;
  };
  return { kind: target.kind, logger, setLevel, reopen };
}

/** Decides: a configured file, else syslog in the background, else the journal if stderr goes there, else the terminal. */
export function chooseTarget(
  config: Pick<LogConfig, 'file' | 'facility'>,
  surroundings: { background: boolean; identity: string; native: () => Native; env?: NodeJS.ProcessEnv },
): LogTarget {
  const { background, identity, native, env = process.env } = surroundings;
  if (config.file !== undefined) return { kind: 'file', path: config.file };
  if (background) return { kind: 'syslog', facility: config.facility, identity, native: native() };
  if (stderrIsJournal(env.JOURNAL_STREAM)) return { kind: 'journal' };
  // https://no-color.org: any value but the empty one.
  return { kind: 'terminal', colour: process.stderr.isTTY === true && (env.NO_COLOR ?? '') === '' };
}

/** The level of the configuration, raised by -d (debug) and -dd (trace), never lowered. */
export function levelFor(config: LogLevel, debug: number): LogLevel {
  if (debug >= 2 || config === 'trace') return 'trace';
  return debug === 1 ? 'debug' : config;
}

function openTarget(target: LogTarget): { write: (line: string) => void; reopen: () => string | null } {
  switch (target.kind) {
    case 'terminal':
      return formatted(descriptorSink(2), (record) => formatTerminal(record, target.colour));
    case 'journal':
      return formatted(descriptorSink(2), formatJournal);
    case 'file': {
      const sink = fileSink(target.path);
      const lostText = (lost: number, reason: string): string => {
        const record = { ...lostRecord(lost, reason), time: new Date().toISOString(), pid: process.pid };
        return `${JSON.stringify(record)}\n`;
      };
      return { write: counted(sink, lostText), reopen: sink.reopen };
    }
    case 'syslog': {
      const send = syslogSink(target.native, target.identity, target.facility);
      const write = (line: string): void => {
        const record = JSON.parse(line) as LogRecord;
        send(priorityOf(record.level), formatMessage(record));
      };
      return { write, reopen: () => null };
    }
  }
}

function formatted(sink: Sink, format: (record: LogRecord) => string): ReturnType<typeof openTarget> {
  const write = counted(sink, (lost, reason) => format(lostRecord(lost, reason)));
  return { write: (line) => write(format(JSON.parse(line) as LogRecord)), reopen: sink.reopen };
}

// A log with gaps says so, as soon as it can say anything again; until then no line waits.
function counted(sink: Sink, lostText: (lost: number, reason: string) => string): (text: string) => void {
  let lost = 0;
  let reason = '';
  return (text) => {
    if (lost > 0 && sink.write(lostText(lost, reason), false) === null) lost = 0;
    const problem = sink.write(text, lost === 0);
    if (problem === null) return;
    lost += 1;
    reason = problem;
  };
}

function lostRecord(lost: number, reason: string): LogRecord {
  return { level: 'warn', time: Date.now(), msg: `${lost} log lines were lost: ${reason}` };
}

// systemd.exec(5): JOURNAL_STREAM is device:inode of the stream, and children inherit it with or without the stream.
function stderrIsJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(2);
  return stream === `${dev}:${ino}`;
}
