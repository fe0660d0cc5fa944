/** Questions to the main process: which are one, how long an answer is used, and what is said where none comes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answered, createAsker, FRESH_MS } from '../../daemon/http/asker.js';
import type { HttpQuestion } from '../../daemon/http/ipc.js';
import { joinParts, partsOf } from '../../daemon/http/join.js';
import { throttled } from '../../daemon/http/throttle.js';
import type { ControlReply } from '../../proto/control-types.js';
import { OWN_WORD, pairOf } from '../balancer/console/views.js';
import { until } from '../system/wait.js';

const LIMIT_MS = 20_000;
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
        void asker.ask(STATUS, { limitMs: 1 });
        return sent.length === 2;
      },
      100 * FRESH_MS,
      'an answer is used for ever',
    );
  });

  test('are asked anew when something has happened, also those that are under way', async () => {
    const { answer, asker, sent } = trial();
    const first = asker.ask(STATUS);
    const other = asker.ask(VERSION);
    answer(1, 'one');
    await first;
    asker.forget();
    const after = [asker.ask(STATUS), asker.ask(VERSION)];
    assert.equal(sent.length, 4);
    answer(2, 'of before');
    answer(3, 'status');
    answer(4, 'version');
    assert.equal(textOf(await other), 'of before');
    assert.deepEqual((await Promise.all(after)).map(textOf), ['status', 'version']);
    assert.equal(textOf(await asker.ask(VERSION)), 'version');
  });

  test("that are to be asked anew are, and are nobody else's", async () => {
    const { answer, asker, sent } = trial();
    const asked = [asker.ask(STATUS), asker.ask(STATUS, { anew: true }), asker.ask(STATUS)];
    assert.equal(sent.length, 2);
    answer(2, 'anew');
    answer(1, 'one');
    assert.deepEqual((await Promise.all(asked)).map(textOf), ['one', 'anew', 'one']);
  });

  test('have an answer as old as the question, and none of before the machine slept', async () => {
    const { answer, asker, pass, sent } = trial();
    const first = asker.ask(STATUS);
    pass(700);
    answer(1, 'one');
    const found = await first;
    assert.deepEqual([textOf(found), found.kind === 'answer' && found.ageMs], ['one', 700]);
    pass(3_600_000);
    void asker.ask(STATUS, { limitMs: 1 });
    assert.equal(sent.length, 2);
  });
});

test('what is wanted often is done at once, and once more at the end', async () => {
  let done = 0;
  const run = throttled(20, () => {
    done += 1;
  });
  for (let wanted = 0; wanted < 5; wanted += 1) run();
  assert.equal(done, 1);
  await until(() => done === 2, LIMIT_MS, 'the last one was not heard');
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(done, 2);
});

test('a main process that does not answer is silent, with the time since it last did', async () => {
  const { answer, asker, pass } = trial();
  assert.deepEqual(await asker.ask(STATUS, { limitMs: 1 }), { kind: 'silent', knownMs: null });
  answer(1, 'late');
  pass(500);
  assert.deepEqual(await asker.ask(VERSION, { limitMs: 1 }), { kind: 'silent', knownMs: 500 });
});

test('there are so many questions at once at most, beside those of health; those that nobody answers are forgotten', async () => {
  const { answer, asker, pass, sent } = trial();
  const ask = (name: string): Promise<Answered> => asker.ask({ kind: 'check', name }, { limitMs: 1 });
  const found = await Promise.all(Array.from({ length: 60 }, (_, index) => ask(String(index))));
  assert.equal(sent.length, 48);
  assert.equal(found.filter(({ kind }) => kind === 'busy').length, 12);
  const health = asker.ask(VERSION, { reserved: true });
  answer(49, 'here');
  assert.equal(textOf(await health), 'here');
  pass(60_001);
  await ask('more');
  assert.equal(sent.length, 50);
});

test('a long answer in parts is the same when it is joined', () => {
  const hosts = Array.from({ length: 1201 }, (_, index) => pairOf({ host: `web${index}` }));
  const reply: Partial<ControlReply> = {
    text: 'x',
    balancer: { kind: 'hosts', hosts, note: 'n', source: OWN_WORD },
  };
  const parts = partsOf(reply);
  assert.equal(parts.length, 3);
  assert.deepEqual(joinParts(parts).balancer, reply.balancer);
  assert.deepEqual(partsOf({ text: 'x' }), [{ text: 'x' }]);
  const none: Partial<ControlReply> = { balancer: { kind: 'hosts', hosts: [], note: 'n', source: OWN_WORD } };
  assert.deepEqual(joinParts(partsOf(none)), none);
});
