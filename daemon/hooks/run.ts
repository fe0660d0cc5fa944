/** One run of a hook program, from its record to its end. See HookRun for what its end means. */
import { cgroupEmpty } from '../sys/cgroup.js';
import { bootId } from '../sys/clock.js';
import { messageOf } from '../sys/errors.js';
import { groupMembers } from '../sys/process.js';
import { type Exit, type HeldProcess, spawnHeld } from '../sys/spawn.js';
import type { HookContext } from './context.js';
import { hookEnvironment } from './environment.js';
import { endGroup, groupState } from './group.js';
import { type HookRecord, newMark } from './records.js';
import { type HookSink, openSink } from './sink.js';
import type { HookAction, HookRequest, HookResult, HookRun } from './types.js';
import { describeEnd, duration, executableProblem, type HookEnd } from './words.js';

/**
 * These must run even when the disk is too full for a record: a node that cannot stop its resource, or see that it is stopped,
 * is worse than a hook that a successor does not know of.
 */
const runUnrecorded: readonly HookAction[] = ['stop', 'status', 'fence'];

/** A process ends within milliseconds of SIGKILL, unless the kernel keeps it. */
const stuckMs = 1000;

/** Starts the program. What prevents it is told by `done`, as spawn-error. */
export function startRun(context: HookContext, request: HookRequest): HookRun {
  const { action } = request;
  const began = context.clock.now();
  if (request.program === undefined && context.idle(request)) return nothingToDo(action);
  const started = hold(context, request);
  if ('problem' in started) {
    const durationMs = context.clock.now() - began;
    const detail = `${action}: ${started.problem}`;
    context.log.debug({ hook: action }, detail);
    const result: HookResult = {
      action,
      outcome: 'spawn-error',
      code: null,
      signal: null,
      durationMs,
      detail,
    };
    return { done: Promise.resolve(result), terminate() {}, kill() {} };
  }
  const { held, record } = started;
  context.log.debug({ hook: action }, `${action}: ${record.program} is about to run as process ${held.pid}`);
  held.release();
  return supervise(context, request, { ...started, began });
}

function nothingToDo(action: HookAction): HookRun {
  const detail = `${action} has nothing to do`;
  const result: HookResult = { action, outcome: 'exit', code: 0, signal: null, durationMs: 0, detail };
  return { done: Promise.resolve(result), terminate() {}, kill() {} };
}

interface Held {
  held: HeldProcess;
  record: HookRecord;
  sink: HookSink;
}

interface Started extends Held {
  began: number;
}

/** Makes a process that is on record and waits to become the program; or says why not. */
function hold(context: HookContext, request: HookRequest): Held | { problem: string } {
  const { action } = request;
  const program = request.program ?? context.exec;
  const problem = executableProblem(program);
  if (problem !== null) return { problem };
  const mark = newMark();
  const sink = openSink(context, action, mark);
  const cgroup = action === 'start' ? context.cgroup : null;
  const { held, reason } = spawnHeld({
    program,
    args: [...(request.program === undefined ? context.execArgs : []), action, ...request.args],
    outputPath: sink.path ?? '/dev/null',
    env: hookEnvironment(context.env, request, mark),
    ...(cgroup === null ? {} : { cgroup }),
  });
  if (held === null) {
    sink.discard();
    return { problem: reason };
  }
  const { pid, startTime } = held;
  const running = { kind: 'running' as const, bootId: bootId(), members: [], output: sink.path };
  const record: HookRecord = {
    name: context.records.newName(),
    ...running,
    action,
    program,
    pid,
    startTime,
    cgroup,
    mark,
  };
  const unrecorded = writeRecord(context, record) ?? prepare(context, request);
  if (unrecorded === null) return { held, record, sink };
  if (runUnrecorded.includes(action)) {
    context.log.error({ hook: action }, `${action} is run all the same, but ${unrecorded}`);
    return { held, record, sink };
  }
  held.abort();
  dropRecord(context, record, sink);
  return { problem: `${program} is not run: ${unrecorded}` };
}

function writeRecord(context: HookContext, record: HookRecord): string | null {
  try {
    context.records.write(record);
    return null;
  } catch (error) {
    return `it cannot be put on record: ${messageOf(error)}`;
  }
}

function prepare(context: HookContext, { action, program }: HookRequest): string | null {
  try {
    if (program === undefined) context.beforehand(action);
    return null;
  } catch (error) {
    return `it cannot be noted that it begins: ${messageOf(error)}`;
  }
}

