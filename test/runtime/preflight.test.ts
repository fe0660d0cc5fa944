/** What `hastmond -t` says of this machine's accounts. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../../daemon/config/load.js';
import { examine } from '../../daemon/runtime/preflight.js';

async function said(t: TestContext, users: string): Promise<string[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'preflight-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'hastmon.conf');
  const places = `control ${folder}/ctl state_dir ${folder}/state`;
  writeFileSync(file, `${places} monitor { nodes a ${users} } check c tcp://127.0.0.1:1\n`);
  chmodSync(file, 0o600);
  const { config, diagnostics } = loadConfig(file, { hostname: 'a' });
  assert.ok(config !== null, JSON.stringify(diagnostics));
  return (await examine(config)).map(({ severity, message, help }) => `${severity}: ${message}; ${help}`);
}

test('none of the users that checks are made by', async (t) => {
  assert.deepEqual(await said(t, 'user no-such-user-1 no-such-user-2'), [
    'warning: monitor: user: none of these users exists here: no-such-user-1, no-such-user-2; create one of them: useradd --system no-such-user-1',
  ]);
});

test('one of them is enough', async (t) => {
  assert.deepEqual(await said(t, 'user no-such-user-1 root'), []);
});
