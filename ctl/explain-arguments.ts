/** The part of hastmonctl's command line that asks why something is as it is. */
import type yargs from 'yargs';
import type { ExplainRequest } from '../proto/explain-types.js';
import { UsageError } from './usage.js';

type Command = ReturnType<typeof yargs>;

/** Adds the command. */
export function explainCommands(main: Command): Command {
  return main.command(
    'explain [name]',
    'Say why something is as it is, and what would change it',
    (command) =>
      command
        .usage('$0 explain <name> [options]\n\nSays why something is as it is, and what would change it.')
        .positional('name', {
          type: 'string',
          describe: 'A resource, a check, a host of the balancer, or HOST/SERVICE',
        }),
  );
}

/** The request of these words; null where the command is another one. */
export function explainRequestOf(
  command: readonly string[],
  given: string | undefined,
): ExplainRequest | null {
  if (command[0] !== 'explain') return null;
  const rest = command.slice(1);
  const [name, more] = given === undefined ? rest : [given, ...rest];
  if (name === undefined || name === '' || more !== undefined)
    throw new UsageError("'explain' takes the name of one resource, check, or host of the balancer");
  return { kind: 'explain', name };
}
