// Runs the test files (dist/test/**/*.test.js) with Node's test runner; arguments narrow them by path.
import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
// Those that wait for real processes and their times begin first: the others fill the gaps.
const waiting = ['actions/pair', 'system/', 'balancer/process', 'actions/', 'net/links', 'checks/'];
const place = (name) => waiting.findIndex((word) => name.startsWith(word)) >>> 0;
const files = readdirSync('dist/test', { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  .filter((name) => words.length === 0 || words.some((word) => `dist/test/${name}`.includes(word)))
  .sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
  .map((name) => path.join(root, 'dist/test', name));
if (files.length === 0) {
  console.error(`no test file matches ${words.join(' ')}`);
  process.exit(64);
}
// Most of the time of a test file is waiting, for deadlines and for processes: one more than there are processors.
run({ files, concurrency: os.availableParallelism() + 1 })
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(new spec())
  .pipe(process.stdout);
