/**
 * Plain checks, as the monitor process makes them, under V8's profiler of the heap: what the files of the engine allocate for each.
 * Forked and told {kind, port}, it answers with {bytes, where}.
 */
import { type HeapProfiler, Session } from 'node:inspector';
import { performance } from 'node:perf_hooks';
import { bannerDialogue } from '../../daemon/checks/banner.js';
import { Engine } from '../../daemon/checks/engine.js';
import { expectText } from '../../daemon/checks/expectation.js';
import { History } from '../../daemon/checks/history.js';
import { Hosts } from '../../daemon/checks/hosts.js';
import { httpDialogue } from '../../daemon/checks/http.js';
import { runOnEpoll } from '../../daemon/checks/loop.js';
import { OK } from '../../daemon/checks/natures.js';
import type { Dialogue } from '../../daemon/checks/plan.js';
import { createEpollWire, type EpollWire } from '../../daemon/checks/wire-epoll.js';
import { openEpoll } from '../../daemon/sys/epoll.js';
import { planOf } from './engine-support.js';

/** Checks before the compiler is done with them, and those that count. */
const WARM = 12_000;
const CHECKS = 4000;
/** Every so many bytes the profiler looks who asks for them. */
const SAMPLE_BYTES = 128;
/** What the check goes through; the loop around it has its own work for each turn, whatever the number of checks in it. */
const FILES =
  /\/checks\/(engine|flight|pool|queue|table|wheel|history|hosts|http|http-answer|banner|wire-epoll|pacing)\.js$/;

const ROWS = 128;

const DIALOGUES: Record<string, Dialogue | null> = {
  tcp: null,
  http: httpDialogue({
    ...{ method: 'GET', target: '/', host: { port: true }, version: '1.1', headers: [] },
    ...{ statuses: [[200, 299]], body: null, bodyMax: 0 },
  }),
  banner: bannerDialogue(expectText('220'), null),
};

function run({ kind, port }: { kind: string; port: number }): void {
  const now = (): number => performance.now();
  const hosts = new Hosts({ lookup: () => {}, now, keepMs: 1000, failureMs: 1000 });
  const history = new History(1024);
  const epoll = openEpoll();
  const session = new Session();
  session.connect();
  let tcp: EpollWire | undefined;
  let checks = 0;
  const engine = new Engine({
    ...{ rows: ROWS, flights: ROWS, hosts, now, wall: () => Date.now() / 1000 },
    wires: (events) => {
      tcp = createEpollWire('stream', epoll, events, ROWS);
      return { tcp };
    },
    result(row, nature, _edge, flight) {
      if (nature !== OK) process.send?.({ failed: flight.text || String(nature) });
      history.add(row + 1, engine.table.lastAt(row), nature, flight.tookMs, flight);
      checks += 1;
      if (checks === WARM) begin();
      else if (checks === WARM + CHECKS) end();
    },
  });

  function begin(): void {
    const all = { includeObjectsCollectedByMinorGC: true, includeObjectsCollectedByMajorGC: true };
    session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLE_BYTES, ...all } as object);
  }

  function end(): void {
    session.post('HeapProfiler.stopSampling', (_, answer) => {
      const where: Record<string, number> = {};
      tally(answer.profile.head, where);
      const bytes = Object.values(where).reduce((sum, each) => sum + each, 0);
      process.send?.({ bytes, where });
    });
  }

  runOnEpoll(engine, epoll, now, (slot, generation, events) => {
    const flight = engine.flight(slot);
    if (flight?.generation === generation) tcp?.event(flight, events);
  });
  const timing = { intervalMs: 20, retryMs: 20, connectMs: 5000, receiveMs: 5000, totalMs: 5000 };
  const plan = planOf({ dialogue: DIALOGUES[kind] ?? null, timing });
  for (let row = 0; row < ROWS; row += 1) engine.define(row, plan, '127.0.0.1', port, row / ROWS);
}

/** Bytes for a check, by function. */
function tally(node: HeapProfiler.SamplingHeapProfileNode, into: Record<string, number>): void {
  const { url, functionName } = node.callFrame;
  if (FILES.test(url) && node.selfSize > 0) {
    const name = `${url.replace(/^.*\//, '')} ${functionName}`;
    into[name] = (into[name] ?? 0) + node.selfSize / CHECKS;
  }
  for (const child of node.children) tally(child, into);
}

process.on('message', (message) => run(message as { kind: string; port: number }));
process.on('disconnect', () => process.exit(0));
