/** What a drill takes from the words of nodes: who is there, by whose word, and how long hooks take. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SceneNode, sceneOf } from '../../daemon/drill/scene.js';
import type { DrillFacts } from '../../proto/drill-types.js';
import { factsOf, MEASURED, SETTINGS } from './support.js';

function nodeOf(name: string, asked: DrillFacts, ...others: DrillFacts[]): SceneNode {
  const found = sceneOf(asked, others).nodes.find((node) => node.name === name);
  assert.ok(found !== undefined);
  return found;
}

/** What beta says of itself and of the others. */
function ofBeta(other: Parameters<typeof factsOf>[0] = {}): DrillFacts {
  const { settings = {}, ...rest } = other;
  return factsOf({ node: 'beta', settings: { node: 'beta', priority: 7, ...settings }, ...rest });
}

test('hooks: the longest measured on the node, else on another one, else what the limit allows', () => {
  const asked = factsOf({ hooks: [{ action: 'start', ms: 900 }, ...MEASURED] });
  const alpha = nodeOf('alpha', asked);
  assert.deepEqual([alpha.times.start, alpha.sources.start], [900, { kind: 'node', count: 2 }]);
  const beta = nodeOf('beta', asked, ofBeta({ hooks: [{ action: 'stop', ms: 40 }] }));
  assert.deepEqual([beta.times.start, beta.sources.start], [900, { kind: 'others', count: 2 }]);
  assert.deepEqual([beta.times.stop, beta.sources.stop], [40, { kind: 'node', count: 1 }]);
  const none = nodeOf('alpha', factsOf());
  assert.deepEqual(none.sources, { start: { kind: 'limit' }, stop: { kind: 'limit' } });
  // Each ends before it would be told to: start at 90 % of its limit, stop at 70 %.
  assert.ok(
    none.times.start < 0.9 * SETTINGS.startTimeoutMs && none.times.start > 0.85 * SETTINGS.startTimeoutMs,
  );
  assert.ok(
    none.times.stop < 0.7 * SETTINGS.stopTimeoutMs && none.times.stop > 0.65 * SETTINGS.stopTimeoutMs,
  );
});

test('a hook that once took longer than the limit of now does not any more', () => {
  const hooks = [{ action: 'start', ms: 120_000 }];
  assert.ok(nodeOf('alpha', factsOf({ hooks })).times.start < SETTINGS.startTimeoutMs);
});

test('a node is what it says itself; where it has not answered, what its heartbeats say', () => {
  const asked = factsOf({ nodes: { beta: { able: false, priority: 5 } } });
  assert.match(nodeOf('beta', asked).unfit, /cannot take over/);
  assert.equal(nodeOf('beta', asked).settings.priority, 5);
  const said = ofBeta({ unfit: 'disk is down', gaveUpMs: 4000 });
  const beta = nodeOf('beta', asked, said);
  assert.deepEqual([beta.unfit, beta.gaveUpMs, beta.settings.priority], ['disk is down', 4000, 7]);
  assert.equal(beta.settings.node, 'beta');
});

test('who is silent is lost; who answers is there, whatever its heartbeats', () => {
  const asked = factsOf({ nodes: { beta: { fresh: false }, gamma: { fresh: false } } });
  assert.deepEqual(
    sceneOf(asked, [ofBeta()]).nodes.map(({ name, there }) => [name, there]),
    [
      ['alpha', true],
      ['beta', true],
      ['gamma', false],
    ],
  );
});

test('a connection counts as missing where either side says so', () => {
  const asked = factsOf({ nodes: { beta: { linked: false } } });
  assert.deepEqual(sceneOf(asked, []).cuts, [['alpha', 'beta']]);
  const said = ofBeta({ nodes: { gamma: { linked: false } } });
  assert.deepEqual(sceneOf(factsOf(), [said]).cuts, [['beta', 'gamma']]);
  const away = factsOf({ nodes: { gamma: { linked: false, fresh: false } } });
  assert.deepEqual(sceneOf(away, []).cuts, [], 'with one that is lost there is none to be cut');
});

test('a voter without history: by its own word, else by its heartbeats; of one that is lost it does not matter', () => {
  const asked = factsOf({ nodes: { beta: { history: false }, gamma: { history: false, fresh: false } } });
  assert.deepEqual(
    sceneOf(asked, []).nodes.map(({ history }) => history),
    [true, false, true],
  );
  assert.equal(nodeOf('beta', asked, ofBeta()).history, true, 'it has learned one meanwhile');
});
