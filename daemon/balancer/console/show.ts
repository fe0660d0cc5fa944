/** The answers to `show`, in ipvs-weightman's shape: scripts read them. Pure but for what it asks of the host. */
import type { PairView, ServiceConfig } from '../types.js';
import type { ConsoleHost } from './types.js';

/** Tags in one line. */
export function tagLine(tags: readonly string[]): string {
  return `${[...tags].sort().join(' ')}\n`;
}

/** `show hosts for V1,V2`: who is in any of them. */
export function hostsOf(host: ConsoleHost, names: readonly string[]): string {
  const { services, hosts } = host.config();
  const known = names.filter((name) => services.some(({ tag }) => tag === name));
  const missing = names.filter((name) => !known.includes(name)).map(noService);
  const members = hosts.filter(({ weights }) => known.some((service) => weights.has(service)));
  return missing.join('') + tagLine(members.map(({ tag }) => tag));
}

/**
 * `show hosts H1,H2 for V1,V2`: for each host a line per service and one in sum. `names` null: all services of the host. Where a service
 * does not exist it is said; where none does, there is no sum: a script that waits for one would take it for the end.
 */
export function showHosts(
  host: ConsoleHost,
  tags: readonly string[],
  names: readonly string[] | null,
): string {
  const { services, hosts } = host.config();
  const byTag = new Map(services.map((service) => [service.tag, service]));
  const known = names?.filter((name) => byTag.has(name)).sort() ?? null;
  let text = (names ?? [])
    .filter((name) => !byTag.has(name))
    .map(noService)
    .join('');
  if (known?.length === 0) return text;
  for (const tag of tags) {
    const config = hosts.find((candidate) => candidate.tag === tag);
    if (config === undefined) {
      text += `# Host '${tag}': not found\n`;
      continue;
    }
    const own = known ?? [...config.weights.keys()].filter((name) => byTag.has(name)).sort();
    text += showHost(
      host,
      tag,
      own.flatMap((name) => byTag.get(name) ?? []),
    );
  }
  return text;
}

/** Not a number: who waits for 0 must not take it for one. */
const UNKNOWN = '?';

function noService(name: string): string {
  return `# VS '${name}': not found\n`;
}

function showHost(host: ConsoleHost, tag: string, services: readonly ServiceConfig[]): string {
  const all = host.pairs([tag], null);
  const pairs = new Map(all.map((pair) => [pair.service, pair]));
  let text = '';
  let weight = 0;
  let connections: number | null = 0;
  const statuses: string[] = [];
  for (const service of services) {
    const pair = pairs.get(service.tag);
    const real = pair?.real ?? otherReal(host, tag, service, all);
    const virtual = pair?.virtual ?? host.services([service.tag])[0]?.virtual ?? '';
    text += `${tag} (${real || '?'}) in ${service.tag} (${virtual}): ${pair === undefined ? 'N/A' : pairWords(pair, host.wall())}\n`;
    if (pair === undefined) continue;
    connections =
      connections === null || pair.connections === null ? null : connections + pair.connections.active;
    weight += pair.procWeight ?? 0;
    statuses.push(pair.ramp === null ? pair.status : `${pair.status}-${secondsLeft(pair.ramp.leftMs)}`);
  }
  const names = services.map((service) => service.tag).join(',');
  const combined = statuses.every((status) => status.startsWith('0-')) ? '0-DONE' : statuses.join(',');
  return `${text}${tag} in (${names}) Total.ActiveConn=${connections ?? UNKNOWN} Total.Weight=${weight} Combined.TStatus=${combined}\n`;
}

/** Where it would be, in a service that it is not in: its address as elsewhere, with the port that it would have. */
function otherReal(
  host: ConsoleHost,
  tag: string,
  service: ServiceConfig,
  elsewhere: readonly PairView[],
): string {
  const config = host.config().hosts.find((candidate) => candidate.tag === tag);
  const resolved = elsewhere.find(({ real }) => real !== '')?.real.replace(/:\d+$/, '');
  const written = config?.host ?? '';
  const address = resolved ?? (written.includes(':') ? `[${written}]` : written);
  return `${address}:${config?.port || service.realPort}`;
}

function pairWords(pair: PairView, wall: number): string {
  const { ramp } = pair;
  const known = pair.unknownMs === null;
  const names = pair.reasons.map(({ name }) => name).filter((name) => name !== '');
  const words = [
    `RS_HP=${pair.real || '?'}`,
    `Disabled=${known ? (pair.disabled ? 1 : 0) : UNKNOWN}`,
    `Reasons="${known ? names.sort().join(',') : UNKNOWN}"`,
    `Weight=${known ? pair.weight : UNKNOWN}`,
    `State.Weight=${pair.stateWeight}`,
    `State.DesiredWeight=${pair.desiredWeight ?? UNKNOWN}`,
    `Proc.Weight=${pair.procWeight ?? 0}`,
    `Proc.ActiveConn=${pair.connections?.active ?? UNKNOWN}`,
  ];
  if (ramp !== null) {
    words.push(`WR.Duration=${Math.round(ramp.durationMs / 1000)}s`);
    words.push(`WR.Deadline=${Math.ceil(wall + ramp.leftMs / 1000)}`);
    words.push(`WR.TMinus=${secondsLeft(ramp.leftMs)}`);
  }
  return [...words, `TStatus=${pair.status}`].join(' ');
}

/** Rounded up, as in the formula of the weights. */
function secondsLeft(leftMs: number): number {
  return Math.ceil(leftMs / 1000);
}
