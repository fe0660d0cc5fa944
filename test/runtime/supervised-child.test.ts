/** A supervised child: real processes of a small program that lives, falls silent and ends as it is told to. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSupervisedChild, type Say } from '../../daemon/runtime/supervised-child.js';
import { alive } from '../hooks/support.js';
import { pause, until } from '../system/wait.js';

const PATIENCE_MS = 20_000;

/** Arguments: how it behaves, and a file for what is written down. Of those that stay or start something, only the first does. */
const PROGRAM = `
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { ownMark } from ${JSON.stringify(new URL('../../daemon/sys/started.js', import.meta.url).href)};
const [way, file] = process.argv.slice(2);
const say = (message) => process.connected && process.send(message, () => {});
const beat = () => setInterval(() => say({ kind: 'beat' }), 20);
if (way === 'dies') process.exit(3);
if (way === 'starts' && !existsSync(file)) {
  const { pid } = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore', env: { ...process.env, ...ownMark() } });
  say({ kind: 'group', group: pid, alive: true });
  writeFileSync(file, String(pid));
}
if (way === 'lives' || way === 'starts') beat();
process.on('message', ({ text }) => {
  say({ kind: 'echo', text });
  if (text === 'beat') beat();
});
process.on('disconnect', () => {
  const first = !existsSync(file);
  writeFileSync(file, 'ended');
  if (way === 'stays' && first) setInterval(() => {}, 1000);
  else process.exit(0);
});
`;

type Told = { text: string };
type Said = { kind: 'beat' } | { kind: 'echo'; text: string };

interface Change {
  silenceMs?: number;
  firstWordMs?: number;
  endMs?: number;
  /** When so many have been forked, the last of them lasts for more than a minute. */
  lasting?: number;
  /** When one is gone, no other one is wanted. */
  once?: boolean;
}

type Way = 'dies' | 'lives' | 'silent' | 'stays' | 'starts';

function trialFor(t: TestContext, way: Way, change: Change = {}) {
  const { lasting = 0, once = false, ...limits } = change;
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-child-'));
  const [script, file] = [path.join(folder, 'program.mjs'), path.join(folder, 'file')];
  writeFileSync(script, PROGRAM);
  const lines: string[] = [];
  const pids: number[] = [];
  const onRecord = new Set<number>();
  const echoes: string[] = [];
  const says: Say<Told>[] = [];
  const counts = { gone: 0 };
  let aheadMs = 0;
  const note = (_: object, text: string): void => void lines.push(text);
  const child = createSupervisedChild<Told, Said>({
    ...{ script, args: [way, file], name: 'the child' },
    records: {
      record(pid) {
        pids.push(pid);
        onRecord.add(pid);
        if (pids.length === lasting) aheadMs += 61_000;
      },
      forget: (pid) => void onRecord.delete(pid),
    },
    log: { debug: note, info: note, warn: note, error: note },
    clock: () => performance.now() + aheadMs,
    silenceMs: 60_000,
    begun: (say) => void says.push(say),
    heard(message) {
      if (message.kind === 'echo') echoes.push(message.text);
    },
    gone() {
      counts.gone += 1;
      if (once) child.end();
    },
    ...limits,
  });
  /** One that does not go fails the test, and is not waited for. */
  async function close(): Promise<void> {
    const stuck: number[] = [];
    const timer = setTimeout(() => {
      stuck.push(...pids.filter(alive));
      for (const pid of stuck) process.kill(pid, 'SIGKILL');
    }, PATIENCE_MS);
    await child.close();
    clearTimeout(timer);
    assert.deepEqual([stuck, pids.filter(alive), [...onRecord]], [[], [], []]);
  }
  t.after(async () => {
    await close();
    rmSync(folder, { recursive: true });
  });
  const shown = (): string => lines.join('\n');
  const comes = (condition: () => boolean): Promise<void> => until(condition, PATIENCE_MS, shown);
  const delays = (): string[] =>
    lines.flatMap((line) => /starting another one in (.*)/.exec(line)?.[1] ?? []);
  return { child, close, comes, counts, delays, echoes, file, lines, pids, says };
}

test('one that dies at once is replaced, later each time; at once again when one has lasted', async (t) => {
  const { child, comes, counts, delays, lines, pids } = trialFor(t, 'dies', { lasting: 3 });
  child.start();
  await comes(() => delays().length === 2);
  assert.equal(lines[0], 'the child has ended: starting another one in 200 ms');
  assert.deepEqual([pids.length, counts.gone, child.view().restarts], [2, 2, 1]);
  assert.deepEqual([child.view().alive, child.view().pid, child.view().since], [false, 0, null]);
  child.start();
  assert.equal(pids.length, 2, 'its time has not come');
  await comes(() => delays().length === 3);
  assert.deepEqual(delays(), ['200 ms', '1000 ms', '200 ms']);
});

test('one that could not be forked at all is tried again', async (t) => {
  const { child, comes, counts, lines, pids } = trialFor(t, 'lives');
  const { execPath } = process;
  t.after(() => {
    process.execPath = execPath;
  });
  process.execPath = '/nonexistent/node';
  child.start();
  assert.equal(child.view().alive, false);
  await comes(() => counts.gone === 1);
  process.execPath = execPath;
  await comes(() => child.view().heardAt !== null);
  assert.match(lines[0] ?? '', /^the child: .*ENOENT/);
  assert.deepEqual([pids.length, child.view().restarts], [1, 1]);
});

