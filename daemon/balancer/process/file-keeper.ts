/** The balancer's file: read at the start, when it changes and when somebody asks; what is wrong with it changes nothing. */
import { isDeepStrictEqual } from 'node:util';
import type { RecordEvent } from '../../../proto/event-types.js';
import { formatDiagnostics } from '../../config/diagnostic.js';
import type { NetLog } from '../../net/log.js';
import { messageOf } from '../../sys/errors.js';
import { diffBalancer } from '../config/diff.js';
import { loadBalancerFile, parseBalancerFile } from '../config/load.js';
import type { BalancerConfig } from '../types.js';
import { createFileWatch, signatureOf } from './file-watch.js';
import { createNames, type Resolved } from './names.js';

export interface FileKeeper {
  /** What is in force; null: nothing yet. */
  config(): BalancerConfig | null;
  /** What an empty file says. */
  readonly empty: BalancerConfig;
  /** The file from now on; read at once if it is another one. */
  follow(file: string): Promise<void>;
  /** Reads it again; words for people about what came of it. */
  reload(): Promise<string>;
  /** What a reload would change, a line each, '' for nothing; `wrong`: the text says what is wrong with the file. */
  diff(): Promise<{ text: string; wrong: boolean }>;
  /** Why there is no configuration, or not that of the file; '' for nothing. */
  problem(): string;
  close(): void;
}

export interface FileKeeperOptions {
  log: NetLog;
  record: RecordEvent;
  /** Before a configuration counts: where its state is kept. Rejects where that cannot be had. */
  begin(database: string): Promise<void>;
  loaded(input: { kind: 'config'; config: BalancerConfig; addresses: Resolved['addresses'] }): void;
}

/** Where there is no configuration at all, and names that do not resolve: looked at again. */
const RETRY_MS = 10_000;

export function createFileKeeper({ begin, loaded, log, record }: FileKeeperOptions): FileKeeper {
  let file = '';
  let config: BalancerConfig | null = null;
  let problem = '';
  let unresolved = '';
  /** What was given with the configuration in force. */
  let given: Resolved['addresses'] | null = null;
  let retry: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const empty = parseBalancerFile('', '').config as BalancerConfig;
  const names = createNames();
  const watch = createFileWatch(() => void inTurn(reload));

  /** One at a time: two changes in a row are applied in their order. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  }

  async function reload(): Promise<string> {
    // A change while it is read is another one.
    const signature = signatureOf(file);
    const { config: next, diagnostics } = loadBalancerFile(file);
    const shown = formatDiagnostics(diagnostics);
    const { autoCheck, checkPeriodMs } = (next ?? config ?? empty).options;
    watch.follow(file, autoCheck ? checkPeriodMs : 0, signature);
    if (next === null) return refused(`${shown}nothing has been changed`);
    const changes = config === null ? null : diffBalancer(config, next);
    try {
      await begin(next.options.database);
    } catch (error) {
      return refused(`${file}: DB: ${messageOf(error)}; nothing has been changed`);
    }
    for (const line of shown.split('\n')) if (line !== '') log.warn({}, line);
    problem = '';
    config = next;
    given = null;
    await apply(next);
    for (const text of changes ?? []) {
      log.info({}, `reloaded: ${text}`);
      record({ kind: 'balancer-reloaded', text, data: {} });
    }
    if (changes?.length === 0) log.info({}, `${file} was read again: nothing differs`);
    return `${shown}${changes?.join('\n') || 'nothing differs'}\n`;
  }

  function refused(text: string): string {
    // What is tried again by itself, and is still so, is no news.
    if (config !== null || text !== problem) {
      for (const line of text.split('\n')) if (line !== '') log.error({}, line);
      const error = text.trimEnd();
      record({ kind: 'balancer-reload-failed', text: `${file} cannot be used: ${error}`, data: { error } });
    }
    problem = text;
    if (config === null) later(() => reload());
    return text.endsWith('\n') ? text : `${text}\n`;
  }

  async function apply(next: BalancerConfig): Promise<void> {
    const { addresses, failed } = await names.resolve(next);
    const words = failed.map(({ name, why }) => `${name}: ${why}`).join(', ');
    if (words !== unresolved && words !== '') {
      const text = `names that do not resolve, servers of them are left out or where they were: ${words}`;
      log.warn({}, text);
      record({ kind: 'names-unresolved', text, data: { why: words } });
    }
    unresolved = words;
    if (!isDeepStrictEqual(addresses, given)) loaded({ kind: 'config', config: next, addresses });
    given = addresses;
    if (failed.length > 0) later(() => (config === null ? Promise.resolve() : apply(config)));
  }

  function later(work: () => Promise<unknown>): void {
    clearTimeout(retry);
    retry = setTimeout(() => void inTurn(work), RETRY_MS);
  }

  return {
    empty,
    config: () => config,
    async follow(next) {
      if (next === file) return;
      file = next;
      await inTurn(reload);
    },
    reload: () => inTurn(reload),
    diff: async () => {
      const { config: next, diagnostics } = loadBalancerFile(file);
      if (next === null) return { text: formatDiagnostics(diagnostics), wrong: true };
      const lines = diffBalancer(config ?? empty, next);
      const text = lines.map((line) => `${line}\n`).join('');
      return { text: text === '' ? '' : `${formatDiagnostics(diagnostics)}${text}`, wrong: false };
    },
    problem: () => problem,
    close() {
      clearTimeout(retry);
      watch.close();
    },
  };
}
