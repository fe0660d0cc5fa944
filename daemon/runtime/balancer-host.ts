/**
 * The balancer process as the main process sees it: forked where hastmon.conf has a balancer, asked, and replaced when it dies or hangs. It
 * leaves the kernel's table as it is, however it ends.
 */
import type { ChildProcess } from 'node:child_process';
import type { BalancerAnswer, BalancerRequest } from '../../proto/balancer-types.js';
import type { BalancerToMain, MainToBalancer } from '../balancer/ipc.js';
import type { BalancerSettings } from '../balancer/settings.js';
import type { LogTarget } from '../log/log.js';
import type { NetLog } from '../net/log.js';
import { forkSelf } from '../sys/fork.js';
import type { ProcessSettings } from './monitor-settings.js';
import type { ProcessRecords } from './process-record.js';

export interface BalancerReply {
  /** sysexits(3) and words; null where it was done. */
  error: { code: number; message: string } | null;
  text: string;
  answer: BalancerAnswer | null;
}

export interface BalancerEvents {
  /** What is for other parts of the main process. */
  said(message: Extract<BalancerToMain, { kind: 'mail' | 'share' | 'share-wanted' }>): void;
  /** A new process has begun, and knows nothing of this one yet. */
  started(): void;
}

export interface BalancerHost {
  /** What it works by from now on; null: there is none. */
  apply(settings: BalancerSettings | null, checks: ProcessSettings): void;
  tell(message: Exclude<MainToBalancer, { kind: 'settings' | 'ask' }>): void;
  /** Its answer; where there is none, an error that says why. */
  ask(what: BalancerRequest): Promise<BalancerReply>;
  pid(): number;
  close(): Promise<void>;
}

export interface BalancerHostOptions {
  script: string;
  records: ProcessRecords;
  log: NetLog;
  /** Where that goes. */
  logged: LogTarget['kind'];
  events: BalancerEvents;
  /** A process that has said nothing for so long hangs; it beats once a second. */
  silenceMs?: number;
}

/** Long: ten thousand servers are seconds of work on a slow machine, and the table works on without it. */
const SILENCE_MS = 60_000;
const RESTART_MS = [200, 1000, 5000, 30_000] as const;
/** It has lasted: the next restart is quick again. */
const LASTED_MS = 60_000;
/** A reload reads a file and resolves names. */
const ANSWER_MS = 30_000;
/** Time to write down what it knows. */
const END_MS = 3000;

const EX_UNAVAILABLE = 69;

