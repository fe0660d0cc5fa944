/** What people ask of all nodes at once, put together with the rest of the main process: who is asked, by which way, and what this node says. */

import type { BalancerCounts, CheckCounts, ClusterRequest, NodeSaid } from '../../proto/cluster-types.js';
import type { LinkMessage } from '../../proto/codec.js';
import type { ControlReply, ControlRequest, StatusEntry } from '../../proto/control-types.js';
import type { TimelineRequest } from '../../proto/timeline-types.js';
import { type AnswererOptions, createAnswerer } from '../cluster/answerer.js';
import { createAsker } from '../cluster/asker.js';
import { createGathering } from '../cluster/gather.js';
import type { Config } from '../config/types.js';
import { isOutage } from '../confirm/ledger.js';
import type { ConfirmState, Sight } from '../confirm/types.js';
import type { Instant, NodeName } from '../core/types.js';
import type { NetLog } from '../net/log.js';
import { createOnce } from '../net/once.js';
import type { PeerNetwork } from '../net/peer-network.js';
import { version } from '../process/version.js';
import type { Balancing } from './balancing.js';
import { timelineOf } from './timeline-commands.js';

export interface ClusteringOptions {
  config: () => Config;
  network: () => Pick<PeerNetwork, 'send' | 'waiting' | 'lastHeard'>;
  /** Answers a request as on the control socket. */
  handle: AnswererOptions['handle'];
  statuses: (names: readonly string[]) => StatusEntry[];
  /** How a check stands as seen from here. */
  sight: (check: string) => Sight;
  /** null where nothing is confirmed. */
  confirm: () => ConfirmState | null;
  balancer: Balancing['ask'];
  startedAt: Instant;
  log: NetLog;
  clock: () => Instant;
  /** Milliseconds since 1970. */
  wall: () => number;
}

type ClusterQuestion = ClusterRequest | TimelineRequest | { kind: 'about' };

export interface Clustering {
  /** Answers hastmonctl, and of these requests `about` to other nodes. */
  handle(request: ClusterQuestion): Promise<Partial<ControlReply>>;
  /** Asks another node what may be asked, for as long as it may take. Rejects with words for people where there is no answer. */
  ask(node: NodeName, request: ControlRequest): Promise<ControlReply>;
  /** True where the message belonged here. */
  message(group: string, from: NodeName, message: LinkMessage): message is InquiryOrReply;
  link(group: string, node: NodeName, up: boolean, reason: string): void;
  close(): void;
}

type InquiryOrReply = Extract<LinkMessage, { kind: 'inquiry' | 'reply' }>;

/** A node that is there answers in a few milliseconds; how long it may take is bounded like the silence that ends its connection. */
const LIMIT_MS_MIN = 500;
const LIMIT_MS_MAX = 2000;
/** The balancer is not waited for longer: how the node is has to come in time. */
const BALANCER_MS = 300;

/** Timelines that are put together at a time: for each all nodes are asked for what may be much. */
const TIMELINES_MAX = 2;
const EX_TEMPFAIL = 75;

