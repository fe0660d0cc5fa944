/**
 * The process that serves HTTP as the main process sees it: forked where hastmon.conf says so, told what happens, answered what it asks
 * as far as that changes nothing, and replaced when it dies or hangs.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import type { HaEvent } from '../../proto/event-types.js';
import { whyNotAsked } from '../cluster/may-ask.js';
import { addressText } from '../config/http-address.js';
import type { Config } from '../config/types.js';
import type { DaemonFigures, HttpFacts, HttpQuestion, HttpToMain, MainToHttp } from '../http/ipc.js';
import { partsOf } from '../http/join.js';
import type { HttpSettings } from '../http/settings.js';
import type { NetLog } from '../net/log.js';
import { bootTime } from '../sys/clock.js';
import { messageOf } from '../sys/errors.js';
import type { ProcessRecords } from './process-record.js';
import { createSupervisedChild } from './supervised-child.js';

export interface HttpHost {
  /** What it works by from now on; null: nothing is served. */
  apply(settings: HttpSettings | null, facts: HttpFacts): void;
  /**
   * Resolves when it serves by what was applied last, with ''; or when it is known why not yet, with a sentence; or after some seconds, with
   * that. Where nothing is to be served, at once.
   */
  settled(): Promise<string>;
  /** 0 where there is none. */
  pid(): number;
  close(): Promise<void>;
}

export interface HttpHostOptions {
  script: string;
  records: ProcessRecords;
  log: NetLog;
  /** Answers a question as it does hastmonctl: in parts, and with the last of them. */
  ask: (
    request: ControlRequest,
    reply: (part: Partial<ControlReply>) => void,
    signal: AbortSignal,
  ) => Promise<Partial<ControlReply>>;
  figures: () => Promise<DaemonFigures>;
  /** Calls back with all that happens until what it gave back is called. */
  subscribe: (listener: (event: HaEvent) => void) => () => void;
  /** It has ended; another one is started in so many milliseconds. */
  ended: (restartMs: number) => void;
  /** A process that has said nothing for so long hangs; it beats once a second. */
  silenceMs?: number;
}

const SILENCE_MS = 10_000;
/** A process begins in less than a second where the machine is not very busy. */
const SETTLE_MS = 5000;
/** It keeps a bound of its own: more than this is a fault of it. */
const QUESTIONS_MAX = 128;
/** What takes the main process itself some milliseconds or more where there is much. */
const EXPENSIVE: ReadonlySet<string> = new Set(['timeline', 'events', 'checks', 'check']);

type Say = (final: boolean, reply: Partial<ControlReply>, figures?: DaemonFigures | null) => void;

const EX_UNAVAILABLE = 69;
const EX_SOFTWARE = 70;
const EX_NOPERM = 77;

