/** The answers to `dump`: what the balancer knows, as JSON behind ipvs-weightman's titles. */
import type { PairView, ServiceView } from '../types.js';
import type { ConsoleCommand } from './grammar.js';
import type { ConsoleHost } from './types.js';

type Dump = Extract<ConsoleCommand, { kind: 'dump' }>;

export function dumpText(host: ConsoleHost, { what, name }: Dump): string {
  switch (what) {
    case 'status':
      return titled('Status', { Hosts: hostsIn(host), VSs: servicesIn(host), Checkers: checkersIn(host) });
    case 'options':
      return titled('Config options', host.config().options);
    case 'checkers':
      return titled('Status', checkersIn(host));
    case 'hosts': {
      if (name === '') return titled('Hosts', hostsIn(host));
      const found = host.config().hosts.some(({ tag }) => tag === name);
      return found ? titled(`Host '${name}'`, hostsIn(host, name)[name]) : `# Host '${name}': Not found\n`;
    }
    case 'services': {
      if (name === '') return titled('VSs', servicesIn(host));
      const found = host.config().services.some(({ tag }) => tag === name);
      return found ? titled(`VS '${name}'`, servicesIn(host, name)[name]) : `# VS '${name}': Not found\n`;
    }
  }
}

function titled(title: string, value: unknown): string {
  return `${title}: ${JSON.stringify(value, null, 2)}\n`;
}

/** Without a prototype: a tag may be called as anything. */
function record<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const result: Record<string, T> = Object.create(null);
  for (const [key, value] of entries) result[key] = value;
  return result;
}

function hostsIn(host: ConsoleHost, name = ''): Record<string, unknown> {
  const wanted = host.config().hosts.filter(({ tag }) => name === '' || tag === name);
  const pairs = new Map<string, PairView[]>();
  for (const pair of host.pairs(name === '' ? null : [name], null)) {
    const known = pairs.get(pair.host);
    if (known === undefined) pairs.set(pair.host, [pair]);
    else known.push(pair);
  }
  return record(
    wanted.map(({ tag, host: address, port, weights }) => {
      const services = (pairs.get(tag) ?? []).map(
        ({ host: _, service, ...rest }) => [service, rest] as const,
      );
      return [tag, { Host: address, Port: port, Weights: record(weights), VSs: record(services) }];
    }),
  );
}

function servicesIn(host: ConsoleHost, name = ''): Record<string, Omit<ServiceView, 'service'>> {
  const views = host.services(name === '' ? null : [name]);
  return record(views.map(({ service, ...rest }) => [service, rest] as const));
}

function checkersIn(host: ConsoleHost): Record<string, unknown> {
  return record(host.checkers().map(({ name, ...rest }) => [name, rest] as const));
}
