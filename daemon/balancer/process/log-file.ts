/** The balancer's own log file (Log.Path), beside the log of hastmond: what it does, by ipvs-weightman's levels. */
import { createLogger, type Log, type LogLevel } from '../../log/log.js';
import { messageOf } from '../../sys/errors.js';

export interface LogFile {
  /** Where it goes and how much of it; '' for nowhere. Gives why not, '' where it is done. */
  configure(path: string, level: number): string;
  setLevel(level: number): void;
  write(level: 'debug' | 'info' | 'warn' | 'error', fields: Record<string, unknown>, text: string): void;
}

/** ipvs-weightman's levels: 0 says least, 1 is what is done, 2 and more every step. */
function levelOf(level: number): LogLevel {
  if (level <= 0) return 'warn';
  return level === 1 ? 'info' : 'debug';
}

export function createLogFile(): LogFile {
  let log: Log | null = null;
  let opened = '';
  return {
    configure(path, level) {
      if (path !== opened) {
        opened = path;
        log = null;
        if (path === '') return '';
        try {
          log = createLogger({ kind: 'file', path }, levelOf(level));
        } catch (error) {
          // Tried again at the next reload.
          opened = '';
          return messageOf(error);
        }
      }
      log?.setLevel(levelOf(level));
      return '';
    },
    setLevel: (level) => log?.setLevel(levelOf(level)),
    write: (level, fields, text) => log?.logger[level](fields, text),
  };
}
