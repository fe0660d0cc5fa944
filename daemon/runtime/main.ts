/**
 * The main process from its command line to its exit status: configuration, background, pidfile, log, signals.
 * Exit statuses are those of sysexits(3).
 */
import os from 'node:os';
import path from 'node:path';
import { loadActions } from '../actions/load.js';
import { budgetInput, describeBudget } from '../config/budget.js';
import { formatDiagnostics } from '../config/diagnostic.js';
import { loadHttpToken } from '../config/http-token.js';
import { type LoadFileResult, loadConfig } from '../config/load.js';
import type { Config, Diagnostic } from '../config/types.js';
import { chooseTarget, createLogger, type Log, levelFor } from '../log/log.js';
import { daemonize, inBackground, reportFailure, reportReady, startDirectory } from '../process/daemonize.js';
import { type LockOptions, lockPidfile } from '../process/pidfile.js';
import { printError, printResult } from '../process/print.js';
import { exitCode } from '../process/sysexits.js';
import { openStore } from '../state/store.js';
import { bootTime } from '../sys/clock.js';
import { messageOf } from '../sys/errors.js';
import { loadNative } from '../sys/native.js';
import { openNotifier } from '../sys/notify.js';
import { type Arguments, readArguments } from './arguments.js';
import { startDaemon } from './daemon.js';
import { type Daemon, DaemonFailure } from './daemon-types.js';
import { examine } from './preflight.js';

/** Runs hastmond; the process ends by itself or by process.exit. `script` is what worker processes execute. */
export async function runMain(script: string, words: readonly string[]): Promise<void> {
  const startedAt = bootTime() - process.uptime() * 1000;
  const args = await readArguments(words, startDirectory(), (message) => {
    printError(`hastmond: ${message}\nTry 'hastmond --help'.`);
    process.exit(exitCode.usage);
  });
  if (typeof args === 'string') {
    process.exitCode = printResult('hastmond', args);
    return;
  }
  const loaded = load(args);
  const { config } = loaded;
  const examined = config === null ? [] : await examine(config);
  if (args.test) return testConfiguration(args, loaded, examined, await testBalancer(config));
  const wrong = [...loaded.diagnostics, ...examined.filter(isError)];
  if (config === null || wrong.some(isError)) fail(configFailure(loaded), formatDiagnostics(wrong).trimEnd());
  if (!args.foreground && !inBackground()) {
    say(loaded.diagnostics);
    await daemonize({ name: 'hastmond' });
  }
  await run(script, args, loaded, config, startedAt);
}

function load({ config, node }: Arguments, texts?: ReadonlyMap<string, string>): LoadFileResult {
  const loaded = loadConfig(config, {
    hostname: os.hostname(),
    ...(node === '' ? {} : { node }),
    ...(texts === undefined ? {} : { texts }),
  });
  return loadHttpToken(loadActions(loaded, texts));
}

function configFailure(loaded: LoadFileResult): number {
  if (loaded.unreadable === null) return exitCode.config;
  return loaded.unreadable === 'EACCES' ? exitCode.noPerm : exitCode.noInput;
}

function isError({ severity }: Diagnostic): boolean {
  return severity === 'error';
}

/** The balancer reads its own file, and goes on without one that is wrong: that is told here, and does not keep the daemon from starting. */
async function testBalancer(config: Config | null): Promise<BalancerTest> {
  if (config === null || config.balancer === null) return { diagnostics: [], size: '' };
  const { loadBalancerFile } = await import('../balancer/config/load.js');
  const { config: found, diagnostics } = loadBalancerFile(config.balancer.file);
  const size =
    found === null
      ? ''
      : `, ${count(found.services.length, 'virtual service')}, ${count(found.hosts.length, 'real server')}`;
  return { diagnostics, size };
}

interface BalancerTest {
  diagnostics: readonly Diagnostic[];
  /** For the line that all is well. */
  size: string;
}

