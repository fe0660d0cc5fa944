/**
 * hastmond(8): the program. The daemon executes it again, with the one word `worker`, `monitor`, `notifier`, `balancer`, `http` or `actions-monitor`, for its other
 * processes, and with `actions-run` in the place of a hook program; they start fast because what only the main process needs is not loaded there.
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
} else if (process.argv[2] === 'actions-run') {
  const { runActions } = await import('./actions/run.js');
  process.exit(await runActions(process.argv.slice(3)));
} else if (process.argv[2] === 'actions-monitor') {
  const { runActionMonitor } = await import('./actions/monitor.js');
  runActionMonitor();
} else if (process.argv[2] === 'balancer') {
  const { runBalancer } = await import('./balancer/process/process.js');
  runBalancer(script);
} else if (process.argv[2] === 'http') {
  const { runHttp } = await import('./http/process.js');
  runHttp(script);
} else {
  const { runMain } = await import('./runtime/main.js');
  await runMain(script, process.argv.slice(2));
}
