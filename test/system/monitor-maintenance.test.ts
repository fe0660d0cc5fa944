/** A node that monitors and has no part in the resource holds its alerts as long as the resource is in maintenance. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { createMonitors, createService } from './monitors.js';
import { until } from './wait.js';

const patienceMs = 30_000;

test('a node that only monitors tells nothing of what is in maintenance elsewhere, and tells it when that is over', async (t) => {
  const service = await createService();
  t.after(() => service.close());
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hastmon-kept-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const hook = path.join(dir, 'hook.sh');
  const runs = path.join(dir, 'runs');
  writeFileSync(
    hook,
    `#!/bin/sh\ncase "$1" in\nstart) : > ${runs} ;;\nstop) rm -f ${runs} ;;\nstatus) [ -e ${runs} ] || exit 1 ;;\nesac\n`,
    { mode: 0o755 },
  );
  const monitors = await createMonitors({
    names: ['a', 'b'],
    monitor: 'interval 200ms retry_interval 100ms timeout 2s rise 1 fall 2',
    statements: `check web ${service.url}
resource shared {
  exec ${hook}
  role_on_start primary
  check web
  on a { remote none }
}`,
  });
  t.after(() => monitors.close());
  await monitors.start();
  const [a, b] = [monitors.node('a'), monitors.node('b')];
  const ctl = async (...words: string[]): Promise<string> => {
    const { code, stderr, stdout } = await a.ctl(...words);
    assert.equal(code, 0, `${stderr}\n${monitors.logs()}`);
    return stdout;
  };
  await until(async () => /run/.test((await a.ctl('status')).stdout), patienceMs, monitors.logs);
  await until(
    async () => (await a.ctl('maintenance', 'on', 'shared', '--reason', 'upgrade')).code === 0,
    patienceMs,
    monitors.logs,
  );
  const held = async (): Promise<boolean> =>
    /shared is in maintenance/.test((await b.ctl('explain', 'web')).stdout.replace(/\s+/g, ' '));
  await until(held, patienceMs, monitors.logs);
  await service.stop();
  await until(
    () => b.log().includes('check web: not told: shared is in maintenance'),
    patienceMs,
    monitors.logs,
  );
  // Neither by b, whose turn it is when a is gone, which has not to be there for that.
  a.signal('SIGTERM');
  await a.exited;
  assert.deepEqual(monitors.told(), [], monitors.logs());
  assert.ok(await held(), 'what was heard last holds them for a while');
  await a.start();
  await until(
    async () => (await a.ctl('maintenance', 'off', 'shared')).code === 0,
    patienceMs,
    monitors.logs,
  );
  await until(() => monitors.told().length > 0, patienceMs, monitors.logs);
  assert.deepEqual(
    monitors.told().map(({ id }) => id),
    ['web#1'],
  );
  await ctl('role', 'init', 'shared', '--wait');
});
