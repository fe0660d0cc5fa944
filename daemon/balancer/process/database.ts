/**
 * What the balancer knows, on disk between its runs: one file, replaced as a whole, of one boot and one version, and of one process at a
 * time. Its folder should not outlive a boot (tmpfs); where it does, another boot's file counts as none.
 */
import { readdirSync, renameSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { lockPidfile, type PidfileLock } from '../../process/pidfile.js';
import { readContent, replaceFileSync, temporaryOwner } from '../../state/files.js';
import { decodeState, encodeState } from '../../state/record.js';
import { messageOf, reasonOf } from '../../sys/errors.js';
import type { Restored, SavedState } from '../core/types.js';

export interface Database {
  readonly path: string;
  /** `note`: what people should know of it, '' for nothing. A damaged file is renamed, to be examined. */
  read(): { restored: Restored; note: string };
  /** At once, and as a whole; '' where it is done, else why it is not. */
  write(state: SavedState): string;
  close(): void;
}

/** The form of SavedState. */
const VERSION = 1;
const NAME = 'balancer';
/** 400 bytes a server and service: more than the largest file can have. */
const BYTES_MAX = 2 ** 29;

/** Takes the file for this process; a string says why not. `boot`: what tells this boot of the machine from others. */
export async function openDatabase(file: string, boot: string): Promise<Database | string> {
  const outcome = await lockPidfile(`${file}.lock`, {
    record: true,
    what: "lock file of the balancer's state",
  });
  if (outcome.kind !== 'locked') return outcome.message;
  removeTemporaries(file);
  return databaseOf(file, boot, outcome.lock);
}

/** Who was killed while it wrote has left one; nobody else writes now. */
function removeTemporaries(file: string): void {
  const folder = path.dirname(file);
  try {
    for (const name of readdirSync(folder))
      if (name.startsWith(`.${path.basename(file)}.`) && temporaryOwner(name) !== null)
        unlinkSync(path.join(folder, name));
  } catch {
    // They are in nobody's way.
  }
}

function databaseOf(file: string, boot: string, lock: PidfileLock): Database {
  return {
    path: file,
    read() {
      const found = readState(file, boot);
      if (found.kind === 'saved') return { restored: found.state, note: '' };
      if (found.kind === 'none') return { restored: { kind: 'none' }, note: found.note };
      return { restored: { kind: 'damaged' }, note: setAside(file, found.reason) };
    },
    write(state) {
      try {
        // A loss of power ends the boot, and with it what this is good for.
        replaceFileSync(file, encodeState(NAME, { version: VERSION, boot, state }), false);
        return '';
      } catch (error) {
        return messageOf(error);
      }
    },
    close: () => lock.release(),
  };
}

type Found =
  | { kind: 'saved'; state: SavedState }
  | { kind: 'none'; note: string }
  | { kind: 'damaged'; reason: string };

function readState(file: string, boot: string): Found {
  let content: Buffer | null;
  try {
    content = readContent(file, BYTES_MAX);
  } catch (error) {
    return { kind: 'damaged', reason: reasonOf(error) };
  }
  if (content === null) return { kind: 'none', note: '' };
  const stored = decodeState(NAME, content);
  if (stored.kind !== 'valid')
    return { kind: 'damaged', reason: stored.kind === 'corrupt' ? stored.reason : 'it is empty' };
  const value = stored.value as { version?: unknown; boot?: unknown; state?: SavedState };
  if (value.version !== VERSION)
    return { kind: 'damaged', reason: `its version is ${value.version}, this hastmon reads ${VERSION}` };
  if (value.boot !== boot)
    return { kind: 'none', note: `${file} is of an earlier boot of this machine: the balancer begins anew` };
  return value.state?.kind === 'saved'
    ? { kind: 'saved', state: value.state }
    : { kind: 'damaged', reason: 'it has no state' };
}

function setAside(file: string, reason: string): string {
  const made =
    "the balancer makes what it knows anew from the kernel's table, without touching what works there";
  const aside = `${file}.damaged`;
  try {
    renameSync(file, aside);
    return `${file} cannot be used (${reason}): it was kept as ${aside}, and ${made}`;
  } catch (error) {
    return `${file} cannot be used (${reason}), nor renamed (${messageOf(error)}): ${made}`;
  }
}
