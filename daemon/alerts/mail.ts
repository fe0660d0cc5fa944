/** A message by mail: one connection to the mail server for each attempt (RFC 5321), with nodemailer. */
import { connect as connectSocket, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { SMTPConnectionOptions, SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection';
import { messageOf } from '../sys/errors.js';
import type { Answer, Job } from './ipc.js';
import type { Content, Outcome } from './outbox-types.js';
import { clockTime, printable } from './words.js';

export interface MailLimits {
  /** Until the message has been handed over. */
  handOverMs: number;
  /**
   * Until the server has taken it. Who is less patient sends twice when the server is only slow; RFC 5321 (4.5.3.2.6) wants ten
   * minutes, for which people cannot wait.
   */
  takeMs: number;
}

const LIMITS: MailLimits = { handOverMs: 15_000, takeMs: 30_000 };
const ADDRESS_MS = 5000;
/** It was written longer ago than a look at it explains. */
const LATE_MS = 120_000;

type MailJob = Extract<Job, { way: 'mail' }>;
/** What nodemailer's errors have besides. */
type MailError = Error & {
  code?: string;
  command?: string;
  response?: string;
  responseCode?: number;
  recipient?: string;
  rejectedErrors?: MailError[];
};

export async function sendMail(job: MailJob, limits = LIMITS): Promise<Answer> {
  const trace = createTrace();
  const bytes = await compose(job);
  // Before there is a connection, so that nothing happens to it unheard.
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  const limit = createLimit(limits);
  try {
    const { host, port } = addressOf(job.mail.server);
    trace.note(`connecting to ${host} port ${port}`);
    const socket = await limit.within(connect(host, port, limit));
    const connection = new Connection(optionsFor(socket, job, trace, limits));
    limit.at(() => connection.close());
    const info = await limit.within(talk(connection, job, bytes, limit, trace));
    connection.quit();
    return { outcome: accepted(info), lines: trace.lines };
  } catch (error) {
    const outcome = refused(error as MailError);
    trace.note(outcome.why);
    return { outcome, lines: trace.lines };
  } finally {
    limit.end();
  }
}

/** The message as it is sent. */
async function compose({ content, mail }: MailJob): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const composer = new MailComposer({
    ...{ from: mail.from, to: [...mail.to], subject: content.subject, text: late(content), newline: 'win' },
    ...(mail.replyTo ? { replyTo: mail.replyTo } : {}),
    ...{ messageId: content.messageId, date: new Date(content.writtenAt) },
    ...{ disableFileAccess: true, disableUrlAccess: true },
    ...(content.references.length === 0
      ? {}
      : { inReplyTo: content.references[0] ?? '', references: [...content.references] }),
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Hastmon-Edge': content.ids.slice(0, 50).join(' '),
    },
  });
  return composer.compile().build();
}

function late({ text, writtenAt }: Content): string {
  if (Date.now() - writtenAt < LATE_MS) return text;
  return `Late: this was written at ${clockTime(writtenAt, undefined)},\nand could not be delivered before.\n\n${text}`;
}

/** host, host:port or [address]:port. */
function addressOf(server: string): { host: string; port: number } {
  const [, bracketed, plain = server, port = '25'] =
    /^(?:\[(.*)\]|([^:]*))(?::([0-9]+))?$/.exec(server) ?? [];
  return { host: bracketed ?? plain, port: Number(port) };
}

/** By the system's resolver, with every address of the name. */
function connect(host: string, port: number, limit: Limit): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host, port, autoSelectFamilyAttemptTimeout: ADDRESS_MS });
    limit.at(() => socket.destroy());
    socket.on('error', (error: NodeJS.ErrnoException) =>
      // Several addresses, several errors: an AggregateError, whose own message is empty.
      reject(new Error(error.message === '' ? `${error.code} ${host}:${port}` : error.message)),
    );
    socket.once('connect', () => resolve(socket));
  });
}

function optionsFor(
  socket: Socket,
  { mail, node }: MailJob,
  trace: Trace,
  { handOverMs, takeMs }: MailLimits,
): SMTPConnectionOptions {
  const { host, port } = addressOf(mail.server);
  const local = /^(?:::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '');
  return {
    ...{ connection: socket, host, port, secure: mail.tls === 'tls', requireTLS: mail.tls === 'starttls' },
    ...{ ignoreTLS: mail.tls === 'none', name: helloOf(node), logger: trace.logger, transactionLog: true },
    ...{ connectionTimeout: handOverMs, greetingTimeout: handOverMs },
    ...{ socketTimeout: handOverMs + takeMs, socketCloseTimeout: 1000 },
    // A server on this very machine often has a certificate of its own making.
    tls: { rejectUnauthorized: !local },
  };
}

/** What EHLO may say: a name (RFC 5321, 4.1.1.1). */
function helloOf(node: string): string {
  return node.replaceAll(/[^A-Za-z0-9.-]/g, '-');
}

