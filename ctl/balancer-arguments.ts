/** The part of hastmonctl's command line that is about the balancer. */
import type yargs from 'yargs';
import type { BalancerCommand } from '../daemon/balancer/types.js';
import { parseDuration } from '../daemon/config/duration.js';
import type { BalancerRequest } from '../proto/balancer-types.js';
import { UsageError } from './usage.js';

type Command = ReturnType<typeof yargs>;

/** What yargs makes of these words. An option given twice is a list. */
export interface BalancerWords {
  /** Of `hosts` the positionals, of `rolling` the option. */
  hosts?: string | string[];
  names?: string[];
  host?: string | string[];
  action?: string;
  weight?: string;
  vs?: string | string[];
  reason?: string | string[];
  ramp?: string | string[];
  'drain-timeout'?: string | string[];
  'up-timeout'?: string | string[];
  force?: boolean;
}

/** What takes more than one request. `by` of the commands is '': who invokes it fills it in. */
export type BalancerTask =
  | { kind: 'host'; action: HostAction; command: SetCommand }
  | { kind: 'console' }
  | RollingTask;

export type HostAction = (typeof HOST_ACTIONS)[number];
export type SetCommand = Exclude<BalancerCommand, { kind: 'adopt' }>;

export interface RollingTask {
  kind: 'rolling';
  hosts: string[];
  /** `*` alone: all that a host is in. */
  services: string[];
  reason: string;
  /** null: as the configuration says. */
  rampMs: number | null;
  /** How long connections may take to end, and a host to come back besides its ramp. */
  drainMs: number;
  upMs: number;
  /** The program and its arguments. */
  command: string[];
  force: boolean;
}

const HOST_ACTIONS = ['off', 'on', 'drain', 'weight'] as const;
/** As ipvs-weightman's, of a reason that is not named. */
const DEFAULT_REASON = 'default';
const ROLLING_REASON = 'rolling';
const WEIGHT_MAX = 2 ** 31 - 1;
const DAY_MS = 24 * 3_600_000;
const DRAIN_DEFAULT_MS = 5 * 60_000;
const UP_DEFAULT_MS = 5 * 60_000;

const VALUE = { type: 'string', requiresArg: true } as const;
const VS = { ...VALUE, describe: "The virtual services, with commas; 'all' for all" } as const;
const RAMP = {
  ...VALUE,
  describe: 'How long weights take to come back, such as 30s [as configured]',
} as const;

/** Adds the commands. `waiting` adds --wait and --timeout. */
export function balancerCommands(main: Command, waiting: (command: Command) => Command): Command {
  return main
    .command('hosts [hosts..]', 'Show the servers of the balancer', (command) =>
      command
        .usage('$0 hosts [host..] [options]\n\nShows how the servers of the balancer are in its services.')
        .positional('hosts', { type: 'string', array: true, describe: 'Hosts', defaultDescription: 'all' })
        .option('vs', { ...VALUE, describe: 'In these virtual services alone, with commas' }),
    )
    .command('host [host] [action] [weight]', 'Switch a server of the balancer off and on', (command) =>
      waiting(command)
        .usage(
          '$0 host <host,..> <off|on|drain> [options]\n$0 host <host,..> weight <n|auto> --vs <vs,..> [options]\n\nSwitches servers of the balancer off and on, or gives them another weight.',
        )
        .positional('host', { type: 'string', describe: 'The host, or several with commas' })
        .positional('action', { type: 'string', choices: HOST_ACTIONS, describe: 'What is to be done' })
        .positional('weight', { type: 'string', describe: "A number, or 'auto' for the one of the file" })
        .option('vs', VS)
        .option('reason', { ...VALUE, describe: "Why, several with commas; with on 'all' for all [default]" })
        .option('ramp', RAMP),
    )
    .command('vs [names..]', 'Show the virtual services of the balancer', (command) =>
      command
        .usage('$0 vs [service..] [options]\n\nShows the virtual services of the balancer.')
        .positional('names', {
          type: 'string',
          array: true,
          describe: 'Services',
          defaultDescription: 'all',
        }),
    )
    .command('balancer', "Do something about the balancer's file and table", (command) =>
      subcommands(command).demandCommand(1, "'balancer' takes a command: diff, reload, adopt"),
    )
    .command('console', "Open the balancer's console", (command) =>
      command.usage(
        "$0 console [options]\n\nOpens the balancer's console; lines from a pipe are a script for it.",
      ),
    )
    .command('rolling', 'Do something with one server of the balancer after the other', rolling);
}

