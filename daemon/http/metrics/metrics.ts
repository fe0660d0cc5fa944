/** The answer to a scrape: what the main process says now, and what was counted. A main process that does not answer is told as that. */
import type { HaEvent } from '../../../proto/event-types.js';
import { version } from '../../process/version.js';
import type { HttpAnswered } from '../answers.js';
import type { ApiContext } from '../api.js';
import { askCluster } from '../cluster.js';
import { collectChecks } from '../collect.js';
import { CONTENT_TYPES, type Family, family, formatFor, gauge, writeFamilies } from './exposition.js';
import { createEventFigures } from './from-events.js';
import { balancerFamilies, checkFamilies, wordFamilies } from './monitoring.js';
import { processFamilies } from './processes.js';
import { clusterFamilies, resourceFamilies } from './resources.js';

export interface Metrics {
  event(event: HaEvent): void;
  answer(accept: string): Promise<HttpAnswered>;
}

/** A scrape has its own time limit, ten seconds as a rule. */
const LIMIT_MS = 3000;

export function createMetrics(context: () => ApiContext): Metrics {
  const counted = createEventFigures();
  /** Scrapes that come together are one. */
  let underWay: Promise<Family[]> | null = null;

  async function collect(): Promise<Family[]> {
    const { asker, facts } = context();
    const status = await asker.ask(
      { kind: 'status', resources: 'all' },
      { limitMs: LIMIT_MS, reserved: true },
    );
    const always = [
      family('hastmon_build_info', 'info', 'What is running.', [[{ version }, 1]]),
      family('hastmon_node_info', 'info', 'The name of this node.', [[{ node: facts.node }, 1]]),
      gauge('hastmon_up', '1 while the main process answers.', [[{}, status.kind === 'answer' ? 1 : 0]]),
    ];
    if (status.kind !== 'answer') return [...always, ...counted.families([])];
    const entries = status.reply.status ?? [];
    const [cluster, checks, balancer, figures] = await Promise.all([
      askCluster(asker, { limitMs: LIMIT_MS }),
      facts.checks ? collectChecks(asker) : null,
      facts.balancer ? balancerOf(context()) : [],
      asker.ask({ kind: 'processes' }, { limitMs: LIMIT_MS }),
    ]);
    return [
      ...always,
      ...resourceFamilies(entries, status.ageMs),
      ...('found' in cluster ? clusterFamilies(cluster.found, entries) : []),
      ...(checks === null ? [] : checkFamilies(checks)),
      ...balancer,
      ...(figures.kind === 'answer' && figures.figures !== null ? processFamilies(figures.figures) : []),
      ...counted.families(entries.map(({ resource }) => resource)),
    ];
  }

  return {
    event: counted.count,
    async answer(accept) {
      const format = formatFor(accept);
      underWay ??= collect().finally(() => {
        underWay = null;
      });
      const body = writeFamilies(await underWay, format);
      return { status: 200, type: CONTENT_TYPES[format], body, headers: {} };
    },
  };
}

async function balancerOf({ asker }: ApiContext): Promise<Family[]> {
  const [hosts, services] = await Promise.all([
    asker.ask({ kind: 'balancer-hosts', hosts: [], services: [] }, { limitMs: LIMIT_MS }),
    asker.ask({ kind: 'balancer-services', services: [] }, { limitMs: LIMIT_MS }),
  ]);
  const pairs =
    hosts.kind === 'answer' && hosts.reply.balancer?.kind === 'hosts' ? hosts.reply.balancer : null;
  const all =
    services.kind === 'answer' && services.reply.balancer?.kind === 'services'
      ? services.reply.balancer
      : null;
  const up = gauge('hastmon_balancer_up', '1 while the balancer answers.', [
    [{}, pairs === null || all === null ? 0 : 1],
  ]);
  if (pairs === null || all === null) return [up];
  return [up, ...wordFamilies(pairs.source), ...balancerFamilies(pairs.hosts, all.services)];
}
