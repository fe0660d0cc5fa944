/** Nodes that ask each other: what may be asked, that it comes whole, and that nothing of it is without bound. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createAnswerer, INQUIRIES_MAX } from '../../daemon/cluster/answerer.js';
import { mayAsk, whyNotAsked } from '../../daemon/cluster/may-ask.js';
import { encodeRequest } from '../../proto/control-codec.js';
import type { ControlRequest } from '../../proto/control-types.js';
import type { HaEvent } from '../../proto/event-types.js';
import { PART_BYTES_MAX } from '../../proto/inquiry-codec.js';
import { until } from '../system/wait.js';
import { type Pair, pairOf } from './support.js';

/** Longer than anything here takes. */
const PATIENCE_MS = 20_000;

function closing(t: TestContext, pair: Pair): Pair {
  t.after(() => pair.close());
  return pair;
}

/** Every request that there is: a new one does not compile without its line here. */
const ALL: {
  [Kind in ControlRequest['kind']]: [Extract<ControlRequest, { kind: Kind }>, node: boolean, viewer: boolean];
} = {
  about: [{ kind: 'about' }, true, true],
  version: [{ kind: 'version' }, true, true],
  status: [{ kind: 'status', resources: 'all' }, true, true],
  explain: [{ kind: 'explain', name: 'x' }, true, true],
  checks: [{ kind: 'checks', down: false, host: '', group: '', patterns: [], from: 0 }, true, true],
  check: [{ kind: 'check', name: 'x' }, true, true],
  events: [{ kind: 'events', names: [], sinceMs: null, last: 1, follow: false }, true, true],
  'balancer-hosts': [{ kind: 'balancer-hosts', hosts: [], services: [] }, true, true],
  'balancer-services': [{ kind: 'balancer-services', services: [] }, true, true],
  cluster: [{ kind: 'cluster' }, false, true],
  timeline: [{ kind: 'timeline', resource: 'x', last: 1 }, false, true],
  drill: [{ kind: 'drill', resources: 'all', depth: 'node' }, true, false],
  dump: [{ kind: 'dump', resources: 'all' }, false, false],
  role: [{ kind: 'role', role: 'primary', resources: 'all', force: true, wait: false }, false, false],
  reload: [{ kind: 'reload' }, false, false],
  switchover: [{ kind: 'switchover', resource: 'x', to: '', wait: false }, false, false],
  'switchover-plan': [{ kind: 'switchover-plan', resource: 'x', to: '' }, false, false],
  bootstrap: [{ kind: 'bootstrap', resource: 'x' }, false, false],
  maintenance: [
    { kind: 'maintenance', what: 'on', resources: 'all', reason: '', forMs: null },
    ...([false, false] as const),
  ],
  report: [{ kind: 'report', check: 'x', state: 'ok', resource: '' }, false, false],
  'run-check': [{ kind: 'run-check', target: 'x', options: [] }, false, false],
  ack: [{ kind: 'ack', names: ['x'], by: 'y' }, false, false],
  mute: [{ kind: 'mute', names: ['x'], forMs: 1 }, false, false],
  'test-alert': [{ kind: 'test-alert', name: 'x' }, false, false],
  'balancer-set': [
    { kind: 'balancer-set', command: { kind: 'adopt', services: ['x'], by: 'y' } },
    ...([false, false] as const),
  ],
  'balancer-diff': [{ kind: 'balancer-diff' }, false, false],
  'balancer-reload': [{ kind: 'balancer-reload' }, false, false],
  'balancer-console': [{ kind: 'balancer-console', session: 's', by: 'y', line: 'show' }, false, false],
};

test('[N48] what changes nothing may be asked, and nothing else', () => {
  for (const [request, node, viewer] of Object.values(ALL)) {
    assert.equal(mayAsk(request, 'node'), node, `${request.kind} of a node`);
    assert.equal(mayAsk(request, 'viewer'), viewer, `${request.kind} of a viewer`);
  }
  const [events] = ALL.events;
  for (const asker of ['node', 'viewer'] as const)
    assert.equal(whyNotAsked({ ...events, follow: true }, asker), 'events are not followed from elsewhere');
  const [drill] = ALL.drill;
  assert.ok(mayAsk({ ...drill, depth: 'state' }, 'node') && !mayAsk({ ...drill, depth: 'all' }, 'node'));
});

test('[N48] what may not be asked is refused before anybody has looked at it', async (t) => {
  const seen: string[] = [];
  const pair = closing(
    t,
    pairOf(async ({ kind }) => {
      seen.push(kind);
      return {};
    }),
  );
  for (const [request, node] of Object.values(ALL)) {
    if (node) await pair.asker.ask('there', request, PATIENCE_MS);
    else await assert.rejects(pair.asker.ask('there', request, PATIENCE_MS), /^Error: it refuses: /);
  }
  assert.deepEqual(
    seen,
    Object.values(ALL).flatMap(([{ kind }, node]) => (node ? [kind] : [])),
  );
  assert.equal(pair.refused.length, Object.values(ALL).length - seen.length);
  assert.match(pair.refused.join('\n'), /^here: 'reload' is for the control socket of the node alone$/m);
});

