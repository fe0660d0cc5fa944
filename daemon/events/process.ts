/** A process of the daemon's has ended that nobody told to. */
import type { NewEventOf } from '../../proto/event-types.js';

/** Another one follows in `restartMs`. `what`: `the monitor process`. */
export function processEnded(what: string, process: string, restartMs: number): NewEventOf<'process-ended'> {
  const text = `${what} has ended unexpectedly; another one is started in ${restartMs} ms`;
  return { kind: 'process-ended', text, data: { process, restartMs } };
}
