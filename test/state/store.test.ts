// Durable state: old or new, never between; and what is not as it was written is never taken for absent.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeState, encodeState } from '../../daemon/state/record.js';
import { openStore, type Store } from '../../daemon/state/store.js';

const isRoot = process.geteuid?.() === 0;

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'hastmon-state-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function storeIn(directory: string): Store {
  const { store, reason } = openStore(directory);
  assert.ok(store !== null, reason);
  return store;
}

function corruptReason(store: Store, name: string): string {
  const stored = store.read(name);
  assert.equal(stored.kind, 'corrupt');
  return stored.kind === 'corrupt' ? stored.reason : '';
}

const value = {
  epoch: 12,
  holder: { node: 'lolek', incarnation: 3 },
  text: 'größer ✓',
  list: [1, null, true],
};

test('what is written is read, by any process; what is not, is none', async (t) => {
  const directory = path.join(temporaryDirectory(t), 'a', 'b');
  const store = storeIn(directory);
  assert.deepEqual(store.read('grants'), { kind: 'none' });
  await store.write('grants', value);
  store.writeSync('other', 0);
  assert.deepEqual(storeIn(directory).read('grants'), { kind: 'valid', value });
  assert.deepEqual(store.read('other'), { kind: 'valid', value: 0 });
  assert.deepEqual(store.names(), ['grants', 'other']);
});

test('only the owner may look: directory 0700, files 0600, whatever the umask', async (t) => {
  const directory = path.join(temporaryDirectory(t), 'state');
  const before = process.umask(0);
  t.after(() => process.umask(before));
  const store = storeIn(directory);
  await store.write('one', 1);
  store.writeSync('two', 2);
  const mode = (name: string) => statSync(path.join(directory, name)).mode & 0o7777;
  assert.deepEqual([mode('.'), mode('one.state'), mode('two.state')], [0o700, 0o600, 0o600]);
  chmodSync(directory, 0o755);
  storeIn(directory);
  assert.equal(mode('.'), 0o700);
});

test('a directory that cannot be used is told', async (t) => {
  const directory = temporaryDirectory(t);
  const file = path.join(directory, 'file');
  writeFileSync(file, '');
  assert.match(openStore(file).reason ?? '', /^state directory .*\/file: it is no directory$/);
  assert.match(openStore(path.join(file, 'below')).reason ?? '', /: a part of its path is not a directory$/);
  assert.match(
    openStore('/proc/hastmon').reason ?? '',
    /^state directory \/proc\/hastmon: no such file or directory$/,
  );
  if (!isRoot) {
    assert.match(openStore('/usr').reason ?? '', /^state directory \/usr: it belongs to user 0$/);
  }
});

test('every name has a file of its own, and none can leave the directory', async (t) => {
  const directory = temporaryDirectory(t);
  const store = storeIn(directory);
  const names = [
    'mail',
    'Mail',
    'a/b',
    '../x',
    '.',
    '..',
    '.hidden',
    'a b',
    'a%2Fb',
    'größer',
    'x.state',
    '',
  ];
  for (const name of names) store.writeSync(name, { name });
  for (const name of names) assert.deepEqual(store.read(name), { kind: 'valid', value: { name } });
  assert.deepEqual(store.names(), names.toSorted());
  assert.equal(readdirSync(directory).length, names.length);
  // Files of others are left out.
  for (const name of ['README', 'x.txt', '%zz.state', 'a b.state', '.y.state', 'mail.state.corrupt']) {
    writeFileSync(path.join(directory, name), '');
  }
  assert.deepEqual(store.names(), names.toSorted());
});

test('every truncation is corrupt', async (t) => {
  const directory = temporaryDirectory(t);
  const store = storeIn(directory);
  store.writeSync('grants', value);
  const file = path.join(directory, 'grants.state');
  for (let length = statSync(file).size - 1; length >= 0; length -= 1) {
    truncateSync(file, length);
    assert.match(corruptReason(store, 'grants'), /^it (is empty|ends within its (first line|checksum))$/);
  }
});

test('every flipped bit, and every byte more, is corrupt', () => {
  const bytes = Buffer.from(encodeState('grants', value));
  assert.deepEqual(decodeState('grants', bytes), { kind: 'valid', value });
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(decodeState('grants', flipped).kind, 'corrupt', `bit ${bit}`);
  }
  for (const more of ['\n', '\0', 'x', bytes]) {
    assert.equal(decodeState('grants', Buffer.concat([bytes, Buffer.from(more)])).kind, 'corrupt');
  }
});

