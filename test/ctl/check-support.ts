/** Checks that are well, with what a test says otherwise. */
import type { CheckList } from '../../ctl/checks.js';
import type { CheckDetail, CheckEntry, NodeView, ProbeReport } from '../../proto/monitor-types.js';

export function checkOf(other: Partial<CheckEntry> = {}): CheckEntry {
  return {
    ...{ name: 'www', group: '', url: 'http://www.example.com/', state: 'up', outage: false, nature: 'ok' },
    ...{ latencyMs: 1.23, sinceMs: 600_000, lastMs: 3000, goodMs: 3000, confirm: 2, nodes: 3, seenBy: [] },
    ...{ muteMs: 0, ackBy: '', flapping: false, behind: [], note: '' },
    ...other,
  };
}

/** A list of these, with its sums. */
export function listOf(...entries: CheckEntry[]): CheckList {
  const count = (wanted: string): number => entries.filter(({ state }) => state === wanted).length;
  return {
    ...{ entries, up: count('up'), down: count('down'), unknown: count('unknown') },
    ...{ lateMs: 0.4, skipped: 0, note: '' },
  };
}

export function detailOf(): CheckDetail {
  const view: NodeView = {
    ...{ node: 'alpha', self: true, state: 'down', note: '', nature: 'http-status 503', address: '10.0.0.1' },
    ...{ latencyMs: 1.2, sinceMs: 75_000, lastMs: 3000, goodMs: 120_000 },
  };
  const unseen = { nature: '', address: '', latencyMs: 0, sinceMs: null, lastMs: null, goodMs: null };
  const bad = { ok: false, nature: 'http-status 503', text: '', excerpt: 'HTTP/1.1 503 Sorry\r\n' };
  return {
    entry: checkOf({
      ...{ group: 'shops', state: 'down', outage: true, nature: 'http-status 503', ackBy: 'carol' },
      seenBy: ['alpha', 'beta'],
    }),
    views: [
      view,
      { ...view, node: 'beta', self: false, nature: 'refused', latencyMs: 0.1, goodMs: null },
      { ...view, ...unseen, node: 'gamma', self: false, state: 'unknown', note: 'has no such check' },
    ],
    ...{ edge: 'www#3', outageMs: 70_000, told: 'www#3', toldBy: 'beta', alerts: ['ops', 'pager'] },
    depends: [
      { name: 'router', state: 'up' },
      { name: 'dns', state: 'unknown' },
    ],
    options: [
      'interval 10s',
      'retry_interval 2s',
      'timeout 5s',
      'rise 2',
      'fall 3',
      'body "Welcome to all of you"',
    ],
    results: [
      { ...bad, ageMs: 3000, latencyMs: 1.2 },
      { ...bad, ageMs: 7000, latencyMs: 1.4 },
      { ageMs: 60_000, ok: true, nature: 'ok', latencyMs: 0.8, text: '', excerpt: 'HTTP/1.1 200 OK\r\n' },
    ],
  };
}

export function probeOf(): ProbeReport {
  return {
    ...{ name: 'www', url: 'http://www.example.com/', address: '10.0.0.1' },
    result: {
      ...{ ageMs: 0, ok: false, nature: 'timeout-receive', latencyMs: 2003, text: 'no answer' },
      excerpt: 'HTTP/1.1',
    },
    phases: [
      { name: 'resolve', tookMs: 2, reached: true },
      { name: 'connect', tookMs: 1, reached: true },
      { name: 'first byte', tookMs: 2000, reached: false },
    ],
  };
}
