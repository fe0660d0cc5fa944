/** What has to be said first, and what is read aloud when it changes. Pure. */
import type { BalancerCounts, CheckCounts } from '../../../../proto/cluster-types.js';
import type { ClusterModel } from './cluster.js';
import type { Freshness } from './freshness.js';
import { count, list } from './words.js';

export interface Alarm {
  /** The same alarm has the same id, however its text changes. */
  id: string;
  tone: 'bad' | 'warn' | 'busy';
  text: string;
}

export interface Headline {
  tone: 'good' | 'warn' | 'bad' | 'unknown';
  text: string;
}

export interface Counts {
  checks: CheckCounts | null;
  balancer: BalancerCounts | null;
}

/** So many outages are named. */
const NAMED = 3;

/** The worst first. `down`: the checks with a confirmed outage, as far as they are known by name. */
export function alarmsOf(cluster: ClusterModel, counts: Counts, down: readonly string[] = []): Alarm[] {
  const { nodes, resources } = cluster;
  const alarms: Alarm[] = [];
  for (const { name, runsOn, text, tone } of resources)
    if (runsOn.length > 1 || tone === 'bad')
      alarms.push({ id: `resource ${name}`, tone: 'bad', text: `${name} ${text}` });
  const outages = counts.checks?.outages ?? 0;
  if (outages > 0)
    alarms.push({
      id: 'outages',
      tone: 'bad',
      text: `${count(outages, 'confirmed outage')} of checks${named(down, outages)}`,
    });
  const servicesDown = counts.balancer?.servicesDown ?? 0;
  if (servicesDown > 0)
    alarms.push({
      id: 'services',
      tone: 'bad',
      text: `${count(servicesDown, 'virtual service')} without enough servers`,
    });
  for (const { name, text, tone } of resources)
    if (tone === 'unknown') alarms.push({ id: `resource ${name}`, tone: 'warn', text: `${name} is ${text}` });
  for (const { detail, name, tone } of nodes)
    if (tone === 'unknown')
      alarms.push({ id: `node ${name}`, tone: 'warn', text: `${name} is unknown: ${detail}` });
  for (const { one, other, tone, word } of cluster.links)
    if (tone === 'warn' || (tone === 'bad' && areKnown(cluster, one, other)))
      alarms.push({ id: `link ${one} ${other}`, tone: 'warn', text: `${one} and ${other}: ${word}` });
  for (const { maintenance, name } of resources)
    if (maintenance !== '')
      alarms.push({
        id: `maintenance ${name}`,
        tone: 'busy',
        text: `${name} is in maintenance, ${maintenance}`,
      });
  return alarms;
}

/** `: billing, shop, login and 4 more`; '' where no names are known. */
function named(down: readonly string[], all: number): string {
  const shown = down.slice(0, Math.min(NAMED, all));
  if (shown.length === 0) return '';
  const more = all - shown.length;
  return `: ${more === 0 ? list(shown) : `${shown.join(', ')} and ${more} more`}`;
}

function areKnown({ nodes }: ClusterModel, ...names: string[]): boolean {
  return nodes.every(({ name, tone }) => !names.includes(name) || tone !== 'unknown');
}

/** The whole in a sentence. */
export function headlineOf(
  cluster: ClusterModel | null,
  fresh: Freshness,
  alarms: readonly Alarm[],
  counts: Counts,
): Headline {
  if (fresh.kind === 'old') return { tone: 'unknown', text: 'Unknown' };
  if (cluster === null) return { tone: 'unknown', text: 'Waiting for the first word' };
  const bad = alarms.filter(({ tone }) => tone === 'bad').length;
  if (bad > 0) return { tone: 'bad', text: count(bad, 'alarm') };
  const warnings = alarms.filter(({ tone }) => tone === 'warn').length;
  if (warnings > 0) return { tone: 'warn', text: `${count(warnings, 'thing')} to look at` };
  const { nodes, resources } = cluster;
  const running = resources.filter(({ runsOn }) => runsOn.length === 1).length;
  const parts = [count(nodes.length, 'node'), `${running} of ${count(resources.length, 'resource')} running`];
  if (counts.checks !== null) parts.push(`${count(counts.checks.up, 'check')} up`);
  if (counts.balancer !== null) parts.push(count(counts.balancer.services, 'virtual service'));
  return { tone: 'good', text: `All is well: ${parts.join(', ')}` };
}

export interface Spoken {
  /** Interrupts the reader. */
  alarm: string;
  /** Waits until the reader has finished. */
  news: string;
}

export interface Said {
  cluster: ClusterModel | null;
  alarms: readonly Alarm[];
  old: boolean;
}

/** What a screen reader says of the step from one to the next; '' for nothing. */
export function spokenOf(before: Said, after: Said): Spoken {
  if (after.old)
    return { alarm: before.old ? '' : 'The data is old: what is so now is not known.', news: '' };
  const known = new Set(before.old ? [] : before.alarms.map(({ id, tone }) => `${tone} ${id}`));
  const fresh = after.alarms.filter(({ id, tone }) => !known.has(`${tone} ${id}`));
  const still = new Set(after.alarms.map(({ id }) => id));
  const ended = before.old ? [] : before.alarms.filter(({ id }) => !still.has(id));
  const news = [
    ...(before.old && before.cluster !== null ? ['The data is fresh again.'] : []),
    ...moves(before.cluster, after.cluster),
    ...fresh.filter(({ tone }) => tone !== 'bad').map(({ text }) => `${text}.`),
    ...ended.map(({ text }) => `Over: ${text}.`),
  ];
  return {
    alarm: fresh
      .filter(({ tone }) => tone === 'bad')
      .map(({ text }) => `${text}.`)
      .join(' '),
    news: news.slice(0, 6).join(' '),
  };
}

function moves(before: ClusterModel | null, after: ClusterModel | null): string[] {
  if (before === null || after === null) return [];
  return after.resources.flatMap(({ name, runsOn }) => {
    const earlier = before.resources.find((resource) => resource.name === name);
    if (earlier === undefined || runsOn.length === 0 || list(earlier.runsOn) === list(runsOn)) return [];
    return [`${name} runs on ${list(runsOn)} now.`];
  });
}
