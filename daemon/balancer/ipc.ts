/** What the main process and the balancer process say to each other. Both are one build of one program. */
import type { BalancerAnswer, BalancerRequest } from '../../proto/balancer-types.js';
import type { NewEvent } from '../../proto/event-types.js';
import type { ExplainedServers } from '../../proto/explain-types.js';
import type { NodeName } from '../core/types.js';
import type { LogTarget } from '../log/log.js';
import type { ProcessSettings } from '../runtime/monitor-settings.js';
import type { ShareEntry } from './core/types.js';
import type { BalancerSettings } from './settings.js';
import type { DirectorWord, EmailOptions } from './types.js';

/** What hastmonctl asks; `explain`: the servers that the name means, as this node knows them. */
export type BalancerQuestion = BalancerRequest | { kind: 'explain'; name: string; node: NodeName };

export type MainToBalancer =
  /** First, and again when it changes. `checks`: as what its checks run. */
  | {
      kind: 'settings';
      settings: BalancerSettings;
      checks: ProcessSettings;
      /** Where the log of hastmond goes. */
      logged: LogTarget['kind'];
    }
  /** This node's is the table that counts; told once at the start, too. `others`: nodes that may follow. */
  | { kind: 'active'; active: boolean }
  /** How the director is heard, where this node is none: while it is, once a second, and before every question. */
  | { kind: 'word'; word: DirectorWord }
  /** From the director. */
  | { kind: 'share'; full: boolean; entries: readonly ShareEntry[] }
  /** Another node has to be told all. */
  | { kind: 'share-all' }
  | { kind: 'ask'; request: number; what: BalancerQuestion };

export type BalancerToMain =
  | { kind: 'ready'; notes: readonly string[] }
  | { kind: 'failed'; reason: string }
  | { kind: 'beat' }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; fields: Record<string, unknown>; text: string }
  | { kind: 'event'; event: NewEvent }
  | { kind: 'mail'; email: EmailOptions; subject: string; text: string }
  /** `more`: what follows at once is of the same. */
  | { kind: 'share'; full: boolean; more: boolean; entries: readonly ShareEntry[] }
  /** What was on disk has been read: what the director has said before and meanwhile is to be said again. */
  | { kind: 'share-wanted' }
  /** `error`: sysexits(3) and words; null where it was done. */
  | {
      kind: 'answer';
      request: number;
      error: { code: number; message: string } | null;
      text: string;
      answer: BalancerAnswer | null;
      /** The answer to `explain`, null to others. */
      explained: ExplainedServers | null;
    };
