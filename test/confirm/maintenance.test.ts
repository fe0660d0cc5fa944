// Alerts of checks that judge a resource in maintenance.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOWN, ruleFor, Table } from './given.js';

test('[E9] of what judges a resource in maintenance nothing is told before that is over', () => {
  const nodes = ['a', 'b'];
  const table = new Table(nodes, { checks: { web: ruleFor(nodes, { leftAlone: 'shared' }) } });
  for (const name of nodes) table.see(name, 'web', DOWN);
  table.pass(60_000);
  assert.deepEqual(table.told, []);
  assert.ok(table.logs.includes('a web: not told: shared is in maintenance'));
  const over = { ...table.config, checks: { web: ruleFor(nodes) } };
  for (const name of nodes) table.input(name, { kind: 'config', config: over });
  table.pass(60_000);
  assert.deepEqual(table.told, ['web#1 down by a']);
});