const EVENT: HaEvent = {
  ...{ number: 1, node: 'there', at: 1000, boot: 'b', bootMs: 1, kind: 'reloaded', text: 'x', data: {} },
};

test('[N49] a long answer comes whole, a part at a time: never more than one lies before what the core says', async (t) => {
  const events = Array.from({ length: 2000 }, (_, number) => ({ ...EVENT, number, text: `event ${number}` }));
  const pair = closing(
    t,
    pairOf(async (_request, reply) => {
      for (let at = 0; at < events.length; at += 100) reply({ events: events.slice(at, at + 100) });
      return { text: 'that is all' };
    }),
  );
  const whole = await pair.asker.ask('there', { kind: 'version' }, PATIENCE_MS);
  assert.deepEqual([whole.text, whole.events.length], ['that is all', 2000]);
  assert.deepEqual(
    whole.events.map(({ number }) => number),
    events.map(({ number }) => number),
  );
  const parts = pair.sent.filter(({ kind }) => kind === 'reply').length;
  assert.ok(parts > 3, `${parts} parts`);
  assert.deepEqual(
    pair.sent.map(({ kind }) => kind),
    Array.from({ length: parts }, () => ['inquiry', 'reply']).flat(),
  );
  for (const { bytes } of pair.sent) assert.ok(bytes <= PART_BYTES_MAX + 100, `${bytes} bytes`);
});

test('[N49] an answer waits while something else waits on the connection', async (t) => {
  let waiting = 100_000;
  const pair = closing(
    t,
    pairOf(
      async () => ({ text: 'here' }),
      () => {
        const now = waiting;
        waiting = 0;
        return now;
      },
    ),
  );
  const began = performance.now();
  assert.equal((await pair.asker.ask('there', { kind: 'version' }, PATIENCE_MS)).text, 'here');
  assert.ok(performance.now() - began >= 15, 'it was sent at once');
});

test('[N49] an answer that is too long is none, and says so', async (t) => {
  const pair = closing(
    t,
    pairOf(async (_request, reply) => {
      for (let at = 0; at < 30; at += 1) reply({ text: 'x'.repeat(200_000) });
      return {};
    }),
  );
  await assert.rejects(
    pair.asker.ask('there', { kind: 'version' }, PATIENCE_MS),
    /it refuses: the answer is longer than 4 MiB/,
  );
});

test('[N49] so many questions at a time, and no more, but one about the node itself; each has its time', async (t) => {
  const open: (() => void)[] = [];
  const pair = closing(
    t,
    pairOf(() => new Promise((resolve) => open.push(() => resolve({ text: 'late' })))),
  );
  const asked = Array.from({ length: INQUIRIES_MAX - 1 }, () =>
    pair.asker.ask('there', { kind: 'version' }, PATIENCE_MS),
  );
  await assert.rejects(
    pair.asker.ask('there', { kind: 'version' }, PATIENCE_MS),
    /being asked too much at once/,
  );
  asked.push(pair.asker.ask('there', { kind: 'about' }, PATIENCE_MS));
  await assert.rejects(
    pair.asker.ask('there', { kind: 'about' }, PATIENCE_MS),
    /being asked too much at once/,
  );
  while (open.length < INQUIRIES_MAX) await new Promise((resolve) => setImmediate(resolve));
  for (const end of open) end();
  assert.deepEqual(
    (await Promise.all(asked)).map(({ text }) => text),
    Array.from({ length: INQUIRIES_MAX }, () => 'late'),
  );
  pair.cut();
  await assert.rejects(pair.asker.ask('there', { kind: 'version' }, 30), /^Error: no answer for 30 ms$/);
});

test('[N49] answers that nobody fetches any more make room for others', async (t) => {
  const replies: string[] = [];
  const answerer = createAnswerer({
    send(_group, _node, { number, refusal }) {
      replies.push(`${number} ${refusal}`);
      return true;
    },
    waiting: () => 0,
    // Longer than a part.
    handle: async () => ({ text: 'x'.repeat(4 * PART_BYTES_MAX) }),
    refused() {},
  });
  t.after(() => answerer.close());
  const kinds = ['version', 'version', 'version', 'version', 'version', 'about', 'about'] as const;
  for (const [index, kind] of kinds.entries()) {
    const request = encodeRequest({ kind });
    answerer.inquiry('shared', 'here', { kind: 'inquiry', number: index + 1, part: 0, request });
    await until(() => replies.length === index + 1, PATIENCE_MS, 'no answer');
  }
  assert.deepEqual(
    replies,
    kinds.map((_, index) => `${index + 1} `),
  );
});

test('[N49] who has no connection is not asked, and who loses it has not answered', async (t) => {
  const pair = closing(
    t,
    pairOf(() => new Promise(() => {})),
  );
  await assert.rejects(pair.asker.ask('nobody', { kind: 'version' }, PATIENCE_MS), /^Error: not connected$/);
  const asked = pair.asker.ask('there', { kind: 'version' }, PATIENCE_MS);
  pair.asker.link('shared', 'there', false);
  await assert.rejects(asked, /^Error: link lost$/);
  assert.equal(pair.asker.isLinked('there'), false);
});
