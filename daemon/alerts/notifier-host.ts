/**
 * The notifier as the main process sees it: forked when there is a job, ended when there has been none for a while. A job whose
 * process is lost has failed.
 */
import type { ChildProcess } from 'node:child_process';
import type { NetLog } from '../net/log.js';
import { forkSelf } from '../sys/fork.js';
import { createStartedGroups, markOf } from '../sys/started.js';
import type { Answer, Job, MainToNotifier, NotifierToMain } from './ipc.js';
import { ATTEMPT_MS } from './types.js';

export interface NotifierHost {
  /** Never rejects. */
  run(job: Job): Promise<Answer>;
  /** Whom a notifier that is forked from now on becomes. */
  become(users: readonly string[]): void;
  close(): Promise<void>;
}

export interface NotifierHostOptions {
  script: string;
  records: { record(pid: number): void; forget(pid: number): void };
  log: NetLog;
  /** It ends after so long without a job; default 60 s. */
  idleMs?: number;
}

const IDLE_MS = 60_000;
/** An answer that is so late does not come any more: it hangs. */
const SILENCE_MS = ATTEMPT_MS + 15_000;

export function createNotifierHost(options: NotifierHostOptions): NotifierHost {
  const { log, records } = options;
  let users: readonly string[] = [];
  let child: ChildProcess | null = null;
  let idle: NodeJS.Timeout | undefined;
  let lastId = 0;
  let reason = '';
  const jobs = new Map<number, { resolve(answer: Answer): void; timer: NodeJS.Timeout }>();
  const leaving = new Set<Promise<void>>();
  let closed = false;
  /** The present one has not become who it should be now. */
  let stale = false;

  /** Or why there is none. */
  function start(): ChildProcess | string {
    const process = forkSelf(options.script, ['notifier']);
    if (typeof process === 'string') return process;
    const pid = process.pid ?? 0;
    reason = '';
    if (pid > 0) records.record(pid);
    const groups = createStartedGroups(markOf(pid));
    process.on('message', (given) => {
      const message = given as NotifierToMain;
      if (message.kind === 'group') groups.note(message.group, message.alive);
      else heard(process, message);
    });
    process.on('error', (error) => {
      reason = error.message;
      if (process.pid !== undefined) return;
      // One that could not be forked at all has no exit.
      leaving.delete(gone);
      lost(process);
    });
    const gone = new Promise<void>((resolve) => process.once('exit', () => resolve()));
    leaving.add(gone);
    process.once('exit', () => {
      leaving.delete(gone);
      groups.end();
      records.forget(pid);
      lost(process);
    });
    process.send({ kind: 'setup', users } satisfies MainToNotifier, () => {});
    stale = false;
    child = process;
    return process;
  }

  function heard(process: ChildProcess, message: Exclude<NotifierToMain, { kind: 'group' }>): void {
    switch (message.kind) {
      case 'ready':
        log.debug({ workerpid: process.pid }, `the notifier is ready, as user ${message.user}`);
        return;
      case 'failed':
        reason = message.reason;
        log.error({ workerpid: process.pid }, `the notifier cannot work: ${reason}`);
        return;
      case 'answer':
        return answer(message.id, message.answer);
    }
  }

  function answer(id: number, given: Answer): void {
    const job = jobs.get(id);
    if (job === undefined) return;
    jobs.delete(id);
    clearTimeout(job.timer);
    if (jobs.size === 0) idle = setTimeout(end, stale ? 0 : (options.idleMs ?? IDLE_MS));
    job.resolve(given);
  }

  /** What became of the jobs under way is not known. */
  function lost(process: ChildProcess): void {
    if (child !== process) return;
    child = null;
    const why = reason === '' ? 'the notifier has ended' : `the notifier has ended: ${reason}`;
    if (jobs.size > 0 && !closed)
      log.error({ workerpid: process.pid }, `${why}, with ${jobs.size} under way`);
    for (const id of [...jobs.keys()])
      answer(id, { outcome: { kind: 'later', why, left: null }, lines: [why] });
    clearTimeout(idle);
  }

  function end(): void {
    const process = child;
    child = null;
    clearTimeout(idle);
    if (process === null) return;
    if (process.connected) process.disconnect();
    const timer = setTimeout(() => process.kill('SIGKILL'), 1000);
    process.once('exit', () => clearTimeout(timer));
  }

  return {
    run(job) {
      const process = child ?? start();
      if (typeof process === 'string') {
        const why = `the notifier cannot be started: ${process}`;
        return Promise.resolve({ outcome: { kind: 'later', why, left: null }, lines: [why] });
      }
      clearTimeout(idle);
      lastId += 1;
      const id = lastId;
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          log.error({ workerpid: process.pid }, 'the notifier does not answer: ending it');
          process.kill('SIGKILL');
        }, SILENCE_MS);
        jobs.set(id, { resolve, timer });
        process.send({ kind: 'job', id, job } satisfies MainToNotifier, () => {});
      });
    },
    become(next) {
      stale ||= next.join() !== users.join();
      users = next;
      if (stale && jobs.size === 0) end();
    },
    async close() {
      closed = true;
      const why = 'hastmond ends';
      for (const id of [...jobs.keys()])
        answer(id, { outcome: { kind: 'later', why, left: null }, lines: [why] });
      end();
      await Promise.all(leaving);
    },
  };
}
