/**
 * How everything stands, again and again while somebody watches: the cluster several times a second, since times run in it, and at once
 * when something happens; checks and the balancer less often.
 */

import type { CheckEntry } from '../../proto/monitor-types.js';
import type { PairView } from '../balancer/types.js';
import type { ApiContext } from './api.js';
import type { Answered } from './asker.js';
import { askCluster } from './cluster.js';
import { collectChecks } from './collect.js';

export type PictureKind = 'cluster' | 'checks' | 'balancer' | 'silent';

export interface Pictures {
  start(): void;
  stop(): void;
  /** Something has happened: looks at once. */
  look(): void;
  /** The last ones that were told, while they are being taken. */
  latest(): ReadonlyMap<PictureKind, string>;
}

/** How often each is looked at. */
const CLUSTER_MS = 400;
const BALANCER_MS = 1000;
const CHECKS_MS = 2000;
/** Something happens often where much happens at once. */
const LOOK_MS = 50;
/** Looking takes the main process's time: what takes long is followed by a pause as long as that, but for no longer than this. */
const PAUSE_MS = 5000;
/** A main process that takes longer is told to be silent; it may wait longer for the others itself. */
const SILENT_MS = 1000;
const GATHERED_MS = 5000;

/** Of more than this, those that a person looks for first: what is down, then in the order of the file. */
const CHECKS_MAX = 500;
const PAIRS_MAX = 1000;

export function takePictures(
  context: () => ApiContext,
  tell: (kind: PictureKind, data: string) => void,
): Pictures {
  const latest = new Map<PictureKind, string>();
  let running = false;
  let soon: NodeJS.Timeout | undefined;
  const cluster = repeater(CLUSTER_MS, lookAtCluster);
  const balancer = repeater(BALANCER_MS, lookAtBalancer);
  const checks = repeater(CHECKS_MS, lookAtChecks);

  function show(kind: PictureKind, value: object): void {
    if (!running) return;
    const data = JSON.stringify(value);
    latest.set(kind, data);
    tell(kind, data);
  }

  function silent({ knownMs }: Exclude<Answered, { kind: 'answer' }>): void {
    // What was known is not so any more.
    latest.clear();
    show('silent', { node: context().facts.node, at: Date.now(), ageMs: knownMs });
  }

  async function lookAtCluster(): Promise<void> {
    const { asker } = context();
    const view = askCluster(asker, GATHERED_MS);
    // Other nodes take their time; this one does not.
    const there = await asker.ask({ kind: 'version' }, SILENT_MS);
    if (there.kind === 'silent') return silent(there);
    latest.delete('silent');
    const gathered = await view;
    if ('found' in gathered) show('cluster', gathered.found);
  }

  async function lookAtBalancer(): Promise<void> {
    const { asker, facts } = context();
    if (!facts.balancer) return;
    const [hosts, services] = await Promise.all([
      asker.ask({ kind: 'balancer-hosts', hosts: [], services: [] }),
      asker.ask({ kind: 'balancer-services', services: [] }),
    ]);
    if (hosts.kind !== 'answer' || services.kind !== 'answer') return;
    const [pairs, all] = [hosts.reply.balancer, services.reply.balancer];
    if (pairs?.kind !== 'hosts' || all?.kind !== 'services') return;
    const shown = firstOf(pairs.hosts, PAIRS_MAX, ({ stateWeight }: PairView) => stateWeight === 0);
    const note = [...new Set([pairs.note, all.note])].filter((text) => text !== '').join('; ');
    const more = pairs.hosts.length - shown.length;
    const at = Math.round(Date.now() - Math.max(hosts.ageMs, services.ageMs));
    show('balancer', {
      node: facts.node,
      at,
      services: all.services.slice(0, PAIRS_MAX),
      hosts: shown,
      more,
      note,
    });
  }

  async function lookAtChecks(): Promise<void> {
    const { asker, facts } = context();
    if (!facts.checks) return;
    const found = await collectChecks(asker);
    if (found === null) return;
    const { ageMs, entries, ...rest } = found;
    const shown = firstOf(entries, CHECKS_MAX, ({ outage, state }: CheckEntry) => state === 'down' || outage);
    const at = Math.round(Date.now() - ageMs);
    show('checks', { node: facts.node, at, ...rest, entries: shown, more: entries.length - shown.length });
  }

  return {
    start() {
      running = true;
      for (const each of [cluster, balancer, checks]) each.start();
    },
    stop() {
      running = false;
      clearTimeout(soon);
      soon = undefined;
      for (const each of [cluster, balancer, checks]) each.stop();
      latest.clear();
    },
    look() {
      soon ??= setTimeout(() => {
        soon = undefined;
        if (running) cluster.now();
      }, LOOK_MS);
    },
    latest: () => latest,
  };
}

function firstOf<T>(all: readonly T[], max: number, urgent: (entry: T) => boolean): T[] {
  if (all.length <= max) return [...all];
  return [...all.filter(urgent), ...all.filter((entry) => !urgent(entry))].slice(0, max);
}

interface Repeater {
  start(): void;
  stop(): void;
  now(): void;
}

/** Does something again and again, never twice at once; what takes long is done less often. */
function repeater(everyMs: number, work: () => Promise<void>): Repeater {
  let timer: NodeJS.Timeout | undefined;
  let wanted = false;
  let working = false;
  let again = false;

  async function run(): Promise<void> {
    clearTimeout(timer);
    again = working;
    if (working) return;
    working = true;
    const begun = performance.now();
    await work();
    working = false;
    if (!wanted) return;
    const pauseMs = Math.max(everyMs, Math.min(performance.now() - begun, PAUSE_MS));
    timer = setTimeout(() => void run(), again ? 0 : pauseMs);
  }

  return {
    start() {
      wanted = true;
      void run();
    },
    stop() {
      wanted = false;
      clearTimeout(timer);
    },
    now: () => void run(),
  };
}
