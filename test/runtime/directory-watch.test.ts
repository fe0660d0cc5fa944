/** Noticing changes in a directory of dmonitor's: real files, the kernel's own watches. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createDirectoryWatch, type DirectoryWatchOptions } from '../../daemon/runtime/directory-watch.js';
import { pause, until } from '../system/wait.js';

const SETTLE_MS = 30;

interface Trial {
  root: string;
  file(name: string): string;
  write(name: string, text?: string): void;
  changes(): number;
  /** Waits for one more change than there were, and for no further one. */
  noticed(what: string): Promise<void>;
  log: string[];
}

function watchFor(t: TestContext, more: Partial<DirectoryWatchOptions> = {}, make = true): Trial {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'directory-watch-'));
  const root = path.join(folder, 'dmonitor');
  const file = (name: string): string => path.join(root, name);
  const write = (name: string, text = ''): void => {
    mkdirSync(path.dirname(file(name)), { recursive: true });
    writeFileSync(file(name), text);
  };
  if (make) {
    write('nodes.txt', 'a\n');
    write('hosts.d/h/ssh');
    write('plugins/check_x');
    write('alert.d/me@example.com');
  }
  let changes = 0;
  let expected = 0;
  const log: string[] = [];
  const note = (_: object, text: string): void => void log.push(text);
  const watch = createDirectoryWatch({
    log: { debug: note, info: note, warn: note, error: note },
    changed() {
      changes += 1;
    },
    settleMs: SETTLE_MS,
    ...more,
  });
  t.after(() => {
    watch.close();
    rmSync(folder, { recursive: true });
  });
  watch.follow(root);
  const noticed = async (what: string): Promise<void> => {
    expected += 1;
    await until(() => changes >= expected, 5000, `${what} is not noticed`);
    assert.equal(changes, expected, `${what} is noticed ${changes - expected} times too often`);
  };
  return { root, file, write, changes: () => changes, noticed, log };
}

test('whatever the directory says in another way than before', async (t) => {
  const { file, write, noticed } = watchFor(t);
  write('hosts.d/h/http', 'interval 30s\n');
  await noticed('a test');
  write('hosts.d/h/http', 'interval 20s\n');
  await noticed('its options');
  // As editors do it.
  write('nodes.txt.new', 'a\nb\n');
  renameSync(file('nodes.txt.new'), file('nodes.txt'));
  await noticed('a list of nodes in the place of another');
  write('hosts.d/new/ping');
  await noticed('a host');
  write('hosts.d/new/ssh');
  await noticed('a test of a host that is new');
  chmodSync(file('plugins/check_x'), 0o755);
  await noticed('a plugin that can be executed now');
  write('alert.d/you@example.com');
  await noticed('a recipient');
  rmSync(file('hosts.d/h/http'));
  await noticed('a test that is gone');
  rmSync(file('hosts.d/new'), { recursive: true });
  await noticed('a host that is gone');
});

test('not what is no change, and many at once are one', async (t) => {
  const { file, write, noticed, changes } = watchFor(t, { settleMs: 100 });
  write('hosts.d/h/.ssh.swp', 'x');
  write('hosts.d/h/ssh~', 'x');
  utimesSync(file('nodes.txt'), 1, 1);
  // Nothing is to be seen: the time for it has to pass.
  await pause(300);
  assert.equal(changes(), 0);
  for (let index = 0; index < 50; index += 1) write(`hosts.d/host${index}/ping`);
  await noticed('fifty hosts');
});

test('a directory that goes and comes back, with all that is in it', async (t) => {
  const { root, file, write, noticed } = watchFor(t);
  renameSync(root, `${root}.old`);
  await noticed('that it is gone');
  renameSync(`${root}.old`, root);
  await noticed('that it is back');
  write('hosts.d/h/http');
  await noticed('a test in the one that is back');
  rmSync(root, { recursive: true });
  await noticed('that it is gone for good');
  write('hosts.d/h/ping');
  await noticed('one that is made anew');
  write('hosts.d/h/ssh');
  await noticed('a test in the one that is new');
  // At one stroke: what is watched is another directory of the same name.
  rmSync(file('hosts.d/h'), { recursive: true });
  write('hosts.d/h/pop3');
  await noticed('a host in the place of another');
  write('hosts.d/h/imap');
  await noticed('a test in that one');
});

test('a directory that is not there yet, nor what it is in', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'directory-watch-'));
  let changes = 0;
  const watch = createDirectoryWatch({
    log: { debug() {}, info() {}, warn() {}, error() {} },
    changed: () => {
      changes += 1;
    },
    settleMs: SETTLE_MS,
  });
  t.after(() => {
    watch.close();
    rmSync(folder, { recursive: true });
  });
  const root = path.join(folder, 'etc/below/dmonitor');
  watch.follow(root);
  mkdirSync(path.join(folder, 'etc'));
  await pause(3 * SETTLE_MS);
  mkdirSync(path.join(root, 'hosts.d/h'), { recursive: true });
  writeFileSync(path.join(root, 'hosts.d/h/ping'), '');
  await until(() => changes > 0, 5000, 'it is not noticed');
});

test('without room for watches it is looked at now and then, which is said; and at once again when there is room', async (t) => {
  let full = true;
  const { watch } = await import('node:fs');
  const { write, noticed, log } = watchFor(t, {
    pollMs: 50,
    watch(folder, told) {
      if (full)
        throw Object.assign(new Error('ENOSPC: System limit for number of file watchers reached'), {
          code: 'ENOSPC',
        });
      return watch(folder, (_, name) => told(name));
    },
  });
  assert.match(log.join('\n'), /dmonitor are looked for every 0\.05 s only: .*max_user_watches/);
  write('hosts.d/h/http');
  await noticed('a test');
  full = false;
  await until(() => log.some((line) => line.includes('at once again')), 5000, 'room');
  write('hosts.d/h/ping');
  await noticed('another test');
  assert.equal(log.filter((line) => !line.includes('has changed')).length, 2);
});
