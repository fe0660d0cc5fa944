/** The balancer's mails: in their order, tried again, given up in the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer, Job } from '../../daemon/alerts/ipc.js';
import type { EmailOptions } from '../../daemon/balancer/types.js';
import { createBalancerMail } from '../../daemon/runtime/balancer-mail.js';
import { until } from '../net/cluster.js';

const email: EmailOptions = { server: '127.0.0.1', from: 'lb@here', replyTo: 'noc@here', to: ['noc@here'] };
const delivered: Answer = { outcome: { kind: 'delivered', left: [], note: '' }, lines: [] };
const later: Answer = { outcome: { kind: 'later', why: 'busy', left: null }, lines: [] };
const final: Answer = { outcome: { kind: 'final', why: 'no such user' }, lines: [] };

function trial(answers: Answer[], retryMs: number[]) {
  const jobs: Job[] = [];
  const lines: string[] = [];
  const recorded: string[] = [];
  const note = (_: object, text: string): void => void lines.push(text);
  const mail = createBalancerMail({
    node: 'nodeA',
    notifier: {
      run: async (job) => {
        jobs.push(job);
        return answers.shift() ?? delivered;
      },
    },
    log: { debug: note, info: note, warn: note, error: note },
    wall: () => 1_000_000,
    record: ({ kind }) => void recorded.push(kind),
    retryMs,
  });
  return { mail, jobs, lines, recorded, subjects: () => jobs.map(({ content }) => content.subject) };
}

test('the second waits for the first, whose server is busy, and each has an id of its own', async (t) => {
  const { jobs, mail, subjects } = trial([later, later], [1, 1]);
  t.after(() => mail.close());
  mail.send(email, "VS 'www' FAIL", 'no server has weight');
  mail.send(email, "VS 'www' OK (after 12.3s)", 'srv1 has');
  await until('it happens', () => jobs.length === 4);
  assert.deepEqual(subjects(), [
    ...["VS 'www' FAIL", "VS 'www' FAIL", "VS 'www' FAIL"],
    "VS 'www' OK (after 12.3s)",
  ]);
  const [first, , , last] = jobs;
  assert.ok(first?.way === 'mail' && last !== undefined);
  assert.deepEqual([first.mail.replyTo, first.recipients], ['noc@here', ['noc@here']]);
  assert.notEqual(first.content.messageId, last.content.messageId);
});

test('what nobody takes is given up, told, and makes room for the next', async (t) => {
  const { lines, mail, recorded, subjects } = trial([final, later, later], [1]);
  t.after(() => mail.close());
  mail.send(email, 'one', '');
  mail.send(email, 'two', '');
  mail.send(email, 'three', '');
  await until('it happens', () => lines.includes('mail delivered: three'));
  assert.deepEqual(subjects(), ['one', 'two', 'two', 'three']);
  assert.deepEqual(
    lines.filter((line) => line.includes('given up')),
    ['mail not delivered, and given up: one: no such user', 'mail not delivered, and given up: two: busy'],
  );
  assert.deepEqual(recorded, ['mail-problem', 'mail-problem', 'mail-problem', 'mail-delivered']);
});

test('of too many the oldest is given up', async (t) => {
  const { lines, mail } = trial([later], [60_000]);
  t.after(() => mail.close());
  for (let number = 0; number < 202; number += 1) mail.send(email, `mail ${number}`, '');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('too many')),
    ['too many mails wait: given up: mail 1', 'too many mails wait: given up: mail 2'],
  );
});
