/**
 * The balancer put together with the rest of the main process: on whose node its table counts, what the director tells the others, its
 * mails, and the questions of hastmonctl.
 */
import type { BalancerRequest } from '../../proto/balancer-types.js';
import type { ControlReply } from '../../proto/control-types.js';
import type { RecordEvent } from '../../proto/event-types.js';
import { partsOf, type ShareMessage } from '../../proto/share-codec.js';
import { createNotifierHost } from '../alerts/notifier-host.js';
import type { ShareEntry } from '../balancer/core/types.js';
import type { BalancerSettings } from '../balancer/settings.js';
import { type Hearing, hear, type LastWord, wordAt } from '../balancer/word.js';
import { DEFAULT_USERS } from '../config/monitor-defaults.js';
import type { Config } from '../config/types.js';
import type { NodeState } from '../core/node-types.js';
import type { NodeName } from '../core/types.js';
import { connectedHolder, holding } from '../core/view.js';
import { processEnded } from '../events/process.js';
import type { LogTarget } from '../log/log.js';
import type { NetLog } from '../net/log.js';
import type { PeerNetwork } from '../net/peer-network.js';
import { type BalancerHost, type BalancerReply, createBalancerHost } from './balancer-host.js';
import { createBalancerMail } from './balancer-mail.js';
import { processSettings, UNCONFIGURED } from './monitor-settings.js';
import type { ProcessRecords } from './process-record.js';

export interface Balancing {
  apply(config: Config): void;
  /** The state of some resource has changed. */
  look(): void;
  message(group: string, from: NodeName, message: ShareMessage): void;
  link(group: string, node: NodeName, up: boolean): void;
  ask(request: BalancerRequest): Promise<Partial<ControlReply>>;
  /** The servers that the name means, as this node knows them. */
  explain(name: string): Promise<BalancerReply>;
  host: Pick<BalancerHost, 'pid'>;
  /** This daemon is about to end: the table stays as it is, whatever becomes of the resource. */
  leave(): void;
  close(): Promise<void>;
}

export interface BalancingOptions {
  node: NodeName;
  script: string;
  records: ProcessRecords;
  log: NetLog;
  record: RecordEvent;
  /** Where that goes. */
  logged: LogTarget['kind'];
  network: () => PeerNetwork;
  /** The resource of this name, undefined where it is not on this node. */
  state: (resource: string) => NodeState | undefined;
  clock: () => number;
  wall: () => number;
  /** LINGER_MS if not said. */
  lingerMs?: number;
}

/**
 * How long the table stays where this node has lost the lease and nobody else is known to hold it: it may get it again, and without a
 * director nobody is served anyway.
 */
const LINGER_MS = 10_000;

/** The process is told so often how the director is heard. */
const WORD_MS = 1000;

/** It says nothing: whoever sends it wants to be told all. */
const QUESTION: ShareMessage = { full: false, more: false, entries: [] };

/** The director's balancer has ended: nobody checks servers until a full picture follows. One that is not known as that changes nothing. */
const SILENCED: ShareMessage = { full: false, more: true, entries: [] };

function isSilenced({ entries, full, more }: ShareMessage): boolean {
  return entries.length === 0 && !full && more;
}

function isQuestion({ entries, full, more }: ShareMessage): boolean {
  return entries.length === 0 && !full && !more;
}

