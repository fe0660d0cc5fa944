/**
 * A process of this daemon that is to run for as long as it is wanted: forked, watched, ended when it hangs, and replaced when it is gone.
 * On record as long as it lives; what it had started ends with it. Knows nothing of what it is for.
 */
import type { ChildProcess, Serializable } from 'node:child_process';
import type { NetLog } from '../net/log.js';
import { forkSelf } from '../sys/fork.js';
import { createStartedGroups, markOf } from '../sys/started.js';
import type { ProcessRecords } from './process-record.js';

/** A process group that a child has started, or of which nobody is left. */
interface GroupNote {
  kind: 'group';
  group: number;
  alive: boolean;
}

export type Say<ToChild> = (message: ToChild) => void;

export interface SupervisedChild<ToChild> {
  /** From now on there is to be one: forks it, where there is none and none is about to be. */
  start(): void;
  /** Tells the present one; nobody, where there is none. */
  say: Say<ToChild>;
  /** None is wanted until the next `start`: it is let go, and killed where it does not end by itself in time. */
  end(): void;
  view(): ChildView;
  /** Ends it for good; resolves when all that were forked are gone. */
  close(): Promise<void>;
}

/** How it stands; instants are those of the `clock` that was given. */
export interface ChildView {
  /** There is a process; it may hang, as long as that has not been noticed. */
  alive: boolean;
  /** 0 where there is none. */
  pid: number;
  /** When it was forked; null where there is none. */
  since: number | null;
  /** When it last said anything; null: it has not yet. */
  heardAt: number | null;
  /** How often one was forked in the place of one that was gone. */
  restarts: number;
}

export interface SupervisedChildOptions<ToChild, FromChild extends { kind: string }> {
  /** The script to fork, and its arguments. */
  script: string;
  args: readonly string[];
  /** The begin of what the log says of it, such as `the balancer`. */
  name: string;
  /** In the log when it is gone, before the time until the next one; default: `NAME has ended: starting another one`. */
  replaced?: string;
  records: ProcessRecords;
  log: NetLog;
  /** Milliseconds. */
  clock: () => number;
  /** One that has said nothing for so long hangs: it is to beat more often than that. */
  silenceMs: number;
  /** The same until its first word, where that is longer than `silenceMs`; default 60 s. */
  firstWordMs?: number;
  /** How long it may take to end when it is let go; default 1 s. */
  endMs?: number;
  /** It has been forked, and knows nothing yet; `say` reaches this one alone. */
  begun(say: Say<ToChild>): void;
  /** What the present one says. */
  heard(message: Exclude<FromChild, GroupNote>): void;
  /** It is gone, or could not be started, and not because of `end`; which may be called here where no other one is wanted. */
  gone(): void;
  /** Another one is forked in its place, in so many milliseconds. */
  replacing?(delayMs: number): void;
}

/** On a machine that is short of processors a program takes long to load, and longer where it is started anew. */
const FIRST_WORD_MS = 60_000;
const END_MS = 1000;
const RESTART_MS = [200, 1000, 5000, 30_000] as const;
/** It has lasted: the next restart is quick again. */
const LASTED_MS = 60_000;

interface Present {
  process: ChildProcess;
  since: number;
  heardAt: number | null;
}

