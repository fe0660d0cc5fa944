/** An engine of the real thing, on either way of waiting, and servers that behave badly. */
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { Engine } from '../../daemon/checks/engine.js';
import { Hosts, type Lookup } from '../../daemon/checks/hosts.js';
import { type Loop, runOnEpoll, runOnNode } from '../../daemon/checks/loop.js';
import { NATURES } from '../../daemon/checks/natures.js';
import type { Dialogue, Plan, WireName } from '../../daemon/checks/plan.js';
import type { Edge } from '../../daemon/checks/table.js';
import type { Wire, WireEvents } from '../../daemon/checks/wire.js';
import { createEpollWire, type EpollWire } from '../../daemon/checks/wire-epoll.js';
import { createExecWire } from '../../daemon/checks/wire-exec.js';
import { createNodeTcpWire, createNodeUdpWire } from '../../daemon/checks/wire-node.js';
import { createTlsWire } from '../../daemon/checks/wire-tls.js';
import { type Epoll, openEpoll } from '../../daemon/sys/epoll.js';

export const WAYS = ['epoll', 'node'] as const;
export type Way = (typeof WAYS)[number];

export interface Result {
  nature: string;
  detail: number;
  text: string;
  edge: Edge;
  latencyMs: number;
}

export interface Bench {
  engine: Engine;
  /** Runs a check once, now. */
  check(change: Partial<Plan> & { port: number; host?: string }): Promise<Result>;
  results: (row: number) => readonly Result[];
  /** Defines a check that runs at its interval. */
  define(change: Partial<Plan> & { port: number; host?: string }): number;
}

const TIMING = { intervalMs: 3_600_000, retryMs: 3_600_000, connectMs: 400, receiveMs: 400, totalMs: 800 };
const ROWS = 64;

export function planOf(change: Partial<Plan>): Plan {
  return {
    ...{ wire: 'tcp', dialogue: null, addresses: 'first', source: '', extra: null },
    timing: TIMING,
    judging: { rise: 1, fall: 1, downAfterMs: 0 },
    ...change,
  };
}

/** Ends with the test. `flights`: checks at once. */
export function benchFor(
  t: TestContext,
  way: Way,
  flights = 16,
  lookup: Lookup = (_, done) => done([], 'none'),
): Bench {
  const now = (): number => performance.now();
  const hosts = new Hosts({ lookup, now, keepMs: 60_000, failureMs: 60_000 });
  const results = new Map<number, Result[]>();
  const waiting = new Map<number, (result: Result) => void>();
  let loop: Loop | undefined;
  const epoll: Epoll | null = way === 'epoll' ? openEpoll() : null;
  const epollWires = new Map<Wire, EpollWire>();
  const busy = (): void => loop?.yield();

  function wires(events: WireEvents): Partial<Record<WireName, Wire>> {
    const shared = {
      tls: createTlsWire(events, flights, Date.now, busy),
      exec: createExecWire(events, 2, busy, () => {}),
    };
    if (epoll === null)
      return { ...shared, tcp: createNodeTcpWire(events, flights), udp: createNodeUdpWire(events, flights) };
    const tcp = createEpollWire('stream', epoll, events, flights);
    const udp = createEpollWire('datagram', epoll, events, flights);
    for (const wire of [tcp, udp]) epollWires.set(wire, wire);
    return { ...shared, tcp, udp };
  }

  const engine = new Engine({
    ...{ rows: ROWS, flights, hosts, wires, now },
    wall: () => Date.now() / 1000,
    result(row, nature, edge, flight) {
      const result = {
        nature: NATURES[nature] ?? '',
        detail: flight.detail,
        text: flight.text,
        edge,
        latencyMs: now() - flight.begunAt,
      };
      results.set(row, [...(results.get(row) ?? []), result]);
      waiting.get(row)?.(result);
    },
  });
  loop =
    epoll === null
      ? runOnNode(engine, now)
      : runOnEpoll(engine, epoll, now, (slot, generation, events) => {
          const flight = engine.flight(slot);
          if (flight?.generation === generation && flight.wire !== null)
            epollWires.get(flight.wire)?.event(flight, events);
        });
  t.after(() => {
    for (let row = 0; row < rows; row += 1) engine.remove(row);
    loop?.stop();
    epoll?.close();
  });
  let rows = 0;

  function define(change: Partial<Plan> & { port: number; host?: string }): number {
    const { port, host = '127.0.0.1', ...rest } = change;
    const row = rows;
    rows += 1;
    engine.define(row, planOf(rest), host, port, 0.999);
    return row;
  }
  return {
    engine,
    define,
    results: (row) => results.get(row) ?? [],
    check(change) {
      const row = define(change);
      return new Promise((resolve) => {
        waiting.set(row, resolve);
        engine.runNow(row);
      });
    },
  };
}

/** A server on a free port of loopback that does this with each connection; gone with the test. */
export async function serverFor(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export const silent: Dialogue = { opening: () => null, receive: () => 0, end: () => 0, goodbye: null };
