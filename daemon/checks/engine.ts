/**
 * The check engine: LVSmon's state machine for each service (CONNECT, CONRESULT, QUERY, RECV, WAIT) over a timer wheel,
 * with a bounded number of checks under way at once. It does not know what is said on a wire, nor what becomes of an edge.
 *
 * Each check has one timer: while it waits, when it is due; while it is under way, when the present phase or the whole has to be
 * over.
 */
import { isIPv4 } from 'node:net';
import { type Flight, Phase } from './flight.js';
import type { Host, Hosts } from './hosts.js';
import { codeOfNature, codeOfWord, natureOfErrno, OK } from './natures.js';
import { Lateness, nextBegin } from './pacing.js';
import { HOP, type Hop, MORE, type Plan, type WireName } from './plan.js';
import { FlightPool } from './pool.js';
import { CheckTable, type Edge, State } from './table.js';
import { TimerWheel } from './wheel.js';
import type { Wire, WireEvents } from './wire.js';

/** What came of one check. `flight` is good until the sink returns; null where it never began. */
export type ResultSink = (row: number, nature: number, edge: Edge, flight: Flight) => void;

export interface EngineOptions {
  rows: number;
  /** Most checks under way at once. */
  flights: number;
  hosts: Hosts;
  /** A wire for each name that plans use. */
  wires: (events: WireEvents) => Partial<Record<WireName, Wire>>;
  /** Milliseconds of a clock that never goes back. */
  now: () => number;
  /** Seconds of the wall clock, at an instant of now(). */
  wall: (now: number) => number;
  result: ResultSink;
}

const IDLE = -1;
const QUEUED = -2;
/** How long the other side has to take leave. */
const GOODBYE_MS = 1000;
/** Timers in one turn: beginnings by the hundred would overflow the queues of a server, and keep its answers waiting. */
const TURN_MAX = 32;

const TIMEOUT = codeOfNature('timeout');
const TIMEOUT_CONNECT = codeOfNature('timeout-connect');
const TIMEOUT_RECEIVE = codeOfNature('timeout-receive');
const CLOSED_EARLY = codeOfNature('closed-early');
const DNS = codeOfNature('dns');

export class Engine {
  readonly table: CheckTable;
  readonly lateness = new Lateness();
  /** Checks that were due while they were still under way or waiting: left out. */
  skipped = 0;
  private readonly options: EngineOptions;
  /** By row; undefined: nobody's. */
  private readonly plans: (Plan | undefined)[];
  private readonly wheel: TimerWheel;
  private readonly pool: FlightPool;
  private readonly fire = (row: number): void => this.timer(row);
  private readonly say = (flight: Flight, bytes: Uint8Array): void => flight.wire?.send(flight, bytes);
  private time: number;
  private admitting = false;

  constructor(options: EngineOptions) {
    this.options = options;
    this.time = options.now();
    this.table = new CheckTable(options.rows);
    this.plans = new Array(options.rows).fill(undefined);
    this.wheel = new TimerWheel(options.rows, this.time, this.table);
    this.pool = new FlightPool(options.rows, options.flights);
    const wires = options.wires({
      connected: (flight) => this.connected(flight),
      received: (flight, bytes, length) => this.received(flight, bytes, length),
      ended: (flight) => this.ended(flight),
      failed: (flight, errno, text) => this.failed(flight, errno, text),
    });
    this.pool.open(wires);
  }

  flight(slot: number): Flight | undefined {
    return this.pool.at(slot);
  }

  /** A check has this row. */
  defined(row: number): boolean {
    return this.plans[row] !== undefined;
  }

  /** Checks under way. */
  get underWay(): number {
    return this.pool.underWay;
  }

  /** A check of this host, a name or an address, takes up a row; its first run is at its place in the interval. */
  define(row: number, plan: Plan, host: string, port: number, phase: number): void {
    const numeric = isIPv4(host);
    const number = numeric ? numberOfV4(host) : this.options.hosts.numberOf(host);
    this.table.place(row, number, numeric, port, phase);
    this.plans[row] = plan;
    this.schedule(row, this.options.now());
  }

  /** The row is nobody's any more. */
  remove(row: number): void {
    const flight = this.pool.at(this.table.flight(row));
    if (flight !== undefined) this.land(flight);
    this.wheel.clear(row);
    this.table.clear(row);
    // In the queue it may still be: that finds out when it is its turn.
    this.plans[row] = undefined;
  }

  /** Runs the check as soon as there is room, unless it is under way. */
  runNow(row: number): void {
    const flight = this.pool.at(this.table.flight(row));
    if (flight?.phase === Phase.GOODBYE) this.land(flight);
    if (this.table.flight(row) !== IDLE) return;
    this.table.setDue(row, this.options.now());
    this.begin(row);
  }

  /** When turn() has to be called at the latest, on the engine's clock. */
  nextAt(): number {
    return this.wheel.nextAt();
  }

