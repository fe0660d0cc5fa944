/** Carries out what hastmonctl asks: finds the resources, gives the command to their cores, words the answer. */
import type { BalancerRequest } from '../../proto/balancer-types.js';
import type { ControlReply, ControlRequest, Selection, StatusEntry } from '../../proto/control-types.js';
import { dumpConfig } from '../config/dump.js';
import type { Config } from '../config/types.js';
import type { NodeCommand } from '../core/node-types.js';
import { version } from '../process/version.js';
import { messageOf } from '../sys/errors.js';
import type { Clustering } from './clustering.js';
import type { CommandRecorder } from './command-events.js';
import type { CommandReply } from './command-replies.js';
import type { DrillHandler } from './drill-facts.js';
import type { EventsHandler } from './event-commands.js';
import type { ExplainHandler } from './explain-commands.js';
import type { MonitorHandler } from './monitor-commands.js';
import type { ResourceRuntime } from './resource.js';
import type { PlanRequest } from './switchover-plan.js';

/** What came of a reload. */
export interface Reloaded {
  /** Why nothing has changed; '' where the file is in force. */
  refused: string;
  /** What has changed, and what is to be said about the file all the same. */
  text: string;
}

export interface CommandOptions {
  config: () => Config;
  resources: ReadonlyMap<string, ResourceRuntime>;
  statuses: (names: readonly string[]) => StatusEntry[];
  reload: () => Promise<Reloaded>;
  /** Answers what is about checks and alerts. */
  monitoring: MonitorHandler;
  /** Takes the word of a check of a resource with actions. */
  report: ReportHandler;
  /** Answers what is about the balancer. */
  balancer: BalancerHandler;
  /** Answers what has happened. */
  events: EventsHandler;
  /** Answers why something is as it is. */
  explain: ExplainHandler;
  /** Answers what is about all nodes, and what this one says of itself. */
  cluster: Clustering['handle'];
  /** Answers whether a switchover would be done; null where there is no such resource. */
  plan: (request: PlanRequest) => Promise<Partial<ControlReply> | null>;
  /** Answers what a drill starts from. */
  drill: DrillHandler;
  /** Why nothing can be in maintenance on this machine, '' where it can. */
  whyNoMaintenance: () => string;
  /** Puts it on record that somebody asks for a change, before it is carried out, and what came of it. */
  commanded: CommandRecorder['given'];
}

export type ReportHandler = (
  request: Extract<ControlRequest, { kind: 'report' }>,
) => Promise<Partial<ControlReply>>;

export type BalancerHandler = (request: BalancerRequest) => Promise<Partial<ControlReply>>;

type Handler = (
  request: ControlRequest,
  reply: (partial: Partial<ControlReply>) => void,
  signal: AbortSignal,
  by: string,
) => Promise<Partial<ControlReply>>;

const EX_NOHOST = 68;
const EX_UNAVAILABLE = 69;
const EX_TEMPFAIL = 75;
const EX_CONFIG = 78;

