/**
 * The command line of hastmonctl(8) as one request to hastmond and the options around it. It asks nobody and prints
 * nothing.
 */
import path from 'node:path';
import yargs from 'yargs';
import type { Role } from '../daemon/core/types.js';
import { type Letters, separateOptions } from '../daemon/process/options.js';
import { version } from '../daemon/process/version.js';
import type { ControlRequest, Selection } from '../proto/control-types.js';
import type { DrillRequest } from '../proto/drill-types.js';
import {
  type BalancerTask,
  type BalancerWords,
  balancerCommands,
  balancerTaskOf,
} from './balancer-arguments.js';
import {
  type CheckWords,
  checkCommands,
  monitorRequestOf,
  settleWatch,
  WATCH_DEFAULT_MS,
  watched,
  watchMs,
  within,
} from './check-arguments.js';
import { type ClusterTask, type ClusterWords, clusterCommands, clusterTaskOf } from './cluster-arguments.js';
import { type DrillTask, type DrillWords, drillCommand, drillTaskOf } from './drill-arguments.js';
import { type EventWords, eventCommands, eventsRequestOf } from './event-arguments.js';
import { explainCommands, explainRequestOf } from './explain-arguments.js';
import { maintenanceCommand, maintenanceOf } from './maintenance-arguments.js';
import { commandIn, withoutTail } from './tail.js';
import { UsageError } from './usage.js';

export interface Invocation {
  /** What hastmond is asked; also what takes several requests, or whose answer is shown in part. */
  request: Exclude<ControlRequest, DrillRequest> | BalancerTask | ClusterTask | DrillTask;
  /** Absolute; '' where the default places are to be looked at. */
  config: string;
  /** '' where the host name decides. */
  node: string;
  /** The control socket itself; '' where the configuration says. */
  control: string;
  /** How often -d was given. */
  debug: number;
  json: boolean;
  /** Stay until the change has happened, at most `timeoutMs`. */
  wait: boolean;
  timeoutMs: number;
  /** The operator has read the risk already. */
  yes: boolean;
  /** How often to look again; 0: once. */
  watchMs: number;
}

export type Arguments =
  | { kind: 'run'; invocation: Invocation }
  /** Help, version or a completion script was asked for. */
  | { kind: 'print'; text: string }
  /** One line about what cannot be understood. */
  | { kind: 'refuse'; message: string };

export const ROLES: readonly Role[] = ['init', 'primary', 'secondary', 'watchdog'];

/** What --wait waits for at most where no --timeout is given. */
export const WAIT_DEFAULT_MS = 60_000;
/** A lease is to be seen running down. */
const STATUS_WATCH_MS = 1000;
const WAIT_MAX_MS = 24 * 3_600_000;

const LETTERS: Letters = { flags: 'dfhv', valued: { c: 'config', n: 'node', o: 'option', s: 'control' } };

const NAMES = { type: 'string', array: true, describe: "'all', or names of resources" } as const;

/** Reads the command line without the program's name. Relative paths count from the working directory. */
export async function readArguments(given: readonly string[]): Promise<Arguments> {
  const { tail, words } = withoutTail(settleWatch(separateOptions(given, LETTERS)));
  let printed = '';
  try {
    const argv = await parser(words).parseAsync(words, {}, (_error, _argv, output) => {
      printed = output;
    });
    if (printed !== '') return { kind: 'print', text: `${withoutNone(printed).trimEnd()}\n` };
    return { kind: 'run', invocation: invocationOf(argv as unknown as Parsed, tail) };
  } catch (error) {
    return { kind: 'refuse', message: refusal(error, words) };
  }
}

const NONE = ' [default: none]';

/** Names that have to be given have no default: yargs writes one beside every list. What stands at the right edge stays there. */
function withoutNone(help: string): string {
  return help.replaceAll(`[array]${NONE}`, `${' '.repeat(NONE.length)}[array]`);
}

/** What yargs makes of the words. An option given twice is a list, which checkOnce() refuses. */
interface Parsed
  extends CheckWords,
    ClusterWords,
    DrillWords,
    EventWords,
    Omit<BalancerWords, 'names' | 'host'> {
  _: (string | number)[];
  role?: string;
  config?: string | string[];
  node?: string | string[];
  control?: string | string[];
  to?: string | string[];
  state?: string;
  resource?: string | string[];
  cluster?: boolean;
  timeout?: string | string[];
  debug: number;
  json?: boolean;
  force?: boolean;
  wait?: boolean;
  'no-wait'?: boolean;
  'dry-run'?: boolean;
  yes?: boolean;
}

function parser(words: readonly string[]) {
  return balancerCommands(
    checkCommands(
      eventCommands(
        clusterCommands(explainCommands(drillCommand(maintenanceCommand(commands(program(words)))))),
      ),
    ),
    waiting,
  )
    .completion('completion', 'Print a script for completion in bash or zsh')
    .help('help')
    .alias('help', 'h')
    .version(version)
    .demandCommand(1, 'a command is missing')
    .recommendCommands()
    .strict()
    .exitProcess(false)
    .fail(false);
}