export function createHttpHost(options: HttpHostOptions): HttpHost {
  const { log } = options;
  let given: { settings: HttpSettings; facts: HttpFacts } | null = null;
  let unsubscribe: (() => void) | null = null;
  /** How the port is: '' open, else why not; null where the process has not said so yet. */
  let port: string | null = null;
  let waiting: ((how: string) => void)[] = [];
  let underWay = new Set<AbortController>();
  /** Of each kind of question that is expensive, when the last one will have been answered. */
  const lines = new Map<HttpQuestion['kind'], Promise<unknown>>();
  const child = createSupervisedChild<MainToHttp, HttpToMain>({
    ...{ script: options.script, args: ['http'], records: options.records, log },
    ...{ name: 'the process for HTTP', clock: bootTime, silenceMs: options.silenceMs ?? SILENCE_MS },
    begun(say) {
      port = null;
      if (given !== null) say({ kind: 'settings', ...given });
    },
    heard,
    gone() {
      port = null;
      abandon();
    },
    replacing: options.ended,
  });

  function portIs(how: string): void {
    port = how;
    for (const done of waiting) done(how);
    waiting = [];
  }

  /** Nobody waits for what is being answered. */
  function abandon(): void {
    for (const question of underWay) question.abort();
    underWay = new Set();
  }

  function heard(message: HttpToMain): void {
    const { pid } = child.view();
    switch (message.kind) {
      case 'ready': {
        const where = given === null ? '' : addressText(given.settings);
        log.info({ workerpid: pid, address: where }, `HTTP is served, as user ${message.user}`);
        return portIs('');
      }
      case 'waiting':
        log.error({ workerpid: pid }, `HTTP: ${message.reason}`);
        return portIs(message.reason);
      case 'failed':
        log.error({ workerpid: pid }, `HTTP cannot be served: ${message.reason}`);
        return portIs(message.reason);
      case 'log':
        return log[message.level]({ workerpid: pid }, `HTTP: ${message.text}`);
      case 'ask':
        return void answer(message.question, message.what);
      case 'beat':
        return;
      default:
        message satisfies never;
    }
  }

  async function answer(question: number, what: HttpQuestion): Promise<void> {
    const asked = underWay;
    const signal = new AbortController();
    const say: Say = (final, reply, figures = null) => {
      // Another process than the one that has asked has numbers of its own.
      if (asked === underWay) child.say({ kind: 'answer', question, final, reply, figures });
    };
    if (asked.size >= QUESTIONS_MAX) return say(true, refusal(EX_UNAVAILABLE, 'too many questions at once'));
    const why = what.kind === 'processes' ? '' : whyNotAsked(what, 'viewer');
    if (why !== '') {
      log.error({}, `a question of HTTP is not answered: ${why}`);
      return say(true, refusal(EX_NOPERM, why));
    }
    asked.add(signal);
    try {
      if (what.kind === 'processes') say(true, {}, await options.figures());
      else if (EXPENSIVE.has(what.kind)) await inLine(what.kind, () => carryOut(what, signal.signal, say));
      else await carryOut(what, signal.signal, say);
    } catch (error) {
      log.error({}, `a question of HTTP has failed: ${messageOf(error)}`);
      say(true, refusal(EX_SOFTWARE, 'this question cannot be answered: see the log of hastmond'));
    } finally {
      asked.delete(signal);
    }
  }

  async function carryOut(what: ControlRequest, signal: AbortSignal, say: Say): Promise<void> {
    if (signal.aborted) return;
    await tell(partsOf(await options.ask(what, (part) => say(false, part), signal)), say);
  }

  /** One of a kind at a time, each in a turn of its own: what viewers ask holds nothing up for longer than one of them takes. */
  async function inLine(kind: HttpQuestion['kind'], work: () => Promise<void>): Promise<void> {
    const before = lines.get(kind) ?? Promise.resolve();
    const turn = before.then(() => nextTurn()).then(work);
    lines.set(
      kind,
      turn.catch(() => {}),
    );
    await turn;
  }

  return {
    apply(settings, facts) {
      const before = given?.settings ?? null;
      given = settings === null ? null : { settings, facts };
      if (given === null) {
        child.end();
        abandon();
        unsubscribe?.();
        unsubscribe = null;
        return;
      }
      unsubscribe ??= options.subscribe((event) => child.say({ kind: 'event', event }));
      if (before !== null && !sameProcess(before, given.settings)) {
        child.end();
        abandon();
        port = null;
      }
      if (child.view().alive) child.say({ kind: 'settings', ...given });
      else child.start();
    },
    async settled() {
      if (given === null || port === '') return '';
      if (port !== null) return port;
      return new Promise((resolve) => {
        const late = setTimeout(() => resolve('its process has not begun yet: see the log'), SETTLE_MS);
        waiting.push((how) => {
          clearTimeout(late);
          resolve(how);
        });
      });
    },
    pid: () => child.view().pid,
    async close() {
      unsubscribe?.();
      abandon();
      portIs('');
      await child.close();
    },
  };
}

/** Leases are renewed between one part and the next. */
async function tell(parts: readonly Partial<ControlReply>[], say: Say): Promise<void> {
  for (const [index, part] of parts.entries()) {
    if (index > 0) await nextTurn();
    say(index === parts.length - 1, part);
  }
}

/** What there is on this node. */
export function httpFacts({ balancer, monitor, node }: Config): HttpFacts {
  return { node, checks: monitor?.active ?? false, balancer: balancer !== null };
}

/** A port is taken while the process may still do so: another one, or another user, takes another process. */
function sameProcess(a: HttpSettings, b: HttpSettings): boolean {
  return a.address === b.address && a.port === b.port && a.users.join() === b.users.join();
}

function refusal(code: number, message: string): Partial<ControlReply> {
  return { error: { code, message } };
}
