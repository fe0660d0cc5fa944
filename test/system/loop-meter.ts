/**
 * Preloaded into hastmond (`--import`): how long its main process did nothing else than one thing. A line `<CLOCK_MONOTONIC ms>
 * <ms late> <ms of processor time>` for every turn of its loop that took more than 20 ms, to a file named by its pid below HASTMON_METER.
 */
import { appendFileSync } from 'node:fs';
import path from 'node:path';

const everyMs = 5;
const toldMs = 20;
const [, script = '', first = ''] = process.argv;

function begin(dir: string): void {
  let last = performance.now();
  let used = process.cpuUsage();
  setInterval(() => {
    const now = performance.now();
    const late = now - last - everyMs;
    const { user, system } = process.cpuUsage(used);
    if (late >= toldMs) {
      const at = Number(process.hrtime.bigint()) / 1e6;
      const line = `${at.toFixed(0)} ${late.toFixed(0)} ${((user + system) / 1000).toFixed(0)}\n`;
      appendFileSync(path.join(dir, String(process.pid)), line);
    }
    last = performance.now();
    used = process.cpuUsage();
  }, everyMs).unref();
}

const { HASTMON_METER: dir = '' } = process.env;
if (dir !== '' && /hastmond\.js$/.test(script) && !/^(worker|monitor|notifier)$/.test(first)) begin(dir);
