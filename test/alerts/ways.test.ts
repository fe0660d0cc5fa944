/** Programs, web services and the system's log, each against the real thing, well-behaved and not. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { contentOf } from '../../daemon/alerts/content.js';
import { endPrograms, runProgram } from '../../daemon/alerts/program.js';
import { writeSyslog } from '../../daemon/alerts/syslog.js';
import { callWebhook } from '../../daemon/alerts/webhook.js';
import { groupAlive } from '../../daemon/sys/process.js';
import { markOf } from '../../daemon/sys/started.js';
import { receiveAt } from '../sys/receiver.js';
import { until } from '../system/wait.js';
import { directory, noticeOf } from './support.js';

const TOLD = [noticeOf(1, { facts: { ackBy: 'eve' } }), noticeOf(2, { check: 'db' })];
const content = contentOf(
  'ops',
  TOLD.map((notice) => ({ notice, wall: Date.UTC(2026, 10, 24, 2, 4, 5) })),
  { node: 'a', zone: 'UTC' },
);

function program(t: TestContext, text: string): { file: string; dir: string } {
  const dir = directory(t);
  const file = path.join(dir, 'program');
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return { file, dir };
}

test('a program has the worst edge in its environment, all of them on stdin, and nothing else', async (t) => {
  const { file, dir } = program(t, `cd "$(dirname "$0")"; env | sort >env; cat >stdin; echo well; exit 0`);
  const { outcome, lines } = await runProgram(file, content);
  assert.equal(outcome.kind, 'delivered');
  assert.deepEqual(lines, ['well', 'exit status 0']);
  const names = ['OLDPWD', 'PWD', 'SHLVL', '_'];
  const env = readFileSync(path.join(dir, 'env'), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => !names.some((name) => line.startsWith(`${name}=`)) && !line.startsWith('PATH='));
  assert.deepEqual(env, [
    'HASTMON_ACKNOWLEDGED=eve',
    'HASTMON_ALERT=ops',
    'HASTMON_CHECK=web',
    'HASTMON_EDGE=web#1',
    'HASTMON_EDGES=2',
    'HASTMON_EVENT=down',
    'HASTMON_GROUP=',
    'HASTMON_LASTED=',
    'HASTMON_NATURE=refused',
    'HASTMON_NODE=a',
    'HASTMON_SENTENCE=down: seen down by a (refused) and b (timeout-connect); seen up by c; nothing heard from d',
    'HASTMON_SINCE=2026-11-24T02:00:05.000Z',
    `HASTMON_STARTED_BY=${markOf(process.pid)}`,
    'HASTMON_SUBJECT=[DOWN 1, UP 1] web, db',
    'HASTMON_URL=http://www.example.com/',
    'HASTMON_WITNESSES=a b',
    'HASTMON_WITNESSES_UP=c',
    'LC_ALL=C.UTF-8',
  ]);
  const { edges, count, alert } = JSON.parse(readFileSync(path.join(dir, 'stdin'), 'utf8'));
  assert.deepEqual([count, alert], [2, 'ops']);
  assert.deepEqual(
    edges.map((edge: { check: string; event: string; since: string; witnesses: unknown[] }) => [
      ...[edge.check, edge.event, edge.since, edge.witnesses.length],
    ]),
    [
      ['web', 'down', '2026-11-24T02:00:05.000Z', 3],
      ['db', 'up', '2026-11-24T01:51:53.000Z', 3],
    ],
  );
});

test('a program that fails is tried again, with what it said; one that is not there, too', async (t) => {
  const failing = await runProgram(program(t, 'echo no network >&2; exit 3').file, content);
  assert.deepEqual(failing.outcome, { kind: 'later', why: 'exit status 3: no network', left: null });
  const missing = await runProgram('/does/not/exist', content);
  assert.ok(missing.outcome.kind === 'later' && /cannot be run: .*ENOENT/.test(missing.outcome.why));
});

test('a program that does not end is ended with its group, also where it minds no TERM', async (t) => {
  const text = 'trap "" TERM; sleep 60 & echo $$ >"$(dirname "$0")/pid"; while :; do sleep 60; done';
  const { file, dir } = program(t, text);
  const { outcome } = await runProgram(file, content, 2000);
  assert.ok(outcome.kind === 'later' && /not done within 2 s/.test(outcome.why), JSON.stringify(outcome));
  const group = Number(readFileSync(path.join(dir, 'pid'), 'utf8'));
  await until(() => !groupAlive(group), 5000, 'the group is gone');
});

test('programs end with the process that runs them', async (t) => {
  const { file } = program(t, 'sleep 60');
  const running = runProgram(file, content);
  endPrograms();
  const { outcome } = await running;
  assert.ok(outcome.kind === 'later' && /SIGKILL/.test(outcome.why), JSON.stringify(outcome));
});

test('a program that floods is read no further than a few lines', async (t) => {
  const { outcome, lines } = await runProgram(
    program(t, 'yes flood | head -c 1000000; exit 1').file,
    content,
  );
  assert.ok(outcome.kind === 'later' && outcome.why.length < 400);
  assert.ok(lines.join('\n').length < 5000, `${lines.length} lines`);
});

type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;

async function webServer(t: TestContext, handle: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => handle(request, body, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a web service is posted the JSON, with the login of its URL, and its path is not shown', async (t) => {
  const seen: string[] = [];
  const host = await webServer(t, ({ method, url, headers }, body, response) => {
    seen.push(`${method} ${url}`, headers['content-type'] ?? '', headers['user-agent'] ?? '');
    seen.push(headers.authorization ?? '', JSON.parse(body).subject);
    response.setHeader('x-id', '7').end('thanks');
  });
  const { outcome, lines } = await callWebhook(`http://me:pa%3Ass@${host}/hooks/T0K3N?x=1`, content);
  assert.equal(outcome.kind, 'delivered');
  assert.match(seen[2] ?? '', /^hastmon\//);
  seen.splice(2, 1);
  assert.deepEqual(seen, [
    ...['POST /hooks/T0K3N?x=1', 'application/json'],
    ...[`Basic ${Buffer.from('me:pa:ss').toString('base64')}`, '[DOWN 1, UP 1] web, db'],
  ]);
  const shown = lines.join('\n');
  assert.match(shown, /^POST http:\/\/127\.0\.0\.1:[0-9]+\/…\nHTTP 200 OK\n.*x-id: 7\n.*\nthanks$/s);
  assert.ok(!shown.includes('T0K3N') && !shown.includes('pa'));
});

test('what a web service answers: some of it is for later, some is final', async (t) => {
  let status = 0;
  const host = await webServer(t, (_, __, response) => {
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('because');
  });
  const kinds: Record<number, string> = {};
  for (status of [200, 204, 302, 400, 404, 408, 410, 429, 500, 503])
    kinds[status] = (await callWebhook(`http://${host}/secret`, content)).outcome.kind;
  assert.deepEqual(kinds, {
    ...{ 200: 'delivered', 204: 'delivered', 302: 'final', 400: 'final', 404: 'final', 410: 'final' },
    ...{ 408: 'unavailable', 429: 'unavailable', 500: 'unavailable', 503: 'unavailable' },
  });
});

test('a web service that hangs, and one that is not there', async (t) => {
  const host = await webServer(t, () => {});
  const hanging = await callWebhook(`http://${host}/secret`, content, 300);
  assert.deepEqual(hanging.outcome, { kind: 'unavailable', why: `http://${host}/…: no answer within 0.3 s` });
  const body = await webServer(t, (_, __, response) => void response.writeHead(200).write('half'));
  assert.equal(
    (await callWebhook(`http://${body}/`, content, 2000)).outcome.kind,
    'delivered',
    'its status is enough',
  );
  const missing = await callWebhook('http://127.0.0.1:1/secret', content);
  assert.ok(missing.outcome.kind === 'unavailable' && /ECONNREFUSED|bad port/.test(missing.outcome.why));
});

test("the system's log has a line for each edge", async (t) => {
  const socket = path.join(directory(t), 'log');
  const nobody = writeSyslog(content, socket);
  assert.ok(nobody.outcome.kind === 'unavailable' && /ENOENT/.test(nobody.outcome.why));
  const receiver = receiveAt(socket);
  t.after(() => receiver.close());
  assert.equal(writeSyslog(content, socket).outcome.kind, 'delivered');
  const [first, second] = [await receiver.receive(), await receiver.receive()];
  assert.match(
    first,
    /^<27>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} hastmond\[[0-9]+\]: web down: seen down by a .*web#1\)$/,
  );
  assert.match(second, /^<29>.*: db up again after 12 min: .*db#2\)$/);
});
