/** The part of hastmonctl's command line that is about checks and alerts. */
import type yargs from 'yargs';
import { parseDuration } from '../daemon/config/duration.js';
import type { MonitorRequest } from '../proto/monitor-types.js';
import { UsageError } from './usage.js';

type Command = ReturnType<typeof yargs>;

/** What yargs makes of these words. An option given twice is a list. */
export interface CheckWords {
  patterns?: string[];
  names?: string[];
  name?: string;
  target?: string;
  down?: boolean;
  host?: string | string[];
  group?: string | string[];
  watch?: string | string[];
  option?: string[];
  by?: string | string[];
  for?: string | string[];
}

export const WATCH_DEFAULT_MS = 2000;
const WATCH_MAX_MS = 3_600_000;
const MUTE_DEFAULT_MS = 3_600_000;
/** As long as a mute may be, 24 days. */
const MUTE_MAX_MS = 24 * 24 * 3_600_000;

const CHECK_NAMES = {
  ...({ type: 'string', array: true } as const),
  describe: 'The checks',
  defaultDescription: 'none',
};
const VALUE = { type: 'string', requiresArg: true } as const;

/** Adds the commands. */
export function checkCommands(main: Command): Command {
  return main
    .command('checks [patterns..]', 'Show how checks are', (command) =>
      watched(command)
        .usage('$0 checks [pattern..] [options]\n\nShows how checks are, the worst first.')
        .positional('patterns', {
          type: 'string',
          array: true,
          describe: "Names, or patterns with '*' and '?'",
          defaultDescription: 'all',
        })
        .option('down', { type: 'boolean', describe: 'Those alone that are down' })
        .option('host', { ...VALUE, describe: 'Those of this host alone' })
        .option('group', { ...VALUE, describe: 'Those of this group alone' }),
    )
    .command('check', 'Show all about a check, run it, acknowledge or mute its outage', (command) =>
      subcommands(command).usage(
        '$0 check <name> [options]\n$0 check <command>\n\nShows all that is known of a check, or does something with it.',
      ),
    )
    .command('mute [names..]', 'Tell nothing of checks for a while', muting('mute'))
    .command('unmute [names..]', 'Tell of checks again', unmuting('unmute'))
    .command('alert', 'Try an alert', (command) =>
      command
        .usage('$0 alert <command>\n\nTries an alert.')
        .command('test [name]', 'Send a test message and show the conversation', (inner) =>
          inner
            .usage('$0 alert test <name> [options]\n\nSends a test message, and shows the conversation.')
            .positional('name', { type: 'string', describe: 'The alert' }),
        )
        .demandCommand(1, "'alert' takes a command: test"),
    );
}

function subcommands(command: Command): Command {
  return command
    .command('$0 [name]', 'Show all that is known of a check', (inner) =>
      watched(inner).positional('name', { type: 'string', describe: 'The check' }),
    )
    .command('run [target]', 'Run a check here and now, and show where its time went', (inner) =>
      inner
        .usage(
          '$0 check run <name|url> [options]\n\nRuns a check here and now, and shows where its time went.',
        )
        .positional('target', { type: 'string', describe: 'A check, or a URL such as http://host/' })
        .option('option', {
          ...{ alias: 'o', type: 'string', array: true, nargs: 1, requiresArg: true },
          describe: "For a URL: a statement of a check, such as 'status 200-499'",
        }),
    )
    .command('ack [names..]', 'Say that somebody takes care of an outage', (inner) =>
      inner
        .usage('$0 check ack <name..> [options]\n\nSays that somebody takes care of an outage.')
        .positional('names', CHECK_NAMES)
        .option('by', { ...VALUE, describe: 'Who does [the invoking user]' }),
    )
    .command('mute [names..]', 'Tell nothing of checks for a while', muting('check mute'))
    .command('unmute [names..]', 'Tell of checks again', unmuting('check unmute'));
}

function muting(words: string) {
  return (command: Command): Command =>
    command
      .usage(`$0 ${words} <name..> [options]\n\nTells nothing of checks for a while.`)
      .positional('names', CHECK_NAMES)
      .option('for', { ...VALUE, describe: 'How long, such as 30m, 2h [1h]' });
}

function unmuting(words: string) {
  return (command: Command): Command =>
    command
      .usage(`$0 ${words} <name..> [options]\n\nTells of checks again.`)
      .positional('names', CHECK_NAMES);
}

