/**
 * The simulator on all processors: runs sim.js several times side by side, each on seeds of its own, and adds up what
 * they print. `node dist/test/sim/jobs.js --minutes 4 [--from SEED] [--least N]`; other words are handed on. The first
 * failure ends all; fewer than N seeds are one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'sim.js');
const jobs = os.availableParallelism();
/** Far more than one job gets through. */
const SEEDS_PER_JOB = 1_000_000;

interface Sum {
  seeds: number;
  hours: number;
  seconds: number;
  counts: Map<string, number>;
}

/** Adds up what one job printed; false where it has not printed its summary. */
function add(sum: Sum, text: string): boolean {
  const summary = /([0-9]+) seeds from [0-9]+: ([0-9.]+) simulated hours in ([0-9.]+) s/.exec(text);
  if (summary === null) return false;
  sum.seeds += Number(summary[1]);
  sum.hours += Number(summary[2]);
  sum.seconds = Math.max(sum.seconds, Number(summary[3]));
  for (const [, what = '', count] of text.matchAll(/^ {2}([a-z-]+) ([0-9]+)$/gm)) {
    sum.counts.set(what, (sum.counts.get(what) ?? 0) + Number(count));
  }
  return true;
}

async function main(): Promise<number> {
  const words = process.argv.slice(2);
  const given = words.indexOf('--from');
  const first = given < 0 ? randomInt(1, 2 ** 30) : Number(words.splice(given, 2)[1]);
  const bound = words.indexOf('--least');
  const least = bound < 0 ? 0 : Number(words.splice(bound, 2)[1]);
  const children: ChildProcess[] = [];
  // An interrupt leaves none behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      for (const child of children) child.kill();
    });
  const sum: Sum = { seeds: 0, hours: 0, seconds: 0, counts: new Map() };
  const run = (job: number): Promise<number> =>
    new Promise((resolve) => {
      const from = String(first + job * SEEDS_PER_JOB);
      const args = [script, '--from', from, ...words];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += chunk;
      });
      child.on('close', (code) => {
        if (!add(sum, text) || code !== 0) process.stdout.write(text);
        if (code !== 0) for (const other of children) other.kill();
        resolve(code ?? 1);
      });
    });
  const codes = await Promise.all(Array.from({ length: jobs }, (_, job) => run(job)));
  const rate = sum.hours / Math.max(sum.seconds, 0.1);
  process.stdout.write(
    `${sum.seeds} seeds by ${jobs} jobs: ${sum.hours.toFixed(1)} simulated hours in ${sum.seconds.toFixed(0)} s, ` +
      `${rate.toFixed(2)} simulated hours per second\n`,
  );
  for (const [what, count] of sum.counts) process.stdout.write(`  ${what} ${count}\n`);
  const failed = codes.find((code) => code !== 0);
  if (failed !== undefined) return failed;
  if (sum.seeds >= least) return 0;
  process.stdout.write(`FAILED: only ${sum.seeds} seeds, and ${least} were to be tried\n`);
  return 1;
}

process.exitCode = await main();
