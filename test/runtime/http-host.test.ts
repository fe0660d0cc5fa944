/** The process for HTTP as the main process sees it: real processes of a small program that asks what it is told to. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HttpSettings } from '../../daemon/http/settings.js';
import { createHttpHost } from '../../daemon/runtime/http-host.js';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import type { HaEvent } from '../../proto/event-types.js';
import { OWN_WORD, pairOf } from '../balancer/console/views.js';
import { until } from '../system/wait.js';

/** Asks what stands in `token`, and says what it is answered; falls silent where that is so long. */
const PROGRAM = `
process.on('disconnect', () => process.exit(0));
const beat = setInterval(() => process.send({ kind: 'beat' }), 50);
const say = (text) => process.send({ kind: 'log', level: 'info', text });
process.on('message', (message) => {
  if (message.kind === 'event') say('event ' + message.event.number);
  if (message.kind === 'answer') say('answer ' + JSON.stringify([message.question, message.final, message.reply.error?.code ?? 0, message.reply.text ?? '', message.figures === null]));
  if (message.kind !== 'settings') return;
  process.send({ kind: 'ready', user: 'me' });
  if (message.settings.token === 'silence') return clearInterval(beat);
  for (const [question, what] of JSON.parse(message.settings.token).entries()) process.send({ kind: 'ask', question, what });
});
`;

const LIMIT_MS = 20_000;

function trialFor(t: TestContext, silenceMs = 60_000) {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-http-'));
  const script = path.join(folder, 'program.mjs');
  writeFileSync(script, PROGRAM);
  const lines: string[] = [];
  const pids: number[] = [];
  const asked: ControlRequest['kind'][] = [];
  const listeners = new Set<(event: HaEvent) => void>();
  const note = (_: object, text: string): void => void lines.push(text);
  let ended = 0;
  let [busy, busiest] = [0, 0];
  const host = createHttpHost({
    script,
    records: { record: (pid) => pids.push(pid), forget: (pid) => void pids.splice(pids.indexOf(pid), 1) },
    log: { debug: note, info: note, warn: note, error: note },
    async ask(request, reply): Promise<Partial<ControlReply>> {
      asked.push(request.kind);
      if (request.kind === 'explain') throw new Error('a bug');
      if (request.kind === 'balancer-hosts') {
        const hosts = Array.from({ length: 1001 }, () => pairOf());
        return { text: 'hosts', balancer: { kind: 'hosts', hosts, note: '', source: OWN_WORD } };
      }
      if (request.kind === 'checks') {
        busy += 1;
        busiest = Math.max(busiest, busy);
        await until(() => asked.includes('version'), LIMIT_MS, 'nothing else is answered');
        busy -= 1;
        return { text: `checks ${busiest}` };
      }
      reply({ text: 'a part' });
      return { text: 'the rest' };
    },
    figures: async () => ({ processes: [], restarts: {} }),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    ended: () => {
      ended += 1;
    },
    silenceMs,
  });
  t.after(async () => {
    await host.close();
    assert.deepEqual(pids, []);
    assert.equal(listeners.size, 0);
    rmSync(folder, { recursive: true });
  });
  const settings = (token: string): HttpSettings => {
    return { address: '127.0.0.1', port: 8480, token, tokenFile: '', users: [], health: 'token' };
  };
  const apply = (questions: readonly unknown[] | 'silence'): void =>
    host.apply(settings(questions === 'silence' ? questions : JSON.stringify(questions)), {
      ...{ node: 'a', checks: false, balancer: false },
    });
  const says = (text: string): Promise<void> =>
    until(
      () => lines.some((line) => line.includes(text)),
      LIMIT_MS,
      () => `not said: ${text}\n${lines.join('\n')}`,
    );
  return { apply, asked, ended: () => ended, host, lines, listeners, says };
}

test('questions are answered in parts, the last of which says so', async (t) => {
  const { apply, says } = trialFor(t);
  apply([{ kind: 'version' }, { kind: 'balancer-hosts', hosts: [], services: [] }, { kind: 'processes' }]);
  await says('answer [0,false,0,"a part",true]');
  await says('answer [0,true,0,"the rest",true]');
  await says('answer [1,false,0,"hosts",true]');
  await says('answer [1,true,0,"hosts",true]');
  await says('answer [2,true,0,"",false]');
});

test('of what is expensive one of a kind is answered at a time, and all else meanwhile', async (t) => {
  const { apply, says } = trialFor(t);
  const checks = [0, 1, 2].map((from) => ({ kind: 'checks', from }));
  apply([...checks, { kind: 'version' }]);
  await says('answer [3,true,0,"the rest",true]');
  for (const [index] of checks.entries()) await says(`answer [${index},true,0,"checks 1",true]`);
});

test('what could change something is not answered, whatever the process asks', async (t) => {
  const { apply, asked, says } = trialFor(t);
  const changing = [
    { kind: 'role', role: 'primary', resources: 'all', force: true, wait: false },
    { kind: 'reload' },
    { kind: 'switchover', resource: 'db', to: '', wait: false },
    { kind: 'bootstrap', resource: 'db' },
    { kind: 'maintenance', what: 'on', resources: 'all', reason: '', forMs: null },
    { kind: 'report', check: 'c', state: 's', resource: '' },
    { kind: 'ack', names: [], by: 'x' },
    { kind: 'mute', names: [], forMs: 1 },
    { kind: 'run-check', target: 'exec:/bin/sh', options: [] },
    { kind: 'test-alert', name: 'x' },
    { kind: 'balancer-set', command: {} },
    { kind: 'balancer-reload' },
    { kind: 'balancer-console', session: '', by: '', line: '' },
    { kind: 'dump', resources: 'all' },
    { kind: 'events', names: [], sinceMs: null, last: null, follow: true },
    { kind: 'something-new' },
  ];
  apply([...changing, { kind: 'version' }]);
  await says(`answer [${changing.length},true,0`);
  for (const [index] of changing.entries()) await says(`answer [${index},true,77,`);
  assert.deepEqual(asked, ['version']);
});

test('a question that fails is answered with that, and the next one is answered', async (t) => {
  const { apply, says } = trialFor(t);
  apply([{ kind: 'explain', name: 'db' }, { kind: 'version' }]);
  await says('a question of HTTP has failed: a bug');
  await says('answer [0,true,70,');
  await says('answer [1,true,0,"the rest"');
});

test('it is told what happens for as long as it is wanted', async (t) => {
  const { apply, host, listeners, says } = trialFor(t);
  apply([{ kind: 'version' }]);
  await says('the rest');
  const event: HaEvent = {
    ...{ number: 7, node: 'a', at: 1, boot: 'x', bootMs: 1, kind: 'reloaded', text: '', data: {} },
  };
  for (const listener of listeners) listener(event);
  await says('event 7');
  host.apply(null, { node: 'a', checks: false, balancer: false });
  assert.deepEqual([listeners.size, host.pid()], [0, 0]);
});

test('one that hangs is replaced', async (t) => {
  const { apply, ended, says } = trialFor(t, 300);
  apply('silence');
  await says('the process for HTTP has said nothing for 0.3 s: ending it');
  await until(() => ended() > 0, LIMIT_MS, 'its end is not told');
});
