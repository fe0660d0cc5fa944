/** Looking at the balancer's file: what is a change, and what is none yet. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createFileWatch, signatureOf } from '../../../daemon/balancer/process/file-watch.js';
import { until } from '../../system/wait.js';

const LIMIT_MS = 10_000;

function sceneFor(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-watch-'));
  const file = path.join(folder, 'lb.conf');
  writeFileSync(file, 'one\n');
  const changes: string[] = [];
  const watch = createFileWatch(() => {
    const signature = signatureOf(file);
    changes.push(signature);
    watch.follow(file, 20, signature);
  });
  t.after(() => {
    watch.close();
    rmSync(folder, { recursive: true });
  });
  return { changes, file, folder, watch };
}

test('what changes while it is read is a change', async (t) => {
  const { changes, file, watch } = sceneFor(t);
  const known = signatureOf(file);
  appendFileSync(file, 'two\n');
  watch.follow(file, 20, known);
  await until(() => changes.length === 1, LIMIT_MS, 'it is told');
  assert.equal(changes[0], signatureOf(file));
});

test('one that is being written is left until it stays as it is; one that is replaced is another', async (t) => {
  const { changes, file, folder, watch } = sceneFor(t);
  watch.follow(file, 20, signatureOf(file));
  const begun = performance.now();
  await until(
    () => {
      appendFileSync(file, 'more\n');
      return performance.now() - begun > 600;
    },
    LIMIT_MS,
    'it is written',
  );
  assert.deepEqual(changes, []);
  await until(() => changes.length === 1, LIMIT_MS, 'it is told once');
  rmSync(file);
  writeFileSync(path.join(folder, 'new'), 'one\n');
  renameSync(path.join(folder, 'new'), file);
  await until(() => changes.length === 2, LIMIT_MS, 'it is told again');
});

test('a path that cannot be looked at is as none', (t) => {
  const { file } = sceneFor(t);
  assert.equal(signatureOf(path.join(file, 'below')), '');
  assert.equal(signatureOf('/there/is/none'), '');
});
