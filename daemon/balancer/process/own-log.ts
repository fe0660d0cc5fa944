/**
 * Where the balancer's file wants to read of what it does, beside the log of hastmond: a file (Log.Path), syslog (Log.SysLog) and the
 * standard error (Log.StdErr), in any combination and by ipvs-weightman's levels. Where hastmond's own log goes already, nothing goes twice.
 */
import { chooseTarget, createLogger, type Log, type LogLevel, type LogTarget } from '../../log/log.js';
import { messageOf } from '../../sys/errors.js';
import { loadNative } from '../../sys/native.js';
import type { BalancerOptions } from '../types.js';

export interface OwnLog {
  /** Gives why something of it cannot be had, a line each; tried again at the next call. */
  configure(wanted: BalancerOptions['log']): string[];
  setLevel(level: number): void;
  write(level: 'debug' | 'info' | 'warn' | 'error', fields: Record<string, unknown>, text: string): void;
}

/** ipvs-weightman's levels: 0 says least, 1 is what is done, 2 and more every step. */
function levelOf(level: number): LogLevel {
  if (level <= 0) return 'warn';
  return level === 1 ? 'info' : 'debug';
}

/** `main`: where the log of hastmond goes. */
export function createOwnLog(main: () => LogTarget['kind']): OwnLog {
  const logs = new Map<string, Log>();

  function targets({ path, syslog, stderr }: BalancerOptions['log']): Map<string, () => LogTarget> {
    const found = new Map<string, () => LogTarget>();
    const system = main() === 'syslog' || main() === 'journal';
    if (path !== '') found.set(`Log.Path ${path}`, () => ({ kind: 'file', path }));
    if (syslog && !system)
      found.set('Log.SysLog', () => {
        return { kind: 'syslog', facility: 'daemon', identity: 'hastmon', native: loadNative() };
      });
    if (stderr && (main() === 'file' || main() === 'syslog'))
      found.set('Log.StdErr', () => {
        const surroundings = { background: false, identity: 'hastmon', native: loadNative };
        return chooseTarget({ facility: 'daemon' }, surroundings);
      });
    return found;
  }

  return {
    configure(wanted) {
      const open = targets(wanted);
      const problems: string[] = [];
      for (const name of logs.keys()) if (!open.has(name)) logs.delete(name);
      for (const [name, target] of open) {
        try {
          if (!logs.has(name)) logs.set(name, createLogger(target(), levelOf(wanted.level)));
        } catch (error) {
          problems.push(`${name}: ${messageOf(error)}`);
        }
      }
      this.setLevel(wanted.level);
      return problems;
    },
    setLevel(level) {
      for (const log of logs.values()) log.setLevel(levelOf(level));
    },
    write(level, fields, text) {
      for (const { logger } of logs.values()) logger[level](fields, text);
    },
  };
}
