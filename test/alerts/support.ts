/** What the tests of alerts share: edges, alerts, and a desk with everything real behind it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createAlertDesk } from '../../daemon/alerts/desk.js';
import type { Content, Told } from '../../daemon/alerts/outbox-types.js';
import type { AlertDesk, EdgeNotice } from '../../daemon/alerts/types.js';
import type { AlertSpec, MailSpec } from '../../daemon/checks/spec.js';
import { messageId } from '../../daemon/confirm/ledger.js';
import type { Facts, View, Witness } from '../../daemon/confirm/types.js';
import { edgeSentence } from '../../daemon/confirm/words.js';
import { openStore } from '../../daemon/state/store.js';

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../daemon/hastmond.js');

/** Is told to the end by these ways only. */
export function alertOf(name: string, change: Partial<AlertSpec> = {}): AlertSpec {
  return {
    ...{ name, mail: null, program: '', webhook: '', syslog: false, gatherMs: 0, recovery: true },
    ...change,
  };
}

export function mailOf(server: string, change: Partial<MailSpec> = {}): MailSpec {
  const from = 'hastmon@a.example.com';
  return { to: ['ops@example.com'], from, server, tls: 'none', user: '', password: '', ...change };
}

export function viewOf(change: Partial<View> = {}): View {
  return {
    ...{ sight: 'down', forMs: 12_000, resultAgeMs: 2000, failing: true, nature: 'refused' },
    ...{ address: '192.0.2.10', latencyMs: 0.4, goodAgoMs: 15_000, ...change },
  };
}

export interface Given extends Partial<Omit<EdgeNotice, 'facts'>> {
  facts?: Partial<Facts>;
}

/** An edge of `web`: an odd number is an outage, an even one a recovery. */
export function noticeOf(edge = 1, given: Given = {}): EdgeNotice {
  const { facts: changed = {}, ...rest } = given;
  const check = given.check ?? 'web';
  const what = edge % 2 === 1 ? 'down' : 'up';
  const up = viewOf({ sight: 'up', failing: false, nature: 'ok', latencyMs: 12.3 });
  const witnesses: Witness[] = [
    { node: 'a', view: what === 'down' ? viewOf() : up },
    { node: 'b', view: what === 'down' ? viewOf({ nature: 'timeout-connect', latencyMs: 5000 }) : up },
    { node: 'c', view: up },
  ];
  const facts: Facts = {
    ...{ what, sinceMs: what === 'up' ? 732_000 : 240_000, agoMs: 12_000 },
    ...{ lastedMs: what === 'up' ? 720_000 : null, witnesses },
    ...{ silent: ['d'], ackBy: '', sentence: '' },
    ...changed,
  };
  const sentence = edgeSentence(facts.what, facts.witnesses, facts.silent, facts.lastedMs);
  return {
    ...{ check, group: '', url: 'http://www.example.com/', alerts: [], edge, id: `${check}#${edge}` },
    ...{ messageId: messageId(check, edge, 'example.com'), answer: { text: '', excerpt: '' } },
    ...rest,
    facts: { ...facts, sentence },
  };
}

/** Content that says only which edges it is of. */
export function composeIds(alert: string, told: readonly Told[]): Content {
  const ids = told.map(({ notice }) => notice.id);
  return {
    ...{ subject: ids.join(' '), text: alert, json: '{}', env: {}, lines: [], references: [], ids },
    ...{ messageId: told[0]?.notice.messageId ?? '', writtenAt: 0 },
  };
}

export interface Desk {
  desk: AlertDesk;
  /** `web#1` or `web#1: why not`, in the order in which they were done. */
  done: string[];
  log: string[];
  pids: number[];
}

/** A directory that goes with the test. */
export function directory(t: TestContext): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'hastmon-alerts-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Begins with what the directory has; `atDone` is called in the very moment in which an edge is done. */
export function deskFor(dir: string, atDone: () => void = () => {}): Desk {
  const { store, reason } = openStore(dir);
  if (store === null) throw new Error(reason);
  const trial: Omit<Desk, 'desk'> = { done: [], log: [], pids: [] };
  const note = (_: object, text: string): void => void trial.log.push(text);
  const desk = createAlertDesk({
    ...{ script, store, wall: Date.now, now: () => performance.now() },
    log: { debug: () => {}, info: note, warn: note, error: note },
    records: { record: (pid) => trial.pids.push(pid), forget: () => {} },
    done(check, edge, why) {
      atDone();
      trial.done.push(`${check}#${edge}${why === '' ? '' : `: ${why}`}`);
    },
  });
  return { desk, ...trial };
}

export const SETUP = { node: 'a', users: ['hastmon', 'nobody'] };
