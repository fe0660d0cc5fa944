import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMonitorChannel } from '../../daemon/runtime/monitor-channel.js';

test('what is long is said a piece in each turn, made when it is its turn, and nothing overtakes it', async () => {
  const said: string[] = [];
  const channel = createMonitorChannel<string>((message) => said.push(message));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  let made = 'then';
  channel.say('setup');
  channel.sayAll([() => 'one', () => made, () => 'three']);
  channel.say('look');
  assert.deepEqual(said, ['setup']);
  await turn();
  assert.deepEqual(said, ['setup', 'one']);
  made = 'now';
  channel.sayAll([() => 'four']);
  for (let turns = 0; turns < 4; turns += 1) await turn();
  assert.deepEqual(said, ['setup', 'one', 'now', 'three', 'look', 'four']);
  channel.say('at once');
  assert.equal(said.at(-1), 'at once');
});
