/**
 * The main process's own hooks: the stop it does in a lost worker's place, the fence, and the notifications (role,
 * connect, disconnect). Runs what the core of the node asks for and says how it went.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceBusy } from '../actions/busy.js';
import { BUSY } from '../actions/types.js';
import type { Settings } from '../core/settings.js';
import { lateStatusMs, planStop, stopLimits } from '../core/stop-plan.js';
import type { Instant } from '../core/types.js';
import type { HookEnd } from '../events/words.js';
import { takeOver } from '../hooks/exclusive.js';
import { createHookRunner } from '../hooks/runner.js';
import type { HookResult, HookRun } from '../hooks/types.js';
import type { NetLog } from '../net/log.js';
import { openCgroup, removeCgroup } from '../sys/cgroup.js';
import { bootTime } from '../sys/clock.js';
import { noteUnstopped, runnerOf } from './action-hooks.js';
import { type HookFacts, hookEnvironment } from './hook-shell.js';
import type { HookSetup } from './ipc.js';
import { createTurns } from './turns.js';

export interface Cleaner {
  clean(id: number, mode: 'check' | 'stop', stopEnd: Instant): void;
  fence(id: number): void;
  /** Asks `status`; its exit status, null where it has none. */
  look(): Promise<number | null>;
  /** Notifications run one after the other, and so do those of `change`, never beside a start or stop; their result is only logged. */
  notify(action: Notice['action'], args: readonly string[]): void;
  /** A reload may name other programs. */
  setHooks(hooks: HookSetup): void;
  /** Nothing is run any more; the control group goes where nothing is left in it. */
  close(): void;
}

interface Notice {
  action: 'role' | 'connect' | 'disconnect' | 'change';
  args: readonly string[];
}

export interface CleanerOptions {
  hooks: HookSetup;
  settings: () => Settings;
  facts: () => HookFacts;
  /** The log of the resource in its present role. */
  log: () => NetLog;
  cleaned: (id: number, ok: boolean, detail: string) => void;
  fenced: (id: number, ok: boolean, detail: string) => void;
  /** Of every hook that it has run. */
  ended: (end: HookEnd) => void;
}

const STILL_RUNS = 'it still runs after stop';

interface Cleaned {
  ok: boolean;
  /** Why not, or what remains unknown; '' where the resource is known to be stopped. */
  detail: string;
}

function verdict(failure: string): Cleaned {
  return { ok: failure === '', detail: failure };
}

/** A change of role comes with work that the service waits for; who is to be told of it can wait until that is done. */
const NOTIFY_AFTER_MS = 100;
/** How long a list waits for the end of a start or stop before it looks again. */
const BUSY_PAUSE_MS = 500;
/** More than this many in waiting, of changes or of the others, are dropped, the oldest first. */
const NOTIFICATIONS_MAX = 32;

