/**
 * The balancer process as the main process sees it: forked where hastmon.conf has a balancer, asked, and replaced when it dies or hangs. It
 * leaves the kernel's table as it is, however it ends.
 */
import type { BalancerAnswer } from '../../proto/balancer-types.js';
import type { ExplainedServers } from '../../proto/explain-types.js';
import type { BalancerQuestion, BalancerToMain, MainToBalancer } from '../balancer/ipc.js';
import type { BalancerSettings } from '../balancer/settings.js';
import type { LogTarget } from '../log/log.js';
import type { NetLog } from '../net/log.js';
import { bootTime } from '../sys/clock.js';
import type { ProcessSettings } from './monitor-settings.js';
import type { ProcessRecords } from './process-record.js';
import { createSupervisedChild } from './supervised-child.js';

export interface BalancerReply {
  /** sysexits(3) and words; null where it was done. */
  error: { code: number; message: string } | null;
  text: string;
  answer: BalancerAnswer | null;
  explained: ExplainedServers | null;
}

export interface BalancerEvents {
  /** What is for other parts of the main process. */
  said(message: Extract<BalancerToMain, { kind: 'mail' | 'share' | 'share-wanted' | 'event' }>): void;
  /** A new process has begun, and knows nothing of this one yet. */
  started(): void;
  /** It has ended; another one is started in so many milliseconds. */
  ended?(restartMs: number): void;
}

export interface BalancerHost {
  /** What it works by from now on; null: there is none. */
  apply(settings: BalancerSettings | null, checks: ProcessSettings): void;
  tell(message: Exclude<MainToBalancer, { kind: 'settings' | 'ask' }>): void;
  /** Its answer; where there is none, an error that says why. */
  ask(what: BalancerQuestion): Promise<BalancerReply>;
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
/** A reload reads a file and resolves names. */
const ANSWER_MS = 30_000;
/** Time to write down what it knows. */
const END_MS = 3000;

const EX_UNAVAILABLE = 69;

export function createBalancerHost(options: BalancerHostOptions): BalancerHost {
  const { events, log } = options;
  let given: { settings: BalancerSettings; checks: ProcessSettings } | null = null;
  const child = createSupervisedChild<MainToBalancer, BalancerToMain>({
    ...{ script: options.script, args: ['balancer'], records: options.records, log },
    ...{ name: 'the balancer', clock: bootTime, silenceMs: options.silenceMs ?? SILENCE_MS, endMs: END_MS },
    replaced: "the balancer has ended; the kernel's table stays as it is. Starting it again",
    begun() {
      tellSettings();
      events.started();
    },
    ...{ heard, gone: abandon },
    replacing: (delayMs) => events.ended?.(delayMs),
  });
  let lastRequest = 0;
  const requests = new Map<number, { resolve(reply: BalancerReply): void; timer: NodeJS.Timeout }>();
  /** Why the present process cannot work. */
  let failure = '';

  function tellSettings(): void {
    if (given !== null) child.say({ kind: 'settings', ...given, logged: options.logged });
  }

  /** Nobody answers any more. */
  function abandon(): void {
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

  function heard(message: BalancerToMain): void {
    const { pid } = child.view();
    switch (message.kind) {
      case 'ready':
        log.info({ workerpid: pid }, 'the balancer is ready');
        for (const note of message.notes) log.warn({}, note);
        return;
      case 'failed':
        failure = message.reason;
        log.error({ workerpid: pid }, `the balancer cannot work: ${message.reason}`);
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
      case 'event':
        return events.said(message);
      default:
        message satisfies never;
    }
  }

  return {
    apply(settings, checks) {
      given = settings === null ? null : { settings, checks };
      if (given === null) {
        child.end();
        abandon();
      } else if (child.view().alive) tellSettings();
      else child.start();
    },
    tell: child.say,
    ask(what) {
      if (given === null)
        return Promise.resolve(
          unavailable('no balancer is configured here: balancer { config FILE } in hastmon.conf'),
        );
      if (!child.view().alive) return Promise.resolve(unavailable('the balancer does not run at the moment'));
      lastRequest += 1;
      const request = lastRequest;
      return new Promise((resolve) => {
        const timer = setTimeout(
          () => answered(request, unavailable(`the balancer has not answered within ${ANSWER_MS / 1000} s`)),
          ANSWER_MS,
        );
        requests.set(request, { resolve, timer });
        child.say({ kind: 'ask', request, what });
      });
    },
    pid: () => child.view().pid,
    async close() {
      abandon();
      await child.close();
    },
  };
}

function unavailable(message: string): BalancerReply {
  return { error: { code: EX_UNAVAILABLE, message }, text: '', answer: null, explained: null };
}
