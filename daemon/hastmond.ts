/**
 * hastmond(8): the program. The daemon executes it again, with the one word `worker`, `monitor` or `notifier`, for its other
 * processes; they start fast because what only the main process needs is not loaded there.
 */
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(import.meta.url);

if (process.argv[2] === 'worker') {
  const { runWorker } = await import('./runtime/worker.js');
  runWorker();
} else if (process.argv[2] === 'monitor') {
  const { runMonitor } = await import('./checks/process.js');
  runMonitor();
} else if (process.argv[2] === 'notifier') {
  const { runNotifier } = await import('./alerts/notifier.js');
  runNotifier();
} else {
  const { runMain } = await import('./runtime/main.js');
  await runMain(script, process.argv.slice(2));
}