test('torn: the beginning of the new, the end of the old', () => {
  const [older, newer] = [encodeState('grants', value), encodeState('grants', { ...value, epoch: 13 })];
  assert.equal(older.length, newer.length);
  for (let cut = 1; cut < older.length; cut += 1) {
    const torn = newer.slice(0, cut) + older.slice(cut);
    if (torn !== older && torn !== newer)
      assert.equal(decodeState('grants', Buffer.from(torn)).kind, 'corrupt');
  }
});

test('another format, another name and a wrong shape are corrupt, and say so', (t) => {
  const directory = temporaryDirectory(t);
  const store = storeIn(directory);
  const put = (bytes: string) => writeFileSync(path.join(directory, 'grants.state'), bytes);
  // Built as encodeState() does it, by way of a name that is the whole record.
  const seal = (line: string) => {
    const { stdout } = spawnSync('sha256sum', { input: `${line}\n`, encoding: 'utf8' });
    return `${line}\nsha256 ${stdout.slice(0, 64)}\n`;
  };
  assert.equal(seal('{"format":1,"name":"grants","value":0}'), encodeState('grants', 0));
  for (const [bytes, reason] of [
    [seal('{"format":2,"name":"grants","value":0}'), 'its format is 2, this hastmon reads 1'],
    [seal('{"name":"grants","value":0}'), 'its format is undefined, this hastmon reads 1'],
    [encodeState('votes', 0), 'it is the record of "votes", not of grants'],
    [seal('{"format":1,"name":"grants"}'), 'its first line is no record'],
    [seal('[]'), 'its first line is no record'],
    [seal('null'), 'its first line is no record'],
    [seal('{'), 'its first line is no record'],
    ['\0'.repeat(200), 'it ends within its first line'],
  ] as const) {
    put(bytes);
    assert.equal(corruptReason(store, 'grants'), reason);
  }
});

test('what cannot be read is corrupt, and nothing waits', (t) => {
  const directory = temporaryDirectory(t);
  const store = storeIn(directory);
  const at = (name: string) => path.join(directory, `${name}.state`);
  mkdirSync(at('directory'));
  assert.match(corruptReason(store, 'directory'), /^it cannot be read: it is no regular file$/);
  assert.equal(spawnSync('mkfifo', [at('fifo')]).status, 0);
  assert.match(corruptReason(store, 'fifo'), /no regular file/);
  symlinkSync(at('loop'), at('loop'));
  assert.match(corruptReason(store, 'loop'), /ELOOP/);
  writeFileSync(at('huge'), '');
  truncateSync(at('huge'), 2 ** 30);
  assert.match(corruptReason(store, 'huge'), /1073741824 bytes/);
  assert.match(corruptReason(store, 'x'.repeat(300)), /ENAMETOOLONG/);
  if (!isRoot) {
    store.writeSync('mode', 1);
    chmodSync(at('mode'), 0);
    assert.match(corruptReason(store, 'mode'), /EACCES/);
  }
});

test('a corrupt file is set aside, and kept', (t) => {
  const directory = temporaryDirectory(t);
  const store = storeIn(directory);
  assert.equal(store.setAside('grants'), null);
  writeFileSync(path.join(directory, 'grants.state'), 'rubbish');
  const aside = store.setAside('grants');
  assert.equal(aside, path.join(directory, 'grants.state.corrupt'));
  assert.equal(readFileSync(aside ?? '', 'utf8'), 'rubbish');
  assert.deepEqual(store.read('grants'), { kind: 'none' });
  assert.deepEqual(store.names(), []);
});

test('writes of one name are done in their order', async (t) => {
  const store = storeIn(temporaryDirectory(t));
  const order: number[] = [];
  const writes = Array.from({ length: 50 }, async (_, number) => {
    await store.write('counter', number, number % 2 === 0 ? 'machine' : 'process');
    order.push(number);
    const stored = store.read('counter');
    assert.equal(stored.kind, 'valid');
    assert.ok(stored.kind === 'valid' && Number(stored.value) >= number);
  });
  await Promise.all(writes);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
  assert.deepEqual(store.read('counter'), { kind: 'valid', value: 49 });
});

test('writeSync and remove are not undone by writes under way', async (t) => {
  const directory = temporaryDirectory(t);
  const store = storeIn(directory);
  const writes = [store.write('a', 1), store.write('a', 2), store.write('b', 1)];
  store.writeSync('a', 3);
  store.remove('b');
  const late = store.write('c', 1);
  await Promise.all([...writes, late]);
  assert.deepEqual(store.read('a'), { kind: 'valid', value: 3 });
  assert.deepEqual(store.read('b'), { kind: 'none' });
  assert.deepEqual(store.read('c'), { kind: 'valid', value: 1 });
  await store.write('a', 4);
  assert.deepEqual(store.read('a'), { kind: 'valid', value: 4 });
  assert.deepEqual(readdirSync(directory).sort(), ['a.state', 'c.state']);
});

