/**
 * An engine on one of the ways to wait beside Node's own loop, for comparison: `waiting-loop WAY RATE PORT`, by fork. It echoes every
 * message, as a sign of when Node's loop has its turn; `stop` is answered by the mean latency of the checks.
 *
 * nested: as hastmon does it, Node's loop in the epoll set. slices: waits of 5 ms at most, a visit to Node's loop between them.
 * thread: epoll_wait on another thread, by koffi's asynchronous calls.
 */
import { performance } from 'node:perf_hooks';
import { Engine } from '../../daemon/checks/engine.js';
import type { Flight } from '../../daemon/checks/flight.js';
import { Hosts } from '../../daemon/checks/hosts.js';
import { runOnEpoll } from '../../daemon/checks/loop.js';
import { phaseOf } from '../../daemon/checks/pacing.js';
import type { Plan } from '../../daemon/checks/plan.js';
import { createEpollWire, type EpollWire } from '../../daemon/checks/wire-epoll.js';
import { type Epoll, openEpoll } from '../../daemon/sys/epoll.js';
import { openLibc, placeOf } from '../../daemon/sys/libc.js';
import { addressOf } from './tools.js';

const SLICE_MS = 5;
const INTERVAL_MS = 1000;
const EVENTS = 256;

const [way = '', rate = '', port = ''] = process.argv.slice(2);
const now = (): number => performance.now();

type Event = (slot: number, generation: number, events: number) => void;

/** An epoll set without Node's loop in it; `later` waits on another thread. */
interface BareEpoll extends Epoll {
  later(timeoutMs: number, each: Event, done: () => void): void;
}

function bareEpoll(): BareEpoll {
  const libc = openLibc();
  const words = process.arch === 'x64' ? 3 : 4;
  const memory = new ArrayBuffer(words * 4 * (EVENTS + 1));
  const ints = new Int32Array(memory);
  const place = placeOf(libc, memory);
  const set = libc.func<(flags: number) => number>('int epoll_create1(int flags)')(0);
  const control = libc.func<(set: number, what: number, fd: number, event: number) => number>(
    'int epoll_ctl(int set, int what, int fd, uintptr_t event)',
  );
  const wait = libc.func<
    ((set: number, events: number, most: number, timeoutMs: number) => number) & {
      async(
        set: number,
        events: number,
        most: number,
        timeoutMs: number,
        done: (error: unknown, count: number) => void,
      ): void;
    }
  >('int epoll_wait(int set, uintptr_t events, int most, int timeout)');
  let count = 0;

  function tell(what: number, fd: number, interest: number, slot: number, generation: number): number {
    const at = words * EVENTS;
    ints[at] = interest;
    ints[at + words - 2] = slot;
    ints[at + words - 1] = generation;
    return control(set, what, fd, place + 4 * at);
  }

  function take(each: Event): void {
    for (let at = 0; at < count * words; at += words)
      each(ints[at + words - 2] as number, ints[at + words - 1] as number, ints[at] as number);
  }

  return {
    add: (fd, interest, slot, generation) => tell(1, fd, interest, slot, generation),
    again: (fd, interest, slot, generation) => void tell(3, fd, interest, slot, generation),
    remove: (fd) => void tell(2, fd, 0, 0, 0),
    get full() {
      return count === EVENTS;
    },
    wait(timeoutMs, each) {
      count = wait(set, place, EVENTS, timeoutMs);
      take(each);
      return false;
    },
    later(timeoutMs, each, done) {
      wait.async(set, place, EVENTS, timeoutMs, (_, happened) => {
        count = happened;
        take(each);
        done();
      });
    },
    close: () => {},
  };
}

let checks = 0;
let latency = 0;
let tcp: EpollWire | undefined;

function createEngine(epoll: Epoll): Engine {
  const hosts = new Hosts({ lookup: () => {}, now, keepMs: 1e9, failureMs: 1e9 });
  const engine = new Engine({
    ...{ rows: Math.max(1, Number(rate)), flights: 4096, hosts, now, wall: () => Date.now() / 1000 },
    wires: (events) => {
      tcp = createEpollWire('stream', epoll, events, 4096);
      return { tcp };
    },
    result(_row, _nature, _edge, flight) {
      checks += 1;
      latency += flight.tookMs;
    },
  });
  const timing = {
    intervalMs: INTERVAL_MS,
    retryMs: INTERVAL_MS,
    connectMs: 1000,
    receiveMs: 1000,
    totalMs: 1000,
  };
  const plan: Plan = {
    ...{ wire: 'tcp', dialogue: null, timing, judging: { rise: 1, fall: 1, downAfterMs: 0 } },
    ...{ addresses: 'first', source: '', extra: null },
  };
  for (let row = 0; row < Number(rate); row += 1)
    engine.define(row, plan, addressOf(row), Number(port), phaseOf(`c${row}`));
  return engine;
}

function run(): void {
  const bare = way === 'nested' ? null : bareEpoll();
  const epoll = bare ?? openEpoll();
  const engine = createEngine(epoll);
  const event: Event = (slot, generation, events) => {
    const flight: Flight | undefined = engine.flight(slot);
    if (flight?.generation === generation) tcp?.event(flight, events);
  };
  const left = (): number => Math.max(0, Math.ceil(Math.min(1000, engine.nextAt() - now())));
  const slice = (): void => {
    bare?.wait(Math.min(SLICE_MS, left()), event);
    while (engine.turn());
    setImmediate(slice);
  };
  const thread = (): void => {
    while (engine.turn());
    bare?.later(left(), event, thread);
  };
  if (way === 'nested') runOnEpoll(engine, epoll, now, event);
  else if (way === 'slices') slice();
  else thread();
}

process.on('message', (message) => {
  if (message === 'stop') process.send?.({ latencyMs: checks === 0 ? 0 : latency / checks, checks });
  else process.send?.(message as string);
});
process.on('disconnect', () => process.exit(0));
run();
