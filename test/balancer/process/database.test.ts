/** What the balancer keeps between its runs: whole or known to be damaged, of this boot, and of one process. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SavedState } from '../../../daemon/balancer/core/types.js';
import { type Database, openDatabase } from '../../../daemon/balancer/process/database.js';
import { encodeState } from '../../../daemon/state/record.js';

const state: SavedState = {
  ...{ kind: 'saved', checks: [], hosts: [{ host: 'srv1', by: 'root', at: 5 }], pairs: [], services: [] },
  ...{ owned: ['-t 10.0.0.1:80'], left: [], addresses: [] },
};

function fileFor(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-database-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return path.join(folder, 'ipvs.db');
}

async function opened(file: string, boot = 'this-boot'): Promise<Database> {
  const database = await openDatabase(file, boot);
  assert.ok(typeof database !== 'string', String(database));
  return database;
}

test('[B11] what is written is read again, in the same boot only', async (t) => {
  const file = fileFor(t);
  const first = await opened(file);
  assert.deepEqual(first.read(), { restored: { kind: 'none' }, note: '' });
  assert.equal(first.write(state), '');
  first.close();
  const second = await opened(file);
  assert.deepEqual(second.read(), { restored: state, note: '' });
  second.close();
  const third = await opened(file, 'another-boot');
  const { note, restored } = third.read();
  assert.deepEqual(restored, { kind: 'none' });
  assert.match(note, /earlier boot/);
  third.close();
  assert.deepEqual(readdirSync(path.dirname(file)), ['ipvs.db']);
});

test('[B11] what is damaged is set aside, and told', async (t) => {
  const file = fileFor(t);
  const wholes = [
    encodeState('balancer', { version: 1, boot: 'this-boot', state }),
    encodeState('balancer', { version: 2, boot: 'this-boot', state }),
    encodeState('balancer', { version: 1, boot: 'this-boot' }),
    encodeState('other', { version: 1, boot: 'this-boot', state }),
  ];
  const [whole = ''] = wholes;
  // Every way to be cut, a changed byte, another program's file.
  const cut = [0, 1, whole.length / 2, whole.length - 1].map((length) => whole.slice(0, length));
  for (const text of [...cut, whole.replace('srv1', 'srv2'), 'PERL\0db', ...wholes.slice(1)]) {
    writeFileSync(file, text);
    const database = await opened(file);
    const { note, restored } = database.read();
    database.close();
    assert.deepEqual(restored, { kind: 'damaged' }, text);
    assert.match(note, /it was kept as .*ipvs\.db\.damaged/);
    assert.ok(!existsSync(file));
    assert.equal(readFileSync(`${file}.damaged`, 'latin1'), text);
  }
});

test('two at once do not have it', async (t) => {
  const file = fileFor(t);
  const first = await opened(file);
  // One process's locks do not stop that process: a child is asked.
  const { spawnSync } = await import('node:child_process');
  const module = new URL('../../../daemon/balancer/process/database.js', import.meta.url).href;
  const script = `import { openDatabase } from ${JSON.stringify(module)};
    const database = await openDatabase(process.argv[1], 'b');
    console.log(typeof database === 'string' ? database : 'opened');`;
  const ask = () =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script, file], { encoding: 'utf8' }).stdout;
  assert.match(ask(), /^already running: lock file of the balancer's state .* is held by pid/);
  first.close();
  assert.equal(ask(), 'opened\n');
});

test('a folder that is not there is said', async (t) => {
  const file = path.join(path.dirname(fileFor(t)), 'no', 'ipvs.db');
  assert.match(String(await openDatabase(file, 'b')), /its directory does not exist/);
});

test('[B11] what is known of a very large file is read again', async (t) => {
  const file = fileFor(t);
  const pair = {
    ...{ service: 'www', real: '10.0.0.1:80', reasons: [], zeroSince: null, awaitSince: null, ramp: null },
    ...{ rampAskedMs: null, override: null, kept: null, foundZero: false },
  };
  const pairs = Array.from({ length: 100_000 }, (_, at) => ({ ...pair, host: `server${at}.example.org` }));
  const first = await opened(file);
  assert.equal(first.write({ ...state, pairs }), '');
  first.close();
  const second = await opened(file);
  const { note, restored } = second.read();
  second.close();
  assert.equal(note, '');
  assert.equal(restored.kind === 'saved' && restored.pairs.length, 100_000);
});

test('what somebody has left who was killed while he wrote is removed', async (t) => {
  const file = fileFor(t);
  writeFileSync(path.join(path.dirname(file), '.ipvs.db.12345.3.tmp'), 'half');
  writeFileSync(path.join(path.dirname(file), '.other.db.12345.3.tmp'), 'of another');
  const database = await opened(file);
  assert.equal(database.write(state), '');
  database.close();
  assert.deepEqual(readdirSync(path.dirname(file)).sort(), ['.other.db.12345.3.tmp', 'ipvs.db']);
});
