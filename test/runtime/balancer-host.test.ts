/** The balancer process as the main process sees it: real processes of a small program that says what it is told to. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BalancerSettings } from '../../daemon/balancer/settings.js';
import { createBalancerHost } from '../../daemon/runtime/balancer-host.js';
import { UNCONFIGURED } from '../../daemon/runtime/monitor-settings.js';
import { until } from '../net/cluster.js';

/** Answers `balancer-diff`; dies at `balancer-reload`; falls silent at `balancer-services`. */
const PROGRAM = `
process.on('disconnect', () => process.exit(0));
let silent = false;
setInterval(() => silent || process.send({ kind: 'beat' }), 50);
process.on('message', (message) => {
  if (message.kind === 'settings') process.send({ kind: 'ready', notes: [message.settings.file] });
  if (message.kind === 'active') process.send({ kind: 'log', level: 'info', fields: {}, text: 'active ' + message.active });
  if (message.kind !== 'ask') return;
  if (message.what.kind === 'balancer-reload') process.exit(3);
  if (message.what.kind === 'balancer-services') silent = true;
  else process.send({ kind: 'answer', request: message.request, error: null, text: 'same', answer: null });
});
`;

const settings: BalancerSettings = {
  ...{ file: '/etc/lb.conf', whilePrimary: '', adopt: false, foreign: 'restore', sync: null, console: null },
};

function trialFor(t: TestContext, silenceMs = 60_000) {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-balancer-'));
  const script = path.join(folder, 'program.mjs');
  writeFileSync(script, PROGRAM);
  const lines: string[] = [];
  const pids: number[] = [];
  const ended: number[] = [];
  const note = (_: object, text: string): void => void lines.push(text);
  let started = 0;
  const host = createBalancerHost({
    script,
    logged: 'terminal',
    records: { record: (pid) => pids.push(pid), forget: (pid) => void pids.splice(pids.indexOf(pid), 1) },
    log: { debug: note, info: note, warn: note, error: note },
    events: {
      said: () => {},
      ended: (restartMs) => void ended.push(restartMs),
      started: () => {
        started += 1;
        host.tell({ kind: 'active', active: true });
      },
    },
    silenceMs,
  });
  t.after(async () => {
    await host.close();
    assert.deepEqual(pids, []);
    rmSync(folder, { recursive: true });
  });
  return { ended, host, lines, started: () => started };
}

test('it is forked, asked, told, and ended when there is nothing for it to do', async (t) => {
  const { host, lines } = trialFor(t);
  const { error } = await host.ask({ kind: 'balancer-diff' });
  assert.match(error?.message ?? '', /no balancer is configured/);
  host.apply(settings, UNCONFIGURED);
  assert.equal((await host.ask({ kind: 'balancer-diff' })).text, 'same');
  await until('it happens', () => lines.includes('active true'));
  assert.ok(lines.includes('/etc/lb.conf'));
  const pid = host.pid();
  assert.ok(pid > 0);
  host.apply(null, UNCONFIGURED);
  assert.equal(host.pid(), 0);
  await until('it happens', () => !alive(pid));
});

test('[B10] one that dies or hangs is replaced, and told again; who has asked it gets an error', async (t) => {
  const { ended, host, lines, started } = trialFor(t, 2000);
  host.apply(settings, UNCONFIGURED);
  const { error } = await host.ask({ kind: 'balancer-reload' });
  assert.equal(error?.message, 'the balancer has ended');
  await until(
    'it happens',
    () => started() === 2 && lines.filter((line) => line === 'active true').length === 2,
  );
  const hung = await host.ask({ kind: 'balancer-services', services: [] });
  assert.equal(hung.error?.code, 69);
  assert.ok(lines.some((line) => line.startsWith('the balancer has said nothing for 2 s')));
  await until('it happens', () => started() === 3);
  assert.deepEqual(ended, [200, 1000], 'and both times it is said when the next one follows');
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
