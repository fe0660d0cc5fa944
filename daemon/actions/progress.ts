/**
 * The note on disk how far a resource with actions has been started or stopped. The service may well run before the last command of its start
 * does, and what a stop has not come to may be there still though the service is gone: neither can be seen from outside.
 */
import { openStore, readStored } from '../state/store.js';
import { bootId } from '../sys/clock.js';

/** `start`, `stop`: such a list has begun and has not come to its end. `whole`: one of start has. null: one of stop has, or none has begun. */
export type Progress = 'start' | 'stop' | 'whole' | null;

const PREFIX = 'progress-';

// Nothing that a list began outlives the machine; so its name tells the boot, for the note itself may be torn by then.
function nameNow(): string {
  return `${PREFIX}${bootId()}`;
}

/** Replaces the note. Throws where the disk does not take that. */
export function noteProgress(directory: string, progress: Progress): void {
  if (progress === null && readProgress(directory) === null) return;
  const { store, reason } = openStore(directory);
  if (store === null) throw new Error(reason);
  for (const name of store.names())
    if (name.startsWith(PREFIX) && (progress === null || name !== nameNow())) store.remove(name);
  if (progress !== null) store.writeSync(nameNow(), progress, 'process');
}

/** A note that cannot be read is that of a start: then nothing is known. */
export function readProgress(directory: string): Progress {
  const note = readStored(directory, nameNow());
  if (note.kind === 'none') return null;
  return note.kind === 'valid' && (note.value === 'stop' || note.value === 'whole') ? note.value : 'start';
}
