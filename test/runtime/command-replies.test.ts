// Who waits for a command is answered, also where nothing will answer it any more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCommandReplies } from '../../daemon/runtime/command-replies.js';

const nothing = (): void => {};

test('who waits, and who asks later, hears why there is no answer any more', async () => {
  const replies = createCommandReplies();
  const waits = replies.open(nothing, true, nothing);
  replies.close('it is gone');
  const gone = { error: 'it is gone', text: '', done: true };
  assert.deepEqual(await waits, gone);
  assert.deepEqual(await replies.open(nothing, true, nothing), gone);
  assert.deepEqual(await replies.open(nothing, false, nothing), gone);
});

test('what was answered before stays so', async () => {
  const replies = createCommandReplies();
  let number = 0;
  const begin = (id: number): void => {
    number = id;
  };
  const waits = replies.open(begin, true, nothing);
  replies.answer(number, { error: '', text: 'done', done: true });
  replies.close('it is gone');
  assert.deepEqual(await waits, { error: '', text: 'done', done: true });
});
