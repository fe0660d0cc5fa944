/** Earlier events for viewers whose first question was not answered: asked for again, in order, and not for ever. */
import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Answered, Asker } from '../../daemon/http/asker.js';
import { TRIES_MAX } from '../../daemon/http/replay.js';
import { createEventStream, type EventStream } from '../../daemon/http/stream.js';
import type { HaEvent } from '../../proto/event-types.js';
import { until } from '../system/wait.js';
import { type Watching, watch } from './support.js';

const LIMIT_MS = 20_000;
const BUSY: Answered = { kind: 'busy' };
const SILENT: Answered = { kind: 'silent', knownMs: 3 };
const REFUSED: Answered = answerOf({ error: { code: 69, message: 'too many questions at once' } });

function answerOf(reply: Extract<Answered, { kind: 'answer' }>['reply']): Answered {
  return { kind: 'answer', reply, figures: null, ageMs: 0 };
}

function eventOf(number: number): HaEvent {
  return {
    ...{ number, at: number, node: 'a', kind: 'daemon-started' },
    text: `${number}`,
    data: {},
  } as HaEvent;
}

const events = (...numbers: number[]): Answered => answerOf({ events: numbers.map(eventOf) });

interface Served {
  stream: EventStream;
  /** What is answered to questions for events, one after the other; the last one stays. */
  answers: (Answered | Promise<Answered>)[];
  /** How many events were asked for. */
  asked: number[];
  port: number;
}

async function serve(t: TestContext): Promise<Served> {
  const answers: (Answered | Promise<Answered>)[] = [];
  const asked: number[] = [];
  const asker: Asker = {
    async ask(what) {
      if (what.kind !== 'events') return SILENT;
      asked.push(what.last ?? 0);
      return (answers.length > 1 ? answers.shift() : answers[0]) ?? BUSY;
    },
    heard() {},
    forget() {},
  };
  const facts = { node: 'a', checks: false, balancer: false };
  const stream = createEventStream({ context: () => ({ asker, facts }), headers: {}, againMs: 20 });
  const server = http.createServer((request, response) => void stream.open(request, response, 3));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { stream, answers, asked, port: (server.address() as AddressInfo).port };
}

const numbersOf = ({ told }: Watching): number[] =>
  told.flatMap(({ data, event }) => (event === 'event' ? [Number(data.number)] : []));

test('a viewer whose question was not answered is told what was before all the same, then what happened meanwhile', async (t) => {
  const { answers, asked, port, stream } = await serve(t);
  answers.push(BUSY, SILENT, REFUSED, BUSY);
  const viewer = watch(port);
  t.after(viewer.close);
  await until(
    () => asked.length >= 4,
    LIMIT_MS,
    () => `asked ${asked.length} times`,
  );
  stream.event(eventOf(8));
  stream.event(eventOf(9));
  answers.splice(0, answers.length, events(5, 6, 7, 8));
  await until(
    () => numbersOf(viewer).length >= 4,
    LIMIT_MS,
    () => `told ${numbersOf(viewer)}`,
  );
  assert.deepEqual(numbersOf(viewer), [6, 7, 8, 9]);
});

test('one that comes back is told all that it has missed, also where it has to be asked for again', async (t) => {
  const { answers, port } = await serve(t);
  answers.push(BUSY, events(4, 5, 6, 7, 8));
  const viewer = watch(port, { headers: { 'Last-Event-ID': '4' } });
  t.after(viewer.close);
  await until(
    () => numbersOf(viewer).length >= 4,
    LIMIT_MS,
    () => `told ${numbersOf(viewer)}`,
  );
  assert.deepEqual(numbersOf(viewer), [5, 6, 7, 8]);
});

test('where there is never an answer, it is told what happens from then on', async (t) => {
  const { answers, asked, port, stream } = await serve(t);
  answers.push(REFUSED);
  const viewer = watch(port);
  t.after(viewer.close);
  await until(() => asked.length >= 1, LIMIT_MS, 'nothing is asked');
  stream.event(eventOf(1));
  await until(() => numbersOf(viewer).length >= 1, LIMIT_MS, 'what has happened waits for ever');
  assert.equal(asked.length, TRIES_MAX);
});

test('a silent main process is asked for as long as the viewer is there, and no longer', async (t) => {
  const { answers, asked, port } = await serve(t);
  answers.push(SILENT);
  const viewer = watch(port);
  await until(
    () => asked.length > 2 * TRIES_MAX,
    LIMIT_MS,
    () => `asked ${asked.length} times`,
  );
  viewer.close();
  let [before, since] = [-1, 0];
  const rests = (): boolean => {
    if (asked.length !== before) [before, since] = [asked.length, performance.now()];
    return performance.now() - since > 500;
  };
  await until(rests, LIMIT_MS, 'it is asked for nobody');
});

test('viewers who come together wait for one question', async (t) => {
  const { answers, asked, port } = await serve(t);
  let answer: (answered: Answered) => void = () => {};
  answers.push(new Promise((resolve) => (answer = resolve)), events(1, 2, 3));
  const viewers = Array.from({ length: 5 }, () => watch(port));
  t.after(() => viewers.forEach((viewer) => void viewer.close()));
  for (const viewer of viewers) await viewer.opened;
  answer(events(1, 2, 3));
  for (const viewer of viewers)
    await until(
      () => numbersOf(viewer).length === 3,
      LIMIT_MS,
      () => `told ${numbersOf(viewer)}`,
    );
  assert.ok(asked.length <= 2, `asked ${asked.length} times`);
});
