// How a record reads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatJournal,
  formatMessage,
  formatTerminal,
  printable,
  priorityOf,
  redactSecrets,
} from '../../daemon/log/format.js';

const message = (fields: Record<string, unknown>) => formatMessage({ level: 'info', ...fields });

test('resource, role and peer stand first, as far as there are any', () => {
  const text = { msg: 'lease lost' };
  assert.equal(
    message({ ...text, resource: 'mail', role: 'primary', peer: 'tcp4://bolek' }),
    'mail (primary) tcp4://bolek: lease lost',
  );
  assert.equal(message({ ...text, resource: 'mail' }), 'mail: lease lost');
  assert.equal(message({ ...text, peer: 'bolek' }), 'bolek: lease lost');
  assert.equal(message(text), 'lease lost');
});

test("other fields follow, the program's own do not", () => {
  assert.equal(
    message({
      time: 1,
      pid: 2,
      msg: 'm',
      leftMs: 120,
      hook: 'start',
      words: 'a b',
      empty: '',
      list: [1],
      none: null,
    }),
    'm leftMs=120 hook=start words="a b" empty="" list=[1] none=null',
  );
  assert.equal(message({ leftMs: 1 }), 'leftMs=1');
});

test('an error is its message, never its stack', () => {
  const err = { type: 'Error', message: 'boom', stack: 'Error: boom\n    at here' };
  assert.equal(message({ msg: 'failed', err }), 'failed (boom)');
  assert.equal(message({ msg: 'boom', err }), 'boom');
  assert.equal(message({ msg: 'failed', err: 'why' }), 'failed (why)');
});

test('a record stays one line, and cannot fool a terminal', () => {
  assert.equal(
    message({ msg: 'a\nb\r\x1b[31m\x07\tc\x9b', peer: 'x\ny' }),
    'x\\ny: a\\nb\\x0d\\x1b[31m\\x07 c\\x9b',
  );
  assert.equal(printable('größer ✓'), 'größer ✓');
});

test('a terminal gets local time, level, and colour if wanted', () => {
  const time = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
  const record = { level: 'warn', time, msg: 'm', resource: 'mail' };
  assert.equal(formatTerminal(record, false), '2026-01-02 03:04:05.006 warn  mail: m\n');
  assert.equal(formatTerminal(record, true), '\x1b[33m2026-01-02 03:04:05.006 warn  mail: m\x1b[0m\n');
  assert.equal(formatTerminal({ ...record, level: 'info' }, true), '2026-01-02 03:04:05.006 info  mail: m\n');
});

test('the journal gets the priority in front', () => {
  const lines = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((level) =>
    formatJournal({ level, msg: 'm' }),
  );
  assert.deepEqual(lines, ['<2>m\n', '<3>m\n', '<4>m\n', '<6>m\n', '<7>m\n', '<7>m\n']);
  assert.equal(priorityOf('unheard-of'), 6);
});

test('secrets are blotted out, however deep and whatever they are', () => {
  const record = {
    secret: 's',
    key: { secret: 'a"b\\', algorithm: 'sha256' },
    list: [{ x: { secret: { deep: 1 } } }],
    msg: 'm',
  };
  const line = redactSecrets(`${JSON.stringify(record)}\n`);
  assert.deepEqual(JSON.parse(line), {
    secret: '***',
    key: { secret: '***', algorithm: 'sha256' },
    list: [{ x: { secret: '***' } }],
    msg: 'm',
  });
  assert.ok(line.endsWith('}\n'));
  assert.equal(redactSecrets('{"msg":"no such field"}\n'), '{"msg":"no such field"}\n');
});
