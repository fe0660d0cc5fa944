/** The tables of the measurements of checks. Pure. */
import { median } from '../row.js';
import { pairRatio, type Sample } from './cost.js';
import type { EngineName } from './engines.js';
import type { Measured } from './main.js';

interface Judged {
  text: string;
  missed: boolean;
}

/** One figure beside its target; `most`: it may be that much. */
function judge(what: string, value: number, most: number, unit: string): Judged {
  const missed = !(value <= most);
  const shown = Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);
  return { missed, text: `${missed ? 'MISSED' : 'met   '} ${what}: ${shown} ${unit}, at most ${most}` };
}

export function report(measured: Measured): { text: string; missed: boolean } {
  const judged = [
    ...costTargets(measured.samples),
    ...measured.scales.map(({ count, intervalMs, p99, skipped }) =>
      judge(
        `${count} checks every ${intervalMs / 1000} s, p99 of lateness`,
        skipped > 0 ? Number.POSITIVE_INFINITY : p99,
        28,
        'ms',
      ),
    ),
    ...measured.memories.map(({ kind, count, perCheck }) =>
      judge(`memory of one of ${count} ${kind} checks`, perCheck, 128, 'bytes'),
    ),
    ...measured.edges.map(({ refusedMs, rate }) =>
      judge(
        `refused to edge, beside ${rate} checks/s, median of ${refusedMs.length}`,
        median(refusedMs),
        5,
        'ms',
      ),
    ),
  ];
  const { circumstances, problems } = measured;
  const lines = [
    Object.entries(circumstances)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    '',
    ...costTable(measured.samples),
    ...measured.scales.map(
      (each) =>
        `${each.count} ${each.kind} checks every ${each.intervalMs / 1000} s: ${(each.busy * 100).toFixed(1)} % of a processor, ${each.cpuUs.toFixed(1)} us a check, lateness p99 ${each.p99.toFixed(2)} ms, worst ${each.worst.toFixed(2)} ms, ${each.begun} begun, ${each.skipped} skipped, ${each.residentPerCheck.toFixed(0)} bytes resident a check, ready after ${each.startS.toFixed(1)} s`,
    ),
    ...measured.memories.map(
      (each) =>
        `${each.count} ${each.kind} checks: ${each.perCheck.toFixed(0)} bytes a check beside ${(each.bareBytes / 2 ** 20).toFixed(1)} MiB`,
    ),
    ...measured.edges.map(
      ({ refusedMs, rate }) =>
        `a refused connection, beside ${rate} checks/s: the main process has the edge after ${median(refusedMs).toFixed(2)} ms (median), ${Math.max(...refusedMs).toFixed(2)} ms (worst of ${refusedMs.length})`,
    ),
    ...measured.avalanche.map(
      ({ edges, lastedMs, stallMs }) =>
        `${edges} checks down at once: edges within ${lastedMs.toFixed(0)} ms, the main process stood still for ${stallMs.toFixed(1)} ms at most`,
    ),
    ...waitingTable(measured),
    '',
    ...judged.map(({ text }) => text),
    ...problems.map((problem) => `PROBLEM ${problem}`),
  ];
  return {
    text: `${lines.join('\n')}\n`,
    missed: problems.length > 0 || judged.some(({ missed }) => missed),
  };
}

const of = (samples: readonly Sample[], kind: string, rate: number): Sample[] =>
  samples.filter((each) => each.kind === kind && each.rate === rate);

function costTargets(samples: readonly Sample[]): Judged[] {
  const most = { tcp: { C: 1.25, HAProxy: 1.1 }, http: { C: 1.45, HAProxy: 1 } } as const;
  return (['tcp', 'http'] as const).flatMap((kind) =>
    [5000, 10_000].flatMap((rate) => {
      const mine = of(samples, kind, rate);
      const judged = (['C', 'HAProxy'] as const)
        .filter((other) => mine.some(({ engine }) => engine === other))
        .map((other) =>
          judge(
            `${kind}, ${rate}/s, CPU by ${other}'s`,
            pairRatio(mine, 'hastmon', other),
            most[kind][other],
            'times',
          ),
        );
      const [own, theirs] = [lateness(mine, 'hastmon'), lateness(mine, 'HAProxy')];
      if (Number.isFinite(own) && Number.isFinite(theirs))
        judged.push(
          judge(`${kind}, ${rate}/s, p99 of lateness below HAProxy's`, own, Number(theirs.toFixed(2)), 'ms'),
        );
      return judged;
    }),
  );
}

function lateness(samples: readonly Sample[], engine: EngineName): number {
  return median(
    samples.flatMap((each) => (each.engine === engine && each.starts !== null ? [each.starts.p99] : [])),
  );
}

function costTable(samples: readonly Sample[]): string[] {
  if (samples.length === 0) return [];
  const widths = [5, 7, 8, 9, 8, 8, 8, 8, 9, 9, 8, 6];
  const row = (cells: readonly string[]): string =>
    cells.map((cell, at) => cell.padStart(widths[at] ?? 8)).join(' ');
  const heads = [
    'kind',
    'rate',
    'engine',
    'checks/s',
    'us/check',
    'by C',
    'kernel',
    'sleeps',
    'late p50',
    'late p99',
    'worst',
    'load',
  ];
  const lines = [row(heads)];
  for (const kind of ['tcp', 'http'])
    for (const rate of [...new Set(samples.map((each) => each.rate))])
      for (const engine of ['C', 'hastmon', 'HAProxy'] as const) {
        const all = of(samples, kind, rate);
        const mine = all.filter((each) => each.engine === engine);
        if (mine.length === 0) continue;
        const mid = (pick: (each: Sample) => number | undefined, digits = 2): string => {
          const value = median(mine.flatMap((each) => pick(each) ?? []));
          return Number.isNaN(value) ? '' : value.toFixed(digits);
        };
        lines.push(
          row([
            ...[kind, String(rate), engine, mid((each) => each.checks, 0), mid((each) => each.cpuUs)],
            ...[pairRatio(all, engine, 'C').toFixed(2), mid((each) => each.systemShare)],
            mid((each) => each.sleepsPerCheck),
            ...[
              mid((each) => each.starts?.p50),
              mid((each) => each.starts?.p99),
              mid((each) => each.starts?.worst),
            ],
            mid((each) => each.load, 1),
          ]),
        );
      }
  return [...lines, ''];
}

function waitingTable({ waiting }: Measured): string[] {
  if (waiting.length === 0) return [];
  const lines = ["ways to wait: % of a processor, wake-ups a second, ms until an answer of Node's own loop"];
  for (const rate of [...new Set(waiting.map((each) => each.rate))])
    for (const way of [...new Set(waiting.map((each) => each.way))]) {
      const mine = waiting.filter((each) => each.way === way && each.rate === rate);
      const mid = (pick: (each: (typeof mine)[number]) => number): string =>
        median(mine.map(pick)).toFixed(2);
      lines.push(
        `  ${way.padEnd(8)} ${String(rate).padStart(6)}/s  ${mid((each) => each.busy * 100)} %  ${mid((each) => each.wakeups)}/s  ${mid((each) => each.cpuUs)} us/check  echo ${mid((each) => each.echoP50)} ms p50, ${mid((each) => each.echoP99)} ms p99, latency of checks ${mid((each) => each.latencyMs)} ms`,
      );
    }
  return lines;
}
