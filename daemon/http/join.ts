/** A long answer in parts, so that no message holds the main process up for long; and the parts as one again. */
import type { ControlReply } from '../../proto/control-types.js';

/** Servers or services in one part: some milliseconds of the main process. */
const PART = 500;

/** The parts of an answer; the last one is the final one. */
export function partsOf(reply: Partial<ControlReply>): Partial<ControlReply>[] {
  const { balancer } = reply;
  if (balancer?.kind === 'hosts')
    return cut(balancer.hosts).map((hosts) => ({ ...reply, balancer: { ...balancer, hosts } }));
  if (balancer?.kind === 'services')
    return cut(balancer.services).map((services) => ({ ...reply, balancer: { ...balancer, services } }));
  return [reply];
}

/** What is said in several parts is put one after the other; all else is as the last part says it. */
export function joinParts(parts: readonly Partial<ControlReply>[]): Partial<ControlReply> {
  const last = parts.at(-1) ?? {};
  if (parts.length === 1) return last;
  return {
    ...last,
    status: parts.flatMap(({ status }) => status ?? []),
    events: parts.flatMap(({ events }) => events ?? []),
    explanations: parts.flatMap(({ explanations }) => explanations ?? []),
    balancer: joinBalancer(parts, last.balancer ?? null),
  };
}

function joinBalancer(
  parts: readonly Partial<ControlReply>[],
  last: ControlReply['balancer'],
): ControlReply['balancer'] {
  const all = parts.flatMap(({ balancer }) => balancer ?? []);
  if (last?.kind === 'hosts')
    return { ...last, hosts: all.flatMap((part) => (part.kind === 'hosts' ? part.hosts : [])) };
  if (last?.kind === 'services')
    return { ...last, services: all.flatMap((part) => (part.kind === 'services' ? part.services : [])) };
  return last;
}

function cut<T>(all: readonly T[]): T[][] {
  const parts = [all.slice(0, PART)];
  for (let from = PART; from < all.length; from += PART) parts.push(all.slice(from, from + PART));
  return parts;
}