export function createClustering(options: ClusteringOptions): Clustering {
  const { clock, config, log, network } = options;
  const once = createOnce(clock);
  /** Why a node is not connected, and when it was last heard before. */
  const gone = new Map<NodeName, { reason: string; heardAt: Instant }>();
  let timelines = 0;
  const answerer = createAnswerer({
    send: (group, node, message) => network().send(group, node, message),
    waiting: (group, node) => network().waiting(group, node),
    handle: options.handle,
    refused(node, why) {
      if (once.first(why, node)) log.warn({ peer: node }, `a question of ${node} is not answered: ${why}`);
    },
  });
  const asker = createAsker({ send: (group, node, message) => network().send(group, node, message) });
  const gather = createGathering({
    node: config().node,
    nodes: () => nodesOf(config()),
    limitMs: (node) => limitOf(config(), node),
    own: () => ownWord(options),
    ask: asker.ask,
    heardAt,
    whyGone: (node) => (asker.isLinked(node) ? '' : (gone.get(node)?.reason ?? 'not connected yet')),
    ...{ clock, wall: options.wall },
  });

  function heardAt(node: NodeName): Instant | null {
    const at = Math.max(network().lastHeard(node), gone.get(node)?.heardAt ?? 0);
    return at === 0 ? null : at;
  }

  async function handle(request: ClusterQuestion): Promise<Partial<ControlReply>> {
    switch (request.kind) {
      case 'about': {
        const { status, ...about } = await ownWord(options);
        return { status, cluster: { kind: 'about', ...about } };
      }
      case 'cluster':
        return { cluster: { kind: 'cluster', ...(await gather()) } };
      case 'timeline':
        return timeline(request);
    }
  }

  async function timeline(request: TimelineRequest): Promise<Partial<ControlReply>> {
    if (timelines >= TIMELINES_MAX)
      return { error: { code: EX_TEMPFAIL, message: 'other timelines are being put together: ask again' } };
    timelines += 1;
    try {
      return await timelineOf({ config, handle: options.handle, ask: asker.ask }, request);
    } finally {
      timelines -= 1;
    }
  }

  return {
    handle,
    ask: (node, request) => asker.ask(node, request, limitOf(config(), node)),
    message(group, from, message): message is InquiryOrReply {
      if (message.kind === 'inquiry') answerer.inquiry(group, from, message);
      else if (message.kind === 'reply') asker.reply(group, from, message);
      else return false;
      return true;
    },
    link(group, node, up, reason) {
      asker.link(group, node, up);
      if (up) return;
      answerer.lost(group, node);
      gone.set(node, { reason, heardAt: network().lastHeard(node) });
    },
    close() {
      answerer.close();
      asker.close();
    },
  };
}

/** Every node of the resources of this one and of monitoring, and itself. */
export function nodesOf({ monitor, node, resources }: Config): NodeName[] {
  return [...new Set([...resources.flatMap(({ voters }) => voters), ...(monitor?.nodes ?? []), node])];
}

/** As long as the shortest silence that ends a connection with it, within bounds. */
export function limitOf({ resources }: Pick<Config, 'resources'>, node: NodeName): number {
  const silences = resources
    .filter(({ voters }) => voters.includes(node))
    .map(({ leaseTimeoutMs }) => leaseTimeoutMs);
  return Math.max(LIMIT_MS_MIN, Math.min(LIMIT_MS_MAX, ...silences));
}

async function ownWord(options: ClusteringOptions): Promise<NodeSaid> {
  const { monitor, resources } = options.config();
  // First what is waited for: all else is as it is when this is said.
  const balancer = options.config().balancer === null ? null : await balancerCounts(options.balancer);
  return {
    version,
    uptimeMs: options.clock() - options.startedAt,
    status: options.statuses(resources.map(({ name }) => name)),
    checks: monitor?.active ? checkCounts(options, monitor.checks) : null,
    balancer,
  };
}

function checkCounts(
  { confirm, sight }: ClusteringOptions,
  checks: readonly { name: string }[],
): CheckCounts {
  const counts: CheckCounts = { up: 0, down: 0, unknown: 0, outages: 0 };
  const ledgers = confirm()?.ledgers ?? {};
  for (const { name } of checks) {
    counts[sight(name)] += 1;
    if (isOutage(ledgers[name]?.edge ?? 0)) counts.outages += 1;
  }
  return counts;
}

async function balancerCounts(ask: Balancing['ask']): Promise<BalancerCounts | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), BALANCER_MS);
  });
  const reply = await Promise.race([ask({ kind: 'balancer-services', services: [] }), late]);
  clearTimeout(timer);
  if (reply?.balancer?.kind !== 'services') return null;
  const { services, source } = reply.balancer;
  const servers = services.reduce((sum, service) => sum + service.servers, 0);
  const counts = { services: services.length, servers, source };
  if (!source.fresh) return { ...counts, servicesDown: null, serversDown: null };
  return {
    ...counts,
    servicesDown: services.filter(({ alive, sorryAge }) => alive === 0 || sorryAge !== null).length,
    serversDown: servers - services.reduce((sum, { alive }) => sum + (alive ?? 0), 0),
  };
}
