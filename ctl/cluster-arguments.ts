/** The part of hastmonctl's command line that is about all nodes at once. */
import type yargs from 'yargs';
import type { Selection } from '../proto/control-types.js';
import { UsageError } from './usage.js';

type Command = ReturnType<typeof yargs>;

/** What is asked of all nodes, and how much of the answer is shown. */
export type ClusterTask =
  | { kind: 'cluster-status'; resources: Selection }
  | {
      kind: 'timeline-of';
      resource: string;
      last: number;
      /** The events that each phase was made of, too. */
      marks: boolean;
    };

/** What yargs makes of these words. An option given twice is a list. */
export interface ClusterWords {
  name?: string;
  last?: string | string[];
  verbose?: boolean;
}

const LAST_MAX = 100;

/** Adds the commands. */
export function clusterCommands(main: Command): Command {
  return main.command('timeline [name]', 'Show the last failovers of a resource, phase by phase', (command) =>
    command
      .usage('$0 timeline <name> [options]\n\nShows where the time of the last failovers went.')
      .positional('name', { type: 'string', describe: 'The resource' })
      .option('last', {
        ...({ type: 'string', requiresArg: true } as const),
        describe: 'The last so many failovers [1]',
      })
      .option('verbose', { type: 'boolean', alias: 'v', describe: 'The events behind it, too' }),
  );
}

/** The task of these words; null where the command is none of these. */
export function clusterTaskOf(command: readonly string[], argv: ClusterWords): ClusterTask | null {
  if (command[0] !== 'timeline') return null;
  const [resource, more] = [...(argv.name === undefined ? [] : [argv.name]), ...command.slice(1)];
  if (resource === undefined || resource === '' || more !== undefined)
    throw new UsageError("'timeline' takes the name of one resource");
  if (Array.isArray(argv.last)) throw new UsageError('--last is given twice');
  return { kind: 'timeline-of', resource, last: countOf(argv.last ?? '1'), marks: argv.verbose === true };
}

function countOf(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > LAST_MAX)
    throw new UsageError(`--last: '${text}' is not from 1 to ${LAST_MAX}`);
  return count;
}
