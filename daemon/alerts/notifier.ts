/**
 * The notifier, `hastmon: alerts (notifier)`: names, encryption, programs and whatever else may hang or be attacked, on behalf of
 * the main process and without its privileges. It decides nothing: one job, one attempt, one answer.
 */
import { messageOf } from '../sys/errors.js';
import { becomeFirstOf } from '../sys/privileges.js';
import type { Answer, Job, MainToNotifier, NotifierToMain } from './ipc.js';
import { endPrograms, runProgram } from './program.js';

/** The entry of the process. */
export function runNotifier(): void {
  process.title = 'hastmon: alerts (notifier)';
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('uncaughtException', fail);
  process.on('disconnect', () => {
    endPrograms();
    process.exit(0);
  });
  process.on('message', (message: MainToNotifier) => {
    if (message.kind === 'setup') setUp(message.users);
    else void work(message.job).then((answer) => say({ kind: 'answer', id: message.id, answer }));
  });
}

function say(message: NotifierToMain): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

function setUp(users: readonly string[]): void {
  try {
    say({ kind: 'ready', user: becomeFirstOf(users, '') });
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): void {
  say({ kind: 'failed', reason: messageOf(error) });
  endPrograms();
  setImmediate(() => process.exit(1));
}

async function work(job: Job): Promise<Answer> {
  try {
    switch (job.way) {
      case 'mail':
        return await (await import('./mail.js')).sendMail(job);
      case 'program':
        return await runProgram(job.program, job.content, undefined, (group, alive) =>
          say({ kind: 'group', group, alive }),
        );
      case 'webhook':
        return await (await import('./webhook.js')).callWebhook(job.url, job.content);
      case 'syslog':
        return (await import('./syslog.js')).writeSyslog(job.content);
    }
  } catch (error) {
    return { outcome: { kind: 'unavailable', why: messageOf(error) }, lines: [messageOf(error)] };
  }
}