  /** Does what is due, but not so much at once that answers have to wait; true where more is due. */
  turn(): boolean {
    this.time = this.options.now();
    return this.wheel.advance(this.time, this.fire, TURN_MAX);
  }

  private timer(row: number): void {
    const slot = this.table.flight(row);
    if (slot === IDLE) this.begin(row);
    else if (slot >= 0) this.deadline(this.pool.at(slot) as Flight);
  }

  private begin(row: number): void {
    const plan = this.plans[row];
    if (plan === undefined) return;
    const flight = this.pool.take(plan.wire);
    if (flight === undefined) {
      this.table.setFlight(row, QUEUED);
      this.pool.wait(plan.wire, row);
      return;
    }
    this.time = this.options.now();
    this.lateness.add(this.time - this.table.due(row));
    this.table.setFlight(row, flight.slot);
    flight.begin(row, plan, this.time);
    flight.port = this.table.port(row);
    if (this.table.numeric(row)) {
      flight.goTo(this.table.host(row));
      this.open(flight);
    } else this.approach(flight, this.options.hosts.get(this.table.host(row)), flight.port);
  }

  private approach(flight: Flight, host: Host, port: number): void {
    flight.name = host.name;
    flight.port = port;
    if (this.options.hosts.ready(host)) this.openAt(flight, host);
    else this.resolve(flight, host);
  }

  private resolve(flight: Flight, host: Host): void {
    flight.phase = Phase.RESOLVE;
    const { generation } = flight;
    host.waiting.push(() => {
      if (flight.generation !== generation || flight.phase !== Phase.RESOLVE) return;
      this.time = this.options.now();
      this.openAt(flight, host);
    });
    this.until(flight, flight.plan?.timing.totalMs ?? 0);
  }

  private openAt(flight: Flight, host: Host): void {
    const index = flight.led === '' ? flight.addressIndex : 0;
    const address = host.sockaddrs[index];
    if (address === undefined) {
      flight.text = host.reason;
      this.result(flight, DNS);
      return;
    }
    flight.goToAddress(address, host.addresses[index] ?? '');
    this.open(flight);
  }

  private open(flight: Flight): void {
    const { plan, wire, address } = flight;
    if (plan === null || wire === null || address === null) return;
    address[2] = flight.port >> 8;
    address[3] = flight.port & 255;
    flight.phase = Phase.CONNECT;
    flight.resolvedAt = this.time;
    this.until(flight, plan.timing.connectMs);
    const errno = wire.open(flight);
    if (errno !== '') this.failed(flight, errno, '');
  }

  /** The phase has this long, unless the whole ends before. */
  private until(flight: Flight, ms: number): void {
    const whole = flight.begunAt + (flight.plan?.timing.totalMs ?? 0);
    flight.endsAt = Math.min(whole, this.time + ms);
    this.wheel.set(flight.row, flight.endsAt);
  }

  /** CONRESULT. */
  private connected(flight: Flight): void {
    const { plan } = flight;
    if (plan === null || flight.phase !== Phase.CONNECT) return;
    this.time = this.options.now();
    flight.connectedAt = this.time;
    const { dialogue } = plan;
    if (dialogue === null) {
      this.result(flight, OK);
      return;
    }
    flight.phase = Phase.QUERY;
    const bytes = dialogue.opening(flight);
    flight.phase = Phase.RECV;
    // One move of the timer less where the whole ends first anyway.
    if (
      this.time + plan.timing.receiveMs < flight.begunAt + plan.timing.totalMs ||
      plan.timing.connectMs < plan.timing.totalMs
    )
      this.until(flight, plan.timing.receiveMs);
    if (bytes === null) return;
    flight.sentAt = this.time;
    flight.wire?.send(flight, bytes);
  }

  private received(flight: Flight, bytes: Buffer, length: number): void {
    const { plan } = flight;
    if (plan === null || flight.phase !== Phase.RECV || plan.dialogue === null) return;
    flight.note(bytes, length);
    if (flight.firstByteAt === 0) flight.firstByteAt = this.options.now();
    const { generation } = flight;
    const verdict = plan.dialogue.receive(flight, bytes, length, this.say);
    if (flight.generation !== generation) return;
    if (verdict === HOP) this.hop(flight, flight.hop as Hop);
    else if (verdict !== MORE) this.result(flight, verdict);
    else if (plan.timing.receiveMs < plan.timing.totalMs) {
      this.time = this.options.now();
      this.until(flight, plan.timing.receiveMs);
    }
  }

  /** Goes on where an answer leads: at another service perhaps, within what is left of the whole. */
  private hop(flight: Flight, { host, port, url, ...next }: Hop): void {
    const { hosts, now } = this.options;
    this.time = now();
    flight.wire?.close(flight, false);
    flight.renew();
    this.ride(flight, { ...(flight.plan as Plan), ...next });
    flight.led = url;
    this.approach(flight, hosts.passing(host), port);
  }

  /** Has a flight go by this plan, on its wire. */
  private ride(flight: Flight, plan: Plan): void {
    this.pool.move(flight, (flight.plan as Plan).wire, plan.wire);
    flight.plan = plan;
  }

