/** The program itself: its streams and its exit status. What it does is tested inside one process, by the others. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { directory, entryOf, execute, fakeDaemon } from './support.js';

test('a result goes to stdout, with exit status 0', async (t) => {
  const config = await fakeDaemon(t, async () => ({ status: [entryOf({ forced: true })] }));
  const { code, err, out } = await execute(['status', '-c', config]);
  assert.deepEqual({ code, err }, { code: 0, err: '' });
  assert.match(out, /^mail:\n {2}role: primary\n/);
  assert.ok(!out.includes('\x1b'), 'no colours where there is no terminal');
});

test('what is wrong goes to stderr, as one line, with its exit status', async (t) => {
  const control = path.join(directory(t), 'nobody');
  const absent = await execute(['status', '--control', control]);
  assert.deepEqual({ code: absent.code, out: absent.out }, { code: 69, out: '' });
  assert.match(absent.err, /^hastmonctl: .+\n$/);
  const unknown = await execute(['status', '--frobnicate']);
  assert.deepEqual(unknown, {
    code: 64,
    out: '',
    err: 'hastmonctl: unknown argument: frobnicate; see hastmonctl --help\n',
  });
});

test('a result that cannot be written is an error; a reader that has seen enough is not', async (t) => {
  const config = await fakeDaemon(t, async () => ({ status: [entryOf()] }));
  for (const words of [['status', '-c', config], ['--help'], ['version', '-c', config]]) {
    const full = await execute(words, {}, '"$@" > /dev/full');
    assert.equal(full.code, 74, words.join(' '));
    assert.equal(full.err, 'hastmonctl: cannot write to the standard output: no space left on device\n');
    // The reader has closed the pipe long before the program is there; its own status is what matters.
    const closed = await execute(words, {}, '{ "$@"; echo "$?"  >&2; } | exec 0<&-');
    assert.equal(closed.err, '0\n', words.join(' '));
  }
  const mute = await execute(['status', '--frobnicate'], {}, '"$@" 2> /dev/full');
  assert.equal(mute.code, 64, 'the exit status tells where stderr cannot');
});

test('--help needs no daemon', async () => {
  const { code, out } = await execute(['--help']);
  assert.equal(code, 0);
  assert.match(out, /^Usage: hastmonctl/);
});
