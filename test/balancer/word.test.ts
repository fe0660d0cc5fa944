/** Whose word the views of the balancer are, and until when it counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followerWords, hear, type LastWord, wordAt } from '../../daemon/balancer/word.js';

const NONE: LastWord = { node: '', at: 1000, fresh: false };

test("the director's word counts while it is heard, and once it has told all", () => {
  const partly = hear(NONE, { director: 'b', heardAt: 2000, complete: false });
  assert.deepEqual(partly, NONE);
  const known = hear(partly, { director: 'b', heardAt: 2300, complete: true });
  assert.deepEqual(known, { node: 'b', at: 2300, fresh: true });
  assert.deepEqual(wordAt(known, 2500), { node: 'b', ageMs: 200, fresh: true });
});

test('what is not heard any more has the age of the last word, whoever comes next', () => {
  const known: LastWord = { node: 'b', at: 2300, fresh: true };
  const lost = hear(known, { director: null, heardAt: 9000, complete: false });
  assert.deepEqual(lost, { node: 'b', at: 2300, fresh: false });
  const next = hear(lost, { director: 'c', heardAt: 9000, complete: false });
  assert.deepEqual(wordAt(next, 14_300), { node: 'b', ageMs: 12_000, fresh: false });
  assert.equal(hear(next, { director: 'c', heardAt: 14_000, complete: true }).node, 'c');
});

test('it is said in words', () => {
  assert.match(
    followerWords({ node: 'b', ageMs: 3000, fresh: true }),
    /^this node is not the director: .* the word of b, 3 s old$/,
  );
  assert.match(
    followerWords({ node: 'b', ageMs: 12_000, fresh: false }),
    /unknown since 12 s: the last word was that of b$/,
  );
  assert.match(
    followerWords({ node: '', ageMs: 5000, fresh: false }),
    /unknown since 5 s: no director has been heard since hastmond began$/,
  );
});
