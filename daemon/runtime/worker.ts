/**
 * A worker process: waits as a spare until the main process assigns it a role of a resource, then runs that role's
 * pure core over real hooks and the channel to the main process. When the main process is gone, a primary stops the
 * resource and ends; other roles end at once.
 */
import {
  initPrimary,
  type PrimaryAction,
  type PrimaryInput,
  type PrimaryOutput,
  primaryWakeAt,
  stepPrimary,
} from '../core/primary.js';
import { initSecondary, type SecondaryInput, secondaryWakeAt, stepSecondary } from '../core/secondary.js';
import type { Settings } from '../core/settings.js';
import { stopLimits } from '../core/stop-plan.js';
import type { NodeName } from '../core/types.js';
import { initWatchdog, stepWatchdog, type WatchdogInput, watchdogWakeAt } from '../core/watchdog.js';
import { takeOver } from '../hooks/exclusive.js';
import { createHookRunner } from '../hooks/runner.js';
import { warmHooks } from '../hooks/warm.js';
import { openCgroup } from '../sys/cgroup.js';
import { bootTime } from '../sys/clock.js';
import { runnerOf } from './action-hooks.js';
import { createHookShell, hookEnvironment } from './hook-shell.js';
import type { LogLevelName, MainToWorker, WorkerToMain } from './ipc.js';
import { createWake } from './wake.js';

type Assignment = Extract<MainToWorker, { kind: 'assign' }>;

/** The entry of a worker process. */
export function runWorker(): void {
  process.title = 'hastmon: (spare)';
  // A terminal's interrupt and a service manager's stop reach the whole group; the main process says when to stop.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  let role: RoleShell | null = null;
  process.on('message', (message: MainToWorker) => {
    if (message.kind === 'assign') role = takeUp(message);
    else role?.tell(message);
  });
  process.on('disconnect', () => {
    if (role === null) process.exit(0);
    role.mainGone();
  });
  setImmediate(() => {
    if (role === null) warmHooks();
  });
}

/** One role at work in this process. */
interface RoleShell {
  tell(message: Exclude<MainToWorker, Assignment>): void;
  mainGone(): void;
}

function takeUp(assignment: Assignment): RoleShell {
  const { role, settings } = assignment;
  process.title = `hastmon: ${settings.resource} (${role})`;
  setInterval(() => say({ kind: 'alive' }), settings.heartbeatMs);
  say({ kind: 'alive' });
  if (role === 'watchdog') return watchdogShell(assignment);
  return role === 'primary' ? primaryShell(assignment) : secondaryShell(assignment);
}

function say(message: WorkerToMain): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

function log(level: LogLevelName, text: string): void {
  say({ kind: 'log', level, text });
}

const hookLog = {
  debug: (_fields: object, text: string) => log('debug', text),
  info: (_fields: object, text: string) => log('info', text),
  warn: (_fields: object, text: string) => log('warn', text),
  error: (_fields: object, text: string) => log('error', text),
};

function hooksOf(assignment: Assignment): ReturnType<typeof createHookRunner> {
  const { hooks, settings } = assignment;
  const cgroup = openCgroup(hooks.stateDir, settings.resource);
  return createHookRunner({
    resource: settings.resource,
    ...runnerOf(hooks),
    directory: hooks.directory,
    cgroup: cgroup.path,
    log: hookLog,
    ended: ({ action, code, detail, durationMs, outcome }) =>
      say({ kind: 'hook', end: { action, code, detail, durationMs, outcome } }),
  });
}

/** What an earlier worker of this resource still runs has to end before this one does anything; a stop may finish. */
async function endEarlierHooks({ hooks, settings }: Assignment): Promise<void> {
  const { stopTimeoutMs } = settings;
  const stopUntil = (began: number): number => stopLimits(began + stopTimeoutMs, stopTimeoutMs).termAt;
  const taken = await takeOver(hooks.directory, { log: hookLog, stopUntil });
  for (const failure of taken.failed) log('error', failure);
}

function primaryShell(assignment: Assignment): RoleShell {
  const { settings, hooks, init } = assignment;
  if (init === null) throw new Error('a primary worker needs its initial state');
  const runner = hooksOf(assignment);
  const shell = createHookShell(runner, hooks.fence);
  let state = initPrimary(init, bootTime());
  let ready = false;
  let candidates: readonly NodeName[] = [];
  const waiting: PrimaryInput[] = [];
  /** A hook that runs after the release is told of the lease before. */
  let heldEpoch = assignment.epoch;
  const wake = createWake(bootTime, () => feed({ kind: 'tick', now: bootTime() }));

  function feed(input: PrimaryInput): void {
    if (!ready) {
      waiting.push(input);
      return;
    }
    const step = stepPrimary(state, input);
    state = step.state;
    for (const output of step.outputs) perform(output);
    wake.at(primaryWakeAt(state));
  }

  function perform(output: PrimaryOutput): void {
    switch (output.kind) {
      case 'to-voters':
        return say({ kind: 'send', to: null, message: output.message });
      case 'to-node':
        return say({ kind: 'send', to: output.to, message: output.message });
      case 'report':
        return say({ kind: 'report', report: output.report });
      case 'signal':
        return shell.signal(output.id, output.signal);
      case 'log':
        return log(output.level, output.text);
      case 'finish':
        say({ kind: 'finish', outcome: output.outcome });
        return endSoon();
      case 'hook':
        return runHook(output);
      default:
        output satisfies never;
    }
  }

  function runHook({ id, action, epoch, notAfter }: Extract<PrimaryOutput, { kind: 'hook' }>): void {
    if (bootTime() > notAfter) {
      setImmediate(() =>
        feed({
          kind: 'hook',
          id,
          code: null,
          detail: `${action} was not run: its lease has passed`,
          now: bootTime(),
        }),
      );
      return;
    }
    heldEpoch = Math.max(heldEpoch, epoch);
    const facts = {
      resource: settings.resource,
      node: settings.node,
      role: 'primary',
      epoch: heldEpoch,
      primary: settings.node,
      candidates,
    };
    const limitMs = limitOf(action, settings);
    shell.run(id, action, facts, limitMs, (code, detail) =>
      feed({ kind: 'hook', id, code, detail, now: bootTime() }),
    );
  }

  endEarlierHooks(assignment).then(() => {
    ready = true;
    feed({ kind: 'tick', now: bootTime() });
    for (const input of waiting.splice(0)) feed({ ...input, now: bootTime() });
  });
  return {
    tell: (message) => {
      if (message.kind === 'primary-is') candidates = message.candidates;
      else if (message.message.kind !== 'heard')
        feed({ ...message.message, now: bootTime() } as PrimaryInput);
    },
    mainGone: () => feed({ kind: 'main-gone', now: bootTime() }),
  };
}

