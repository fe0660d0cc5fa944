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
  const balancer = repeater(BALANCER_MS, () => timeOf(lookAtBalancer));
  const checks = repeater(CHECKS_MS, () => timeOf(lookAtChecks));

  function show(kind: PictureKind, value: object): void {
    if (!running) return;
    const data = JSON.stringify(value);
    latest.set(kind, data);
    tell(kind, data);
  }

  /** It is not known now: nobody is told of before. */
  function unknown(kind: PictureKind): void {
    latest.delete(kind);
  }

  function silent({ knownMs }: Extract<Answered, { kind: 'silent' }>): void {
    // What was known is not so any more.
    latest.clear();
    show('silent', { node: context().facts.node, at: Date.now(), ageMs: knownMs });
  }

  /** Gives how long the main process took for itself. */
  async function lookAtCluster(): Promise<number> {
    const { asker } = context();
    const begun = performance.now();
    const view = askCluster(asker, { limitMs: GATHERED_MS });
    // Other nodes take their time; this one does not.
    const there = await asker.ask({ kind: 'version' }, { limitMs: SILENT_MS, reserved: true });
    const tookMs = performance.now() - begun;
    if (there.kind === 'silent') silent(there);
    if (there.kind === 'busy') unknown('cluster');
    if (there.kind !== 'answer') return tookMs;
    unknown('silent');
    const gathered = await view;
    if ('found' in gathered) show('cluster', gathered.found);
    else if ('kind' in gathered && gathered.kind === 'silent') silent(gathered);
    else unknown('cluster');
    return tookMs;
  }

  async function lookAtBalancer(): Promise<void> {
    const { asker, facts } = context();
    if (!facts.balancer) return unknown('balancer');
    const [hosts, services] = await Promise.all([
      asker.ask({ kind: 'balancer-hosts', hosts: [], services: [] }),
      asker.ask({ kind: 'balancer-services', services: [] }),
    ]);
    if (hosts.kind !== 'answer' || services.kind !== 'answer') return unknown('balancer');
    const [pairs, all] = [hosts.reply.balancer, services.reply.balancer];
    if (pairs?.kind !== 'hosts' || all?.kind !== 'services') return unknown('balancer');
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
      source: all.source,
    });
  }

  async function lookAtChecks(): Promise<void> {
    const { asker, facts } = context();
    if (!facts.checks) return unknown('checks');
    const found = await collectChecks(asker);
    if (found === null) return unknown('checks');
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

/** How long it took, in milliseconds. */
async function timeOf(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/**
 * Does something again and again, never twice at once; what takes long is done less often. `work` gives for how long it kept the main process
 * busy: what it waited beyond that is part of the pause.
 */
function repeater(everyMs: number, work: () => Promise<number>): Repeater {
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
    const busyMs = await work();
    working = false;
    if (!wanted) return;
    const waitedMs = performance.now() - begun - busyMs;
    const pauseMs = Math.max(everyMs - waitedMs, Math.min(busyMs, PAUSE_MS));
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
