/** The part of hastmonctl's command line that is about what has happened. */
import type yargs from 'yargs';
import { parseDuration } from '../daemon/config/duration.js';
import type { EventsRequest } from '../proto/event-types.js';
import { UsageError } from './usage.js';

type Command = ReturnType<typeof yargs>;

/** What yargs makes of these words. An option given twice is a list. */
export interface EventWords {
  names?: string[];
  since?: string | string[];
  last?: string | string[];
  follow?: boolean;
}

/** Where neither --since nor --last says how many. */
const LAST_DEFAULT = 50;
const LAST_MAX = 1_000_000;

/** Adds the commands. */
export function eventCommands(main: Command): Command {
  return main.command('events [names..]', 'Show what has happened on this node', (command) =>
    command
      .usage('$0 events [name..] [options]\n\nShows what has happened on this node, the latest last.')
      .positional('names', {
        ...({ type: 'string', array: true } as const),
        describe: 'Resources, checks, hosts or virtual services that it is about',
        defaultDescription: 'everything',
      })
      .option('since', {
        ...({ type: 'string', requiresArg: true } as const),
        describe: "From then on: so long ago (30m, 2h), a time of today (14:30) or '2026-11-28 14:30'",
      })
      .option('last', {
        ...({ type: 'string', requiresArg: true } as const),
        describe: `The last so many [${LAST_DEFAULT}, or all with --since]`,
      })
      .option('follow', { type: 'boolean', alias: 'f', describe: 'Then go on with what happens' }),
  );
}

/** The request of these words; null where the command is none of these. `now`: milliseconds since 1970. */
export function eventsRequestOf(
  command: readonly string[],
  argv: EventWords,
  now: number,
): EventsRequest | null {
  if (command[0] !== 'events') return null;
  const names = [...(argv.names ?? []), ...command.slice(1)];
  if (names.includes('')) throw new UsageError('a name is empty');
  const since = once('since', argv.since);
  const last = once('last', argv.last);
  const sinceMs = since === null ? null : ageOf(since, now);
  const all = sinceMs === null ? LAST_DEFAULT : null;
  return {
    kind: 'events',
    names: [...new Set(names)],
    sinceMs,
    last: last === null ? all : countOf(last),
    follow: argv.follow === true,
  };
}

function once(name: string, value: string | string[] | undefined): string | null {
  if (value === undefined) return null;
  if (Array.isArray(value)) throw new UsageError(`--${name} is given twice`);
  return value.trim();
}

function countOf(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > LAST_MAX)
    throw new UsageError(`--last: '${text}' is not from 0 to ${LAST_MAX}`);
  return count;
}

const TIME = /^(?:(\d{4})-(\d\d)-(\d\d)[ T])?(\d\d):(\d\d)(?::(\d\d))?$/;
const DAY = /^(\d{4})-(\d\d)-(\d\d)$/;

/** How long ago that was, in milliseconds; in this machine's time zone. */
function ageOf(text: string, now: number): number {
  const length = parseDuration(text);
  if (length.ok) return length.value;
  const at = TIME.exec(text) ?? DAY.exec(text);
  if (at === null)
    throw new UsageError(
      `--since: '${text}' is neither a length of time (30m) nor a time (14:30, 2026-11-28, '2026-11-28 14:30')`,
    );
  const today = new Date(now);
  const [
    year = today.getFullYear(),
    month = today.getMonth() + 1,
    day = today.getDate(),
    hours = 0,
    minutes = 0,
    seconds = 0,
  ] = at.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
  const then = new Date(year, month - 1, day, hours, minutes, seconds);
  const real =
    then.getMonth() === month - 1 && then.getDate() === day && hours < 24 && minutes < 60 && seconds < 60;
  if (!real) throw new UsageError(`--since: there is no time '${text}'`);
  if (then.getTime() > now) throw new UsageError(`--since: '${text}' is still to come`);
  return now - then.getTime();
}
