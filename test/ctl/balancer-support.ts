/** A hastmond with a balancer, as far as hastmonctl sees it: a real socket, and servers to which something happens with every look. */
import type { TestContext } from 'node:test';
import { createSessions } from '../../daemon/balancer/console/sessions.js';
import type { BalancerCommand } from '../../daemon/balancer/types.js';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import { living, type TestHost } from '../balancer/console/host.js';
import { OWN_WORD } from '../balancer/console/views.js';
import { execute, fakeDaemon, type Heard, hastmonctl } from './support.js';

export interface FakeBalancer {
  host: TestHost;
  config: string;
  /** Answers instead of it, where it gives something. */
  before: (request: ControlRequest) => Partial<ControlReply> | null;
  /** In this process. */
  ctl(...words: string[]): Promise<Heard>;
  /** The program itself. */
  program(...words: string[]): Promise<Heard>;
}

export async function balancerFor(t: TestContext): Promise<FakeBalancer> {
  const host = living();
  const say = createSessions(host);
  const handle = async (request: ControlRequest): Promise<Partial<ControlReply>> => {
    const instead = balancer.before(request);
    if (instead !== null) return instead;
    switch (request.kind) {
      case 'balancer-hosts': {
        const [hosts, services] = [request.hosts, request.services].map((names) =>
          names.length === 0 ? null : names,
        );
        const missing = refusal(host, request.hosts, request.services);
        if (missing !== null) return missing;
        const pairs = host.pairs(hosts ?? null, services ?? null);
        return { balancer: { kind: 'hosts', hosts: pairs, note: '', source: OWN_WORD } };
      }
      case 'balancer-services': {
        const names = request.services.length === 0 ? null : request.services;
        return { balancer: { kind: 'services', services: host.services(names), note: '', source: OWN_WORD } };
      }
      case 'balancer-set':
        return set(host, request.command);
      case 'balancer-diff':
        return { text: await host.diff() };
      case 'balancer-reload':
        return { text: await host.reload() };
      case 'balancer-console':
        return {
          balancer: { kind: 'console', ...(await say(request.session, request.by, request.line)) },
        };
      default:
        return { error: { code: 70, message: `what is ${request.kind}?` } };
    }
  };
  const config = await fakeDaemon(t, handle);
  const balancer: FakeBalancer = {
    ...{ host, config, before: () => null },
    ctl: (...words) => hastmonctl(withConfig(words, config)),
    program: (...words) => execute(withConfig(words, config)),
  };
  return balancer;
}

/** What stands behind `--` is not ours. */
function withConfig(words: readonly string[], config: string): string[] {
  return [...words.slice(0, 1), '-c', config, '-n', 'alpha', ...words.slice(1)];
}

async function set(host: TestHost, command: BalancerCommand): Promise<Partial<ControlReply>> {
  const missing = command.kind === 'adopt' ? null : refusal(host, command.hosts, command.services ?? []);
  if (missing !== null) return missing;
  const { error, text } = await host.command(command);
  return error === '' ? { text } : { error: { code: 75, message: error } };
}

function refusal(
  host: TestHost,
  hosts: readonly string[],
  services: readonly string[],
): Partial<ControlReply> | null {
  const config = host.config();
  const unknown = (names: readonly string[], all: readonly { tag: string }[]): string | undefined =>
    names.find((name) => name !== '*' && !all.some(({ tag }) => tag === name));
  const name = unknown(hosts, config.hosts) ?? unknown(services, config.services);
  return name === undefined
    ? null
    : { error: { code: 68, message: `there is no '${name}' in the balancer's file` } };
}
