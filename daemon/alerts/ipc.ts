/** What the main process and the notifier say to each other, over Node's channel. Both are one build of one program. */
import type { MailSpec } from '../checks/spec.js';
import type { Content, Outcome } from './outbox-types.js';

/** One message over one way. */
export type Job = { content: Content } & (
  | { way: 'mail'; mail: MailSpec; recipients: readonly string[]; node: string }
  | { way: 'program'; program: string }
  | { way: 'webhook'; url: string }
  | { way: 'syslog' }
);

/** How it went, and the conversation, line by line. */
export interface Answer {
  outcome: Outcome;
  lines: readonly string[];
}

export type MainToNotifier =
  /** First, and once. `users`: not looked at where this process is not root. */
  { kind: 'setup'; users: readonly string[] } | { kind: 'job'; id: number; job: Job };

export type NotifierToMain =
  /** It is unprivileged now. */
  | { kind: 'ready'; user: string }
  /** It cannot work; it ends. */
  | { kind: 'failed'; reason: string }
  /** A process group that was started, or has ended: to be ended with this process. */
  | { kind: 'group'; group: number; alive: boolean }
  | { kind: 'answer'; id: number; answer: Answer };
