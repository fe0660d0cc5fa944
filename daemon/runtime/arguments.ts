/** The command line of hastmond(8). */

import { existsSync } from 'node:fs';
import path from 'node:path';
import yargs from 'yargs';
import { CONFIG_FILES } from '../config/defaults.js';
import { separateOptions } from '../process/options.js';
import { version } from '../process/version.js';

export interface Arguments {
  /** How often -d was given. */
  debug: number;
  foreground: boolean;
  /** Absolute. */
  config: string;
  /** '' where the host name decides. */
  node: string;
  pidfile: string;
  test: boolean;
}

const PIDFILE = '/var/run/hastmon.pid';
const LETTERS = { flags: 'dFht', valued: { c: 'config', n: 'node', P: 'pidfile' } };

/**
 * Reads the command line. `startDirectory`: where relative paths count from. Gives the text where help or version is asked for;
 * `fail` is called with one line for what cannot be understood, and does not return.
 */
export async function readArguments(
  words: readonly string[],
  startDirectory: string,
  fail: (message: string) => never,
): Promise<Arguments | string> {
  let printed = '';
  const separated = separateOptions(words, LETTERS);
  const parser = yargs(separated)
    .scriptName('hastmond')
    .usage(
      'hastmond [-dFht] [-c config] [-n node] [-P pidfile]\n\nHigh-availability resource manager; see hastmond(8).',
    )
    .option('config', {
      alias: 'c',
      type: 'string',
      requiresArg: true,
      describe: `Configuration file [${CONFIG_FILES.join(', else ')}]`,
    })
    .option('debug', { alias: 'd', type: 'count', describe: 'Say more; -dd also logs heartbeats' })
    .option('foreground', { alias: 'F', type: 'boolean', default: false, describe: 'Stay in the foreground' })
    .option('node', {
      alias: 'n',
      type: 'string',
      requiresArg: true,
      describe: 'Name of this node [the host name]',
    })
    .option('pidfile', {
      alias: 'P',
      type: 'string',
      requiresArg: true,
      default: PIDFILE,
      describe: 'File for the process id',
    })
    .option('test', {
      alias: 't',
      type: 'boolean',
      default: false,
      describe: 'Test the configuration and exit',
    })
    .help('help')
    .alias('help', 'h')
    .version(version)
    .strict()
    .exitProcess(false)
    .fail((message, error) => fail(message ?? error?.message ?? 'the command line cannot be understood'));
  const parsed = await parser.parseAsync(separated, {}, (_error, _args, output) => {
    printed = output;
  });
  if (printed !== '') return `${printed}\n`;
  if (parsed._.length > 0) fail(`unexpected argument '${parsed._.join(' ')}'`);
  for (const name of ['config', 'node', 'pidfile'] as const) {
    if (Array.isArray(parsed[name])) fail(`--${name} is given twice`);
    if (parsed[name] === '') fail(`--${name} is empty`);
  }
  const config =
    parsed.config ?? CONFIG_FILES.find((file) => existsSync(file)) ?? (CONFIG_FILES[0] as string);
  return {
    debug: parsed.debug,
    foreground: parsed.foreground,
    config: path.resolve(startDirectory, config),
    node: parsed.node ?? '',
    pidfile: path.resolve(startDirectory, parsed.pidfile),
    test: parsed.test,
  };
}
