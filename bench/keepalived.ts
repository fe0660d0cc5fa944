/** The same faults for a pair of keepalived as for a cluster of hastmon, one advertisement interval at a time. */
import { type Beat, monotonicMs, overlapMs } from '../test/system/beats.js';
import { until } from '../test/system/wait.js';
import { createKeepalivedPair, type KeepalivedPair, keepalivedProblem } from './keepalived-pair.js';
import { addOverlap, createRow, median, type Row } from './row.js';
import type { Stage } from './stage.js';

/** How long is looked on after the takeover, to see whether two services go on living. */
const lookOnMs = 1000;

interface Blow {
  id: string;
  name: string;
  note: string;
  strike(pair: KeepalivedPair): Promise<void> | void;
}

const blows: readonly Blow[] = [
  {
    id: 'machine-killed',
    name: 'machine of the master killed: to first beat elsewhere',
    note: '',
    strike: (pair) => pair.killMachine(pair.master),
  },
  {
    id: 'network-cut',
    name: 'network between the two cut: to first beat elsewhere',
    note: 'both are master as long as the cut lasts; ',
    strike: (pair) => pair.cut(),
  },
  {
    id: 'daemon-killed',
    name: 'keepalived killed (-9): to first beat elsewhere',
    note: 'its service goes on where it was; ',
    strike: (pair) => pair.killDaemon(pair.master),
  },
];

/** `advertSeconds`: advert_int. Each fault `runs` times. */
export async function measureKeepalived(stage: Stage, advertSeconds: number, runs: number): Promise<Row[]> {
  const skipped = keepalivedProblem();
  const rows = blows.map(({ id, name }) =>
    createRow(`keepalived-${advertSeconds}-${id}`, 'keepalived', `advert_int ${advertSeconds}: ${name}`, {
      skipped,
    }),
  );
  if (skipped !== '') return rows;
  const pair = await stage.hold(createKeepalivedPair(advertSeconds));
  for (const [index, row] of rows.entries()) {
    const blow = blows[index];
    if (blow === undefined) continue;
    const notified: number[] = [];
    for (let run = 0; run < runs; run += 1) await tryBlow(pair, blow, row, notified, advertSeconds);
    const told = notified.length === 0 ? 'unknown' : `${median(notified).toFixed(0)} ms (median)`;
    row.note = `${blow.note}to notify_master ${told}`;
  }
  await stage.release(pair);
  return rows;
}

async function tryBlow(
  pair: KeepalivedPair,
  blow: Blow,
  row: Row,
  notified: number[],
  advertSeconds: number,
): Promise<void> {
  await pair.settle();
  const struck = monotonicMs();
  await blow.strike(pair);
  const first = (): Beat | undefined =>
    pair.beats().find((life) => life.node === pair.backup && life.first > struck);
  await until(
    () => first() !== undefined,
    20_000 * advertSeconds + 5000,
    'the backup does not become master',
  );
  const life = first();
  if (life === undefined) return;
  row.values.push(life.first - struck);
  const told = pair.notifiedAt(pair.backup, 'master', struck);
  if (told !== null) notified.push(told - struck);
  await until(() => monotonicMs() > life.first + lookOnMs, 2 * lookOnMs + 5000, 'unreachable');
  const end = monotonicMs();
  const lives = pair.beats().filter(({ last }) => last > struck);
  // Who beats at the end of the observation has not been stopped by it.
  const lasting = lives.filter(({ last }) => last > end - 100).length > 1;
  addOverlap(row, Math.max(0, overlapMs(lives)), lasting);
}