type Command = ReturnType<typeof yargs>;

/** What belongs to every command. */
function program(words: readonly string[]): Command {
  return yargs([...words])
    .scriptName('hastmonctl')
    .detectLocale(false)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .usage('Usage: $0 <command> [options]\n\nControls hastmond; see hastmonctl(8).')
    .option('config', text('c', 'Configuration file [/etc/hastmon.conf, else /usr/local/etc/hastmon.conf]'))
    .option('node', text('n', 'Name of this node in it [the host name]'))
    .option('control', text('s', 'Control socket, instead of the one that the configuration names'))
    .option('debug', { alias: 'd', type: 'count', describe: 'Say what is done; -dd says more' })
    .option('json', { type: 'boolean', describe: 'Answer in JSON' });
}

function commands(main: Command): Command {
  return main
    .command('role [role] [names..]', 'Set the role of resources on this node', (command) =>
      waiting(command)
        .usage('$0 role <init|primary|secondary|watchdog> <all|name..> [options]\n\nSets the role.')
        .positional('role', { type: 'string', choices: ROLES, describe: 'The role' })
        .positional('names', { ...NAMES, defaultDescription: 'none' })
        .option('force', {
          type: 'boolean',
          describe: 'Become primary without a majority; one named resource only',
        })
        .option('yes', yes),
    )
    .command('status [names..]', 'Show how resources are, and what they wait for', (command) =>
      watched(command, '1s')
        .usage('$0 status [all|name..] [options]\n\nShows how resources are on this node.')
        .positional('names', { ...NAMES, defaultDescription: 'all' })
        .option('cluster', { type: 'boolean', describe: 'On all nodes, in one table' }),
    )
    .command('dump [names..]', 'Show the configuration in force', (command) =>
      command
        .usage('$0 dump [all|name..] [options]\n\nShows the configuration in force, without secrets.')
        .positional('names', { ...NAMES, defaultDescription: 'all' }),
    )
    .command('reload', 'Have hastmond read its configuration again', (command) =>
      command.usage('$0 reload [options]\n\nHas hastmond read its configuration again.'),
    )
    .command('switchover [name]', 'Hand a resource that runs here over to another node', (command) =>
      waiting(command)
        .usage(
          '$0 switchover <name> [--to node] [options]\n\nHands a resource over that runs here, and waits for it.',
        )
        .positional('name', { type: 'string', describe: 'The resource' })
        .option('to', {
          type: 'string',
          requiresArg: true,
          describe: 'The node [the able one of best priority]',
        })
        .option('dry-run', {
          type: 'boolean',
          describe: 'Say whether it would be done, and how; change nothing',
        })
        .option('no-wait', { type: 'boolean', describe: 'Do not wait until it is known what came of it' }),
    )
    .command('bootstrap [name]', 'Say that there is no earlier history of a resource', (command) =>
      command
        .usage('$0 bootstrap <name> [options]\n\nSays that a resource has no earlier history.')
        .positional('name', { type: 'string', describe: 'The resource' })
        .option('yes', yes),
    )
    .command('report [name] [state]', 'Say how a check of a resource with actions stands', (command) =>
      command
        .usage('$0 report <check> <state> [options]\n\nSays how a check of a resource with actions stands.')
        .positional('name', { type: 'string', describe: 'The check' })
        .positional('state', { type: 'string', describe: 'Its state, one word such as ok or lagging' })
        .option('resource', {
          type: 'string',
          requiresArg: true,
          describe: 'The resource [the one that has the check]',
        }),
    )
    .command('version', 'Show the versions of hastmonctl and hastmond', (command) =>
      command.usage('$0 version [options]\n\nShows the versions of hastmonctl and of the running hastmond.'),
    );
}

const yes = { type: 'boolean', describe: 'Do not ask: the risk is known' } as const;

function text(alias: string, describe: string) {
  return { alias, type: 'string', requiresArg: true, describe } as const;
}

function waiting(command: Command): Command {
  return command
    .option('wait', { type: 'boolean', describe: 'Wait until the change has happened' })
    .option('timeout', {
      type: 'string',
      requiresArg: true,
      describe: 'The longest time to wait, such as 500ms, 10s, 5m [60s]',
    });
}

function invocationOf(argv: Parsed, tail: readonly string[]): Invocation {
  const one = (name: 'config' | 'node' | 'control' | 'to' | 'timeout'): string => {
    const value = argv[name] ?? '';
    if (Array.isArray(value)) throw new UsageError(`--${name} is given twice`);
    if (value === '' && argv[name] !== undefined) throw new UsageError(`--${name} is empty`);
    return value;
  };
  const timeout = one('timeout');
  const wait = waits(argv);
  if (timeout !== '' && !wait) throw new UsageError('--timeout means nothing without --wait');
  const [config, control] = [one('config'), one('control')];
  return {
    request: requestOf(argv, one('to'), wait, tail),
    config: config === '' ? '' : path.resolve(config),
    node: one('node'),
    control: control === '' ? '' : path.resolve(control),
    debug: argv.debug,
    json: argv.json === true,
    wait,
    timeoutMs: timeout === '' ? WAIT_DEFAULT_MS : timeoutMs(timeout),
    yes: argv.yes === true,
    watchMs: watchMs(argv, argv._[0] === 'status' ? STATUS_WATCH_MS : WATCH_DEFAULT_MS),
  };
}