export function createSupervisedChild<ToChild extends Serializable, FromChild extends { kind: string }>(
  options: SupervisedChildOptions<ToChild, FromChild>,
): SupervisedChild<ToChild> {
  const { clock, log, name, records, silenceMs } = options;
  let wanted = false;
  let closed = false;
  let present: Present | null = null;
  /** All that live, also those that have been let go. */
  const living = new Set<ChildProcess>();
  let silence: NodeJS.Timeout | undefined;
  let restart: NodeJS.Timeout | undefined;
  let restarts = 0;
  /** How many in a row have not lasted. */
  let losses = 0;

  function fork(): void {
    const since = clock();
    const process = forkSelf(options.script, options.args);
    if (typeof process === 'string') {
      log.error({}, `${name} cannot be started: ${process}`);
      return lost(since);
    }
    present = { process, since, heardAt: null };
    follow(process, since);
    watch(Math.max(silenceMs, options.firstWordMs ?? FIRST_WORD_MS));
    options.begun((message) => send(process, message));
  }

  function follow(process: ChildProcess, since: number): void {
    const { pid = 0 } = process;
    if (pid > 0) {
      living.add(process);
      records.record(pid);
    }
    const groups = createStartedGroups(markOf(pid));
    process.on('message', (given) => {
      const message = given as FromChild | GroupNote;
      const current = present?.process === process ? present : null;
      if (current !== null) {
        current.heardAt = clock();
        watch(silenceMs);
      }
      if (isGroupNote(message)) groups.note(message.group, message.alive);
      else if (current !== null) options.heard(message as Exclude<FromChild, GroupNote>);
    });
    process.on('error', (error) => {
      log.error({ workerpid: pid }, `${name}: ${error.message}`);
      // One that could not be forked at all has no exit.
      if (pid === 0 && present?.process === process) lost(since);
    });
    process.once('exit', () => {
      living.delete(process);
      groups.end();
      records.forget(pid);
      if (present?.process === process) lost(since);
    });
  }

  /** From now on it may be silent for so long. */
  function watch(limitMs: number): void {
    clearTimeout(silence);
    silence = setTimeout(() => {
      // Where it was this process that stood still, what the other one has said meanwhile is heard first.
      silence = setTimeout(() => giveUp(limitMs), silenceMs / 10);
    }, limitMs);
  }

  function giveUp(limitMs: number): void {
    const process = present?.process;
    log.error({ workerpid: process?.pid }, `${name} has said nothing for ${limitMs / 1000} s: ending it`);
    process?.kill('SIGKILL');
  }

  function lost(since: number): void {
    present = null;
    clearTimeout(silence);
    options.gone();
    if (!wanted) return;
    losses = clock() - since > LASTED_MS ? 1 : losses + 1;
    const delayMs = RESTART_MS[Math.min(losses, RESTART_MS.length) - 1] ?? RESTART_MS[0];
    log.error({}, `${options.replaced ?? `${name} has ended: starting another one`} in ${delayMs} ms`);
    options.replacing?.(delayMs);
    restart = setTimeout(() => {
      restart = undefined;
      restarts += 1;
      options.records.replaced?.(options.args[0] ?? '');
      fork();
    }, delayMs);
  }

  function end(): void {
    wanted = false;
    clearTimeout(restart);
    clearTimeout(silence);
    restart = undefined;
    const process = present?.process;
    present = null;
    if (process === undefined) return;
    if (process.connected) process.disconnect();
    const timer = setTimeout(() => process.kill('SIGKILL'), options.endMs ?? END_MS);
    process.once('exit', () => clearTimeout(timer));
  }

  return {
    start() {
      wanted = !closed;
      if (wanted && present === null && restart === undefined) fork();
    },
    say(message) {
      if (present !== null) send(present.process, message);
    },
    end,
    view: () => viewOf(present, restarts),
    async close() {
      closed = true;
      end();
      await Promise.all(
        [...living].map((process) => new Promise((resolve) => process.once('exit', resolve))),
      );
    },
  };
}

function send(process: ChildProcess, message: Serializable): void {
  // What cannot be sent any more is missed by nobody: its end is told as such.
  if (process.connected) process.send(message, () => {});
}

function isGroupNote(message: { kind: string }): message is GroupNote {
  return message.kind === 'group';
}

function viewOf(present: Present | null, restarts: number): ChildView {
  const pid = present?.process.pid ?? 0;
  return {
    ...{ alive: pid > 0, pid, restarts },
    ...{ since: present?.since ?? null, heardAt: present?.heardAt ?? null },
  };
}
