/**
 * The simulator's command line.
 *   node dist/test/sim/sim.js SEED                 one run, with its timeline
 *   node dist/test/sim/sim.js --count N [--from S]  N seeds, one after the other
 *   node dist/test/sim/sim.js --minutes M [--from S]  as many as fit
 */

import { noCounts } from './checkers/incidents.js';
import { describeProfile, drawProfile, focusOf } from './profile.js';
import { type RunResult, run } from './run.js';
import { COUNTED, describeEvent } from './trace.js';

interface Options {
  seed: number | null;
  count: number;
  minutes: number;
  from: number;
  verbose: boolean;
}

const USAGE = `usage: sim.js SEED [--verbose]
       sim.js --count N [--from SEED]
       sim.js --minutes M [--from SEED]
`;

function readOptions(words: readonly string[]): Options | null {
  const options: Options = {
    seed: null,
    count: 0,
    minutes: 0,
    from: Date.now() % 1_000_000_000,
    verbose: false,
  };
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '--verbose') options.verbose = true;
    else if (word === '--count') options.count = Number(words[++index]);
    else if (word === '--minutes') options.minutes = Number(words[++index]);
    else if (word === '--from') options.from = Number(words[++index]);
    else options.seed = Number(word);
  }
  const numbers = [options.seed ?? 0, options.count, options.minutes, options.from];
  const something = options.seed !== null || options.count > 0 || options.minutes > 0;
  return something && numbers.every((value) => Number.isFinite(value) && value >= 0) ? options : null;
}

/** One run with its timeline; messages only with --verbose. */
function replay(seed: number, verbose: boolean): number {
  const profile = drawProfile(seed, focusOf(seed));
  process.stdout.write(`${describeProfile(profile)}\n\n`);
  const lines: string[] = [];
  const result = run(profile, (event, now) => {
    const text = describeEvent(event);
    const quiet =
      event.kind === 'message' ||
      (event.kind.startsWith('hook') && 'action' in event && event.action === 'status');
    if (text === '' || (quiet && !verbose)) return;
    lines.push(`${now.toFixed(1).padStart(10)}  ${text}`);
    if (lines.length >= 1000) process.stdout.write(`${lines.splice(0).join('\n')}\n`);
  });
  process.stdout.write(`${lines.join('\n')}\n\n`);
  if (result.failure === null) {
    process.stdout.write(`seed ${seed}: all rules held\n`);
    return 0;
  }
  report(result);
  return 1;
}

function report({ profile, failure }: RunResult): void {
  if (failure === null) return;
  process.stdout.write(
    `\nFAILED: ${failure.rule}: ${failure.text}\nat ${failure.at.toFixed(3)} ms\n${failure.cluster}\n\n` +
      `${describeProfile(profile)}\n\nreplay: npm run sim -- ${profile.seed}\n`,
  );
}

function batch(options: Options): number {
  const begun = performance.now();
  const end = options.minutes > 0 ? begun + options.minutes * 60_000 : Number.POSITIVE_INFINITY;
  const limit = options.count > 0 ? options.count : Number.POSITIVE_INFINITY;
  const counts = noCounts();
  let simulatedMs = 0;
  let runs = 0;
  let events = 0;
  for (; runs < limit && performance.now() < end; runs += 1) {
    const seed = options.from + runs;
    const result = run(drawProfile(seed, focusOf(seed)));
    simulatedMs += result.simulatedMs;
    events += result.events;
    for (const what of COUNTED) counts[what] += result.counts[what];
    if (result.failure !== null) {
      report(result);
      return 1;
    }
  }
  const seconds = (performance.now() - begun) / 1000;
  const hours = simulatedMs / 3_600_000;
  process.stdout.write(
    `${events} events; ${runs} seeds from ${options.from}: ${hours.toFixed(1)} simulated hours in ${seconds.toFixed(1)} s, ` +
      `${(hours / seconds).toFixed(2)} hours per second\n`,
  );
  process.stdout.write(`${COUNTED.map((what) => `  ${what} ${counts[what]}`).join('\n')}\n`);
  const missing = COUNTED.filter((what) => counts[what] === 0);
  if (missing.length === 0 || runs < 50) return 0;
  process.stdout.write(`FAILED: this batch has seen no ${missing.join(', no ')}\n`);
  return 1;
}

const options = readOptions(process.argv.slice(2));
if (options === null) {
  process.stderr.write(USAGE);
  process.exitCode = 64;
} else {
  process.exitCode = options.seed === null ? batch(options) : replay(options.seed, options.verbose);
}
