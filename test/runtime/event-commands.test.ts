/** What hastmonctl events is answered, and which requests are events themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandEvent, createCommandRecorder } from '../../daemon/runtime/command-events.js';
import { createEventsHandler } from '../../daemon/runtime/event-commands.js';
import type { ControlRequest } from '../../proto/control-types.js';
import type { EventsRequest, HaEvent, NewEvent } from '../../proto/event-types.js';

const at = (number: number, about: Partial<HaEvent> = {}): HaEvent => ({
  ...{
    number,
    node: 'a',
    at: 1000 * number,
    boot: 'b',
    bootMs: number,
    kind: 'fencing',
    text: 't',
    data: {},
  },
  ...about,
});
const REQUEST: EventsRequest = { kind: 'events', names: [], sinceMs: null, last: null, follow: false };

/** A journal with these, and what a question is answered while `meanwhile` happens. */
async function asked(
  request: Partial<EventsRequest>,
  known: readonly HaEvent[],
  meanwhile: (tell: (event: HaEvent) => void) => void = () => {},
) {
  const listeners = new Set<(event: HaEvent) => void>();
  const tell = (event: HaEvent): void => listeners.forEach((listener) => void listener(event));
  const journal = {
    async read(wanted: (event: HaEvent) => boolean, last = Number.POSITIVE_INFINITY): Promise<HaEvent[]> {
      meanwhile(tell);
      const found = known.filter(wanted);
      return found.slice(Math.max(0, found.length - last));
    },
    subscribe(listener: (event: HaEvent) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const got: number[] = [];
  const abort = new AbortController();
  const done = createEventsHandler(journal, () => 10_000)(
    { ...REQUEST, ...request },
    ({ events = [] }) => void got.push(...events.map(({ number }) => number)),
    abort.signal,
  );
  return { got, tell, abort, done, listeners };
}

test('by what they are about, in any place, and since when', async () => {
  const known = [
    at(1, { resource: 'db' }),
    at(5, { check: 'db' }),
    at(8, { host: 's1', service: 'www' }),
    at(9),
  ];
  const got = async (request: Partial<EventsRequest>): Promise<number[]> => {
    const trial = await asked(request, known);
    await trial.done;
    assert.equal(trial.listeners.size, 0);
    return trial.got;
  };
  assert.deepEqual(await got({}), [1, 5, 8, 9]);
  assert.deepEqual(await got({ names: ['db'] }), [1, 5]);
  assert.deepEqual(await got({ names: ['www', 'nobody'] }), [8]);
  assert.deepEqual(await got({ names: ['s1'] }), [8]);
  assert.deepEqual(await got({ sinceMs: 5000 }), [5, 8, 9]);
  assert.deepEqual(await got({ sinceMs: 4999 }), [8, 9]);
  assert.deepEqual(await got({ last: 2 }), [8, 9]);
});

test('between two pages everything else has its turn, and who has gone is told nothing more', async () => {
  const known = Array.from({ length: 1000 }, (_, index) => at(index + 1));
  const trial = await asked({}, known);
  const seen = new Set<number>();
  let over = false;
  const look = (): void => {
    seen.add(trial.got.length);
    if (!over) setImmediate(look);
  };
  look();
  await trial.done;
  over = true;
  for (const told of [200, 400, 600, 800]) assert.ok(seen.has(told), [...seen].join());
  const gone = await asked({}, known);
  gone.abort.abort();
  await gone.done;
  assert.ok(gone.got.length <= 200);
});

test('who follows misses nothing of what happens while the journal is read, and hears nothing twice', async () => {
  const db = { resource: 'db' };
  const known = [at(1, db), at(2, db)];
  // 2 is recorded between the subscription and the end of the read, 3 after what was read.
  const trial = await asked({ follow: true, names: ['db'] }, known, (tell) => {
    tell(at(2, db));
    tell(at(3, db));
    tell(at(4, { resource: 'web' }));
  });
  await new Promise((resolve) => setImmediate(resolve));
  trial.tell(at(5, db));
  trial.tell(at(6));
  assert.deepEqual(trial.got, [1, 2, 3, 5]);
  trial.abort.abort();
  await trial.done;
  assert.equal(trial.listeners.size, 0, 'nothing is left of who has gone');
});

test('changes that somebody asks for are events, with who it was and what they were about', () => {
  const cases: [ControlRequest, string, object][] = [
    [
      { kind: 'role', role: 'primary', resources: ['db'], force: true, wait: true },
      'role primary db --force',
      { resource: 'db' },
    ],
    [{ kind: 'role', role: 'init', resources: 'all', force: false, wait: false }, 'role init all', {}],
    [{ kind: 'switchover', resource: 'db', to: 'b', wait: true }, 'switchover db --to b', { resource: 'db' }],
    [{ kind: 'bootstrap', resource: 'db' }, 'bootstrap db', { resource: 'db' }],
    [{ kind: 'reload' }, 'reload', {}],
    [{ kind: 'ack', names: ['www'], by: 'x' }, 'check ack www', { check: 'www' }],
    [{ kind: 'mute', names: ['a', 'b'], forMs: 5 }, 'mute a b', {}],
    [{ kind: 'mute', names: ['a'], forMs: 0 }, 'unmute a', { check: 'a' }],
    [{ kind: 'balancer-reload' }, 'balancer reload', {}],
    [
      {
        kind: 'balancer-set',
        command: { kind: 'off', hosts: ['s1'], services: ['www'], reasons: ['disk'], by: 'x' },
      },
      'host s1 off --vs www --reason disk',
      { host: 's1' },
    ],
    [
      { kind: 'balancer-console', session: '1', by: 'x', line: ' set host s1 off ' },
      'console: set host s1 off',
      {},
    ],
    [
      { kind: 'balancer-console', session: '1', by: 'x', line: 'config reload' },
      'console: config reload',
      {},
    ],
  ] as [ControlRequest, string, object][];
  for (const [request, command, about] of cases) {
    assert.deepEqual(commandEvent('alice (uid 1000)', request, ''), {
      ...{ kind: 'command', ...about, by: 'alice (uid 1000)', text: `hastmonctl ${command}` },
      data: { command, done: true, error: '' },
    });
    const refused = commandEvent('alice', request, 'no');
    assert.deepEqual(refused?.data, { command, done: false, error: 'no' });
    assert.equal(refused?.text, `hastmonctl ${command}; refused: no`);
  }
});

test('questions are none', () => {
  const questions = [
    ...[
      { kind: 'status', resources: 'all' },
      { kind: 'dump', resources: 'all' },
      { kind: 'version' },
      REQUEST,
    ],
    ...['show hosts', 'config diff', 'settle', ''].map((line) => ({
      kind: 'balancer-console',
      session: '',
      by: '',
      line,
    })),
    { kind: 'report', check: 'c', state: 'up', resource: '' },
  ] as ControlRequest[];
  for (const question of questions)
    assert.equal(commandEvent('alice', question, ''), null, JSON.stringify(question));
});

/** What is recorded while a switchover is given. */
function recorderFor() {
  const kept: NewEvent[] = [];
  const { given, record } = createCommandRecorder((event) => void kept.push(event));
  const request: ControlRequest = { kind: 'switchover', resource: 'db', to: 'b', wait: true };
  const effect: NewEvent = { kind: 'fencing', resource: 'db', text: 'an effect', data: {} };
  return { kept, request, effect, record, given, texts: () => kept.map(({ text }) => text) };
}

test('a command stands before what follows from it, and has a second event where it fails later', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const error of ['', 'put back']) {
    const { effect, given, kept, record, request, texts } = recorderFor();
    const ended = given('alice', request);
    record(effect);
    record(effect);
    ended(error);
    record(effect);
    t.mock.timers.tick(10_000);
    const command = 'hastmonctl switchover db --to b';
    const failed = error === '' ? [] : [`${command}; failed: put back`];
    assert.deepEqual(texts(), [command, 'an effect', 'an effect', ...failed, 'an effect']);
    assert.deepEqual(kept[0]?.data, { command: 'switchover db --to b', done: true, error: '' });
    assert.equal(kept[0]?.by, 'alice');
  }
});

test('a command that is refused at once is one event, and so is one that changes nothing', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const error of ['', 'no']) {
    const { effect, given, record, request, texts } = recorderFor();
    given('alice', request)(error);
    record(effect);
    t.mock.timers.tick(10_000);
    const refused = error === '' ? '' : '; refused: no';
    assert.deepEqual(texts(), [`hastmonctl switchover db --to b${refused}`, 'an effect']);
  }
});

test('a command that waits is told while it does, and a question never', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { given, request, texts } = recorderFor();
  const ended = given('alice', request);
  given('alice', { kind: 'status', resources: 'all' })('no such');
  assert.deepEqual(texts(), []);
  t.mock.timers.tick(100);
  assert.equal(texts().length, 1);
  ended('');
  assert.equal(texts().length, 1);
});
