/**
 * The balancer around its core: the file, the checks, the kernel's table and what is kept on disk. All that happens goes through feed();
 * what the kernel is to be told follows from it.
 */

import { createEventGate } from '../../events/gate.js';
import type { LogTarget } from '../../log/log.js';
import type { NetLog } from '../../net/log.js';
import type { ProcessSettings } from '../../runtime/monitor-settings.js';
import { createWake } from '../../runtime/wake.js';
import { bootId } from '../../sys/clock.js';
import type { ConsoleHost } from '../console/types.js';
import * as core from '../core/balancer.js';
import type { BalancerEvent, BalancerInput, ShareEntry } from '../core/types.js';
import type { BalancerToMain, MainToBalancer } from '../ipc.js';
import type { BalancerSettings } from '../settings.js';
import type { BalancerCommand, BalancerConfig, DirectorWord } from '../types.js';
import { followerWords, type LastWord, wordAt } from '../word.js';
import { createAnswers } from './answers.js';
import { createBalancerChecks } from './checks.js';
import { createConsoles } from './consoles.js';
import { type Database, openDatabase } from './database.js';
import { createFileKeeper, type FileKeeper } from './file-keeper.js';
import { createOwnLog, type OwnLog } from './own-log.js';
import { createTableKeeper } from './table-keeper.js';

type WithoutNow<T> = T extends unknown ? Omit<T, 'now'> : never;

export interface Balancer {
  take(message: Exclude<MainToBalancer, { kind: 'ask' }>): Promise<void>;
  answer(message: Extract<MainToBalancer, { kind: 'ask' }>): Promise<void>;
  close(): Promise<void>;
}

export interface BalancerOptions {
  script: string;
  say(message: BalancerToMain): void;
  /** Milliseconds of CLOCK_BOOTTIME, and since 1970. */
  clock: () => number;
  wall: () => number;
}

/** What is learned from checks goes to disk at most so often; what operators say, at once. */
const SAVE_MS = 250;
/** With thousands of servers it takes a while: no more than a tenth of the time goes into it. */
const SAVE_SPARE = 10;
/** What is said to the others at once. */
const SHARE_CHUNK = 100;