export function createBalancerHost(options: BalancerHostOptions): BalancerHost {
  const { events, log, records, silenceMs = SILENCE_MS } = options;
  let given: { settings: BalancerSettings; checks: ProcessSettings } | null = null;
  let child: ChildProcess | null = null;
  let restarts = 0;
  let restartTimer: NodeJS.Timeout | undefined;
  let silence: NodeJS.Timeout | undefined;
  let lastRequest = 0;
  const requests = new Map<number, { resolve(reply: BalancerReply): void; timer: NodeJS.Timeout }>();
  const leaving = new Set<Promise<void>>();
  let closed = false;
  /** Why the present process cannot work. */
  let failure = '';

  function start(): void {
    restartTimer = undefined;
    if (given === null || closed) return;
    const begun = performance.now();
    const process = forkSelf(options.script, ['balancer']);
    if (typeof process === 'string') {
      log.error({}, `the balancer cannot be started: ${process}`);
      return restart(0);
    }
    child = process;
    const pid = process.pid ?? 0;
    if (pid > 0) records.record(pid);
    process.on('message', (message) => {
      if (child === process) heard(message as BalancerToMain);
    });
    process.on('error', (error) => {
      log.error({ workerpid: pid }, `the balancer: ${error.message}`);
      // One that could not be forked at all has no exit.
      if (pid === 0 && child === process) lost(0);
    });
    const gone = new Promise<void>((resolve) => process.once('exit', () => resolve()));
    if (pid > 0) leaving.add(gone);
    process.once('exit', () => {
      leaving.delete(gone);
      records.forget(pid);
      if (child === process) lost(performance.now() - begun);
    });
    say({ kind: 'settings', ...given, logged: options.logged });
    events.started();
    watch();
  }

  function watch(): void {
    clearTimeout(silence);
    silence = setTimeout(() => {
      // Where it was this process that stood still, what the other one has said meanwhile is heard first.
      silence = setTimeout(giveUp, silenceMs / 10);
    }, silenceMs);
  }

  function giveUp(): void {
    log.error(
      { workerpid: child?.pid },
      `the balancer has said nothing for ${silenceMs / 1000} s: ending it`,
    );
    child?.kill('SIGKILL');
  }

  function lost(lastedMs: number): void {
    child = null;
    abandon();
    if (closed || given === null) return;
    restart(lastedMs);
  }

  function restart(lastedMs: number): void {
    restarts = lastedMs > LASTED_MS ? 0 : restarts + 1;
    const delay = RESTART_MS[Math.min(restarts, RESTART_MS.length) - 1] ?? RESTART_MS[0];
    log.error(
      {},
      `the balancer has ended; the kernel's table stays as it is. Starting it again in ${delay} ms`,
    );
    restartTimer = setTimeout(start, delay);
  }

  /** Nobody answers any more. */
  function abandon(): void {
    clearTimeout(silence);
    const why = failure === '' ? 'the balancer has ended' : `the balancer cannot work: ${failure}`;
    failure = '';
    for (const id of [...requests.keys()]) answered(id, unavailable(why));
  }

  function answered(id: number, reply: BalancerReply): void {
    const request = requests.get(id);
    requests.delete(id);
    clearTimeout(request?.timer);
    request?.resolve(reply);
  }

  function say(message: MainToBalancer): void {
    if (child?.connected) child.send(message, () => {});
  }

  function heard(message: BalancerToMain): void {
    watch();
    switch (message.kind) {
      case 'ready':
        log.info({ workerpid: child?.pid }, 'the balancer is ready');
        for (const note of message.notes) log.warn({}, note);
        return;
      case 'failed':
        failure = message.reason;
        log.error({ workerpid: child?.pid }, `the balancer cannot work: ${message.reason}`);
        return;
      case 'beat':
        return;
      case 'log':
        log[message.level](message.fields, message.text);
        return;
      case 'answer':
        return answered(message.request, message);
      case 'mail':
      case 'share':
      case 'share-wanted':
        return events.said(message);
      default:
        message satisfies never;
    }
  }

  function end(): void {
    const process = child;
    child = null;
    clearTimeout(restartTimer);
    restartTimer = undefined;
    abandon();
    if (process === null) return;
    if (process.connected) process.disconnect();
    const timer = setTimeout(() => process.kill('SIGKILL'), END_MS);
    process.once('exit', () => clearTimeout(timer));
  }

  return {
    apply(settings, checks) {
      given = settings === null ? null : { settings, checks };
      if (given === null) end();
      else if (child !== null) say({ kind: 'settings', ...given, logged: options.logged });
      else if (restartTimer === undefined) start();
    },
    tell: say,
    ask(what) {
      if (given === null)
        return Promise.resolve(
          unavailable('no balancer is configured here: balancer { config FILE } in hastmon.conf'),
        );
      if (child === null) return Promise.resolve(unavailable('the balancer does not run at the moment'));
      lastRequest += 1;
      const request = lastRequest;
      return new Promise((resolve) => {
        const timer = setTimeout(
          () => answered(request, unavailable(`the balancer has not answered within ${ANSWER_MS / 1000} s`)),
          ANSWER_MS,
        );
        requests.set(request, { resolve, timer });
        say({ kind: 'ask', request, what });
      });
    },
    pid: () => child?.pid ?? 0,
    async close() {
      closed = true;
      end();
      await Promise.all(leaving);
    },
  };
}

function unavailable(message: string): BalancerReply {
  return { error: { code: EX_UNAVAILABLE, message }, text: '', answer: null };
}
