/** What somebody probably meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RULES } from '../../daemon/config/grammar.js';
import { editDistance, nearest } from '../../daemon/config/suggest.js';

test('the distance of two words', () => {
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('abc', 'abc'), 0);
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('ab', 'ba'), 1, 'swapped neighbours are one mistake');
  assert.equal(editDistance('frineds', 'friends'), 1);
});

test('the nearest statement', () => {
  const meant: readonly [string, string][] = [
    ['timeot', 'timeout'],
    ['frineds', 'friends'],
    ['Priority', 'priority'],
    ['heartbeat-interval', 'heartbeat_interval'],
    ['heartbeatinterval', 'heartbeat_interval'],
    ['complain_count', 'complaint_count'],
    ['exce', 'exec'],
    ['heartbeat', 'heartbeat_interval'],
    ['listen_address', 'listen'],
    ['no', 'on'],
  ];
  for (const [word, statement] of meant) assert.equal(nearest(word, RULES.keys()), statement, word);
});

test('no nearest where nothing is near', () => {
  for (const word of ['', 'frobnicate', 'x', 'a'.repeat(41), 'constructor']) {
    assert.equal(nearest(word, RULES.keys()), '', word);
  }
});
