/** The wires that this machine has: on epoll where koffi loads, on Node's sockets where it does not. */
import { type Epoll, openEpoll } from '../sys/epoll.js';
import { messageOf } from '../sys/errors.js';
import type { Engine } from './engine.js';
import type { Flight } from './flight.js';
import { type Loop, runOnEpoll, runOnNode } from './loop.js';
import type { WireName } from './plan.js';
import type { Wire, WireEvents } from './wire.js';
import { createEpollWire, type EpollWire } from './wire-epoll.js';
import { createExecWire } from './wire-exec.js';
import { createNodeTcpWire, createNodeUdpWire } from './wire-node.js';
import { createPingWire, openPingSockets, PING_V4, PING_V6, type PingWire } from './wire-ping.js';
import { createTlsWire } from './wire-tls.js';

export interface Wires {
  byName: Record<WireName, Wire>;
  /** What is missing here, and why. */
  notes: string[];
  /** Begins to wait for what the wires and the engine wait for. */
  run(engine: Engine, now: () => number): Loop;
}

export interface WireLimits {
  flights: number;
  plugins: number;
}

/**
 * To be called while there are still privileges: ICMP sockets may need them. `flightOf`: the flight of a slot; `started`: see
 * createExecWire().
 */
export function openWires(
  events: WireEvents,
  { flights, plugins }: WireLimits,
  flightOf: (slot: number) => Flight | undefined,
  started: (group: number, alive: boolean) => void,
): Wires {
  let loop: Loop | undefined;
  const busy = (): void => loop?.yield();
  const shared = {
    tls: createTlsWire(events, flights, Date.now, busy),
    exec: createExecWire(events, plugins, busy, started),
  };
  let epoll: Epoll;
  try {
    epoll = openEpoll();
  } catch (error) {
    const reason = messageOf(error);
    const byName = {
      ...shared,
      tcp: createNodeTcpWire(events, flights),
      udp: createNodeUdpWire(events, flights),
      ping: missingWire('ping', `no ICMP: ${reason}`),
    };
    const run = (engine: Engine, now: () => number): Loop => {
      loop = runOnNode(engine, now);
      return loop;
    };
    return { byName, notes: [`checks run on Node's sockets, and ping does not: ${reason}`], run };
  }
  const tcp = createEpollWire('stream', epoll, events, flights);
  const udp = createEpollWire('datagram', epoll, events, flights);
  const opened = openPingSockets();
  const ping = createPingWire(opened, epoll, events, flights, flightOf);
  const notes =
    opened.v4.fd < 0 ? ['ping is not to be had: neither root nor in net.ipv4.ping_group_range'] : [];
  return {
    byName: { ...shared, tcp, udp, ping },
    notes,
    run(engine, now) {
      loop = runOnEpoll(engine, epoll, now, (slot, generation, what) =>
        dispatch(ping, tcp, udp, flightOf, slot, generation, what),
      );
      return loop;
    },
  };
}

function dispatch(
  ping: PingWire,
  tcp: EpollWire,
  udp: EpollWire,
  flightOf: (slot: number) => Flight | undefined,
  slot: number,
  generation: number,
  what: number,
): void {
  if (slot === PING_V4 || slot === PING_V6) return ping.readable(slot);
  const flight = flightOf(slot);
  // An event of the same batch may have ended the flight already.
  if (flight === undefined || flight.generation !== generation) return;
  (flight.wire === udp ? udp : tcp).event(flight, what);
}

/** Stands for what cannot be had: whatever is asked of it fails here, and says why. */
function missingWire(name: string, reason: string): Wire {
  return {
    ...{ name, most: Number.POSITIVE_INFINITY },
    open(flight) {
      flight.text = reason;
      return 'local';
    },
    send: () => {},
    close: () => {},
  };
}
