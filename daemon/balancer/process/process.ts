/**
 * The balancer process, `hastmon: ipvs (balancer)`: what the main process says, given to the balancer, and its answers given back. It ends
 * when the main process does, and leaves the kernel's table as it is.
 */
import { bootTime } from '../../sys/clock.js';
import { messageOf } from '../../sys/errors.js';
import type { BalancerToMain, MainToBalancer } from '../ipc.js';
import { type Balancer, createBalancerShell } from './balancer.js';

const BEAT_MS = 1000;
/** What is under way may be ended; more than that would look like hanging. */
const CLOSE_MS = 2500;

/** The entry of the process; `script` is hastmond's own, for the process that runs the checks. */
export function runBalancer(script: string): void {
  process.title = 'hastmon: ipvs (balancer)';
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  let balancer: Promise<Balancer> | null = null;
  let given: Promise<void> = Promise.resolve();

  process.on('disconnect', () => void end());
  process.on('message', (message: MainToBalancer) => {
    if (message.kind === 'settings') balancer ??= start();
    // One after the other, and in their order; questions do not wait for each other.
    const opened = balancer;
    if (opened === null) return;
    if (message.kind === 'ask') void opened.then((found) => found.answer(message));
    else given = given.then(async () => (await opened).take(message));
  });
  setInterval(() => say({ kind: 'beat' }), BEAT_MS);

  async function start(): Promise<Balancer> {
    try {
      return createBalancerShell({ script, say, clock: bootTime, wall: Date.now });
    } catch (error) {
      say({ kind: 'failed', reason: messageOf(error) });
      process.exit(1);
    }
  }

  async function end(): Promise<void> {
    setTimeout(() => process.exit(0), CLOSE_MS).unref();
    await (await balancer)?.close();
    process.exit(0);
  }
}

function say(message: BalancerToMain): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}
