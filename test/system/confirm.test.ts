/** Three hastmond on loopback watch one web server: what several see is told once, what one alone sees is not. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createMonitors, createService, type Monitors, type Service, sourceOf } from './monitors.js';
import { until } from './wait.js';

const patienceMs = 15_000;
/** As fast as a check may be judged without a machine that is busy being taken for a service that is down. */
const times = 'interval 200ms retry_interval 100ms timeout 2s rise 1 fall 2';

async function sceneFor(t: TestContext): Promise<{ monitors: Monitors; service: Service }> {
  const service = await createService();
  t.after(() => service.close());
  const monitors = await createMonitors({
    names: ['a', 'b', 'c'],
    monitor: times,
    statements: `check web ${service.url}`,
  });
  t.after(() => monitors.close());
  await monitors.start();
  return { monitors, service };
}

const ids = (monitors: Monitors): string[] => monitors.told().map(({ id }) => id);
const says = (monitors: Monitors, node: string, words: string | RegExp): Promise<void> =>
  until(
    () =>
      typeof words === 'string'
        ? monitors.node(node).log().includes(words)
        : words.test(monitors.node(node).log()),
    patienceMs,
    () => `${node} does not say ${words}\n${monitors.logs()}`,
  );
const toldOf = (monitors: Monitors, ...wanted: string[]): Promise<void> =>
  until(
    () => ids(monitors).length >= wanted.length,
    patienceMs,
    () => `not told of ${wanted}\n${monitors.logs()}`,
  ).then(() => assert.deepEqual(ids(monitors).sort(), wanted, monitors.logs()));

test('an outage is told once, naming who saw it, and so is its end; one node alone alarms nobody', async (t) => {
  const { monitors, service } = await sceneFor(t);
  service.refused.add(sourceOf(2));
  await says(monitors, 'c', 'check web: seen here only, 2 are needed: a and b see it up');
  assert.deepEqual(ids(monitors), [], monitors.logs());
  service.refused.clear();
  await says(monitors, 'c', 'check web is up, as seen from here');

  await service.stop();
  await toldOf(monitors, 'web#1');
  assert.match(
    monitors.told()[0]?.text ?? '',
    /^down: seen down by \w \(refused\)(, \w \(refused\))? and \w \(refused\)/,
  );
  await says(monitors, 'a', /check web: down, confirmed by \w, \w/);
  await service.start();
  await toldOf(monitors, 'web#1', 'web#2');
  assert.match(
    monitors.told().find(({ id }) => id === 'web#2')?.text ?? '',
    /^up again after \d+ s: .*seen up by /,
  );
});

test('a restart of all tells nothing again, and still tells of the end', async (t) => {
  const { monitors, service } = await sceneFor(t);
  await service.stop();
  await toldOf(monitors, 'web#1');
  for (const { name } of monitors.nodes) await monitors.knows(name, 'web', 1);
  for (const node of monitors.nodes) node.killMachine();
  await Promise.all(monitors.nodes.map((node) => node.exited));
  const before = monitors.nodes.map((node) => node.log().length);
  await monitors.start();
  await until(
    () =>
      monitors.nodes.every((node, index) => node.log().slice(before[index]).includes('check web is down')),
    patienceMs,
    () => `not seen again\n${monitors.logs()}`,
  );
  await service.start();
  await toldOf(monitors, 'web#1', 'web#2');
});

test('a monitor process that is lost is blind, and what is down is seen anew', async (t) => {
  const { monitors, service } = await sceneFor(t);
  service.refused.add(sourceOf(0));
  await says(monitors, 'a', 'check web: seen here only, 2 are needed: b and c see it up');
  const pid = /\[?.*the monitor process is ready.*workerpid=(\d+)/.exec(monitors.node('a').log())?.[1];
  process.kill(Number(pid), 'SIGKILL');
  await says(monitors, 'a', /the monitor process has ended(.|\n)*the monitor process is ready/);
  // Without an edge of its own, since it was down before: b sees it too now, and a has to know.
  service.refused.add(sourceOf(1));
  await toldOf(monitors, 'web#1');
  service.refused.clear();
  await toldOf(monitors, 'web#1', 'web#2');
});

test('[E6] a sender that is killed in the act: another one tells, once', async (t) => {
  const { monitors, service } = await sceneFor(t);
  for (const { name } of monitors.nodes) monitors.hold(name, true);
  await service.stop();
  await until(
    () => monitors.sender() !== undefined,
    patienceMs,
    () => `nobody begins to tell\n${monitors.logs()}`,
  );
  const first = monitors.sender() ?? '';
  monitors.node(first).killMachine();
  for (const { name } of monitors.nodes) monitors.hold(name, false);
  await toldOf(monitors, 'web#1');
  assert.notEqual(monitors.told()[0]?.node, first);
});
