/**
 * The balancer's mails, one after the other and in their order: what cannot be delivered is tried again for an hour, and told when it is
 * given up. The notifier delivers them, as it does alerts.
 */
import type { RecordEvent } from '../../proto/event-types.js';
import type { Job } from '../alerts/ipc.js';
import type { NotifierHost } from '../alerts/notifier-host.js';
import type { EmailOptions } from '../balancer/types.js';
import type { NetLog } from '../net/log.js';

export interface BalancerMail {
  send(email: EmailOptions, subject: string, text: string): void;
  close(): void;
}

export interface BalancerMailOptions {
  node: string;
  notifier: Pick<NotifierHost, 'run'>;
  log: NetLog;
  record: RecordEvent;
  /** Milliseconds since 1970. */
  wall: () => number;
  /** Waits before further attempts. */
  retryMs?: readonly number[];
}

const RETRY_MS = [10_000, 60_000, 300_000, 600_000, 1_200_000, 1_200_000] as const;
/** Older ones are given up for newer ones. */
const WAITING_MAX = 200;

type MailJob = Extract<Job, { way: 'mail' }>;

export function createBalancerMail(options: BalancerMailOptions): BalancerMail {
  const { log, record, retryMs = RETRY_MS, wall } = options;
  const waiting: { job: MailJob; attempts: number }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let busy = false;
  let closed = false;
  let sent = 0;

  async function next(): Promise<void> {
    const [first] = waiting;
    if (busy || closed || first === undefined) return;
    busy = true;
    const { outcome } = await options.notifier.run(first.job);
    busy = false;
    if (closed) return;
    const { subject } = first.job.content;
    if (outcome.kind === 'delivered') {
      const text = `mail delivered: ${subject}${outcome.note === '' ? '' : ` (${outcome.note})`}`;
      log.info({}, text);
      record({ kind: 'mail-delivered', text, data: { subject } });
      waiting.shift();
      return void next();
    }
    const delay = outcome.kind === 'final' ? undefined : retryMs[first.attempts];
    first.attempts += 1;
    if (delay === undefined) {
      const text = `mail not delivered, and given up: ${subject}: ${outcome.why}`;
      log.error({}, text);
      record({ kind: 'mail-problem', text, data: { subject, why: outcome.why, retryMs: -1 } });
      waiting.shift();
      return void next();
    }
    const text = `mail not delivered, another attempt follows in ${delay / 1000} s: ${subject}: ${outcome.why}`;
    log.warn({}, text);
    record({ kind: 'mail-problem', text, data: { subject, why: outcome.why, retryMs: delay } });
    timer = setTimeout(next, delay);
  }

  return {
    send(email, subject, text) {
      sent += 1;
      if (waiting.length >= WAITING_MAX) {
        const [dropped] = waiting.splice(busy ? 1 : 0, 1);
        const subject = dropped?.job.content.subject ?? '';
        const why = 'too many mails wait';
        const text = `${why}: given up: ${subject}`;
        log.error({}, text);
        record({ kind: 'mail-problem', text, data: { subject, why, retryMs: -1 } });
      }
      waiting.push({ job: jobOf(email, subject, text, options.node, wall(), sent), attempts: 0 });
      void next();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      for (const { job } of waiting) log.warn({}, `mail not delivered: ${job.content.subject}`);
    },
  };
}

function jobOf(
  email: EmailOptions,
  subject: string,
  text: string,
  node: string,
  writtenAt: number,
  number: number,
): MailJob {
  const { from, replyTo, server, to } = email;
  const id = `balancer.${writtenAt}.${number}`;
  const host = node.replaceAll(/[^A-Za-z0-9.-]/g, '-');
  return {
    way: 'mail',
    node,
    mail: { to, from, replyTo, server, tls: 'none', user: '', password: '' },
    recipients: to,
    content: {
      ...{ subject, text, json: '', env: {}, lines: [], references: [], ids: [id], writtenAt },
      messageId: `<${id}@${host}>`,
    },
  };
}