function subcommands(command: Command): Command {
  return command
    .usage("$0 balancer <command>\n\nIs about the balancer's file and the kernel's table.")
    .command('diff', 'Show what a reload of its file would change', (inner) =>
      inner.usage('$0 balancer diff [options]\n\nShows what a reload of its file would change.'),
    )
    .command('reload', 'Have it read its file again', (inner) =>
      inner.usage('$0 balancer reload [options]\n\nHas the balancer read its file again.'),
    )
    .command('adopt [names..]', 'Take over virtual services that exist in the kernel', (inner) =>
      inner
        .usage(
          '$0 balancer adopt [service..] [options]\n\nTakes over virtual services that exist in the kernel.',
        )
        .positional('names', {
          type: 'string',
          array: true,
          describe: 'Services',
          defaultDescription: 'all',
        }),
    );
}

function rolling(command: Command): Command {
  return command
    .usage(
      '$0 rolling --hosts <host,..> [options] -- <command..>\n\nSwitches one server after the other off, waits until it has no connections, runs the command, and switches it on again.',
    )
    .option('hosts', { ...VALUE, describe: 'The hosts, in this order, with commas' })
    .option('vs', VS)
    .option('reason', { ...VALUE, describe: `Why they are off [${ROLLING_REASON}]` })
    .option('ramp', RAMP)
    .option('drain-timeout', { ...VALUE, describe: 'How long connections may take to end [5m]' })
    .option('up-timeout', {
      ...VALUE,
      describe: 'How long a host may take to come back, besides its ramp [5m]',
    })
    .option('force', { type: 'boolean', describe: 'Also where a service is left without any server' });
}

/**
 * What these words ask for; null where the command is none of these. `command`: what yargs takes for commands and names, without what
 * stands behind `--` in `tail`, where the command is `rolling`.
 */
export function balancerTaskOf(
  command: readonly string[],
  argv: BalancerWords,
  tail: readonly string[],
): BalancerRequest | BalancerTask | null {
  const [first, second] = command;
  switch (first) {
    case 'hosts': {
      const hosts = namesIn([...listOf(argv.hosts), ...command.slice(1)]);
      return { kind: 'balancer-hosts', hosts, services: all(namesOf('vs', argv.vs)) };
    }
    case 'vs':
      return { kind: 'balancer-services', services: namesIn([...(argv.names ?? []), ...command.slice(1)]) };
    case 'host':
      return hostTaskOf(argv, command.slice(1));
    case 'balancer':
      return ofBalancer(second, namesIn([...(argv.names ?? []), ...command.slice(2)]));
    case 'console':
      if (second !== undefined) throw new UsageError("'console' takes no names");
      return { kind: 'console' };
    case 'rolling':
      return rollingTaskOf(argv, command.slice(1), tail);
    default:
      return null;
  }
}

function ofBalancer(word: string | undefined, names: string[]): BalancerRequest {
  if (word === 'adopt') {
    const services = names.length === 0 ? ['*'] : names;
    return { kind: 'balancer-set', command: { kind: 'adopt', services, by: '' } };
  }
  if (names.length > 0) throw new UsageError(`'balancer ${word}' takes no names`);
  return { kind: word === 'reload' ? 'balancer-reload' : 'balancer-diff' };
}

