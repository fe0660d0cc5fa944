/** What hastmonctl events tells of a cluster's life: who did what, in which order, through a restart and to whoever follows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HaEvent } from '../../proto/event-types.js';
import { clusterFor, runsOn } from './support.js';

const _resources = ['shared'];

test('events tell what happened, why, and who asked for it', async (t) => {
  const cluster = await clusterFor(t);
  const [a, _b] = [cluster.node('nodeA'), cluster.node('nodeB')];
  const eventsOf = async (node: typeof a, ...words: string[]): Promise<HaEvent[]> => {
    const { code, stderr, stdout } = await node.ctl('events', '--json', '--last', '1000', ...words);
    assert.equal(code, 0, stderr);
    return stdout
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as HaEvent);
  };
  const kinds = (events: readonly HaEvent[]): string[] => events.map(({ kind }) => kind);
  await cluster.up();
  await runsOn(cluster, 'nodeA');

  await t.test('a start: command, lease, start, running, each in its place', async () => {
    const events = await eventsOf(a, 'shared');
    const order = ['lease-acquired', 'hook', 'run-changed'];
    let at = -1;
    for (const kind of order) {
      at = events.findIndex((event, index) => index > at && event.kind === kind);
      assert.ok(at >= 0, `${kind} in ${kinds(events).join(' ')}`);
    }
    const started = events.find(({ data, kind }) => kind === 'hook' && data.action === 'start');
    assert.equal(started?.data.ok, true);
    assert.ok(Number(started?.data.ms) > 0);
    assert.ok(events.every(({ node, number }) => node === 'nodeA' && number > 0));
  });
});
