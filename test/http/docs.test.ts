/** docs/http.md says all that there is, and nothing that there is not: figures with their labels, and paths of the API. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { answerApi } from '../../daemon/http/api.js';
import { createAsker } from '../../daemon/http/asker.js';
import type { Family } from '../../daemon/http/metrics/exposition.js';
import { createEventFigures } from '../../daemon/http/metrics/from-events.js';
import { balancerFamilies, checkFamilies, wordFamilies } from '../../daemon/http/metrics/monitoring.js';
import { processFamilies } from '../../daemon/http/metrics/processes.js';
import { clusterFamilies, resourceFamilies } from '../../daemon/http/metrics/resources.js';
import { OWN_WORD, pairOf, serviceOf } from '../balancer/console/views.js';
import { checkOf, listOf } from '../ctl/check-support.js';
import { entryOf } from '../ctl/support.js';
import { root } from '../system/paths.js';

const text = readFileSync(path.join(root, 'docs/http.md'), 'utf8');
const TYPES: Readonly<Record<string, string>> = { 'state set': 'stateset' };
/** Of what is always told, in metrics.ts. */
const ALWAYS = ['hastmon_up', 'hastmon_build_info', 'hastmon_node_info', 'hastmon_balancer_up'];

function families(): Family[] {
  const status = [entryOf()];
  const said = { version: '1', uptimeMs: 1, status, checks: null, balancer: null };
  const nodes = [{ node: 'b', self: false, note: '', heardMs: 0, ageMs: 0, said }];
  const figures = {
    process: 'main',
    resource: '',
    pid: 1,
    cpuSeconds: 1,
    residentBytes: 1,
    descriptors: 1,
    uptimeMs: 1,
  };
  return [
    ...resourceFamilies(status, 0),
    ...clusterFamilies({ node: 'a', at: 0, nodes, double: [] }, status),
    ...checkFamilies({ ...listOf(checkOf({ nature: 'refused', state: 'down' })), ageMs: 0 }),
    ...wordFamilies(OWN_WORD),
    ...balancerFamilies([pairOf()], [serviceOf()]),
    ...processFamilies({ processes: [figures], restarts: { http: 1 } }),
    ...createEventFigures().families(['db']),
  ];
}

const rows = [...text.matchAll(/^\| `(hastmon_[a-z_]+)` \| ([a-z ]+) \| ([a-z, ]*) ?\|/gm)].map(
  ([, name = '', type = '', labels = '']) => ({
    name,
    type: TYPES[type] ?? type,
    labels: labels
      .split(', ')
      .map((label) => label.trim())
      .filter((label) => label !== ''),
  }),
);

test('every figure is in the table, with its type, and nothing else', () => {
  const described = new Map(rows.map(({ name, type }) => [name, type]));
  assert.equal(described.size, rows.length);
  for (const { name, type } of families()) assert.equal(described.get(name), type, name);
  const known = new Set([...families().map(({ name }) => name), ...ALWAYS]);
  assert.deepEqual(
    [...described.keys()].filter((name) => !known.has(name)),
    [],
  );
});

test('with its labels', () => {
  for (const { name, samples, type } of families())
    for (const { labels } of samples) {
      const own = Object.keys(labels).filter(
        (label) => label !== 'le' && !(type === 'stateset' && label === name),
      );
      assert.deepEqual(own, rows.find((row) => row.name === name)?.labels, name);
    }
});

test('every path of the API is there', () => {
  const paths = [...text.matchAll(/^\| `\/api\/v1\/([a-z/A-Z]+)` \|/gm)].map(([, found = '']) => found);
  assert.ok(paths.length >= 10);
  const asker = createAsker({ send: () => {}, clock: () => 0 });
  const context = { asker, facts: { node: 'a', checks: false, balancer: false } };
  for (const found of paths.filter((name) => name !== 'stream')) {
    // Refused before anybody is asked: that it is known is all that is looked at.
    const answered = answerApi(context, found, new URLSearchParams('no-such-thing=1'));
    assert.ok(answered !== null && 'status' in answered, found);
    assert.equal(answered.status, 400, found);
  }
});
