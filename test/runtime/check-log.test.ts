/** The log's line about a check that changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResultView } from '../../daemon/checks/ipc.js';
import { logEdge } from '../../daemon/runtime/check-log.js';
import type { NamedView } from '../../daemon/runtime/monitor-host.js';

function lineOf(edge: 'up' | 'down', change: Partial<ResultView>, okAge = Infinity): string {
  const lines: string[] = [];
  const note = (_: object, text: string): void => void lines.push(text);
  const last = { nature: 'http-status', detail: 503, latencyMs: 1.26, text: '', excerpt: '', ...change };
  const view = { name: 'www', okAge } as NamedView;
  logEdge({ debug: note, info: note, warn: note, error: note }, edge, view, last as ResultView);
  assert.equal(lines.length, 1);
  return lines[0] ?? '';
}

test('down: why, the first line of the answer, and when it was last good', () => {
  const down = 'check www is down, as seen from here: http-status 503';
  assert.equal(lineOf('down', {}), `${down}; it was never seen up`);
  assert.equal(
    lineOf('down', { excerpt: 'HTTP/1.1 503 Sorry\r\nDate: today\r\n' }, 5040),
    `${down}: it said "HTTP/1.1 503 Sorry"; the last good answer was 5.0 s ago`,
  );
  assert.equal(
    lineOf('down', { excerpt: `${'\x1b'.repeat(100)}` }).length,
    down.length + ': it said ""; it was never seen up'.length + 80 * 6,
  );
  assert.equal(lineOf('down', { text: 'refused', excerpt: 'x' }), `${down}: refused; it was never seen up`);
});

test('up', () => {
  assert.equal(lineOf('up', {}), 'check www is up, as seen from here: answered in 1.3 ms');
});
