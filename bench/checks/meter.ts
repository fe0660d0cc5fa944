/**
 * The monitor process with a meter in it: on SIGUSR2 it writes what V8 holds after a full collection, in bytes, into the file that
 * HASTMON_METER names.
 */
import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { runMonitor } from '../../daemon/checks/process.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const file = process.env.HASTMON_METER ?? '';

process.on('SIGUSR2', () => {
  // What a first collection has only marked as unused goes with the second one.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  writeFileSync(file, String(heapUsed + external));
});

runMonitor();
