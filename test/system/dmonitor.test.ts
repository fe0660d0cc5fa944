/**
 * A directory as dmonitor's description has it, on a real hastmond: built by its own commands, with its plugins as they are; what is
 * changed in it is noticed, and nothing else of the configuration with it.
 */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createNode } from './node.js';
import { loneNode, patienceMs, runHastmond } from './support.js';
import { until } from './wait.js';

interface Check {
  name: string;
  state: string;
  nature: string;
  text?: string;
}

interface Tree {
  root: string;
  touch(name: string, text?: string): void;
  plugin(name: string, script: string): void;
}

/** In a place that whoever runs the plugins may enter. */
function treeFor(t: TestContext): Tree {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hastmon-dmonitor-'));
  chmodSync(folder, 0o755);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const root = path.join(folder, 'dmonitor');
  const touch = (name: string, text = ''): void => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  };
  const plugin = (name: string, script: string): void => {
    touch(`plugins/check_${name}`, `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(root, `plugins/check_${name}`), 0o755);
  };
  return { root, touch, plugin };
}

test('a directory of dmonitor, without edits', async (t) => {
  const { root, touch, plugin } = treeFor(t);
  const state = path.join(path.dirname(root), 'ill');
  // nodes.txt, hosts.d, alert.d and plugins, by the words of the description.
  touch('nodes.txt', 'lone\n');
  touch('hosts.d/localhost/ssh');
  touch('hosts.d/localhost/web');
  touch('hosts.d/localhost/slow', 'timeout 500ms\n');
  touch('hosts.d/127.0.0.1/web');
  touch('alert.d/foo@example.com');
  touch('alert.d/root@example.com');
  // Called with the host's name as a single argument.
  plugin(
    'web',
    `test $# = 1 || exit 1\ncase $1 in localhost) test -e ${state} && echo FAIL || echo OK;; *) echo FAIL;; esac`,
  );
  plugin('slow', 'sleep 100\necho OK');
  const { config, dir, file } = await loneNode(t, `monitor {\n  dmonitor "${root}"\n}`);
  const tested = await runHastmond(['-t', '-c', config, '-n', 'lone']);
  assert.equal(tested.code, 0, tested.stderr);

  const node = createNode({
    ...{ name: 'lone', dir, configFile: config, resource: 'shared', place: [] },
    daemonArgs: [],
  });
  t.after(async () => {
    node.killMachine();
    await node.exited;
    node.remove();
  });
  mkdirSync(path.join(dir, 'lone'), { recursive: true });
  await node.start();
  const checks = async (): Promise<Map<string, Check>> => {
    // Also where the configuration is broken.
    const { stdout } = await node.ctl('--control', file('control'), 'checks', '--json');
    const { checks: all = [] } = JSON.parse(stdout) as { checks?: Check[] };
    return new Map(all.map((check) => [check.name, check]));
  };
  const shown = async (): Promise<string> => `${JSON.stringify([...(await checks())])}\n${node.log()}`;
  /** Runs each now: their own interval is a minute. */
  const run = async (...names: string[]): Promise<void> => {
    for (const name of names) await node.ctl('check', 'run', name);
  };
  const noticed = async (what: RegExp): Promise<void> => {
    await until(
      () => what.test(node.log()),
      patienceMs,
      () => `${what} is not in the log\n${node.log()}`,
    );
  };

  await t.test('plugins are run with the host alone, and tests without one are built in', async () => {
    await run('web@localhost', 'web@127.0.0.1', 'slow@localhost', 'ssh@localhost');
    const all = await checks();
    const natures = ['web@localhost', 'web@127.0.0.1', 'slow@localhost'].map((name) => all.get(name)?.nature);
    assert.deepEqual(natures, ['ok', 'plugin-fail 0', 'plugin-timeout'], await shown());
    // Whether there is a server here is not ours to say; that it was asked for by name is.
    assert.match(all.get('ssh@localhost')?.nature ?? '', /^(ok|refused)$/, await shown());
    writeFileSync(state, '');
    await run('web@localhost');
    assert.equal((await checks()).get('web@localhost')?.nature, 'plugin-fail 0');
    await noticed(/check web@localhost is down, as seen from here: plugin-fail/);
  });

  await t.test('a host and a test that come and go are noticed, what stays keeps its state', async () => {
    touch('hosts.d/other/web');
    await noticed(/dmonitor has changed: reading it again/);
    await until(async () => (await checks()).has('web@other'), patienceMs, 'the new check');
    assert.equal((await checks()).get('web@localhost')?.nature, 'plugin-fail 0', 'its last result');
    rmSync(path.join(root, 'hosts.d/127.0.0.1'), { recursive: true });
    await until(async () => !(await checks()).has('web@127.0.0.1'), patienceMs, 'the check that is gone');
  });

  await t.test('what is broken changes nothing and says so', async () => {
    touch('hosts.d/localhost/nosuch');
    touch('hosts.d/another/web');
    await noticed(/reload failed: [\s\S]*nosuch[\s\S]*nothing has been changed/);
    assert.equal((await checks()).has('web@another'), false);
    plugin('nosuch', 'echo OK');
    await until(
      async () => (await checks()).has('nosuch@localhost'),
      patienceMs,
      'the plugin that makes it good',
    );
    assert.equal((await checks()).has('web@another'), true);
  });

  await t.test('an edit of the configuration that nobody has asked for stays out of it', async () => {
    const before = readFileSync(config, 'utf8');
    appendFileSync(config, 'check unfinished tcp://127.0.0.1:1\nthis is no statement\n');
    touch('hosts.d/third/web');
    await until(async () => (await checks()).has('web@third'), patienceMs, 'the check of the directory');
    assert.equal((await checks()).has('unfinished'), false);
    writeFileSync(config, `${before}check finished tcp://127.0.0.1:1\n`);
    assert.equal((await node.ctl('reload')).code, 0);
    touch('hosts.d/fourth/web');
    await until(
      async () => (await checks()).has('web@fourth'),
      patienceMs,
      'the next check of the directory',
    );
    assert.equal((await checks()).has('finished'), true);
  });

  await t.test('a directory that goes changes nothing, and is read when it is back', async () => {
    rmSync(root, { recursive: true });
    await noticed(/dmonitor' cannot be read[\s\S]*nothing has been changed/);
    assert.equal((await checks()).has('web@fourth'), true);
    touch('nodes.txt', 'lone\n');
    plugin('web', 'echo OK');
    touch('alert.d/foo@example.com');
    touch('hosts.d/back/web');
    await until(
      async () => (await checks()).has('web@back') && !(await checks()).has('web@fourth'),
      patienceMs,
      'the new tree',
    );
  });
});