export function createCleaner(options: CleanerOptions): Cleaner {
  const { settings } = options;
  const log: NetLog = {
    debug: (fields, text) => options.log().debug(fields, text),
    info: (fields, text) => options.log().info(fields, text),
    warn: (fields, text) => options.log().warn(fields, text),
    error: (fields, text) => options.log().error(fields, text),
  };
  let hooks = options.hooks;
  const cgroup = openCgroup(hooks.stateDir, settings().resource).path;
  let runner = makeRunner();
  let turn: Promise<void> = Promise.resolve();
  /** A list of a check's change that runs. */
  let list: HookRun | null = null;
  let closed = false;
  const bounds = { afterMs: NOTIFY_AFTER_MS, max: NOTIFICATIONS_MAX };
  const notices = createTurns<Notice>({
    ...bounds,
    run: async (notice) => warnOf(notice, await runNotice(notice).done),
    dropped: () => {},
  });
  // In a line of their own: they wait for a start or stop, and who is to be told of a role does not.
  const changes = createTurns<Notice>({
    ...bounds,
    run: runChange,
    dropped: ({ args }) => log.warn({}, `too many changes wait: nothing is run for ${args.join(' ')}`),
  });

  function makeRunner(): ReturnType<typeof createHookRunner> {
    return createHookRunner({
      resource: settings().resource,
      ...runnerOf(hooks),
      directory: hooks.directory,
      cgroup,
      log,
      ended: options.ended,
    });
  }

  function run(
    action: 'start' | 'stop' | 'status' | 'fence',
    termAfterMs: number,
    killAfterMs: number,
  ): Promise<HookResult> {
    const facts = options.facts();
    const request = { action, args: [facts.resource], env: hookEnvironment(facts), termAfterMs, killAfterMs };
    return runner.run(action === 'fence' ? { ...request, program: hooks.fence } : request).done;
  }

  function status(limitMs: number): Promise<HookResult> {
    return run('status', limitMs * 0.9, limitMs);
  }

  /** Ends what another process of this node runs of the resource, then stops it; '' where it is known to be stopped. */
  async function stop(stopEnd: Instant): Promise<string> {
    const { killFirst, hook } = planStop(settings(), stopEnd - bootTime());
    if (killFirst) await runner.killLeftovers();
    if (hook === null) noteUnstopped(hooks);
    else await run('stop', hook.termAfterMs, hook.killAfterMs);
    const left = await runner.killLeftovers();
    const after = await status(lateStatusMs(settings(), stopEnd - bootTime()));
    if (left === 'failed') return 'processes that start left behind could not be ended';
    if (exited(after) === 1) return '';
    return exited(after) === 0
      ? 'it still runs after stop'
      : `after stop its state is not known: ${after.detail}`;
  }

  async function clean(mode: 'check' | 'stop', stopEnd: Instant): Promise<Cleaned> {
    const { stopTimeoutMs } = settings();
    // The time that the voters granted for a stop has been running since an earlier process began it.
    let end = stopEnd;
    const stopUntil = (began: Instant): Instant => {
      end = Math.min(end, began + stopTimeoutMs);
      return stopLimits(end, stopTimeoutMs).termAt;
    };
    const taken = await takeOver(hooks.directory, { log, stopUntil });
    end = Math.min(end, taken.fenceBegan ?? end);
    if (taken.failed.length > 0) return { ok: false, detail: taken.failed.join('; ') };
    if (mode === 'stop') return verdict(await stop(end));
    const before = await status(settings().statusTimeoutMs);
    if (exited(before) === 1) return verdict('');
    if (exited(before) !== 0) {
      const detail = `it is not known whether the resource runs here: ${before.detail}`;
      log.warn({}, detail);
      return { ok: true, detail };
    }
    log.warn({}, 'the resource runs here, on a secondary: stopping it');
    const failure = await stop(bootTime() + stopTimeoutMs);
    return { ok: failure !== STILL_RUNS, detail: failure };
  }

  function warnOf({ action }: Notice, { code, detail }: HookResult): void {
    if (code !== 0 && !closed) log.warn({ hook: action }, detail);
  }

  function runNotice({ action, args }: Notice): HookRun {
    const facts = options.facts();
    // Lists have the whole of what their commands may take.
    const termAfterMs = Math.max(0.9 * Math.max(1000, settings().statusTimeoutMs), hooks.noticeMs);
    const request = { action, args: [facts.resource, ...args], env: hookEnvironment(facts) };
    return runner.run({ ...request, termAfterMs, killAfterMs: termAfterMs / 0.9 });
  }

  /** It waits while a start or stop runs, as long as these may take. */
  async function runChange(notice: Notice): Promise<void> {
    const until = bootTime() + settings().startTimeoutMs + settings().stopTimeoutMs;
    for (;;) {
      // It looks itself when it runs; but that is a process each time.
      while (!closed && bootTime() < until && isBusy(hooks.directory)) await sleep(BUSY_PAUSE_MS);
      if (closed) return;
      list = runNotice(notice);
      const result = await list.done;
      list = null;
      if (result.code !== BUSY || bootTime() > until) return warnOf(notice, result);
    }
  }

  function inTurn(work: () => Promise<void>): void {
    turn = turn.then(work);
  }

  return {
    clean: (id, mode, stopEnd) =>
      inTurn(async () => {
        const result = await clean(mode, stopEnd).catch((error: Error) => verdict(error.message));
        options.cleaned(id, result.ok, result.detail);
      }),
    look: () =>
      new Promise((resolve) => inTurn(async () => resolve(exited(await status(settings().statusTimeoutMs))))),
    fence: (id) =>
      inTurn(async () => {
        const limit = settings().fenceTimeoutMs;
        const result = await run('fence', limit * 0.9, limit);
        options.fenced(id, exited(result) === 0, result.detail);
      }),
    notify: (action, args) => (action === 'change' ? changes : notices).add({ action, args }),
    setHooks(next) {
      const same =
        next.exec === hooks.exec &&
        next.actions === hooks.actions &&
        next.fence === hooks.fence &&
        next.directory === hooks.directory;
      hooks = next;
      if (same) return;
      runner.close();
      runner = makeRunner();
    },
    close() {
      closed = true;
      notices.close();
      changes.close();
      list?.kill();
      runner.close();
      if (cgroup !== null) removeCgroup(cgroup);
    },
  };
}

function isBusy(directory: string): boolean {
  try {
    return serviceBusy(directory);
  } catch {
    // Then the list cannot be put on record, and that is told.
    return false;
  }
}

function exited(result: HookResult): number | null {
  return result.outcome === 'exit' ? result.code : null;
}
