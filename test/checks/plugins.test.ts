/** Plugins as processes, on both ways of waiting: what they are called with, and that nothing of them is left. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { until } from '../system/wait.js';
import { benchFor, WAYS } from './engine-support.js';
import { planFrom } from './plan-support.js';

const PATIENCE_MS = 10_000;

interface Scripts {
  folder: string;
  /** Writes a plugin, and gives its URL with these arguments. */
  plugin(name: string, script: string, ...args: string[]): string;
  text(name: string): string;
}

function scriptsFor(t: TestContext): Scripts {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'plugins-'));
  t.after(() => {
    endLeftOver(folder);
    rmSync(folder, { recursive: true });
  });
  return {
    folder,
    plugin(name, script, ...args) {
      const file = path.join(folder, name);
      writeFileSync(file, `#!/bin/sh\ncd ${folder}\n${script}\n`, { mode: 0o755 });
      return `exec:${file}?${args.map((arg) => `arg=${encodeURIComponent(arg)}`).join('&')}`;
    },
    text: (name) => readFileSync(path.join(folder, name), 'utf8'),
  };
}

/** Where a test has failed, what its plugins started may still be there. */
function endLeftOver(folder: string): void {
  for (const name of ['own', 'child'])
    try {
      const pid = Number(readFileSync(path.join(folder, name), 'utf8'));
      if (readlinkSync(`/proc/${pid}/cwd`) === folder) process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
}

const gone = (pid: number): boolean => {
  try {
    // What nobody has waited for yet is there and does nothing.
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
};

for (const way of WAYS)
  describe(`plugins on ${way}`, () => {
    test('are called with a full list of arguments, in an environment of their own', async (t) => {
      const { plugin, text } = scriptsFor(t);
      process.env.SECRET_OF_OURS = 'x';
      t.after(() => delete process.env.SECRET_OF_OURS);
      const url = plugin(
        'args',
        'printf "%s\\n" $# "$@" > args.txt; env > env.txt; pwd; echo OK',
        '-H',
        'a b',
        '$(id)',
        '',
      );
      const bench = benchFor(t, way);
      assert.equal((await bench.check(planFrom(`check c ${url}`))).nature, 'ok');
      assert.equal(text('args.txt'), '4\n-H\na b\n$(id)\n\n');
      assert.doesNotMatch(text('env.txt'), /SECRET_OF_OURS/);
    });

    test('that say more than anybody reads are ended', async (t) => {
      const { plugin } = scriptsFor(t);
      const bench = benchFor(t, way);
      const result = await bench.check(
        planFrom(`check c ${plugin('yes', 'echo $$ > pid; exec yes "OK said very often"')} { timeout 8s }`),
      );
      assert.deepEqual([result.nature, result.text], ['plugin-fail', 'it wrote more than 1 MiB']);
      const much = plugin('much', 'head -c 500000 /dev/zero | tr "\\0" x; echo; exit 2');
      const critical = await bench.check(planFrom(`check c ${much} { timeout 8s }`));
      assert.deepEqual([critical.nature, critical.detail], ['plugin-fail', 2]);
    });

    test('that do not end are ended with all that they started, also those that will not', async (t) => {
      const { plugin, text } = scriptsFor(t);
      const bench = benchFor(t, way);
      const url = plugin(
        'stubborn',
        `trap '' TERM
sh -c 'trap "" TERM; echo $$ > child; while :; do sleep 0.1; done' &
echo $$ > own
while :; do sleep 0.1; done`,
      );
      const { nature } = await bench.check(planFrom(`check c ${url} { timeout 1500ms }`));
      assert.equal(nature, 'plugin-timeout');
      const pids = ['own', 'child'].map((name) => Number(text(name)));
      assert.ok(pids.every((pid) => pid > 1));
      await until(() => pids.every(gone), PATIENCE_MS, `${pids.filter((pid) => !gone(pid))} are left`);
    });

    test('that end and leave something behind', async (t) => {
      const { plugin, text } = scriptsFor(t);
      const bench = benchFor(t, way);
      const url = plugin('leaves', 'sleep 1000 & echo $! > child; echo OK');
      assert.equal((await bench.check(planFrom(`check c ${url}`))).nature, 'ok');
      const pid = Number(text('child'));
      await until(() => gone(pid), PATIENCE_MS, `${pid} is left`);
    });

    test('run so many at once, and all have their turn', async (t) => {
      const { plugin, folder } = scriptsFor(t);
      const bench = benchFor(t, way);
      // Two at once are allowed here; who finds a third one says so.
      const url = plugin(
        'one',
        `mkdir busy.$$; n=$(ls -d busy.* | wc -l); sleep 0.05; rmdir busy.$$; test $n -le 2 && echo OK || echo FAIL`,
      );
      const results = await Promise.all(
        Array.from({ length: 8 }, () => bench.check(planFrom(`check c ${url}`))),
      );
      assert.deepEqual(new Set(results.map(({ nature }) => nature)), new Set(['ok']), folder);
    });
  });