/** Adds --watch. `often`: how often if nothing is said, for people. */
export function watched(command: Command, often = '2s'): Command {
  return command.option('watch', {
    type: 'string',
    describe: `Look again and again, this often [${often}]`,
  });
}

/** `--watch` may have a value, or not: what follows and is no length of time belongs to the command. */
export function settleWatch(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  return words.map((word, index) => {
    if (word !== '--watch' || (end >= 0 && index > end)) return word;
    const next = words[index + 1];
    return next !== undefined && parseDuration(next).ok ? word : '--watch=';
  });
}

/** 0: once. */
export function watchMs({ watch }: CheckWords, unsaidMs: number): number {
  if (watch === undefined) return 0;
  const text = only('watch', watch);
  return text === '' ? unsaidMs : within('watch', text, 100, WATCH_MAX_MS, '100ms to 1h');
}

/** The request of these words; null where the command is none of these. `command`: what yargs takes for commands and names. */
export function monitorRequestOf(command: readonly string[], argv: CheckWords): MonitorRequest | null {
  const [first, second] = command;
  switch (first) {
    case 'checks':
      return {
        ...{ kind: 'checks', down: argv.down === true, from: 0 },
        host: given('host', argv.host),
        group: given('group', argv.group),
        patterns: filled([...(argv.patterns ?? []), ...command.slice(1)]),
      };
    case 'check':
      return checkRequestOf(second, command, argv);
    case 'mute':
    case 'unmute':
      return muteRequestOf(first, first, command.slice(1), argv);
    case 'alert': {
      const name = one("'alert test'", 'an alert', argv.name, command.slice(2));
      if (second !== 'test') throw new UsageError("'alert' takes a command: test");
      return { kind: 'test-alert', name };
    }
    default:
      return null;
  }
}

function checkRequestOf(
  word: string | undefined,
  command: readonly string[],
  argv: CheckWords,
): MonitorRequest {
  const rest = command.slice(2);
  switch (word) {
    case 'run':
      return {
        kind: 'run-check',
        target: one("'check run'", 'a check, or a URL', argv.target, rest),
        options: filled(argv.option ?? []),
      };
    case 'ack': {
      const by = given('by', argv.by);
      return { kind: 'ack', names: some("'check ack'", argv.names, rest), by };
    }
    case 'mute':
    case 'unmute':
      return muteRequestOf(word, `check ${word}`, rest, argv);
    default:
      return {
        kind: 'check',
        name: one("'check'", "a check; 'checks' lists them", argv.name, command.slice(1)),
      };
  }
}

function muteRequestOf(
  word: 'mute' | 'unmute',
  title: string,
  rest: readonly string[],
  argv: CheckWords,
): MonitorRequest {
  const names = some(`'${title}'`, argv.names, rest);
  const text = given('for', argv.for);
  const forMs = text === '' ? MUTE_DEFAULT_MS : within('for', text, 1000, MUTE_MAX_MS, '1s to 576h');
  return { kind: 'mute', names, forMs: word === 'mute' ? forMs : 0 };
}

/** The value of an option, which is neither empty nor there twice; '' where it is not given. */
function given(name: string, value: string | string[] | undefined): string {
  if (value === undefined) return '';
  const text = only(name, value);
  if (text === '') throw new UsageError(`--${name} is empty`);
  return text;
}

function only(name: string, value: string | string[]): string {
  if (Array.isArray(value)) throw new UsageError(`--${name} is given twice`);
  return value;
}

/** The value of an option that is a length of time, in milliseconds; throws a UsageError where it is none, or not in the range. */
export function within(name: string, text: string, least: number, most: number, range: string): number {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new UsageError(`--${name}: '${text}' ${parsed.reason}`);
  if (parsed.value < least || parsed.value > most)
    throw new UsageError(`--${name}: '${text}' is not from ${range}`);
  return parsed.value;
}

function filled(words: readonly string[]): string[] {
  if (words.includes('')) throw new UsageError('a name or an option is empty');
  return [...new Set(words)];
}

function some(command: string, names: readonly string[] | undefined, rest: readonly string[]): string[] {
  const all = filled([...(names ?? []), ...rest]);
  if (all.length === 0) throw new UsageError(`${command} takes the names of checks`);
  return all;
}

function one(command: string, what: string, name: string | undefined, rest: readonly string[]): string {
  const [first, more] = filled(name === undefined ? rest : [name, ...rest]);
  if (first === undefined || more !== undefined) throw new UsageError(`${command} takes the name of ${what}`);
  return first;
}