function hostTaskOf(argv: BalancerWords, rest: readonly string[]): BalancerTask {
  const hosts = typeof argv.host === 'string' ? namesOf('host', argv.host) : [];
  const action = HOST_ACTIONS.find((word) => word === argv.action);
  if (hosts.length === 0 || action === undefined || rest.length > 0)
    throw new UsageError("'host' takes a host, or several with commas, and off, on, drain or weight");
  const vs = namesOf('vs', argv.vs);
  const reasons = namesOf('reason', argv.reason);
  const ramp = argv.ramp === undefined ? null : lengthOf('ramp', argv.ramp, 0);
  if (action !== 'on' && ramp !== null) throw new UsageError("--ramp is for 'on'");
  if (action !== 'weight') {
    if (argv.weight !== undefined) throw new UsageError(`'${action}' takes no '${argv.weight}'`);
    // Without any of both the host as a whole.
    const services = vs.length > 0 ? vs : reasons.length > 0 ? ['*'] : null;
    const named = services === null ? [] : reasons.length > 0 ? reasons : [DEFAULT_REASON];
    const common = { hosts, services, reasons: named, by: '' };
    const command: SetCommand =
      action === 'on' ? { kind: 'on', ...common, rampMs: ramp } : { kind: 'off', ...common };
    if (command.kind === 'off' && named.includes('*'))
      throw new UsageError('--reason: all reasons can be taken back, but not given');
    return { kind: 'host', action, command };
  }
  if (vs.length === 0) throw new UsageError("'weight' takes --vs: the services, or all");
  if (reasons.length > 0) throw new UsageError("--reason is for 'off', 'on' and 'drain'");
  return {
    ...{ kind: 'host', action },
    command: { kind: 'weight', hosts, services: vs, weight: weightOf(argv.weight), by: '' },
  };
}

function weightOf(text: string | undefined): number | null {
  if (text === 'auto') return null;
  const weight = /^\d{1,10}$/.test(text ?? '') ? Number(text) : Number.POSITIVE_INFINITY;
  if (weight > WEIGHT_MAX) throw new UsageError(`'weight' takes 0 to ${WEIGHT_MAX}, or auto`);
  return weight;
}

function rollingTaskOf(argv: BalancerWords, rest: readonly string[], tail: readonly string[]): RollingTask {
  const hosts = typeof argv.hosts === 'string' ? namesOf('hosts', argv.hosts) : [];
  if (Array.isArray(argv.hosts)) throw new UsageError('--hosts is given twice');
  if (hosts.length === 0 || hosts.includes('*')) throw new UsageError("'rolling' takes --hosts: their names");
  const [program] = tail;
  if (rest.length > 0 || program === undefined || program === '')
    throw new UsageError("'rolling' takes the command behind --");
  const services = namesOf('vs', argv.vs);
  const reasons = namesOf('reason', argv.reason);
  const [reason = ROLLING_REASON, more] = reasons;
  if (more !== undefined || reason === '*') throw new UsageError("'rolling' takes one reason");
  const timeout = (name: 'drain-timeout' | 'up-timeout', usual: number): number => {
    const value = argv[name];
    return value === undefined ? usual : lengthOf(name, value, 1);
  };
  return {
    ...{ kind: 'rolling', hosts, reason, command: [...tail], force: argv.force === true },
    services: services.length === 0 ? ['*'] : services,
    rampMs: argv.ramp === undefined ? null : lengthOf('ramp', argv.ramp, 0),
    drainMs: timeout('drain-timeout', DRAIN_DEFAULT_MS),
    upMs: timeout('up-timeout', UP_DEFAULT_MS),
  };
}

function listOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** The names in an option, with commas between them; `*` alone for all. Empty where it is not given. */
function namesOf(option: string, value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) throw new UsageError(`--${option} is given twice`);
  const names = filled(value.split(','));
  const every = names.includes('*') || names.includes('all');
  if (every && names.length > 1) throw new UsageError(`--${option}: 'all' stands alone`);
  return every ? ['*'] : names;
}

/** Names as arguments of their own, or with commas between them. */
function namesIn(words: readonly string[]): string[] {
  return filled(words.flatMap((word) => word.split(',')));
}

/** As requests say it: an empty list. */
function all(names: string[]): string[] {
  return names.includes('*') ? [] : names;
}

function filled(names: readonly string[]): string[] {
  if (names.includes('')) throw new UsageError('a name is empty');
  return [...new Set(names)];
}

function lengthOf(option: string, value: string | string[], least: number): number {
  if (Array.isArray(value)) throw new UsageError(`--${option} is given twice`);
  const parsed = parseDuration(value);
  if (!parsed.ok) throw new UsageError(`--${option}: '${value}' ${parsed.reason}`);
  if (parsed.value < least || parsed.value > DAY_MS)
    throw new UsageError(`--${option}: '${value}' is not from ${least}ms to 24h`);
  return parsed.value;
}
