/**
 * The note on disk that a list of start or stop has begun and has not come to its end. The service may well run before the last command of its
 * start does, and what a stop has not come to may be there still though the service is gone: neither can be seen from outside.
 */
import { openStore, readStored } from '../state/store.js';
import { bootId } from '../sys/clock.js';

const PREFIX = 'half-';

// Nothing that a list began outlives the machine; so its name tells the boot, for the note itself may be torn by then.
function nameNow(): string {
  return `${PREFIX}${bootId()}`;
}

/** Notes that a list begins, before its first command. Throws where the disk does not take the note. */
export function noteHalf(directory: string, action: 'start' | 'stop'): void {
  const { store, reason } = openStore(directory);
  if (store === null) throw new Error(reason);
  store.writeSync(nameNow(), action, 'process');
}

/** The list has come to its end. Throws where the note cannot be removed. */
export function noteWhole(directory: string): void {
  if (halfDone(directory) === null) return;
  const { store, reason } = openStore(directory);
  if (store === null) throw new Error(reason);
  for (const name of store.names()) if (name.startsWith(PREFIX)) store.remove(name);
}

/** The list that has not come to its end in this boot; null for none. A note that cannot be read is that of a start: nothing is known. */
export function halfDone(directory: string): 'start' | 'stop' | null {
  const note = readStored(directory, nameNow());
  if (note.kind === 'none') return null;
  return note.kind === 'valid' && note.value === 'stop' ? 'stop' : 'start';
}
