/** Records events in a process of its own: without end, or on a disk that is soon full. The first word says which, the second where. */
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { openJournal } from '../../daemon/events/journal.js';

const [what = '', directory = ''] = process.argv.slice(2);
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const journal = openJournal({
  ...{ directory, node: 'a', bootId: 'boot', wall: Date.now, clock: () => performance.now() },
  problem: (text) => void say(`problem ${text}`),
  ...(what === 'full' ? { fileBytes: 8192 } : {}),
});
const record = (): number =>
  journal.record({ kind: 'reloaded', resource: 'db', text: 'x'.repeat(100), data: {} }).number;

/** Says each number when a later call shows that it was handed to the kernel. */
async function endless(): Promise<void> {
  for (;;) {
    const number = record();
    await journal.read(() => false);
    say(String(number));
    await turn();
  }
}

/** Fills the disk, makes room, and goes on. */
async function full(): Promise<void> {
  const filler = path.join(path.dirname(directory), 'filler');
  for (let at = 0; at < 600; at += 1) {
    record();
    await journal.read(() => false);
  }
  rmSync(filler);
  for (const name of readdirSync(directory).slice(0, 1)) say(`first ${name}`);
  const end = journal.subscribe((event) => {
    if (event.kind === 'events-missed') say(`missed ${event.data.count}`);
  });
  record();
  await journal.read(() => false);
  await journal.read(() => false);
  end();
  const events = await journal.read(() => true);
  say(`numbers ${events.map(({ number }) => number).join(' ')}`);
  await journal.close();
}

await (what === 'full' ? full() : endless());