/** Watches over the limits of a program that runs. */
function supervise(context: HookContext, request: HookRequest, started: Started): HookRun {
  const { action, termAfterMs, killAfterMs } = request;
  const { clock, log } = context;
  const { held } = started;
  // The first cause is the one that is told.
  let cause: 'timeout' | 'killed' | null = null;
  let killSent = false;
  let callerLimits = false;
  let running = true;

  const kill = (): void => {
    held.kill('SIGKILL');
    timers.push(
      clock.after(stuckMs, () => {
        const state = 'it may be in an uninterruptible wait';
        log.error({ hook: action }, `${action} (process ${held.pid}) does not end, though killed: ${state}`);
      }),
    );
  };
  const limitMs = request.limitMs ?? termAfterMs;
  const slowAfterMs = request.slowAfterMs ?? limitMs / 2;
  const timers = [
    clock.after(slowAfterMs, () => {
      log.warn(
        { hook: action },
        `${action} has been running for ${duration(slowAfterMs)}; its limit is ${duration(limitMs)}`,
      );
    }),
    clock.after(termAfterMs, () => {
      cause ??= 'timeout';
      log.warn(
        { hook: action },
        `${action} has not ended within ${duration(termAfterMs)}: SIGTERM to its processes`,
      );
      held.kill('SIGTERM');
    }),
    clock.after(killAfterMs, () => {
      killSent = true;
      log.warn(
        { hook: action },
        `${action} has not ended within ${duration(killAfterMs)}: SIGKILL to its processes`,
      );
      kill();
    }),
  ];
  const done = held.exited.then((exit) => {
    running = false;
    for (const cancel of timers) cancel();
    return finish(context, request, started, { exit, cause, killSent, callerLimits });
  });
  return {
    done,
    terminate() {
      if (!running) return;
      cause ??= 'timeout';
      callerLimits = true;
      held.kill('SIGTERM');
    },
    kill() {
      if (!running) return;
      cause ??= 'killed';
      killSent = true;
      kill();
    },
  };
}

interface Ending {
  exit: Exit;
  cause: 'timeout' | 'killed' | null;
  killSent: boolean;
  /** The caller watches over the limits: what outlives the program is killed at once. */
  callerLimits: boolean;
}

/** The program has ended and is reaped: deals with what is left of its group, its record and its output. */
async function finish(
  context: HookContext,
  request: HookRequest,
  { record, sink, began }: Started,
  { exit, cause, killSent, callerLimits }: Ending,
): Promise<HookResult> {
  const { action } = request;
  const { clock, log } = context;
  const byItself = cause === null && exit.code !== null;
  const own = request.program === undefined;
  let ended: string = 'none';
  const { held: outputHeld, last } = sink.endRun();
  if (action !== 'start' || !byItself) {
    // After SIGTERM, the others of the group have as long as the program itself would have had.
    const graceful = cause === 'timeout' && !killSent && !callerLimits;
    const graceUntil = graceful ? began + request.killAfterMs : undefined;
    const graceMs = graceUntil === undefined ? 0 : Math.max(0, graceUntil - clock.now());
    const cancelStuck = clock.after(graceMs + stuckMs, () => {
      log.error({ hook: action }, `process group ${record.pid} of ${action} does not end, though killed`);
    });
    ended = await endGroup(record, clock, { limitMs: Number.POSITIVE_INFINITY, watched: true, graceUntil });
    cancelStuck();
    if (ended === 'ended' && byItself) {
      log.info({ hook: action }, `${action} left processes in its group; they were killed`);
    }
  }
  if (action === 'start') leaveService(context, record, sink, outputHeld);
  else dropRecord(context, record, sink);
  const end: HookEnd = {
    outcome: cause ?? (exit.signal === null ? 'exit' : 'signal'),
    code: own && exit.code !== null ? context.codeOf(action, exit.code) : exit.code,
    signal: exit.signal,
    durationMs: clock.now() - began,
    killSent: killSent || (cause === 'timeout' && ended === 'ended'),
  };
  const { outcome, code, signal, durationMs } = end;
  const result: HookResult = {
    action,
    outcome,
    code,
    signal,
    durationMs,
    detail: describeEnd(request, end, last),
  };
  sink.tell(result);
  log.debug({ hook: action }, result.detail);
  return result;
}

/**
 * A `start` is over. What it left in its group, in its control group, or holding its output is the service, or a part of it: it
 * goes on record, so that it can be ended by whoever has to.
 */
function leaveService(context: HookContext, record: HookRecord, sink: HookSink, outputHeld: boolean): void {
  const { log, records } = context;
  const inGroup = groupState(record, true) !== 'gone';
  const inCgroup = record.cgroup !== null && !cgroupEmpty(record.cgroup);
  if (!inGroup && !inCgroup && !outputHeld) {
    dropRecord(context, record, sink);
    return;
  }
  let members: HookRecord['members'] = [];
  try {
    if (inGroup) members = groupMembers(record.pid).map(({ pid, startTime }) => ({ pid, startTime }));
  } catch (error) {
    log.error({ hook: 'start' }, `what start left cannot be listed, its mark has to do: ${messageOf(error)}`);
  }
  try {
    records.write({ ...record, kind: 'left', members });
  } catch (error) {
    // The running record names the group as well. A successor ends it then, and with it the service: that is safe.
    log.error({ hook: 'start' }, `what start left is not put on record anew: ${messageOf(error)}`);
  }
  if (outputHeld) context.keep(sink);
  else sink.discard();
}

function dropRecord({ records }: HookContext, record: HookRecord, sink: HookSink): void {
  records.remove(record);
  sink.discard();
}