  private ended(flight: Flight): void {
    const { plan } = flight;
    if (flight.phase === Phase.GOODBYE) return this.land(flight);
    if (plan === null || flight.phase !== Phase.RECV) return;
    const verdict = plan.dialogue?.end(flight, this.say) ?? CLOSED_EARLY;
    this.result(flight, verdict === MORE ? CLOSED_EARLY : verdict);
  }

  private failed(flight: Flight, errno: string, text: string): void {
    if (flight.phase === Phase.GOODBYE) return this.land(flight);
    if (flight.plan === null || flight.phase === Phase.IDLE) return;
    if (text !== '') flight.text = text;
    // Wires name a nature at once where no errno says it.
    const nature = codeOfWord(errno) ?? codeOfNature(natureOfErrno(errno, flight.phase === Phase.RECV));
    this.result(flight, nature);
  }

  private deadline(flight: Flight): void {
    if (flight.phase === Phase.GOODBYE) return this.land(flight);
    if (flight.phase === Phase.RESOLVE) {
      flight.text = 'no answer from the resolver';
      this.result(flight, DNS);
    } else if (flight.phase === Phase.CONNECT) {
      this.result(flight, TIMEOUT_CONNECT);
    } else {
      const late = flight.plan?.dialogue?.late?.(flight);
      if (late !== undefined) return this.result(flight, late);
      // Something came, and went on coming too slowly: the whole has had its time.
      const { totalMs } = (flight.plan as Plan).timing;
      const slow = flight.excerptLength > 0 && flight.begunAt + totalMs <= flight.endsAt;
      this.result(flight, slow ? TIMEOUT : TIMEOUT_RECEIVE);
    }
  }

  /** WAIT: the verdict on one address; perhaps another one has to be looked at. */
  private result(flight: Flight, nature: number): void {
    const plan = flight.plan as Plan;
    const ok = nature === OK;
    if (plan.addresses !== 'first' && ok === (plan.addresses === 'all') && !this.table.numeric(flight.row)) {
      const host = this.options.hosts.get(this.table.host(flight.row));
      if (flight.addressIndex + 1 < host.sockaddrs.length) {
        flight.wire?.close(flight, false);
        flight.addressIndex += 1;
        flight.renew();
        if (flight.led !== '') this.ride(flight, this.plans[flight.row] as Plan);
        flight.led = '';
        this.time = this.options.now();
        this.approach(flight, host, this.table.port(flight.row));
        return;
      }
    }
    this.time = this.options.now();
    const { row } = flight;
    if (flight.led !== '')
      flight.text = `redirected to ${flight.led}${flight.text === '' ? '' : `: ${flight.text}`}`;
    flight.tookMs = this.time - flight.begunAt;
    const wall = this.options.wall(this.time);
    const edge = this.table.judge(row, nature, flight.detail, flight.tookMs, wall, plan.judging);
    this.options.result(row, nature, edge, flight);
    const goodbye = plan.dialogue?.goodbye ?? null;
    if (ok && goodbye !== null) {
      flight.phase = Phase.GOODBYE;
      if (goodbye.length === 0 || flight.quiet) return this.land(flight);
      flight.endsAt = this.time + GOODBYE_MS;
      this.wheel.set(row, flight.endsAt);
      flight.wire?.send(flight, goodbye);
      return;
    }
    this.land(flight);
  }

  /** The flight is over: its check waits for its next turn, its place is another's. */
  private land(flight: Flight): void {
    const { row, wire } = flight;
    if (flight.phase > Phase.RESOLVE) wire?.close(flight, flight.phase === Phase.GOODBYE);
    flight.phase = Phase.IDLE;
    flight.generation = (flight.generation + 1) | 0;
    flight.kept = null;
    const name = (flight.plan as Plan).wire;
    this.pool.give(flight, name);
    this.table.setFlight(row, IDLE);
    this.schedule(row, this.time);
    this.admit(name);
  }

  /** Begins those that wait for a flight, or for one of this wire. */
  private admit(name: WireName): void {
    // What begins may end at once and come here again: the loop below goes on with it.
    if (this.admitting) return;
    this.admitting = true;
    for (let row = this.pool.next(name); row >= 0; row = this.pool.next(name)) {
      this.table.setFlight(row, IDLE);
      this.begin(row);
    }
    this.admitting = false;
  }

  private schedule(row: number, now: number): void {
    const plan = this.plans[row];
    if (plan === undefined) return;
    const { intervalMs, retryMs } = plan.timing;
    const ms = this.table.state(row) !== State.DOWN && this.table.nature(row) === OK ? intervalMs : retryMs;
    const interval = this.table.lastAt(row) === 0 ? intervalMs : ms;
    const due = nextBegin(now, interval, this.table.phase(row));
    const before = this.table.due(row);
    if (before > 0) this.skipped += Math.max(0, Math.floor((now - before) / interval));
    this.table.setDue(row, due);
    this.wheel.set(row, due);
  }
}

function numberOfV4(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}
