/** The journal: numbers through restarts, damage, bounds, a disk that takes nothing, readers beside the writer, and kill -9. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import { type Journal, type JournalOptions, openJournal } from '../../daemon/events/journal.js';
import type { HaEvent, NewEvent } from '../../proto/event-types.js';
import { onTinyDisk, program } from './support.js';

function placeFor(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'hastmon-journal-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return path.join(directory, 'events');
}

function open(directory: string, more: Partial<JournalOptions> = {}): Journal & { problems: string[] } {
  const problems: string[] = [];
  const journal = openJournal({
    ...{ directory, node: 'a', bootId: '0123456789abcdef', wall: () => 1_700_000_000_000.4 },
    ...{ clock: () => 12.5, problem: (text) => void problems.push(text) },
    ...more,
  });
  return Object.assign(journal, { problems });
}

const event = (resource: string): NewEvent => ({
  ...{
    kind: 'lease-acquired',
    resource,
    text: `this node holds the lease of ${resource}`,
    data: { epoch: 1 },
  },
});
const all = (): boolean => true;
const numbers = (events: readonly HaEvent[]): number[] => events.map(({ number }) => number);
const filesIn = (directory: string): string[] => readdirSync(directory).sort();
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);

async function recorded(directory: string, count: number, more: Partial<JournalOptions> = {}): Promise<void> {
  const journal = open(directory, more);
  for (let at = 0; at < count; at += 1) journal.record(event('db'));
  await journal.close();
}

describe('what is recorded', () => {
  test('is numbered, dated, and there at once for who reads', async (t) => {
    const journal = open(placeFor(t));
    const given = journal.record({ ...event('db'), by: 'alice (uid 1000)' });
    const expected = {
      ...{ number: 1, node: 'a', at: 1_700_000_000_000, boot: '01234567', bootMs: 12.5 },
      ...{ ...event('db'), by: 'alice (uid 1000)' },
    };
    assert.deepEqual(given, expected);
    assert.deepEqual(await journal.read(all), [expected]);
    await journal.close();
  });

  test('goes on with its numbers after a restart', async (t) => {
    const directory = placeFor(t);
    await recorded(directory, 3);
    const journal = open(directory);
    assert.equal(journal.record(event('db')).number, 4);
    assert.deepEqual(numbers(await journal.read(all)), [1, 2, 3, 4]);
    await journal.close();
    assert.equal(filesIn(directory).length, 1, 'in the file that has room');
  });

  test('is for root alone', async (t) => {
    const directory = placeFor(t);
    await recorded(directory, 1);
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    assert.equal(statSync(path.join(directory, filesIn(directory)[0] ?? '')).mode & 0o777, 0o600);
  });

  test('is told to who has subscribed, until that is over', async (t) => {
    const journal = open(placeFor(t));
    const heard: number[] = [];
    const end = journal.subscribe(({ number }) => heard.push(number));
    journal.record(event('db'));
    end();
    journal.record(event('db'));
    assert.deepEqual(heard, [1]);
    await journal.close();
  });

  test('is all on disk after close', async (t) => {
    const directory = placeFor(t);
    await recorded(directory, 5000);
    const journal = open(directory);
    assert.deepEqual(numbers(await journal.read(all)), range(1, 5000));
    await journal.close();
  });
});

describe('what is read', () => {
  test('is what was asked for, and the last of it', async (t) => {
    const journal = open(placeFor(t), { fileBytes: 1000 });
    for (let at = 0; at < 60; at += 1) journal.record(event(at % 2 === 0 ? 'db' : 'web'));
    const web = ({ resource }: HaEvent): boolean => resource === 'web';
    assert.deepEqual(numbers(await journal.read(web, 3)), [56, 58, 60]);
    assert.deepEqual(await journal.read(web, 0), []);
    await journal.close();
  });

  test('is whole for two readers, while more is written', async (t) => {
    const journal = open(placeFor(t), { fileBytes: 4000, files: 1000 });
    for (let at = 0; at < 200; at += 1) journal.record(event('db'));
    const readers = [journal.read(all), journal.read(all)];
    for (let at = 0; at < 200; at += 1) journal.record(event('db'));
    for (const read of await Promise.all(readers)) {
      assert.deepEqual(numbers(read), range(1, read.length));
      assert.ok(read.length >= 200);
    }
    assert.deepEqual(numbers(await journal.read(all)), range(1, 400));
    await journal.close();
  });
});

test('who reads does not wait for what is recorded after the call', async (t) => {
  const journal = open(placeFor(t));
  let rest = 20_000;
  let busy = true;
  const goOn = (): void => {
    journal.record(event('db'));
    rest -= 1;
    if (busy && rest > 0) setImmediate(goOn);
  };
  goOn();
  await journal.read(all);
  busy = false;
  assert.ok(rest > 0, 'it was read only when nothing was recorded any more');
  await journal.close();
});

test('what is too long is cut', async (t) => {
  const journal = open(placeFor(t));
  const long = 'x'.repeat(50_000);
  journal.record({ kind: 'reload-failed', text: long, data: { error: long } });
  const [only] = await journal.read(all);
  assert.equal(only?.text, `${'x'.repeat(2000)}…`);
  assert.equal(only?.data.error, only?.text);
  await journal.close();
});

describe('damage', () => {
  test('a last line that was cut short takes nothing else with it', async (t) => {
    const directory = placeFor(t);
    await recorded(directory, 3);
    const [name = ''] = filesIn(directory);
    const file = path.join(directory, name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, -20));
    const journal = open(directory);
    assert.equal(journal.record(event('db')).number, 4, 'who follows may have seen 3');
    assert.deepEqual(numbers(await journal.read(all)), [1, 2, 4]);
    await journal.close();
    assert.deepEqual(journal.problems, []);
  });

  test('lines that are no events are none', async (t) => {
    const directory = placeFor(t);
    await recorded(directory, 2);
    const [name = ''] = filesIn(directory);
    const [line = ''] = readFileSync(path.join(directory, name), 'utf8').split('\n');
    const whole = JSON.parse(line) as HaEvent;
    const wrong = [
      ...['', 'null', '7', '[]', '{}', '{"number":', '\u0000\u0000\u0000', 'x'.repeat(100_000)],
      ...[
        ...[{ number: 'one' }, { number: null }, { number: 1.5 }, { number: -1 }, { number: 1e300 }],
        ...[{ at: -1 }, { at: 1e300 }, { bootMs: -1 }, { text: 1 }, { by: 5 }],
        ...[{ data: null }, { data: [] }, { data: { deep: { er: 1 } } }, { text: 'x'.repeat(100_000) }],
      ].map((change) => JSON.stringify({ ...whole, ...change })),
    ];
    appendFileSync(path.join(directory, name), `${wrong.join('\n')}\n`);
    const journal = open(directory);
    const { number } = journal.record(event('db'));
    assert.ok(number > 2 && number < 50, `${number}`);
    assert.deepEqual(numbers(await journal.read(all)), [1, 2, number]);
    await journal.close();
  });

  test('a folder in the place of a file is none', async (t) => {
    const directory = placeFor(t);
    await recorded(directory, 1);
    mkdirSync(path.join(directory, '000000000100.jsonl'));
    const journal = open(directory);
    assert.equal(journal.record(event('db')).number, 2);
    assert.deepEqual(numbers(await journal.read(all)), [1, 2]);
    await journal.close();
    assert.deepEqual(journal.problems, []);
  });

  test('a newest file of which nothing can be read: numbers go on behind its name', async (t) => {
    const directory = placeFor(t);
    await recorded(directory, 2);
    writeFileSync(path.join(directory, '000000000100.jsonl'), Buffer.alloc(3000, 0xff));
    const journal = open(directory);
    assert.equal(journal.record(event('db')).number, 101);
    assert.deepEqual(numbers(await journal.read(all)), [1, 2, 101]);
    await journal.close();
  });

  test('other files are left alone, and read by nobody', async (t) => {
    const directory = placeFor(t);
    await recorded(directory, 1);
    const mine = filesIn(directory)[0] ?? '';
    const copy = readFileSync(path.join(directory, mine));
    for (const name of ['notes.txt', '1.jsonl', `${mine}.old`])
      writeFileSync(path.join(directory, name), copy);
    const journal = open(directory, { fileBytes: 100, files: 2 });
    for (let at = 0; at < 10; at += 1) {
      journal.record(event('db'));
      await journal.read(all);
    }
    assert.equal((await journal.read(all)).length, 2);
    await journal.close();
    assert.deepEqual(
      filesIn(directory).filter((name) => !/^\d{12}\.jsonl$/.test(name)),
      ['1.jsonl', `${mine}.old`, 'notes.txt'].sort(),
    );
  });
});

test('the oldest makes room: never more files than said, and none far beyond its bytes', async (t) => {
  const directory = placeFor(t);
  const journal = open(directory, { fileBytes: 2000, files: 4 });
  for (let at = 0; at < 500; at += 1) {
    journal.record(event('db'));
    if (at % 5 === 0) await journal.read(all);
    const names = at === 0 ? [] : filesIn(directory);
    assert.ok(names.length <= 4, names.join(' '));
    for (const name of names) assert.ok(statSync(path.join(directory, name)).size < 2000 + 5 * 300);
  }
  const kept = numbers(await journal.read(all));
  assert.deepEqual(kept, range(kept[0] ?? 0, 500));
  assert.ok(kept.length > 20 && kept.length < 60, `${kept.length}`);
  await journal.close();
  assert.equal(filesIn(directory).length, 4);
});

test('where the directory has gone, that is said once; then events go on, and one says how many are missing', async (t) => {
  const directory = placeFor(t);
  const journal = open(directory, { fileBytes: 100 });
  const write = async (): Promise<number> => {
    const { number } = journal.record(event('db'));
    await journal.read(all);
    return number;
  };
  await write();
  renameSync(directory, `${directory}.away`);
  for (let at = 0; at < 3; at += 1) await write();
  assert.equal(journal.problems.length, 1, journal.problems.join('\n'));
  assert.match(journal.problems[0] ?? '', /^events cannot be kept in .*: no such file or directory$/);
  renameSync(`${directory}.away`, directory);
  await write();
  await journal.read(all);
  const events = await journal.read(all);
  assert.deepEqual(numbers(events), [1, 5, 6]);
  assert.deepEqual(events.at(-1)?.data, { count: 3 });
  assert.equal(events.at(-1)?.kind, 'events-missed');
  renameSync(directory, `${directory}.away`);
  await write();
  assert.equal(journal.problems.length, 2, 'and said again when it comes again');
  renameSync(`${directory}.away`, directory);
  await journal.close();
});

test('a directory that cannot be made is a problem, and no more', async (t) => {
  const parent = path.dirname(placeFor(t));
  const file = path.join(parent, 'file');
  writeFileSync(file, '');
  const journal = open(path.join(file, 'events'));
  journal.record(event('db'));
  assert.deepEqual(await journal.read(all), []);
  await journal.close();
  assert.equal(journal.problems.length, 1);
  assert.match(journal.problems[0] ?? '', /a part of its path is not a directory/);
});

test('a full disk loses events, says so once, and how many when there is room again', async (t) => {
  const place = await onTinyDisk(t);
  if (place === null) return t.skip('no mount namespace here');
  const { lines, numbers: read } = place;
  assert.deepEqual(lines.filter((line) => line.startsWith('problem')).length, 1, lines.join('\n'));
  assert.match(lines.join('\n'), /problem events cannot be kept in .*: no space left on device/);
  const missed = lines.find((line) => line.startsWith('missed'));
  const count = Number(missed?.split(' ')[1]);
  assert.ok(count > 0, lines.join('\n'));
  // What is there is whole, each number once, and with what is missing it is all.
  assert.deepEqual(
    read,
    [...new Set(read)].sort((a, b) => a - b),
  );
  assert.equal(read.length + count, read.at(-1));
});

test('kill -9: all that was recorded until a moment before is there, and numbers go on', async (t) => {
  const directory = placeFor(t);
  const child = spawn(process.execPath, [program, 'endless', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let told = 0;
  const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
  const enough = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      told = Number(line);
      if (told >= 2000) resolve();
    });
  });
  await enough;
  child.kill('SIGKILL');
  await once(child, 'close');
  const journal = open(directory);
  const next = journal.record(event('db')).number;
  const read = numbers(await journal.read(all));
  await journal.close();
  assert.ok(next > told, `${next} after ${told}`);
  // The oldest has made room.
  assert.deepEqual(read, range(read[0] ?? 0, next));
  assert.ok((read[0] ?? 0) <= told);
});
