/** Questions to the main process: which are one, how long an answer is used, and what is said where none comes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answered, createAsker, FRESH_MS } from '../../daemon/http/asker.js';
import type { HttpQuestion } from '../../daemon/http/ipc.js';
import { joinParts, partsOf } from '../../daemon/http/join.js';
import type { ControlReply } from '../../proto/control-types.js';
import { pairOf } from '../balancer/console/views.js';
import { until } from '../system/wait.js';

const STATUS: HttpQuestion = { kind: 'status', resources: 'all' };
const VERSION: HttpQuestion = { kind: 'version' };

function trial() {
  let now = 1000;
  const sent: { question: number; what: HttpQuestion }[] = [];
  const asker = createAsker({
    send: (question, what) => void sent.push({ question, what }),
    clock: () => now,
  });
  const answer = (question: number, text: string, final = true): void =>
    asker.heard({ kind: 'answer', question, final, reply: { text }, figures: null });
  return {
    ...{ asker, sent, answer },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const textOf = (answered: Answered): string | undefined =>
  answered.kind === 'answer' ? answered.reply.text : undefined;

describe('equal questions', () => {
  test('that come together are one', async () => {
    const { answer, asker, sent } = trial();
    const both = [asker.ask(STATUS), asker.ask({ ...STATUS }), asker.ask(VERSION)];
    assert.deepEqual(
      sent.map(({ what }) => what.kind),
      ['status', 'version'],
    );
    answer(1, 'one');
    answer(2, 'two');
    assert.deepEqual((await Promise.all(both)).map(textOf), ['one', 'one', 'two']);
  });

  test('that come a little later have the same answer, with its age; then they are asked anew', async () => {
    const { answer, asker, pass, sent } = trial();
    const first = asker.ask(STATUS);
    answer(1, 'one');
    await first;
    pass(40);
    assert.deepEqual(await asker.ask(STATUS), {
      kind: 'answer',
      reply: { text: 'one' },
      figures: null,
      ageMs: 40,
    });
    assert.equal(sent.length, 1);
    await until(
      () => {
        void asker.ask(STATUS, 1);
        return sent.length === 2;
      },
      100 * FRESH_MS,
      'an answer is used for ever',
    );
  });

  test('are asked anew when something has happened', async () => {
    const { answer, asker, sent } = trial();
    const first = asker.ask(STATUS);
    const other = asker.ask(VERSION);
    answer(1, 'one');
    await first;
    asker.forget();
    void asker.ask(STATUS, 1);
    assert.equal(sent.length, 3);
    // What is being answered may still be told of it.
    answer(2, 'two');
    assert.equal(textOf(await other), 'two');
  });
});

test('a main process that does not answer is silent, with the time since it last did', async () => {
  const { answer, asker, pass } = trial();
  assert.deepEqual(await asker.ask(STATUS, 1), { kind: 'silent', knownMs: null });
  answer(1, 'late');
  pass(500);
  assert.deepEqual(await asker.ask(VERSION, 1), { kind: 'silent', knownMs: 500 });
});

test('there are so many questions at once at most, and those that nobody answers are forgotten', async () => {
  const { asker, pass, sent } = trial();
  const ask = (name: string): Promise<Answered> => asker.ask({ kind: 'check', name }, 1);
  await Promise.all(Array.from({ length: 60 }, (_, index) => ask(String(index))));
  assert.equal(sent.length, 48);
  pass(60_001);
  await ask('more');
  assert.equal(sent.length, 49);
});

test('a long answer in parts is the same when it is joined', () => {
  const hosts = Array.from({ length: 1201 }, (_, index) => pairOf({ host: `web${index}` }));
  const reply: Partial<ControlReply> = { text: 'x', balancer: { kind: 'hosts', hosts, note: 'n' } };
  const parts = partsOf(reply);
  assert.equal(parts.length, 3);
  assert.deepEqual(joinParts(parts).balancer, reply.balancer);
  assert.deepEqual(partsOf({ text: 'x' }), [{ text: 'x' }]);
  const none: Partial<ControlReply> = { balancer: { kind: 'hosts', hosts: [], note: 'n' } };
  assert.deepEqual(joinParts(partsOf(none)), none);
});
