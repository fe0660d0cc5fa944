/**
 * Checks of resources with actions, in the main process: has them run by a process of its own, takes what they and anybody else report, tells
 * the other nodes, and has the lists run that belong to a change. What a check says starts nothing that the lease does not allow.
 */
import { REPORTS_MAX, type Report } from '../../proto/codec.js';
import type { ControlReply, ControlRequest, ReportedState } from '../../proto/control-types.js';
import type { RecordEvent } from '../../proto/event-types.js';
import type { ActionsToMain, MainToActions, OwnCheck } from '../actions/ipc.js';
import { forget, note, type ReportBook, type StateChange } from '../actions/reports.js';
import { normalState } from '../actions/states.js';
import type { Config, ResourceConfig } from '../config/types.js';
import type { NodeName } from '../core/types.js';
import { processEnded } from '../events/process.js';
import type { NetLog } from '../net/log.js';
import type { PeerNetwork } from '../net/peer-network.js';
import { bootTime } from '../sys/clock.js';
import type { ProcessRecords } from './process-record.js';
import { createSupervisedChild } from './supervised-child.js';

export interface ActionsHost {
  /** The resources and their checks from now on. */
  apply(config: Config): void;
  /** A check's word, over the control socket. */
  report(request: Extract<ControlRequest, { kind: 'report' }>): Promise<Partial<ControlReply>>;
  /** What another node says its checks said. */
  heard(resource: string, node: NodeName, reports: readonly Report[]): void;
  link(resource: string, node: NodeName, up: boolean): void;
  /** For `hastmonctl status`. */
  reports(resource: string): ReportedState[];
  close(): Promise<void>;
}

export interface ActionsHostOptions {
  script: string;
  records: ProcessRecords;
  log: NetLog;
  network: () => PeerNetwork;
  record: RecordEvent;
  /** Runs the lists of a change. */
  changed: (resource: string, change: StateChange) => void;
  /** A process of checks that has said nothing for so long hangs. */
  silenceMs?: number;
}

/** The other nodes are told this often what has not changed, so that they know its age. */
const REFRESH_MS = 10_000;
const SILENCE_MS = 10_000;
const EX_DATAERR = 65;
const EX_NOHOST = 68;