export function createControlHandler(options: CommandOptions): Handler {
  const { config, resources, statuses } = options;

  /** The resources meant, or the words for those that do not exist. */
  function select(selection: Selection): { names: string[]; unknown: string } {
    const all = [...resources.keys()];
    if (selection === 'all') return { names: all, unknown: '' };
    const missing = selection.filter((name) => !resources.has(name));
    if (missing.length === 0) return { names: [...selection], unknown: '' };
    const have = all.length === 0 ? 'it has none' : `it has: ${all.join(', ')}`;
    return { names: [], unknown: `no resource ${missing.join(', ')} on node ${config().node}; ${have}` };
  }

  async function onEach(
    selection: Selection,
    command: NodeCommand,
    wait: boolean,
    reply: (partial: Partial<ControlReply>) => void,
  ): Promise<Partial<ControlReply>> {
    const { names, unknown } = select(selection);
    if (unknown !== '') return { error: { code: EX_NOHOST, message: unknown } };
    const failures: string[] = [];
    const texts: string[] = [];
    await Promise.all(
      names.map(async (name) => {
        const result: CommandReply | undefined = await resources
          .get(name)
          ?.command(command, wait, (text) => reply({ progress: `${name}: ${text}` }));
        if (result === undefined) return;
        if (result.error !== '') failures.push(`${name}: ${result.error}`);
        else if (result.text !== '') texts.push(`${name}: ${result.text}`);
        if (wait && names.length > 1)
          reply({ progress: `${name}: ${result.error || result.text || 'done'}` });
      }),
    );
    const text = texts.map((line) => `${line}\n`).join('');
    return failures.length === 0
      ? { text }
      : { text, error: { code: EX_TEMPFAIL, message: failures.join('\n') } };
  }

  async function maintain(
    { forMs, reason, resources: selection, what }: Extract<ControlRequest, { kind: 'maintenance' }>,
    reply: (partial: Partial<ControlReply>) => void,
    by: string,
  ): Promise<Partial<ControlReply>> {
    if (what !== 'on') return onEach(selection, { kind: `maintenance-${what}` }, true, reply);
    const problem = options.whyNoMaintenance();
    if (problem !== '') return { error: { code: EX_UNAVAILABLE, message: problem } };
    const on = { kind: 'maintenance-on', reason, by, forMs: forMs ?? Number.POSITIVE_INFINITY } as const;
    return onEach(selection, on, true, reply);
  }

  async function answer(
    request: ControlRequest,
    reply: (partial: Partial<ControlReply>) => void,
    signal: AbortSignal,
    by: string,
  ): Promise<Partial<ControlReply>> {
    switch (request.kind) {
      case 'role':
        return onEach(
          request.resources,
          { kind: 'role', role: request.role, force: request.force },
          request.wait,
          reply,
        );
      case 'switchover':
        return onEach([request.resource], { kind: 'switchover', to: request.to }, request.wait, reply);
      case 'switchover-plan': {
        const { unknown } = select([request.resource]);
        const plan = unknown === '' ? await options.plan(request) : null;
        return plan ?? { error: { code: EX_NOHOST, message: unknown } };
      }
      case 'bootstrap':
        return onEach([request.resource], { kind: 'bootstrap' }, true, reply);
      case 'maintenance':
        return maintain(request, reply, by);
      case 'status': {
        const { names, unknown } = select(request.resources);
        return unknown === ''
          ? { status: statuses(names) }
          : { error: { code: EX_NOHOST, message: unknown } };
      }
      case 'dump': {
        const { names, unknown } = select(request.resources);
        return unknown === ''
          ? { text: dumpConfig(config(), names) }
          : { error: { code: EX_NOHOST, message: unknown } };
      }
      case 'drill': {
        const { names, unknown } = select(request.resources);
        if (unknown !== '') return { error: { code: EX_NOHOST, message: unknown } };
        return { cluster: { kind: 'drill', ...(await options.drill(names, request.depth)) } };
      }
      case 'reload': {
        const { refused, text } = await options.reload();
        return refused === '' ? { text } : { error: { code: EX_CONFIG, message: refused } };
      }
      case 'report':
        return options.report(request);
      case 'version':
        return { text: `${version}\n` };
      case 'balancer-hosts':
      case 'balancer-services':
      case 'balancer-set':
      case 'balancer-diff':
      case 'balancer-reload':
      case 'balancer-console':
        return options.balancer(request);
      case 'events':
        return options.events(request, reply, signal);
      case 'explain':
        return options.explain(request);
      case 'about':
      case 'cluster':
      case 'timeline':
        return options.cluster(request);
      default:
        return options.monitoring(request);
    }
  }

  return async (request, reply, signal, by) => {
    const ended = options.commanded(by, request);
    try {
      const last = await answer(request, reply, signal, by);
      ended(last.error?.message ?? '');
      return last;
    } catch (error) {
      ended(messageOf(error));
      throw error;
    }
  };
}