function testConfiguration(
  args: Arguments,
  loaded: LoadFileResult,
  examined: readonly Diagnostic[],
  balancer: BalancerTest,
): void {
  const { config } = loaded;
  const others = [...examined, ...balancer.diagnostics];
  say([...loaded.diagnostics, ...others]);
  if (config === null || others.some(isError)) {
    process.exitCode = configFailure(loaded);
    return;
  }
  const budgets = config.resources.map((resource) => {
    const lines = describeBudget(budgetInput(resource), config.watchdogDevice);
    return `resource ${resource.name}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  });
  const verdict = `configuration OK (node ${config.node}, ${sizeOf(config)}${balancer.size})`;
  process.exitCode = printResult('hastmond', `${args.config}: ${verdict}\n${budgets.join('')}`);
}

function count(things: number, what: string): string {
  return `${things} ${what}${things === 1 ? '' : 's'}`;
}

/** `1 resource, 3 checks`; checks where this node monitors. */
function sizeOf({ resources, monitor }: Config): string {
  const checks = monitor?.active ? `, ${count(monitor.checks.length, 'check')}` : '';
  return `${count(resources.length, 'resource')}${checks}`;
}

function say(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) printError(formatDiagnostics(diagnostics));
}

function fail(code: number, text: string): never {
  reportFailure(code, text);
  process.exit(code);
}

/** Two daemons must share neither pidfile nor state. What is locked is released however this process exits. */
async function lock(file: string, options: LockOptions, hint: string): Promise<void> {
  const outcome = await lockPidfile(file, options);
  if (outcome.kind === 'locked') process.on('exit', () => outcome.lock.release());
  else fail(outcome.exitCode, `hastmond: ${outcome.message}${outcome.kind === 'failed' ? hint : ''}`);
}

async function run(
  script: string,
  args: Arguments,
  loaded: LoadFileResult,
  config: Config,
  startedAt: number,
): Promise<void> {
  process.title = 'hastmond';
  const log = openLog(args, config);
  await lock(args.pidfile, {}, '; -P FILE names another one');
  const stateLock = path.join(prepareStateDir(config), 'hastmond.lock');
  await lock(stateLock, { record: true, what: 'lock file' }, '');
  const logger = log.logger;
  for (const line of formatDiagnostics(loaded.diagnostics).split('\n')) if (line !== '') logger.warn(line);
  const notifier = openNotifier();
  let daemon: Daemon;
  try {
    daemon = await startDaemon({
      config,
      texts: loaded.texts,
      load: (texts) => load(args, texts),
      log: logger,
      logged: log.kind,
      workerScript: script,
      workerArgs: ['worker'],
      startedAt,
    });
  } catch (error) {
    if (!(error instanceof DaemonFailure)) throw error;
    fail(error.code, `hastmond: ${error.message}`);
  }
  logger.info(`hastmond is ready: node ${config.node}, pid ${process.pid}, ${sizeOf(config)}`);
  reportReady();
  notifier.ready(daemon.summary());
  if (notifier.active) keepTold(daemon, notifier);
  handleSignals(daemon, log, notifier);
}

/** The service manager is told how it is, where that changes, and that it is alive, as long as every resource is looked after. */
function keepTold(daemon: Daemon, notifier: ReturnType<typeof openNotifier>): void {
  let told = '';
  setInterval(() => {
    const summary = daemon.summary();
    if (summary !== told) notifier.status(summary);
    told = summary;
  }, STATUS_MS);
  // Often enough that one that comes late does no harm.
  if (notifier.watchdogMs !== null)
    setInterval(() => daemon.live() && notifier.watchdog(), notifier.watchdogMs / 4);
}

const STATUS_MS = 1000;

function openLog(args: Arguments, config: Config): Log {
  const background = inBackground();
  try {
    const target = chooseTarget(config.log, { background, identity: 'hastmond', native: () => loadNative() });
    return createLogger(target, levelFor(config.log.level, args.debug));
  } catch (error) {
    return fail(exitCode.cantCreate, `hastmond: ${messageOf(error)}`);
  }
}

function prepareStateDir(config: Config): string {
  const opened = openStore(config.stateDir);
  if (opened.store === null)
    fail(exitCode.cantCreate, `hastmond: ${opened.reason}; state_dir names another one`);
  return config.stateDir;
}

function handleSignals(daemon: Daemon, log: Log, notifier: ReturnType<typeof openNotifier>): void {
  const { logger } = log;
  let ending = false;
  const end = (signal: NodeJS.Signals): void => {
    if (ending) {
      logger.warn(`${signal}: hastmond is about to end already; it waits until everything here is stopped`);
      return;
    }
    ending = true;
    logger.info(`${signal}: stopping what runs here and releasing the leases`);
    notifier.stopping();
    daemon.terminate().then((stopped) => {
      if (!stopped) logger.error('hastmond ends, but a resource here is not known to be stopped');
      else logger.info('hastmond has ended');
      process.exit(stopped ? exitCode.ok : exitCode.software);
    });
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('SIGHUP', () => {
    const failure = log.reopen();
    if (failure !== null) logger.error(failure);
    notifier.reloading();
    daemon.reload().then(() => notifier.ready(daemon.summary()));
  });
  process.on('uncaughtException', (error) => {
    // A bug. Workers see that this process is gone and stop the resources; the lease is kept to its end.
    logger.fatal({ stack: error.stack }, `internal error: ${error.message}`);
    process.exit(exitCode.software);
  });
}
