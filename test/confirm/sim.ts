/**
 * The command line of confirmation's simulator.
 *   node dist/test/confirm/sim.js SEED                  one run, with its timeline
 *   node dist/test/confirm/sim.js --count N [--from S]  N seeds, one after the other
 */
import { describeProfile, drawProfile } from './profile.js';
import { run } from './run.js';

function replay(seed: number): number {
  const result = run(drawProfile(seed), true);
  process.stdout.write(`${describeProfile(result.profile)}\n${result.lines.join('\n')}\n`);
  const { failure } = result;
  const verdict = failure === null ? 'all rules held' : `FAILED: ${failure.text} at ${failure.at / 1000} s`;
  process.stdout.write(`seed ${seed}: ${verdict}\n`);
  return failure === null ? 0 : 1;
}

function batch(count: number, from: number): number {
  const begun = performance.now();
  const counts: Record<string, number> = {};
  let simulatedMs = 0;
  let steps = 0;
  let failures = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const result = run(drawProfile(seed));
    simulatedMs += result.simulatedMs;
    steps += result.steps;
    for (const [what, number] of Object.entries(result.counts)) counts[what] = (counts[what] ?? 0) + number;
    if (result.failure === null) continue;
    failures += 1;
    process.stdout.write(`seed ${seed} FAILED: ${result.failure.text.slice(0, 600)}\n`);
    if (failures >= 20) break;
  }
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  process.stdout.write(
    `${count} seeds from ${from}: ${failures} failed; ${steps} steps, ${(simulatedMs / 3_600_000).toFixed(0)} simulated hours, ${seconds} s\n`,
  );
  for (const [what, number] of Object.entries(counts)) process.stdout.write(`  ${what} ${number}\n`);
  return failures === 0 ? 0 : 1;
}

const words = process.argv.slice(2);
const after = (word: string, otherwise: number): number =>
  words.includes(word) ? Number(words[words.indexOf(word) + 1]) : otherwise;
process.exitCode = words.includes('--count')
  ? batch(after('--count', 1), after('--from', 1))
  : replay(Number(words[0] ?? 1));