export function createBalancerShell(options: BalancerOptions): Balancer {
  const { clock, say, wall } = options;
  const state = core.createBalancer();
  let logged: LogTarget['kind'] = 'terminal';
  const ownLog = createOwnLog(() => logged);
  const log = createLog(say, ownLog);
  const gate = createEventGate({ pass: (event) => say({ kind: 'event', event }) });
  const { record } = gate;
  let settings: BalancerSettings | null = null;
  let checkSettings: ProcessSettings | null = null;
  let active: boolean | null = null;
  /** How the director was heard when that was told last. */
  let word: LastWord = { node: '', at: clock(), fresh: false };
  let database: Database | null = null;
  let saving: NodeJS.Timeout | undefined;
  let unsaved = false;
  let saveMs = SAVE_MS;
  /** It could not be kept, and that was told. */
  let saveFails = false;
  /** The answer to the command that is being fed. */
  let answered: { error: string; text: string } = { error: '', text: '' };
  let closed = false;
  /** The kernel's connection synchronization is this balancer's. */
  let synced = false;
  const wake = createWake(clock, () => feed({ kind: 'tick' }));
  const keeper = createTableKeeper({
    ...{ log, record, feed: step },
    plan: () => core.planChanges(state, clock()),
    prepare: save,
  });
  const checks = createBalancerChecks({
    ...{ script: options.script, log, clock, wall },
    results: (results) => feed({ kind: 'results', results }),
    known: (name) => core.knownCheck(state, name),
  });
  const file: FileKeeper = createFileKeeper({ log, record, begin, loaded });
  const consoleHost: ConsoleHost = {
    config: () => file.config() ?? file.empty,
    pairs: (hosts, services) =>
      core.pairViews(state, clock(), { hosts, services, unknownMs: unknownMs() }, (service, server) =>
        keeper.connections(service, server),
      ),
    services: (names) => core.serviceViews(state, clock(), { services: names, unknownMs: unknownMs() }),
    command,
    reload: () => file.reload(),
    diff: async () => (await file.diff()).text,
    logLevel: (level) => ownLog.setLevel(level),
    checkers: () => core.checkerViews(state, clock(), { unknownMs: unknownMs() }),
    whose: () => (active === true ? '' : followerWords(wordAt(word, clock()))),
    wall: () => wall() / 1000,
    refresh: () => keeper.count(),
  };
  // What comes through hastmonctl is on record in the main process, which knows from whom.
  const typed: ConsoleHost['typed'] = (by, command, answer) =>
    record({ kind: 'console-command', by, text: `console: ${command}`, data: { command, answer } });
  const consoles = createConsoles({ ...consoleHost, typed }, log);
  const answers = createAnswers({
    host: consoleHost,
    file,
    problem: () => consoleHost.whose() || keeper.problem(),
    source,
    explain: (name, node) =>
      core.explainServers(
        state,
        name,
        { node, word: active === true ? { ...source(), node } : source() },
        clock(),
      ),
  });

  /** Of itself the director speaks as of now. */
  function source(): DirectorWord {
    const said = wordAt(word, clock());
    return active === true ? { ...said, ageMs: 0, fresh: true } : said;
  }

  function unknownMs(): number | null {
    return active === true || word.fresh ? null : wordAt(word, clock()).ageMs;
  }

  /** One input, and all that follows from it but the kernel's table. */
  function step(input: WithoutNow<BalancerInput>): void {
    if (closed) return;
    for (const event of core.stepBalancer(state, { ...input, now: clock() } as BalancerInput)) perform(event);
    if (checkSettings !== null) checks.apply(core.checksOf(state), checkSettings);
    checks.hasten(core.awaited(state));
    wake.at(core.balancerWakeAt(state, clock()));
  }

  function feed(input: WithoutNow<BalancerInput>): void {
    step(input);
    void keeper.settle();
  }

  function perform(event: BalancerEvent): void {
    switch (event.kind) {
      case 'log': {
        const { host, level, service, text } = event;
        return log[level]({ ...(service && { service }), ...(host && { host }) }, text);
      }
      case 'happened':
        return record(event.event);
      case 'mail': {
        const email = file.config()?.options.email ?? null;
        if (email !== null) return say({ kind: 'mail', email, subject: event.subject, text: event.text });
        return log.warn(
          { service: event.service },
          `nobody is told by mail, since Email.Headers.To is not set: ${event.subject}`,
        );
      }
      case 'answer':
        answered = { error: event.error, text: event.text };
        return;
      case 'save':
        unsaved = true;
        saving ??= setTimeout(save, saveMs);
        return;
      case 'share':
        return share(false, event.entries);
      default:
        event satisfies never;
    }
  }

  /** A piece takes the main process one or two milliseconds: leases are renewed in between. */
  function share(full: boolean, entries: readonly ShareEntry[]): void {
    for (let at = 0; at === 0 || at < entries.length; at += SHARE_CHUNK) {
      const end = at + SHARE_CHUNK;
      const more = end < entries.length;
      say({ kind: 'share', full: full && at === 0, more, entries: entries.slice(at, end) });
    }
  }

  function save(): void {
    clearTimeout(saving);
    saving = undefined;
    if (!unsaved || database === null) return;
    const begun = performance.now();
    const problem = database.write(core.saved(state));
    saveMs = Math.max(SAVE_MS, (performance.now() - begun) * SAVE_SPARE);
    unsaved = problem !== '';
    if (unsaved) saving = setTimeout(save, SAVE_MS * 20);
    if (unsaved === saveFails) return;
    saveFails = unsaved;
    if (unsaved) log.error({}, `what the balancer knows cannot be kept for a restart: ${problem}`);
    else log.info({}, 'what the balancer knows is kept for a restart again');
  }

  async function command(given: BalancerCommand): Promise<{ error: string; text: string }> {
    answered = { error: '# the balancer ends', text: '' };
    step({ kind: 'command', command: given });
    const { error, text } = answered;
    if (error !== '') return { error, text };
    save();
    await keeper.settle();
    return { error, text };
  }

  /** Before the first file is applied: what was known before. */
  async function begin(path: string): Promise<void> {
    if (database?.path === path) return;
    const opened = await openDatabase(path, bootId());
    if (typeof opened === 'string') throw new Error(opened);
    const first = database === null;
    database?.close();
    database = opened;
    if (!first) {
      unsaved = true;
      save();
      return;
    }
    const { note, restored } = database.read();
    if (note !== '') log.warn({}, note);
    core.restore(state, restored);
    say({ kind: 'share-wanted' });
  }

  function loaded(input: Extract<WithoutNow<BalancerInput>, { kind: 'config' }>): void {
    if (closed) return;
    const { config } = input;
    for (const problem of ownLog.configure(config.options.log)) log.error({}, problem);
    keeper.open(config.options.ipvsadm);
    feed(input);
    serve(config);
  }

  function serve({ options: { console, fifo } }: BalancerConfig): void {
    if (closed) return;
    consoles.serve(settings?.console === 'file' ? console : (settings?.console ?? null), fifo);
  }

  async function take(message: Exclude<MainToBalancer, { kind: 'ask' }>): Promise<void> {
    switch (message.kind) {
      case 'settings': {
        const first = settings === null;
        settings = message.settings;
        checkSettings = message.checks;
        logged = message.logged;
        feed({ kind: 'settings', adopt: settings.adopt, foreign: settings.foreign });
        await file.follow(settings.file);
        const config = file.config();
        if (config !== null) serve(config);
        if (first) say({ kind: 'ready', notes: [] });
        sync();
        return;
      }
      case 'active':
        active = message.active;
        feed({ kind: 'active', active });
        return sync();
      case 'share':
        return feed({ kind: 'share', full: message.full, entries: message.entries });
      case 'word': {
        const { ageMs, fresh, node } = message.word;
        word = { node, fresh, at: clock() - ageMs };
        return;
      }
      case 'share-all':
        return share(true, core.shareAll(state, clock()));
      default:
        message satisfies never;
    }
  }

  function sync(): void {
    const wanted = settings?.sync ?? null;
    if (wanted === null) {
      // Where it was never wanted, it is somebody else's.
      if (synced) keeper.sync({ state: 'none' });
      synced = false;
    } else if (active !== null) {
      keeper.sync({ state: active ? 'master' : 'backup', ...wanted });
      synced = true;
    }
  }

  return {
    take,
    async answer({ request, what }) {
      say({ kind: 'answer', request, explained: null, ...(await answers.answer(what)) });
    },
    async close() {
      save();
      closed = true;
      wake.cancel();
      clearTimeout(saving);
      file.close();
      await Promise.all([consoles.close(), checks.close(), keeper.close()]);
      gate.close();
      database?.close();
    },
  };
}

function createLog(say: BalancerOptions['say'], own: OwnLog): NetLog {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: object, text: string): void => {
      const plain = { ...fields } as Record<string, unknown>;
      own.write(level, plain, text);
      say({ kind: 'log', level, fields: plain, text });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
