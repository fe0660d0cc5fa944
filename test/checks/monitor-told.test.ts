/** What the monitor process tells of one check: when it began, and of no other check than the one that was asked for. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createMonitorHost, type MonitorHost } from '../../daemon/runtime/monitor-host.js';
import { bootTime } from '../../daemon/sys/clock.js';
import { until } from '../system/wait.js';
import { serverFor } from './engine-support.js';
import { configOf, same, script, specOf, unheard } from './monitor-support.js';

const LIMIT_MS = 10_000;

function hostFor(t: TestContext): { host: MonitorHost; came: { name: string; begunAt: number }[] } {
  const came: { name: string; begunAt: number }[] = [];
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const host = createMonitorHost({
    ...{ script, log, wall: () => Date.now() / 1000 },
    records: { record: () => {}, forget: () => {} },
    events: { ...unheard, cameUp: (checks) => void came.push(...checks) },
  });
  t.after(() => host.close());
  return { host, came };
}

/** This process does nothing else meanwhile. */
function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('when a check began is known, however late that is heard', async (t) => {
  const port = await serverFor(t, (socket) => socket.end());
  const { came, host } = hostFor(t);
  const before = bootTime();
  host.apply(configOf(specOf('www', `tcp://127.0.0.1:${port}/`)), same);
  await until(() => came.length > 0, LIMIT_MS, 'it came up');
  const [first] = came;
  assert.ok(first !== undefined && first.begunAt > before && first.begunAt < bootTime());
  const asked = bootTime();
  const answer = host.run('www');
  await new Promise(setImmediate);
  busy(600);
  const { begunAt } = await answer;
  assert.ok(
    begunAt > before && begunAt < asked + 400,
    `${begunAt - asked} ms after it was asked for, and not while nobody listened`,
  );
});

test('who has asked for a check that is gone is not given the result of its successor', async (t) => {
  const port = await serverFor(t, (socket) => socket.end());
  const silent = await serverFor(t, () => {});
  const { host, came } = hostFor(t);
  const slow = specOf('slow', `http://127.0.0.1:${silent}/`, { timeoutMs: 5000, receiveTimeoutMs: 5000 });
  host.apply(configOf(slow), same);
  await until(
    () =>
      host.look(['slow']).then(
        () => true,
        () => false,
      ),
    LIMIT_MS,
    'it runs',
  );
  let given: unknown = null;
  host.run('slow').then(
    (answer) => {
      given = answer;
    },
    () => {},
  );
  host.apply(configOf(specOf('quick', `tcp://127.0.0.1:${port}/`)), same);
  await until(() => came.some(({ name }) => name === 'quick'), LIMIT_MS, 'the other one is up');
  assert.equal((await host.run('quick')).last.nature, 'ok');
  assert.equal(given, null);
});
