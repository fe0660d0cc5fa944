/** The part of hastmonctl's command line that is about drills. */
import type yargs from 'yargs';
import type { Selection } from '../proto/control-types.js';
import { within } from './check-arguments.js';
import { UsageError } from './usage.js';

type Command = ReturnType<typeof yargs>;

/** What yargs makes of these words. An option given twice is a list. */
export interface DrillWords {
  check?: boolean;
  'for-real'?: boolean;
  hold?: string | string[];
  report?: string | string[];
}

export type DrillTask = MatrixTask | RealTask;

/** What would follow from each failure. */
export interface MatrixTask {
  kind: 'drill-matrix';
  resources: Selection;
  /** The exit status tells whether some single failure leaves a resource without a node. */
  check: boolean;
}

/** A failover and back, of a service that is in use. */
export interface RealTask {
  kind: 'drill-for-real';
  resource: string;
  /** '' where the successor is left to the daemon. */
  to: string;
  holdMs: number;
  /** The file of the report; '' for one in the working directory, by the resource and the time. */
  report: string;
  /** The program that switches back on the other node, and its arguments; empty where the priorities do it. */
  back: string[];
}

const HOLD_DEFAULT_MS = 10_000;
const HOLD_MAX_MS = 24 * 3_600_000;

const VALUE = { type: 'string', requiresArg: true } as const;
const USAGE = [
  '$0 drill [all|name..] [--check] [options]',
  '$0 drill <name> --for-real [--to node] [options] [-- <command..>]',
  '',
  'Says who would run what, and after how long, whatever single thing is lost; nothing is touched. With --for-real it moves a resource to another node and back, measures, and writes a report.',
].join('\n');

/** Adds the command. */
export function drillCommand(main: Command): Command {
  return main.command('drill [names..]', 'Say what would follow from each failure, or try it', (command) =>
    command
      .usage(USAGE)
      .positional('names', {
        ...({ type: 'string', array: true } as const),
        describe: "'all', or names of resources",
        defaultDescription: 'all',
      })
      .option('check', {
        type: 'boolean',
        describe: 'Exit with 1 where a single failure leaves a resource without a node',
      })
      .option('for-real', { type: 'boolean', describe: 'Move the resource to another node and back' })
      .option('to', { ...VALUE, describe: 'That node [the able one of best priority]' })
      .option('hold', { ...VALUE, describe: 'How long it stays there [10s]' })
      .option('report', { ...VALUE, describe: 'The file of the report [drill-NAME-TIME.md]' })
      .option('yes', { type: 'boolean', describe: 'Do not ask: the service may be interrupted twice' }),
  );
}

/** The task of these words; `tail`: what stands behind `--`. */
export function drillTaskOf(
  argv: DrillWords,
  resources: Selection,
  to: string,
  tail: readonly string[],
): DrillTask {
  const { check = false, hold, report } = argv;
  if (argv['for-real'] !== true) {
    const extra = Object.entries({ '--hold': hold, '--report': report, '--to': to || undefined });
    const [given] = extra.find(([, value]) => value !== undefined) ?? [];
    if (given !== undefined || tail.length > 0)
      throw new UsageError(`${given ?? 'a command behind --'} is for a drill --for-real`);
    return { kind: 'drill-matrix', resources, check };
  }
  const [resource, more] = resources === 'all' ? [] : resources;
  if (resource === undefined || more !== undefined)
    throw new UsageError("'drill --for-real' takes the name of one resource");
  if (check) throw new UsageError('--check is for a drill that is not for real');
  if (Array.isArray(hold) || Array.isArray(report)) throw new UsageError('--hold or --report is given twice');
  if (report === '') throw new UsageError('--report is empty');
  return {
    ...{ kind: 'drill-for-real', resource, to, report: report ?? '', back: [...tail] },
    holdMs: hold === undefined ? HOLD_DEFAULT_MS : within('hold', hold, 0, HOLD_MAX_MS, '0s to 24h'),
  };
}
