/** Virtual services and the weights of their servers, as the page shows them. Pure; times are in milliseconds. */
import type { PairView, ServiceView } from '../../../balancer/types.js';
import type { Tone } from './tone.js';
import { age, count, duration, figure } from './words.js';

/** So many services and servers of each are in the page at a time. */
export const SERVICES_SHOWN = 24;
export const SERVERS_SHOWN = 40;

/** What the node tells by itself. Of very many servers some are left out. */
export interface BalancerData {
  services: readonly ServiceView[];
  hosts: readonly PairView[];
  note: string;
}

export interface ServiceModel {
  name: string;
  virtual: string;
  tone: Tone;
  word: string;
  detail: string;
  servers: ServerModel[];
  more: number;
}

export interface ServerModel {
  host: string;
  real: string;
  tone: Tone;
  word: string;
  /** What it has now and what it is to have: of the greatest weight of the service, 0 to 1. */
  level: number;
  goal: number;
  weight: string;
  /** Active ones, '' where nobody knows. */
  connections: string;
  ramping: boolean;
}

export function servicesOf({ hosts, services }: BalancerData): ServiceModel[] {
  return services.slice(0, SERVICES_SHOWN).map((service) => {
    const own = hosts.filter((server) => server.service === service.service);
    const most = Math.max(1, ...own.map(({ stateWeight, weight }) => Math.max(stateWeight, weight)));
    return {
      ...{ name: service.service, virtual: service.virtual, ...serviceWord(service) },
      detail: `${service.alive ?? '?'} of ${count(service.servers, 'server')}, ${service.scheduler}, ${service.method}`,
      servers: own.slice(0, SERVERS_SHOWN).map((server) => serverOf(server, most)),
      more: Math.max(0, service.servers - SERVERS_SHOWN),
    };
  });
}

/** Names alone: what the weights are is not known. */
export function forgottenServices(services: readonly ServiceModel[]): ServiceModel[] {
  const nothing = { tone: 'unknown', word: 'unknown' } as const;
  return services.map((service) => ({
    ...{ ...service, ...nothing, detail: '' },
    servers: service.servers.map(({ host, real }) => ({
      ...{ host, real, ...nothing, level: 0, goal: 0, weight: '', connections: '', ramping: false },
    })),
  }));
}

function serviceWord(view: ServiceView): { tone: Tone; word: string } {
  const { alive, owned, problem, servers, sorry, sorryAge, unknownMs } = view;
  if (unknownMs !== null || alive === null) return unknownWord(unknownMs);
  if (sorry !== '')
    return { tone: 'bad', word: `sorry server ${sorry}${sorryAge === null ? '' : ` for ${age(sorryAge)}`}` };
  if (alive === 0) return { tone: 'bad', word: 'no server' };
  if (problem !== '') return { tone: 'warn', word: problem };
  if (!owned) return { tone: 'quiet', word: 'not in the table here' };
  return alive < servers ? { tone: 'warn', word: 'up, not whole' } : { tone: 'good', word: 'up' };
}

/** What the director says counts no more. */
function unknownWord(ms: number | null): { tone: Tone; word: string } {
  return { tone: 'unknown', word: `unknown since ${age(ms ?? 0)}` };
}

function serverOf(server: PairView, most: number): ServerModel {
  const { connections, desiredWeight, host, procWeight, ramp, real, stateWeight } = server;
  const now = procWeight ?? stateWeight;
  const goal = desiredWeight ?? 0;
  return {
    ...{ host, real: real === '' ? 'its name does not resolve' : real, ...serverWord(server) },
    ...{ level: Math.min(1, now / most), goal: Math.min(1, goal / most), ramping: ramp !== null },
    weight: server.unknownMs !== null ? '' : now === goal ? String(now) : `${now} of ${goal}`,
    connections: connections === null ? '' : figure(connections.active),
  };
}

function serverWord(server: PairView): { tone: Tone; word: string } {
  const { check, disabled, ramp, reasons, sorry, status, stateWeight, unknownMs } = server;
  if (unknownMs !== null) return unknownWord(unknownMs);
  if (disabled || status === '0-DISABLED') {
    const why = reasons.map(
      (reason) =>
        `${reason.name === '' ? 'the whole host' : reason.name}${reason.by === '' ? '' : ` by ${reason.by}`}`,
    );
    return { tone: 'quiet', word: `disabled${why.length === 0 ? '' : `: ${why.join(', ')}`}` };
  }
  if (ramp !== null) return { tone: 'busy', word: `ramping, ${duration(ramp.leftMs)} left` };
  if (check.state === 'down')
    return { tone: 'bad', word: `down${check.nature === '' ? '' : `, ${check.nature}`}` };
  if (status === '1-AWAITPASS') return { tone: 'busy', word: 'waiting for a pass' };
  if (sorry) return { tone: 'warn', word: 'sorry server' };
  if (check.name !== '' && check.state === 'unknown') return { tone: 'unknown', word: 'not checked yet' };
  return stateWeight === 0 ? { tone: 'warn', word: 'no weight' } : { tone: 'good', word: 'up' };
}
