/** Whether a start or stop of a resource is under way, whoever runs it. */
import { openHookRecords } from '../hooks/records.js';
import { processAlive } from '../sys/process.js';

/** `hooks` is the directory of the resource's records. Throws an Error with a clear message where it cannot be used. */
export function serviceBusy(hooks: string): boolean {
  return openHookRecords(hooks)
    .list()
    .records.some(
      ({ kind, action, pid, startTime }) =>
        kind === 'running' && (action === 'start' || action === 'stop') && processAlive(pid, startTime),
    );
}