export function createBalancing(options: BalancingOptions): Balancing {
  const { clock, lingerMs = LINGER_MS, log, record } = options;
  let settings: BalancerSettings | null = null;
  let others: readonly NodeName[] = [];
  /** What the process was told; null: nothing yet. */
  let active: boolean | null = null;
  let leaving = false;
  let linger: NodeJS.Timeout | undefined;
  /** Parts of a full picture that is not complete, by who sends it. */
  const partial = new Map<NodeName, ShareEntry[]>();
  /** The director that was asked for all it knows. */
  let asked: NodeName | null = null;
  /** Nodes that have told all they know since the connection with them came up. */
  const complete = new Set<NodeName>();
  let last: LastWord = { node: '', at: clock(), fresh: false };
  let wordTold = Number.NEGATIVE_INFINITY;
  const notifier = createNotifierHost({ script: options.script, records: options.records, log });
  const mail = createBalancerMail({ node: options.node, notifier, log, record, wall: options.wall });
  const host = createBalancerHost({
    ...{ script: options.script, records: options.records, log, logged: options.logged },
    events: {
      started() {
        active = null;
        complete.clear();
        wordTold = Number.NEGATIVE_INFINITY;
        look();
      },
      ended(restartMs) {
        record(processEnded('the balancer', 'balancer', restartMs));
        if (active === true) send(others, SILENCED);
      },
      said(message) {
        switch (message.kind) {
          case 'mail':
            return mail.send(message.email, message.subject, message.text);
          case 'event':
            return record(message.event);
          case 'share':
            return shareWith(message);
          case 'share-wanted':
            if (active !== true) askForAll(others);
            return;
          default:
            message satisfies never;
        }
      },
    },
  });

  function look(): void {
    decide();
    tellWord(false);
  }

  function decide(): void {
    if (settings === null || leaving) return;
    const wanted = isDirector(settings.whilePrimary);
    if (wanted === null) return missDirector();
    become(wanted);
    if (!wanted) follow(settings.whilePrimary);
  }

  /** Nobody is known to hold the lease: the table stays for a while, unless somebody does before. */
  function missDirector(): void {
    if (active === null) become(false);
    else if (active) linger ??= setTimeout(() => become(false), lingerMs);
  }

  /** Another director may have told all that it knows before it was known here to be one. */
  function follow(resource: string): void {
    const state = options.state(resource);
    const director = state === undefined ? null : connectedHolder(state, clock());
    if (director === null || director === asked) return;
    asked = director;
    // What it said as another one's follower, or before another one was the director, is not its word now: it is asked for that.
    complete.clear();
    askForAll([director]);
  }

  /** Says how the director is heard: where that is another thing, once a second, and before what has to be answered by it. */
  function tellWord(asked: boolean): void {
    if (settings === null) return;
    const { fresh, node } = last;
    const now = clock();
    last = hear(last, hearing(settings.whilePrimary, now));
    if (!asked && last.fresh === fresh && last.node === node && now - wordTold < WORD_MS) return;
    wordTold = now;
    host.tell({ kind: 'word', word: wordAt(last, now) });
  }

  function hearing(resource: string, now: number): Hearing {
    if (active === true) return { director: options.node, heardAt: now, complete: true };
    const state = options.state(resource);
    const director = state === undefined ? null : connectedHolder(state, now);
    const peer = director === null ? undefined : state?.peers[director];
    if (director === null || peer?.linked !== true) return { director: null, heardAt: now, complete: false };
    return { director, heardAt: peer.heardAt, complete: complete.has(director) };
  }

  /** null: nobody is known to be. */
  function isDirector(resource: string): boolean | null {
    if (resource === '') return true;
    const state = options.state(resource);
    if (state === undefined) return false;
    // In maintenance nothing is taken away, whatever becomes of the lease.
    if (holding(state, clock()) || state.kept !== null) return true;
    return connectedHolder(state, clock()) === null ? null : false;
  }

  function become(wanted: boolean): void {
    clearTimeout(linger);
    linger = undefined;
    if (active === wanted || leaving) return;
    active = wanted;
    asked = null;
    partial.clear();
    complete.clear();
    if (settings !== null && settings.whilePrimary !== '') told(settings.whilePrimary, wanted);
    host.tell({ kind: 'active', active: wanted });
    // The others may have missed what was said before.
    if (wanted && others.length > 0) host.tell({ kind: 'share-all' });
  }

  function told(resource: string, wanted: boolean): void {
    const text = wanted
      ? 'this node is the director: its table counts'
      : "this node is no director: its services are not in the kernel's table";
    log.info({ resource }, text);
    record({ kind: 'director', resource, text, data: { active: wanted } });
  }

  function shareWith(share: ShareMessage): void {
    if (active !== true) return;
    for (const message of partsOf(share)) send(others, message);
  }

  /** What the director tells is told once: who was not there, or is new, asks. */
  function askForAll(nodes: readonly NodeName[]): void {
    send(nodes, QUESTION);
  }

  function send(nodes: readonly NodeName[], message: ShareMessage): void {
    if (settings === null || settings.whilePrimary === '') return;
    for (const node of nodes) options.network().send(settings.whilePrimary, node, { kind: 'share', message });
  }

  function message(group: string, from: NodeName, { entries, full, more }: ShareMessage): void {
    const state = group === settings?.whilePrimary ? options.state(group) : undefined;
    if (state === undefined) return;
    const question = isQuestion({ entries, full, more });
    if (question && active === true) host.tell({ kind: 'share-all' });
    if (question || active === true) return;
    if (isSilenced({ entries, full, more })) {
      partial.delete(from);
      complete.delete(from);
      return tellWord(false);
    }
    // Only the director's word counts; that it is one may be known here a heartbeat later.
    if ((connectedHolder(state, clock()) ?? from) !== from) {
      // Without this part the others are not all that there is.
      partial.delete(from);
      return;
    }
    const before = full ? [] : partial.get(from);
    if (before === undefined) return host.tell({ kind: 'share', full: false, entries });
    const all = before.concat(entries);
    if (more) partial.set(from, all);
    else {
      partial.delete(from);
      host.tell({ kind: 'share', full: true, entries: all });
      complete.add(from);
      tellWord(false);
    }
  }

  return {
    apply(config) {
      const resource = config.resources.find(({ name }) => name === config.balancer?.whilePrimary);
      others = resource?.voters.filter((node) => node !== config.node) ?? [];
      if (settings?.whilePrimary !== config.balancer?.whilePrimary) active = null;
      settings = config.balancer;
      const { monitor } = config;
      notifier.become(monitor?.users ?? DEFAULT_USERS);
      host.apply(settings, monitor === null ? UNCONFIGURED : processSettings(monitor));
      look();
    },
    look,
    message,
    link(group, node, up) {
      if (group !== settings?.whilePrimary) return;
      partial.delete(node);
      // What it says meanwhile is not heard.
      complete.delete(node);
      tellWord(false);
      if (up && active === true) host.tell({ kind: 'share-all' });
    },
    async ask(request) {
      tellWord(true);
      const { answer, error, text } = await host.ask(request);
      return { error, text, balancer: answer };
    },
    explain(name) {
      tellWord(true);
      return host.ask({ kind: 'explain', name, node: options.node });
    },
    host,
    leave() {
      leaving = true;
      clearTimeout(linger);
    },
    async close() {
      clearTimeout(linger);
      mail.close();
      await host.close();
      await notifier.close();
    },
  };
}