/** A switchover is waited for unless that is refused; all else where it is asked for. */
function waits(argv: Parsed): boolean {
  if (argv.wait === true && argv['no-wait'] === true)
    throw new UsageError('--wait and --no-wait exclude each other');
  return (
    argv.wait === true || (argv._[0] === 'switchover' && argv['no-wait'] !== true && argv['dry-run'] !== true)
  );
}

const timeoutMs = (text: string): number => within('timeout', text, 1, WAIT_MAX_MS, '1ms to 24h');

function requestOf(argv: Parsed, to: string, wait: boolean, tail: readonly string[]): Invocation['request'] {
  const [command, ...rest] = argv._.map(String);
  // What stands behind `--` is not among the positionals.
  const names = [...(argv.names ?? []), ...rest];
  const { role } = argv;
  switch (command) {
    case 'role': {
      if (!isRole(role) || names.length === 0)
        throw new UsageError("'role' takes a role and names of resources, or 'all'");
      const force = argv.force === true;
      if (force && (role !== 'primary' || names.length !== 1 || names[0] === 'all'))
        throw new UsageError('--force is for role primary and one resource, named');
      return { kind: 'role', role, resources: selectionOf(names), force, wait };
    }
    case 'status':
    case 'dump': {
      const resources = names.length === 0 ? 'all' : selectionOf(names);
      return { kind: argv.cluster === true ? 'cluster-status' : command, resources };
    }
    case 'reload':
    case 'version':
      if (rest.length > 0) throw new UsageError(`'${command}' takes no names`);
      return { kind: command };
    case 'switchover':
      return argv['dry-run'] === true
        ? { kind: 'switchover-plan', resource: onlyName(command, argv, rest), to }
        : { kind: command, resource: onlyName(command, argv, rest), to, wait };
    case 'bootstrap':
      return { kind: command, resource: onlyName(command, argv, rest) };
    case 'report':
      return reportOf(argv, rest);
    case 'maintenance':
      return maintenanceOf(argv, selectionOf(names));
    case 'drill':
      return drillTaskOf(argv, names.length === 0 ? 'all' : selectionOf(names), to, tail);
    default: {
      const given = argv._.map(String);
      const request =
        monitorRequestOf(given, argv) ??
        clusterTaskOf(given, argv) ??
        eventsRequestOf(given, argv, Date.now()) ??
        explainRequestOf(given, argv.name) ??
        balancerTaskOf(given, argv, tail);
      if (request === null) throw new UsageError(`unknown command '${command}'`);
      return request;
    }
  }
}

function reportOf(
  { name, state, resource = '' }: Parsed,
  rest: readonly string[],
): Extract<ControlRequest, { kind: 'report' }> {
  const [check = '', said = '', ...more] = [name, state, ...rest].filter((word) => word !== undefined);
  if (check === '' || said === '' || more.length > 0)
    throw new UsageError("'report' takes the name of a check and its state, one word");
  if (Array.isArray(resource)) throw new UsageError('--resource is given twice');
  return { kind: 'report', check, state: said, resource };
}

function onlyName(command: string, { name }: Parsed, rest: readonly string[]): string {
  const [only, more] = name === undefined ? rest : [name, ...rest];
  if (only === '') throw new UsageError(EMPTY_NAME);
  if (only === undefined || more !== undefined || only === 'all')
    throw new UsageError(`'${command}' takes the name of one resource`);
  return only;
}

const EMPTY_NAME = 'the name of a resource is empty';

function selectionOf(names: readonly string[]): Selection {
  if (names.includes('')) throw new UsageError(EMPTY_NAME);
  if (!names.includes('all')) return [...new Set(names)];
  if (names.length > 1) throw new UsageError("'all' stands alone");
  return 'all';
}

function isRole(word: string | undefined): word is Role {
  return ROLES.some((role) => role === word);
}

/** One line from what yargs or this file throws. */
function refusal(error: unknown, words: readonly string[]): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) return message;
  const closest = /^Did you mean (.+)\?$/.exec(message)?.[1];
  if (closest !== undefined) return `unknown command '${commandIn(words)}'; did you mean '${closest}'?`;
  const given = /^Invalid values:\s+Argument: role, Given: "(.*)", Choices/.exec(message)?.[1];
  if (given !== undefined) return `'${given}' is not a role: ${ROLES.join(', ')} are`;
  const line = message.replace(/\s*\n\s*/g, ' ');
  return line.charAt(0).toLowerCase() + line.slice(1);
}
