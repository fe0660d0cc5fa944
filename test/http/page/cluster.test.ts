/** What the page says of nodes, links and resources, from what the nodes say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterOf, forgotten } from '../../../daemon/http/page/model/cluster.js';
import type { ResourceModel } from '../../../daemon/http/page/model/resources.js';
import type { ClusterView } from '../../../proto/cluster-types.js';
import { entry, primary, report, view } from './support.js';

const resourceOf = (given: ClusterView): ResourceModel => {
  const [resource] = clusterOf(given, 0).resources;
  assert.ok(resource !== undefined);
  return resource;
};
const summary = (given: ClusterView): string[] => {
  const { text, tone } = resourceOf(given);
  return [tone, text];
};

test('a resource that runs: where, with which votes, under which lease', () => {
  const { epoch, lease, roles, runsOn, text, tone, votes } = resourceOf(view());
  assert.deepEqual(
    [tone, text, runsOn, epoch, votes],
    ['good', 'runs on nodeA', ['nodeA'], 7, '3 of 3 votes'],
  );
  assert.deepEqual(lease, { kind: 'lease', leftMs: 2000, ofMs: 3000, saidAt: 0 });
  assert.deepEqual(
    roles.map(({ nodes, word }) => `${word} ${nodes}`),
    ['primary nodeA', 'secondary nodeB', 'watchdog nodeC'],
  );
});

test('what was said earlier leaves less of the lease', () => {
  const old = view();
  old.nodes[0] = report('nodeA', [primary('nodeA')], { ageMs: 800 });
  assert.equal(clusterOf(old, 10_000).resources[0]?.lease?.saidAt, 9200);
});

test('the holder is not heard: the resource is unknown, never still running', () => {
  const { lease, runsOn } = resourceOf(view({ nodeA: null }));
  assert.deepEqual(summary(view({ nodeA: null })), [
    'unknown',
    'unknown: nodeA, which held the lease, is not heard',
  ]);
  assert.deepEqual([runsOn, lease?.kind, lease?.leftMs], [[], 'grant', 4000]);
  const [node] = clusterOf(view({ nodeA: null }), 0).nodes;
  assert.deepEqual([node?.tone, node?.word, node?.runs], ['unknown', 'unknown', []]);
  assert.equal(node?.detail, 'last heard 0 s ago: no answer');
});

test('two that run it are two, whatever else is so', () => {
  const twice = view({ nodeB: [primary('nodeB')] });
  twice.double = [{ resource: 'web', nodes: ['nodeA', 'nodeB'] }];
  assert.deepEqual(summary(twice), ['bad', 'RUNS ON TWO NODES: nodeA and nodeB']);
  assert.deepEqual(resourceOf(twice).runsOn, ['nodeA', 'nodeB']);
  assert.deepEqual(
    clusterOf(twice, 0).nodes.map(({ tone }) => tone),
    ['bad', 'bad', 'quiet'],
  );
});

test('that two run it is the word of the node that gathers, which knows more than what is shown of each', () => {
  const twice = view({ nodeB: [primary('nodeB', { state: 'stopping' })] });
  twice.double = [{ resource: 'web', nodes: ['nodeA', 'nodeB'] }];
  assert.deepEqual(resourceOf(twice).runsOn, ['nodeA', 'nodeB']);
});

test('by force, starting, stopping, failed, nowhere, not set', () => {
  const with_ = (given: Parameters<typeof primary>[1]): string[] =>
    summary(view({ nodeA: [primary('nodeA', given)] }));
  assert.deepEqual(with_({ forced: true }), ['bad', 'runs on nodeA by force, outside of the lease']);
  assert.deepEqual(with_({ state: 'starting' }), ['busy', 'starting on nodeA']);
  assert.deepEqual(with_({ state: 'stopping' }), ['busy', 'stopping on nodeA']);
  assert.deepEqual(with_({ state: 'failed' }), ['bad', 'failed on nodeA']);
  const nobody = { holder: '', lease: { ...entry('nodeA').lease, leftMs: 0 } };
  const nowhere = (silent: boolean): ClusterView =>
    view({
      nodeA: silent ? null : [entry('nodeA', nobody)],
      nodeB: [entry('nodeB', nobody)],
      nodeC: [entry('nodeC', { ...nobody, role: 'watchdog' })],
    });
  assert.deepEqual(summary(nowhere(false)), ['bad', 'runs nowhere']);
  assert.deepEqual(summary(nowhere(true)), ['bad', 'runs nowhere, as far as is known: nodeA is not heard']);
  const idle = Object.fromEntries(
    ['nodeA', 'nodeB', 'nodeC'].map((node) => [node, [entry(node, { ...nobody, role: 'init' })]]),
  );
  assert.deepEqual(summary(view(idle)), ['quiet', 'no role is set']);
});

test('maintenance, warnings and what a node waits for are said once', () => {
  const maintenance = { node: 'nodeA', reason: 'a new kernel', by: 'alice (uid 1000)' };
  const said = { warnings: ['nothing backs the stop up'], waiting: 'nothing: nodeA holds the lease' };
  const { maintenance: text, notes } = resourceOf(
    view({
      nodeA: [primary('nodeA', { ...said, maintenance })],
      nodeB: [entry('nodeB', { ...said, maintenance })],
    }),
  );
  assert.equal(text, 'left alone on nodeA: a new kernel, by alice (uid 1000)');
  assert.deepEqual(notes, [{ text: 'nothing backs the stop up', nodes: ['nodeA', 'nodeB'] }]);
});

test('a link is what both sides say; of a side that is silent, what the other one says', () => {
  const deaf = (node: string, to: string): ReturnType<typeof entry> => {
    const base = node === 'nodeA' ? primary(node) : entry(node);
    return { ...base, voters: base.voters.map((voter) => ({ ...voter, reachable: voter.node !== to })) };
  };
  const words = (given: ClusterView): string[] =>
    clusterOf(given, 0).links.map(({ one, other, word }) => `${one} ${other}: ${word}`);
  assert.deepEqual(words(view()), [
    'nodeA nodeB: connected',
    'nodeA nodeC: connected',
    'nodeB nodeC: connected',
  ]);
  assert.equal(words(view({ nodeA: [deaf('nodeA', 'nodeB')] }))[0], 'nodeA nodeB: one way only');
  assert.equal(
    words(view({ nodeA: null, nodeB: [deaf('nodeB', 'nodeA')] }))[0],
    'nodeA nodeB: no connection',
  );
  assert.equal(words(view({ nodeA: null, nodeB: null, nodeC: null }))[0], 'nodeA nodeB: unknown');
});

test('what is forgotten has names alone', () => {
  const cluster = forgotten(clusterOf(view(), 0));
  assert.deepEqual(
    new Set(cluster.nodes.map(({ tone, word }) => `${tone} ${word}`)),
    new Set(['unknown unknown']),
  );
  assert.deepEqual(new Set(cluster.links.map(({ tone }) => tone)), new Set(['unknown']));
  const [resource] = cluster.resources;
  assert.deepEqual(
    [resource?.tone, resource?.text, resource?.runsOn, resource?.lease, resource?.notes],
    ['unknown', 'unknown', [], null, []],
  );
  assert.deepEqual(resource?.roles, [
    { tone: 'unknown', word: 'unknown', nodes: ['nodeA', 'nodeB', 'nodeC'] },
  ]);
});