test('it is seen that it lives, since when, and when it last spoke', async (t) => {
  const { child, comes, pids } = trialFor(t, 'lives');
  const before = performance.now();
  assert.deepEqual(child.view(), { alive: false, pid: 0, since: null, heardAt: null, restarts: 0 });
  child.start();
  child.start();
  assert.equal(child.view().heardAt, null);
  await comes(() => child.view().heardAt !== null);
  const { heardAt, since, ...first } = child.view();
  assert.deepEqual(first, { alive: true, pid: pids[0], restarts: 0 });
  assert.ok(before <= (since ?? 0) && (since ?? 0) < (heardAt ?? 0));
  await comes(() => (child.view().heardAt ?? 0) > (heardAt ?? 0));
  assert.equal(child.view().since, since);
  assert.equal(pids.length, 1);
});

test('one that falls silent is killed and replaced, and what it had started ends', async (t) => {
  const { child, comes, file, lines, pids } = trialFor(t, 'starts', { silenceMs: 1000 });
  child.start();
  await comes(() => child.view().heardAt !== null && existsSync(file) && readFileSync(file, 'utf8') !== '');
  const [first = 0] = pids;
  const started = Number(readFileSync(file, 'utf8'));
  t.after(() => alive(started) && process.kill(started, 'SIGKILL'));
  process.kill(first, 'SIGSTOP');
  await comes(() => pids.length === 2);
  assert.ok(lines.includes('the child has said nothing for 1 s: ending it'));
  await comes(() => !alive(first) && !alive(started));
});

test('one whose words nobody could hear for a while is not killed for it', async (t) => {
  const { child, comes, lines } = trialFor(t, 'lives', { silenceMs: 2000 });
  child.start();
  await comes(() => child.view().heardAt !== null);
  // This process stands still.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2300);
  const { heardAt } = child.view();
  await comes(() => child.view().heardAt !== heardAt);
  assert.deepEqual(lines, []);
});

test('the first word may come late', async (t) => {
  const { child, comes, echoes, lines, pids } = trialFor(t, 'silent', { silenceMs: 300 });
  child.start();
  await pause(900);
  child.say({ text: 'beat' });
  await comes(() => echoes.length === 1);
  assert.deepEqual([pids.length, lines], [1, []]);
});

test('but come it must', async (t) => {
  const { child, comes, lines, pids } = trialFor(t, 'silent', { silenceMs: 300, firstWordMs: 700 });
  child.start();
  await comes(() => pids.length === 2);
  assert.equal(lines[0], 'the child has said nothing for 0.7 s: ending it');
});

test('one that is not wanted any more ends in its own order, is not replaced, and can be wanted again', async (t) => {
  const { child, comes, counts, file, lines, pids } = trialFor(t, 'lives', { endMs: 20_000 });
  child.start();
  await comes(() => child.view().heardAt !== null);
  child.end();
  assert.equal(child.view().alive, false);
  await comes(() => !pids.some(alive));
  assert.equal(readFileSync(file, 'utf8'), 'ended');
  await pause(300);
  assert.deepEqual([pids.length, counts.gone, lines], [1, 0, []]);
  child.start();
  await comes(() => child.view().heardAt !== null);
  assert.deepEqual([pids.length, child.view().restarts], [2, 0]);
});

test('one that does not end when it is let go is killed', async (t) => {
  const { child, comes, echoes, file, pids } = trialFor(t, 'stays', { endMs: 300 });
  child.start();
  child.say({ text: 'here' });
  await comes(() => echoes.length === 1);
  child.end();
  await comes(() => existsSync(file));
  await comes(() => !pids.some(alive));
});

test('what was to be said to one is not said to its successor', async (t) => {
  const { child, comes, echoes, says } = trialFor(t, 'lives');
  child.start();
  await comes(() => child.view().heardAt !== null);
  child.end();
  child.say({ text: 'to nobody' });
  child.start();
  says[0]?.({ text: 'to the first' });
  says[1]?.({ text: 'to the second' });
  await comes(() => echoes.length > 0);
  assert.deepEqual(echoes, ['to the second']);
});

test('closed while the next one is awaited, there is no next one', async (t) => {
  const { child, close, comes, delays, pids } = trialFor(t, 'dies');
  child.start();
  await comes(() => delays().length === 1);
  await close();
  child.start();
  await pause(500);
  assert.equal(pids.length, 1);
});

test('closed, all are gone, also one that was let go before', async (t) => {
  const { child, close, comes, echoes, file } = trialFor(t, 'stays', { endMs: 2000 });
  child.start();
  child.say({ text: 'here' });
  await comes(() => echoes.length === 1);
  child.end();
  await comes(() => existsSync(file));
  child.start();
  child.say({ text: 'here' });
  await comes(() => echoes.length === 2);
  await close();
});

test('where no other one is wanted when it is gone, there is none', async (t) => {
  const { child, comes, counts, lines, pids } = trialFor(t, 'dies', { once: true });
  child.start();
  await comes(() => counts.gone === 1);
  await pause(500);
  assert.deepEqual([pids.length, counts.gone, lines], [1, 1, []]);
});
