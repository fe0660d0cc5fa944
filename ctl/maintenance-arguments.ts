/** The part of hastmonctl's command line that is about leaving resources alone. */
import type yargs from 'yargs';
import type { ControlRequest, Selection } from '../proto/control-types.js';
import { within } from './check-arguments.js';
import { UsageError } from './usage.js';

type Command = ReturnType<typeof yargs>;

/** What yargs makes of these words. An option given twice is a list. */
export interface MaintenanceWords {
  state?: string;
  for?: string | string[];
  reason?: string | string[];
}

const MAX_MS = 24 * 24 * 3_600_000;
const USAGE = [
  '$0 maintenance <on|off|forget> <all|name..> [options]',
  '',
  'Leaves resources alone that run on this node: nothing happens to them by itself, on any node.',
].join('\n');

/** Adds the command. */
export function maintenanceCommand(main: Command): Command {
  return main.command(
    'maintenance [state] [names..]',
    'Leave resources alone, whatever happens, or do so no more',
    (command) =>
      command
        .usage(USAGE)
        .positional('state', {
          type: 'string',
          describe: "'on', 'off', or 'forget' where the node that it is kept for is lost for good",
        })
        .positional('names', {
          ...({ type: 'string', array: true } as const),
          describe: "'all', or names of resources",
          defaultDescription: 'none',
        })
        .option('for', {
          ...({ type: 'string', requiresArg: true } as const),
          describe: 'How long, such as 30m, 2h [until it is ended]',
        })
        .option('reason', {
          ...({ type: 'string', requiresArg: true } as const),
          describe: 'Why, for all who wonder',
        })
        .option('yes', { type: 'boolean', describe: 'Do not ask: the risk is known' }),
  );
}

/** The request of these words about `resources`. */
export function maintenanceOf(
  argv: MaintenanceWords,
  resources: Selection,
): Extract<ControlRequest, { kind: 'maintenance' }> {
  const { for: length, reason = '', state } = argv;
  if (state !== 'on' && state !== 'off' && state !== 'forget')
    throw new UsageError("'maintenance' takes on, off or forget, and names of resources, or 'all'");
  if (resources.length === 0)
    throw new UsageError(`'maintenance ${state}' takes names of resources, or 'all'`);
  if (state === 'forget' && (resources === 'all' || resources.length > 1))
    throw new UsageError("'maintenance forget' takes the name of one resource");
  if (Array.isArray(reason) || Array.isArray(length))
    throw new UsageError('--reason or --for is given twice');
  if (state !== 'on' && (length !== undefined || reason !== ''))
    throw new UsageError('--for and --reason are for maintenance on');
  const forMs = length === undefined ? null : within('for', length, 1000, MAX_MS, '1s to 576h');
  return { kind: 'maintenance', what: state, resources, reason, forMs };
}