test('a failed write rejects clearly, keeps the old value, and the next one is done', async (t) => {
  const directory = temporaryDirectory(t);
  const store = storeIn(directory);
  await store.write('grants', 1);
  const long = 'x'.repeat(300);
  await assert.rejects(store.write(long, 1), {
    code: 'ENAMETOOLONG',
    message: /^cannot write .*: ENAMETOOLONG/,
  });
  assert.throws(() => store.writeSync(long, 1), { code: 'ENAMETOOLONG' });
  mkdirSync(path.join(directory, 'taken.state'));
  await assert.rejects(store.write('taken', 1), { code: 'EISDIR' });
  await assert.rejects(store.write('grants', 1n), TypeError);
  await assert.rejects(store.write('grants', undefined), TypeError);
  await store.write('grants', 2);
  assert.deepEqual(store.read('grants'), { kind: 'valid', value: 2 });
  assert.deepEqual(readdirSync(directory).sort(), ['grants.state', 'taken.state']);
});

test('a write that fails does not keep the next one of its name from being done', async (t) => {
  const directory = temporaryDirectory(t);
  const store = storeIn(directory);
  const file = path.join(directory, 'taken.state');
  mkdirSync(file);
  const first = assert.rejects(store.write('taken', 1), { code: 'EISDIR' }).then(() => rmdirSync(file));
  // It begins when the first has failed; the directory is long gone when it comes to its rename.
  const second = store.write('taken', 2);
  await first;
  await second;
  assert.deepEqual(store.read('taken'), { kind: 'valid', value: 2 });
});

test('what interrupted writes left is removed, but not what others write now', (t) => {
  const directory = temporaryDirectory(t);
  const gone = spawnSync('true').pid;
  const names = [
    `.a.state.${gone}.1.tmp`,
    `.a.state.${process.pid}.9.tmp`,
    `.a.state.${process.ppid}.1.tmp`,
    '.other.tmp',
  ];
  for (const name of names) writeFileSync(path.join(directory, name), '');
  storeIn(directory);
  assert.deepEqual(readdirSync(directory).sort(), ['.other.tmp', `.a.state.${process.ppid}.1.tmp`].sort());
});

test('killed at any moment, the value is the last one told or the one after', async (t) => {
  const writer = fileURLToPath(new URL('./fixtures/writer.js', import.meta.url));
  for (let round = 0; round < 4; round += 1) {
    const directory = temporaryDirectory(t);
    const child = spawn(process.execPath, [writer, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    const enough = 40 + 23 * round;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      if (told.split('\n').length > enough) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const last = Number(told.split('\n').at(-2));
    const store = storeIn(directory);
    const stored = store.read('counter');
    assert.equal(stored.kind, 'valid');
    const { number } = (stored.kind === 'valid' ? stored.value : {}) as { number: number };
    assert.ok(number === last || number === last + 1, `told ${last}, found ${number}`);
    assert.deepEqual(readdirSync(directory), ['counter.state']);
  }
});

test('a full disk: ENOSPC, the old value stays, and the disk may recover', {
  skip: isRoot ? false : 'needs root',
}, async (t) => {
  const directory = path.join(temporaryDirectory(t), 'small');
  mkdirSync(directory);
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]).status, 0);
  try {
    const store = storeIn(directory);
    await store.write('grants', 1);
    const ballast = path.join(directory, 'ballast');
    assert.throws(() => writeFileSync(ballast, Buffer.alloc(100_000)), { code: 'ENOSPC' });
    const file = path.join(directory, 'grants.state');
    await assert.rejects(store.write('grants', 2), {
      code: 'ENOSPC',
      message: `cannot write ${file}: ENOSPC: no space left on device, write`,
    });
    assert.throws(() => store.writeSync('grants', 3), { code: 'ENOSPC' });
    assert.deepEqual(store.read('grants'), { kind: 'valid', value: 1 });
    assert.deepEqual(readdirSync(directory).sort(), ['ballast', 'grants.state']);
    rmSync(ballast);
    await store.write('grants', 4);
    assert.deepEqual(store.read('grants'), { kind: 'valid', value: 4 });
  } finally {
    spawnSync('umount', [directory]);
  }
});
