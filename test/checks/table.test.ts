/** From results to states and edges. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOfNature, type Nature } from '../../daemon/checks/natures.js';
import type { Judging } from '../../daemon/checks/plan.js';
import { CheckTable, State } from '../../daemon/checks/table.js';

const judging: Judging = { rise: 2, fall: 3, downAfterMs: 0 };

/** One result a second; the edges, at the second they came. */
function run(results: readonly Nature[], rules: Judging = judging): { edges: string[]; table: CheckTable } {
  const table = new CheckTable(1);
  const edges: string[] = [];
  for (const [second, nature] of results.entries()) {
    const edge = table.judge(0, codeOfNature(nature), 0, 1, 1000 + second, rules);
    if (edge !== '') edges.push(`${edge} ${second}`);
  }
  return { edges, table };
}

const of = (text: string): Nature[] =>
  [...text].map((letter) => (letter === '+' ? 'ok' : letter === '?' ? 'local' : 'refused'));

test('fall failures in a row make it down, rise successes make it up again; only edges are told', () => {
  assert.deepEqual(run(of('++--+---+-++--')).edges, ['down 7', 'up 11']);
  assert.deepEqual(run(of('+++++++')).edges, []);
  assert.deepEqual(run(of('--++')).edges, [], 'the first success of all makes it up, without an edge');
});

test('a service that was never up goes down with an edge', () => {
  const { edges, table } = run(of('----'));
  assert.deepEqual(edges, ['down 2']);
  assert.equal(table.state(0), State.DOWN);
  assert.equal(table.since(0), 1002);
});

test("a fault of this machine's own counts neither as a success nor as a failure", () => {
  assert.deepEqual(run(of('+--??-')).edges, ['down 5']);
  assert.deepEqual(run(of('+??????')).edges, []);
});

test('down_after: no success for so long, whatever the number of failures', () => {
  const rules = { rise: 1, fall: 1, downAfterMs: 4000 };
  assert.deepEqual(run(of('+-----'), rules).edges, ['down 4']);
  assert.deepEqual(run(of('+---+---+'), rules).edges, []);
});

test('a check takes less than 128 bytes', () => {
  assert.ok(CheckTable.rowBytes <= 128, String(CheckTable.rowBytes));
});
