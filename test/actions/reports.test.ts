/** What checks have said: what is a change, how old it is, and how much is remembered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forget, NAMES_MAX, note, type ReportBook } from '../../daemon/actions/reports.js';

const said = (state: string, other = {}) => ({
  ...{ node: 'a', check: 'db', state, ageMs: 0, forMs: 0 },
  ...other,
});

test('the first word is no change, the same again is none, another one is', () => {
  const book: ReportBook = new Map();
  assert.equal(note(book, said('ok'), 1000), null);
  assert.equal(note(book, said('ok'), 2000), null);
  assert.deepEqual(book.get('a')?.get('db'), { state: 'ok', since: 1000, at: 2000 });
  assert.deepEqual(note(book, said('lagging'), 3000), { node: 'a', check: 'db', from: 'ok', to: 'lagging' });
  assert.equal(note(book, said('ok', { check: 'other' }), 3000), null, 'another check');
  assert.equal(note(book, said('ok', { node: 'b' }), 3000), null, 'another node');
});

test('what another node says is as old as it says', () => {
  const book: ReportBook = new Map();
  note(book, said('ok', { ageMs: 400, forMs: 5000 }), 10_000);
  assert.deepEqual(book.get('a')?.get('db'), { state: 'ok', since: 5000, at: 9600 });
  note(book, said('ok', { ageMs: 900, forMs: 6000 }), 10_100);
  assert.equal(book.get('a')?.get('db')?.at, 9600, 'an older word of the same makes nothing older');
});

test('names are remembered up to a bound, and checks that are gone are forgotten', () => {
  const book: ReportBook = new Map();
  for (let index = 0; index < NAMES_MAX; index += 1) note(book, said('ok', { check: `c${index}` }), 0);
  assert.equal(note(book, said('ok', { check: 'more' }), 0), 'full');
  assert.notEqual(note(book, said('bad', { check: 'c1' }), 0), 'full', 'those that are known go on');
  forget(book, (node, check) => node === 'a' && check === 'c1');
  assert.equal(book.get('a')?.has('c1'), false);
  assert.equal(note(book, said('ok', { check: 'more' }), 0), null);
});
