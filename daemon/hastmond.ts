/**
 * hastmond(8): the program. The daemon executes it again, with the one word `worker`, for its worker processes; they
 * start fast because what only the main process needs is not loaded there.
 */
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(import.meta.url);

if (process.argv[2] === 'worker') {
  const { runWorker } = await import('./runtime/worker.js');
  runWorker();
} else {
  const { runMain } = await import('./runtime/main.js');
  await runMain(script, process.argv.slice(2));
}
