/** Links of the nodes that monitor: beside those of resources, kept alive by the network itself, under the same rules of access. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Address } from '../../daemon/config/types.js';
import { type LinkGroup, MONITORING } from '../../daemon/net/group.js';
import type { LinkMessage } from '../../proto/codec.js';
import { cleanUp, key, patient, startNode, state, undisturbed, until } from './cluster.js';

afterEach(cleanUp);

function monitoring(remote: readonly Address[], changes: Partial<LinkGroup> = {}): LinkGroup {
  return {
    ...{ name: MONITORING, voters: ['nodeA', 'nodeB'], key, friends: [], remote, probes: true },
    ...{ timeoutMs: 1000, heartbeatIntervalMs: 50, leaseTimeoutMs: 600 },
    ...changes,
  };
}

const grant: LinkMessage = { kind: 'confirm', message: { kind: 'grant', check: 'web', edge: 3 } };

test(
  '[N17] they stay linked without a word from their owner, and are told apart from those of a resource',
  undisturbed(async () => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    a.network.configure([monitoring([b.address]), patient([b.address])]);
    b.network.configure([monitoring([a.address]), patient([a.address])]);
    await until('both are linked twice', () => a.events.length === 2 && b.events.length === 2);
    const since = a.network.links(MONITORING)[0]?.since ?? 0;
    const quietMs = 1300;
    await until(
      'twice the silence that ends a connection has passed',
      () => performance.now() - since > quietMs,
    );
    assert.deepEqual([...a.events].sort(), [`${MONITORING}: up nodeB`, 'up nodeB']);
    assert.equal(a.network.send(MONITORING, 'nodeB', grant), true);
    assert.equal(a.network.send('shared', 'nodeB', state(1)), true);
    await until('both have come', () => b.received.length === 2);
    assert.deepEqual(b.received.map(({ resource, message }) => `${resource} ${message.kind}`).sort(), [
      `${MONITORING} confirm`,
      'shared state',
    ]);
    assert.equal(a.network.waiting(MONITORING, 'nodeB'), 0);
    assert.equal(a.network.waiting(MONITORING, 'nodeZ'), Number.POSITIVE_INFINITY);
  }),
);

test('[N5] [N23] another key, no key, and a node that does not monitor are kept out', async () => {
  const a = await startNode('nodeA');
  const b = await startNode('nodeB');
  const c = await startNode('nodeC');
  a.network.configure([monitoring([b.address])]);
  b.network.configure([monitoring([a.address], { key: { ...key, secret: 'another secret of the tests' } })]);
  c.network.configure([monitoring([a.address], { voters: ['nodeA', 'nodeC'] })]);
  const said = (words: RegExp): boolean => a.log.some(({ text }) => words.test(text));
  await until('a says why', () => said(/secrets differ/) && said(/nodeC does not monitor here/));
  await until('c hears why', () =>
    c.log.some(({ text }) => /not among the nodes that monitor there/.test(text)),
  );
  assert.deepEqual([a.events, b.events, c.events], [[], [], []]);
});
