/** The flights there are, how many of them each wire has, and the rows that wait for one. */
import { SOCKADDR_BYTES, writeSockaddr } from '../sys/sockets.js';
import { EXCERPT_BYTES, Flight, V4_BYTES } from './flight.js';
import type { WireName } from './plan.js';
import { RowQueue } from './queue.js';
import type { Wire } from './wire.js';

interface Lane {
  readonly wire: Wire;
  busy: number;
  /** For rows that wait for this wire alone; made when first needed. */
  queue: RowQueue | null;
}

export class FlightPool {
  private readonly rows: number;
  private readonly flights: Flight[] = [];
  private readonly free: Flight[] = [];
  private readonly lanes: Partial<Record<WireName, Lane>> = {};
  /** For rows that wait for any flight. */
  private readonly queue: RowQueue;

  constructor(rows: number, flights: number) {
    this.rows = rows;
    this.queue = new RowQueue(rows);
    const excerpts = Buffer.alloc(flights * EXCERPT_BYTES);
    const addresses = Buffer.alloc(flights * V4_BYTES);
    const room = Buffer.alloc(SOCKADDR_BYTES);
    const any = room.subarray(0, writeSockaddr(room, 0, '0.0.0.0', 0));
    for (let slot = 0; slot < flights; slot += 1) {
      const at = slot * EXCERPT_BYTES;
      const place = slot * V4_BYTES;
      addresses.set(any, place);
      const address = addresses.subarray(place, place + V4_BYTES);
      const flight = new Flight(slot, excerpts.subarray(at, at + EXCERPT_BYTES), address);
      this.flights.push(flight);
      this.free.push(flight);
    }
  }

  open(wires: Partial<Record<WireName, Wire>>): void {
    for (const [name, wire] of Object.entries(wires))
      this.lanes[name as WireName] = { wire, busy: 0, queue: null };
  }

  at(slot: number): Flight | undefined {
    return this.flights[slot];
  }

  get underWay(): number {
    return this.flights.length - this.free.length;
  }

  /** A flight on this wire; undefined where there is none to be had. */
  take(name: WireName): Flight | undefined {
    const lane = this.lanes[name];
    if (lane === undefined || lane.busy >= lane.wire.most) return undefined;
    const flight = this.free.pop();
    if (flight === undefined) return undefined;
    lane.busy += 1;
    flight.wire = lane.wire;
    return flight;
  }

  /** The row waits for a flight on this wire. */
  wait(name: WireName, row: number): void {
    const lane = this.lanes[name];
    if (lane === undefined || this.free.length === 0) return this.queue.push(row);
    lane.queue ??= new RowQueue(this.rows);
    lane.queue.push(row);
  }

  /** The flight goes on, on another wire. */
  move(flight: Flight, from: WireName, to: WireName): void {
    this.count(from, -1);
    this.count(to, 1);
    flight.wire = this.lanes[to]?.wire ?? null;
  }

  give(flight: Flight, name: WireName): void {
    this.count(name, -1);
    this.free.push(flight);
  }

  /** A row that may have a flight now that one on this wire has ended; -1 where none waits. */
  next(name: WireName): number {
    if (this.free.length === 0) return -1;
    if (this.queue.size > 0) return this.queue.shift();
    const lane = this.lanes[name];
    if (lane === undefined || lane.queue === null || lane.busy >= lane.wire.most) return -1;
    return lane.queue.shift();
  }

  private count(name: WireName, by: number): void {
    const lane = this.lanes[name];
    if (lane !== undefined) lane.busy += by;
  }
}
