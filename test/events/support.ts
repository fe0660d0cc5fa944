/** A process that records, by itself and on a disk of 64 KiB. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

export const program = path.join(path.dirname(fileURLToPath(import.meta.url)), 'program.js');

const UNSHARE_REFUSED = 77;

/** What the program says there, and the numbers that it read in the end; null where there are no mount namespaces. */
export async function onTinyDisk(t: TestContext): Promise<{ lines: string[]; numbers: number[] } | null> {
  const directory = mkdtempSync(path.join(tmpdir(), 'hastmon-disk-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const script = `
    mount -t tmpfs -o size=64k none "$1" || exit ${UNSHARE_REFUSED}
    head -c 20000 /dev/zero > "$1/filler"
    exec "$2" "$3" full "$1/events"`;
  const words = ['--mount', 'sh', '-c', script, 'sh', directory, process.execPath, program];
  const child = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => void child.kill('SIGKILL'));
  let said = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === UNSHARE_REFUSED || /^unshare: /m.test(errors)) return null;
  if (code !== 0) throw new Error(`exit ${code}: ${errors}${said}`);
  const lines = said.trimEnd().split('\n');
  const last = lines.find((line) => line.startsWith('numbers '))?.slice('numbers '.length) ?? '';
  return { lines, numbers: last.split(' ').map(Number) };
}