function secondaryShell(assignment: Assignment): RoleShell {
  const { settings } = assignment;
  const shell = createHookShell(hooksOf(assignment), '');
  let primary: NodeName = '';
  let candidates: readonly NodeName[] = [];
  let ready = false;
  let state = initSecondary(settings, bootTime());
  const wake = createWake(bootTime, () => feed({ kind: 'tick', now: bootTime() }));

  function feed(input: SecondaryInput): void {
    if (!ready) return; // The primary is heard again at its next heartbeat.
    const step = stepSecondary(state, input);
    state = step.state;
    for (const output of step.outputs) {
      if (output.kind === 'log') log(output.level, output.text);
      else if (output.kind === 'signal') shell.signal(output.id, output.signal);
      else if (output.kind === 'finish') {
        say({ kind: 'finish', outcome: 'stopped' });
        endSoon();
      } else {
        const { id, action } = output;
        const facts = {
          resource: settings.resource,
          node: settings.node,
          role: 'secondary',
          epoch: assignment.epoch,
          primary,
          candidates,
        };
        shell.run(id, action, facts, limitOf(action, settings), (code, detail) =>
          feed({ kind: 'hook', id, code, detail, now: bootTime() }),
        );
      }
    }
    wake.at(secondaryWakeAt(state));
  }

  endEarlierHooks(assignment).then(() => {
    ready = true;
    feed({ kind: 'heard', now: bootTime() });
  });
  return {
    tell: (message) => {
      if (message.kind === 'primary-is') ({ node: primary, candidates } = message);
      else if (message.message.kind === 'heard') feed({ kind: 'heard', now: bootTime() });
      else if (message.message.kind === 'settings')
        feed({ kind: 'settings', settings: message.message.settings, now: bootTime() });
    },
    mainGone: () => process.exit(0),
  };
}

function watchdogShell(assignment: Assignment): RoleShell {
  const { settings } = assignment;
  const runner = hooksOf(assignment);
  let complaining = false;
  let primary: NodeName = '';
  let candidates: readonly NodeName[] = [];
  let state = initWatchdog(settings, assignment.incarnation, bootTime());
  const wake = createWake(bootTime, () => feed({ kind: 'tick', now: bootTime() }));

  function feed(input: WatchdogInput): void {
    const step = stepWatchdog(state, input);
    state = step.state;
    for (const output of step.outputs) {
      if (output.kind === 'log') log(output.level, output.text);
      else if (output.kind === 'to-node') say({ kind: 'send', to: output.to, message: output.message });
      else runComplain();
    }
    wake.at(watchdogWakeAt(state));
  }

  /** One at a time: complaints go on at every heartbeat, and a slow hook must not pile up. */
  function runComplain(): void {
    if (complaining) return;
    complaining = true;
    setTimeout(complainNow, COMPLAIN_HOOK_AFTER_MS);
  }

  function complainNow(): void {
    const { resource, node, statusTimeoutMs } = settings;
    const env = hookEnvironment({
      ...{ resource, node, role: 'watchdog', epoch: assignment.epoch, primary, candidates },
    });
    const limits = { termAfterMs: statusTimeoutMs * 0.9, killAfterMs: statusTimeoutMs };
    runner.run({ action: 'complain', args: [resource], env, ...limits }).done.then(() => {
      complaining = false;
    });
  }

  feed({ kind: 'tick', now: bootTime() });
  return {
    tell: (message) => {
      if (message.kind === 'primary-is') ({ node: primary, candidates } = message);
      else if (message.message.kind === 'heard') {
        feed({
          kind: 'heard',
          from: message.message.from,
          message: message.message.message,
          now: bootTime(),
        });
      } else if (message.message.kind === 'settings')
        feed({ kind: 'settings', settings: message.message.settings, now: bootTime() });
    },
    mainGone: () => process.exit(0),
  };
}

/** Its messages are on their way; whom the hook tells can wait until the takeover that follows is done. */
const COMPLAIN_HOOK_AFTER_MS = 100;

/** What a hook's limit is called in warnings; the core watches over it. */
function limitOf(action: PrimaryAction, settings: Settings): number {
  switch (action) {
    case 'start':
      return settings.startTimeoutMs;
    case 'stop':
      return settings.stopTimeoutMs;
    case 'status':
      return settings.statusTimeoutMs;
    case 'fence':
      return settings.fenceTimeoutMs;
    default:
      return action satisfies never;
  }
}

/** Ends this process when what it last said has been written. */
function endSoon(): void {
  if (!process.connected) process.exit(0);
  process.send?.({ kind: 'alive' } satisfies WorkerToMain, undefined, {}, () => process.exit(0));
}
