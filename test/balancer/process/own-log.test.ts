/** The balancer's own log: in any combination, by its levels, and nowhere where hastmond's log goes already. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createOwnLog } from '../../../daemon/balancer/process/own-log.js';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a file has what its level lets through, and says what it is about', (t) => {
  const file = path.join(folderFor(t), 'lb.log');
  const own = createOwnLog(() => 'terminal');
  const texts = (): string[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
  assert.deepEqual(own.configure({ path: file, syslog: false, stderr: false, level: 1 }), []);
  own.write('info', { service: 'www' }, 'one');
  own.write('debug', {}, 'a step');
  own.setLevel(2);
  own.write('debug', {}, 'another step');
  assert.deepEqual(own.configure({ path: file, syslog: false, stderr: false, level: 0 }), []);
  own.write('info', {}, 'too little');
  own.write('warn', {}, 'a warning');
  own.configure({ path: '', syslog: false, stderr: false, level: 1 });
  own.write('error', {}, 'nowhere');
  assert.deepEqual(texts(), ['one', 'another step', 'a warning']);
  assert.match(readFileSync(file, 'utf8'), /"service":"www"/);
});

test('what cannot be opened is said, and tried again', (t) => {
  const folder = folderFor(t);
  const own = createOwnLog(() => 'syslog');
  const wanted = { path: path.join(folder, 'no', 'lb.log'), syslog: true, stderr: false, level: 1 };
  const [problem = '', ...others] = own.configure(wanted);
  assert.match(problem, /^Log\.Path .*: cannot open log file/);
  assert.deepEqual(others, []);
  assert.equal(own.configure(wanted).length, 1);
});

test('the standard error has it where the log of hastmond is a file, and not twice', () => {
  const module = new URL('../../../daemon/balancer/process/own-log.js', import.meta.url).href;
  const errorsOf = (main: string): string => {
    const script = `import { createOwnLog } from ${JSON.stringify(module)};
      const own = createOwnLog(() => ${JSON.stringify(main)});
      own.configure({ path: '', syslog: false, stderr: true, level: 1 });
      own.write('info', {}, 'a weight');`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stderr;
  };
  assert.match(errorsOf('file'), /info +a weight/);
  assert.equal(errorsOf('terminal'), '');
});
