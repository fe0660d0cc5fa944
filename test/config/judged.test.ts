/** What every node knows of resources that checks judge, those of other nodes included. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NODES } from './monitor-support.js';
import { parse } from './support.js';

test('which checks judge which resource, and who has a part in it, is known on every node', () => {
  const text = `check web tcp://h:1
check db tcp://h:2
resource shared {
  exec /x
  check web
  require db
  on b { remote none }
}
resource other {
  exec /x
  on b { remote none }
}`;
  // A single voter is worth a warning.
  assert.deepEqual(parse(NODES + text).config?.monitor?.judged, [
    { resource: 'shared', checks: ['web'], nodes: ['b'] },
  ]);
});