/** The whole conversation, up to the server's word on the message. */
function talk(
  connection: SMTPConnection,
  { mail, recipients }: MailJob,
  bytes: Buffer,
  limit: Limit,
  trace: Trace,
): Promise<SMTPConnectionSendInfo> {
  return new Promise((resolve, reject) => {
    connection.on('error', reject);
    connection.once('end', () => reject(new Error('the server closed the connection')));
    const send = (): void => {
      const message = Readable.from([bytes]);
      message.once('end', () => {
        trace.note(`the message, ${bytes.length} bytes`);
        limit.handedOver();
      });
      const envelope = { from: mail.from, to: [...recipients], size: bytes.length };
      connection.send(envelope, message, (error, info) => (error === null ? resolve(info) : reject(error)));
    };
    connection.connect((error) => {
      if (error !== undefined) reject(error);
      else if (mail.user === '') send();
      else if (!connection.allowsAuth) reject(new Error('the server offers no login'));
      else
        connection.login({ user: mail.user, pass: mail.password }, (refusal) =>
          refusal === null ? send() : reject(refusal),
        );
    });
  });
}

/** Taken, for some at least. */
function accepted({ rejectedErrors = [] }: SMTPConnectionSendInfo): Outcome {
  const errors = rejectedErrors as MailError[];
  return { kind: 'delivered', left: leftOf(errors), note: errors.map(refusal).join('; ') };
}

function refused(error: MailError): Exclude<Outcome, { kind: 'delivered' }> {
  const why = printable(error.response === undefined ? plain(messageOf(error)) : saying(error));
  const { command = '', rejectedErrors = [], responseCode = 0 } = error;
  if (command === 'RCPT TO' && rejectedErrors.length > 0) {
    const left = leftOf(rejectedErrors);
    const all = rejectedErrors.map(refusal).join('; ');
    return left.length === 0 ? { kind: 'final', why: all } : { kind: 'later', why: all, left };
  }
  if (command === 'DATA' && responseCode >= 500) return { kind: 'final', why };
  if (command === 'DATA' && responseCode >= 400 && responseCode !== 421)
    return { kind: 'later', why, left: null };
  // Also a refused login or sender: that is for the operator to mend, and not about this message.
  return { kind: 'unavailable', why };
}

/** OpenSSL's own errors, `80EC…:error:0A000438:SSL routines:ssl3_read_bytes:tlsv1 alert internal error:../deps/…`: the reason. */
function plain(message: string): string {
  const [, reason] = /error:[0-9A-F]{8}:[^:]*:[^:]*:([^:]+)/.exec(message) ?? [];
  return reason === undefined ? message : `TLS: ${reason}`;
}

function saying({ command = '', response = '' }: MailError): string {
  return command === '' || command === 'CONN'
    ? `the server says ${response}`
    : `the server says to ${command}: ${response}`;
}

/** Who may be taken later. */
function leftOf(errors: readonly MailError[]): string[] {
  return errors.flatMap(({ recipient, responseCode = 0 }) =>
    recipient !== undefined && responseCode < 500 ? [recipient] : [],
  );
}

function refusal({ recipient = '', response = '' }: MailError): string {
  return printable(`${recipient} is refused: ${response}`);
}

interface Trace {
  lines: string[];
  note(text: string): void;
  logger: Record<
    'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    (entry: object, text?: string) => void
  >;
}

/** The dialogue, without what proves who one is. */
function createTrace(): Trace {
  const lines: string[] = [];
  let login = false;
  const take = (entry: { tnx?: string }, text = ''): void => {
    if (entry.tnx !== 'client' && entry.tnx !== 'server') return;
    const ours = entry.tnx === 'client';
    if (ours && /^AUTH /i.test(text)) {
      login = true;
      lines.push(`C: ${text.split(' ', 2).join(' ')} ***`);
    } else if (ours && login) lines.push('C: ***');
    else for (const line of text.split(/\r?\n/)) lines.push(`${ours ? 'C' : 'S'}: ${printable(line)}`);
    if (!ours && !text.startsWith('3')) login = false;
  };
  const silent = (): void => {};
  return {
    lines,
    note: (text) => lines.push(`   (${printable(text)})`),
    logger: { trace: silent, debug: take, info: silent, warn: silent, error: silent, fatal: silent },
  };
}

interface Limit {
  /** What to do when the time is over, and not before. */
  at(action: () => void): void;
  handedOver(): void;
  within<T>(work: Promise<T>): Promise<T>;
  end(): void;
}

/** The time of a whole attempt. */
function createLimit({ handOverMs, takeMs }: MailLimits): Limit {
  let action = (): void => {};
  let handedOver = false;
  let fail: (error: Error) => void = () => {};
  const over = new Promise<never>((_, reject) => {
    fail = reject;
  });
  over.catch(() => {});
  const expire = (): void => {
    fail(new Error(handedOver ? 'no word from the server on the message in time' : 'the server is too slow'));
    action();
  };
  let timer = setTimeout(expire, handOverMs);
  return {
    at: (next) => {
      action = next;
    },
    handedOver() {
      handedOver = true;
      clearTimeout(timer);
      timer = setTimeout(expire, takeMs);
    },
    within: (work) => Promise.race([work, over]),
    end: () => clearTimeout(timer),
  };
}