export function createActionsHost(options: ActionsHostOptions): ActionsHost {
  const { log } = options;
  const books = new Map<string, ReportBook>();
  let config: Config | null = null;
  let setup: MainToActions | null = null;
  const child = createSupervisedChild<MainToActions, ActionsToMain>({
    ...{ script: options.script, args: ['actions-monitor'], records: options.records, log },
    ...{ name: 'the process for the checks of actions', clock: bootTime },
    silenceMs: options.silenceMs ?? SILENCE_MS,
    begun: tell,
    heard(message) {
      if (message.kind === 'note') log.warn({ resource: message.resource }, message.text);
    },
    gone: () => {},
    replacing: (delayMs) =>
      options.record(processEnded('the process for the checks of actions', 'actions', delayMs)),
  });
  const refresh = setInterval(tellAll, REFRESH_MS);
  refresh.unref();

  function tell(): void {
    if (setup !== null) child.say(setup);
  }

  function resourceOf(name: string): ResourceConfig | undefined {
    return config?.resources.find((resource) => resource.name === name && resource.actions !== null);
  }

  function bookOf(resource: string): ReportBook {
    const book = books.get(resource) ?? new Map();
    books.set(resource, book);
    return book;
  }

  /** Lists run for what this node's checks say, and for what another node's say that are its own by the file. */
  function take(resource: ResourceConfig, own: boolean, change: StateChange): void {
    const { check, from, node, to } = change;
    const text = `check ${check} on ${node}: ${from} -> ${to}`;
    log.info({ resource: resource.name }, text);
    options.record({ kind: 'check-state', resource: resource.name, check, text, data: { node, from, to } });
    const checks = resource.actions?.plan?.checks ?? [];
    if (own || checks.some((line) => line.name === check && line.node === node))
      options.changed(resource.name, change);
  }

  function tellAll(): void {
    for (const name of books.keys()) sayTo(name, resourceOf(name)?.voters ?? []);
  }

  function sayTo(name: string, nodes: readonly NodeName[], only?: string): void {
    const own = config === null ? undefined : books.get(name)?.get(config.node);
    if (config === null || own === undefined) return;
    const now = bootTime();
    const all = [...own].filter(([check]) => only === undefined || check === only);
    const reports = all.map(([check, { state, since, at }]) => ({
      ...{ check, state, ageMs: now - at, forMs: now - since },
    }));
    for (const node of nodes.filter((other) => other !== config?.node))
      for (let from = 0; from < reports.length; from += REPORTS_MAX)
        options
          .network()
          .send(name, node, { kind: 'reports', reports: reports.slice(from, from + REPORTS_MAX) });
  }

  /** The resource that a report is about; or why there is none. */
  function meant(check: string, name: string): ResourceConfig | string {
    const all = (config?.resources ?? []).filter(({ actions }) => actions !== null);
    if (name !== '') {
      const found = all.find((resource) => resource.name === name);
      return found ?? `no resource ${name} with actions on node ${config?.node ?? ''}`;
    }
    const having = all.filter(({ actions }) => actions?.plan?.checks.some((line) => line.name === check));
    const [only, other] = having.length > 0 ? having : all;
    if (only === undefined) return `no resource on node ${config?.node ?? ''} has actions`;
    if (other === undefined) return only;
    const names = (having.length > 0 ? having : all).map((resource) => resource.name).join(', ');
    return `which resource is meant: --resource takes one of ${names}`;
  }

  return {
    apply(next) {
      const before = config;
      config = next;
      const own: OwnCheck[] = [];
      for (const { actions, name } of next.resources)
        for (const check of actions?.plan?.checks ?? [])
          if (check.node === '' || check.node === next.node) own.push({ resource: name, check });
      for (const name of books.keys()) {
        const resource = resourceOf(name);
        const was = checksOf(before, name);
        const now = new Set(checksOf(next, name));
        if (resource === undefined) books.delete(name);
        else
          forget(
            bookOf(name),
            (node, check) =>
              !resource.voters.includes(node) ||
              (node === next.node && was.includes(check) && !now.has(check)),
          );
      }
      const { node } = next;
      setup = own.length === 0 ? null : { kind: 'checks', node, control: next.control.path, checks: own };
      if (setup === null) child.end();
      else if (child.view().alive) tell();
      else child.start();
    },
    async report({ check, resource: name, state: said }) {
      const refuse = (code: number, message: string) => ({ error: { code, message } });
      const state = normalState(said);
      if (state === null)
        return refuse(EX_DATAERR, `'${said}' is no state: letters, digits and ._-, 64 at most, without _to_`);
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(check))
        return refuse(EX_DATAERR, `'${check}' is no name of a check: letters, digits and ._-, 64 at most`);
      const resource = meant(check, name);
      if (typeof resource === 'string') return refuse(EX_NOHOST, resource);
      const node = config?.node ?? '';
      const lines = resource.actions?.plan?.checks.filter((line) => line.name === check) ?? [];
      if (lines.length > 0 && lines.every((line) => line.node !== '' && line.node !== node))
        return refuse(
          EX_DATAERR,
          `${check} is a check of ${lines.map((line) => line.node).join(', ')}: report it there`,
        );
      const book = bookOf(resource.name);
      const known = book.get(node)?.has(check) === true;
      const change = note(book, { node, check, state, ageMs: 0, forMs: 0 }, bootTime());
      if (change === 'full')
        return refuse(EX_DATAERR, `too many checks have been reported for ${resource.name}`);
      if (change !== null) take(resource, true, change);
      if (change !== null || !known) sayTo(resource.name, resource.voters, check);
      return { text: '' };
    },
    heard(name, node, reports) {
      const resource = resourceOf(name);
      if (resource === undefined) return;
      for (const { check, state: said, ageMs, forMs } of reports) {
        const state = normalState(said);
        if (state === null) continue;
        const change = note(bookOf(name), { node, check, state, ageMs, forMs }, bootTime());
        if (change !== null && change !== 'full') take(resource, false, change);
      }
    },
    link(name, node, up) {
      if (up && resourceOf(name) !== undefined) sayTo(name, [node]);
    },
    reports(name) {
      const now = bootTime();
      return [...(books.get(name) ?? [])].flatMap(([node, checks]) =>
        [...checks].map(([check, { state, since, at }]) => ({
          ...{ node, check, state, ageMs: now - at, forMs: now - since },
        })),
      );
    },
    async close() {
      clearInterval(refresh);
      await child.close();
    },
  };
}

function checksOf(config: Config | null, name: string): string[] {
  const found = config?.resources.find((resource) => resource.name === name);
  return found?.actions?.plan?.checks.map((check) => check.name) ?? [];
}
