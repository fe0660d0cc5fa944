/**
 * Durable state: named values in a directory, each in a file of its own that is replaced as a whole. A file that is not
 * exactly what was written is told as corrupt, never as absent. It does not know what the values mean. A name is written by
 * one process only.
 */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { codeOf, messageOf, reasonOf } from '../sys/errors.js';
import { readContent, replaceFile, replaceFileSync, syncDirectorySync, temporaryOwner } from './files.js';
import { decodeState, encodeState, type Stored } from './record.js';

export type { Stored } from './record.js';

/** What a write outlives: the loss of power (fsync), or only the end of this process (for what a new boot makes void). */
export type Survives = 'machine' | 'process';

export interface Store {
  readonly dir: string;
  /** Never throws. */
  read(name: string): Stored;
  /**
   * Replaces the value; resolves when it is durable (`survives` says how far, default `machine`). Rejects with a clear Error
   * (`code` ENOSPC, …), the old value then stays. Writes of one name are done in their order.
   */
  write(name: string, value: unknown, survives?: Survives): Promise<void>;
  /** As write(), at once, and throws. Writes of that name that are still under way will not undo it. */
  writeSync(name: string, value: unknown, survives?: Survives): void;
  /**
   * Removes the value, if there is one; writes under way will not bring it back. Not durable: after a loss of power it may be
   * there again. Throws a clear Error.
   */
  remove(name: string): void;
  /** As remove(), and durable. */
  removeDurably(name: string): void;
  /** Renames the file of a corrupt value, so that it can be examined: gives the new path, null where there is no file. Throws. */
  setAside(name: string): string | null;
  /** The names that have a value, corrupt ones too, in order. Throws a clear Error. */
  names(): string[];
}

export type StoreOutcome = { store: Store; reason?: never } | { store: null; reason: string };

/**
 * Opens the directory, with mode 0700, and creates it where it is missing; removes what interrupted writes left. store null:
 * it cannot be used, and why.
 */
export function openStore(dir: string): StoreOutcome {
  const directory = path.resolve(dir);
  try {
    prepareDirectory(directory);
    return { store: storeOf(directory) };
  } catch (error) {
    return { store: null, reason: `state directory ${directory}: ${reasonOf(error)}` };
  }
}

/** A value in a directory that another process writes to; the directory need not be writable. Never throws. */
export function readStored(dir: string, name: string): Stored {
  return readState(name, path.join(path.resolve(dir), baseOf(name)));
}

const suffix = '.state';

function storeOf(dir: string): Store {
  // Every change of a name has a number; a write that is overtaken finds a greater one done, and leaves it at that.
  let issued = 0;
  const done = new Map<string, number>();
  const pending = new Map<string, Promise<void>>();
  const fileOf = (name: string): string => path.join(dir, baseOf(name));
  const overtake = (name: string): void => {
    issued += 1;
    done.set(name, issued);
  };

  return {
    dir,
    read: (name) => readState(name, fileOf(name)),
    async write(name, value, survives = 'machine') {
      issued += 1;
      const number = issued;
      const content = encodeState(name, value);
      const stillWanted = (): boolean => {
        if ((done.get(name) ?? 0) > number) return false;
        done.set(name, number);
        return true;
      };
      const replace = () => replaceFile(fileOf(name), content, survives === 'machine', stillWanted);
      const written = (pending.get(name) ?? Promise.resolve()).then(replace, replace);
      pending.set(name, written);
      const forget = () => void (pending.get(name) === written && pending.delete(name));
      written.then(forget, forget);
      return written;
    },
    writeSync(name, value, survives = 'machine') {
      replaceFileSync(fileOf(name), encodeState(name, value), survives === 'machine');
      overtake(name);
    },
    remove(name) {
      rmSync(fileOf(name), { force: true });
      overtake(name);
    },
    removeDurably(name) {
      rmSync(fileOf(name), { force: true });
      overtake(name);
      syncDirectorySync(dir);
    },
    setAside: (name) => setAside(fileOf(name)),
    names: () =>
      readdirSync(dir)
        .map(nameOf)
        .filter((name) => name !== null)
        .sort(),
  };
}

function readState(name: string, file: string): Stored {
  try {
    const content = readContent(file);
    return content === null ? { kind: 'none' } : decodeState(name, content);
  } catch (error) {
    return { kind: 'corrupt', reason: `it cannot be read: ${messageOf(error)}` };
  }
}

function setAside(file: string): string | null {
  const aside = `${file}.corrupt`;
  try {
    renameSync(file, aside);
    syncDirectorySync(path.dirname(file));
    return aside;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

// No dot of a name stays one: neither hidden files nor suffixes can come of it.
function baseOf(name: string): string {
  return `${encodeURIComponent(name).replaceAll('.', '%2E')}${suffix}`;
}

// Files that this store would not have named so are none of its own.
function nameOf(base: string): string | null {
  if (!base.endsWith(suffix)) return null;
  try {
    const name = decodeURIComponent(base.slice(0, -suffix.length));
    return baseOf(name) === base ? name : null;
  } catch {
    return null;
  }
}

// Not mkdir's `recursive`: Node 20 never returns from it where mkdir(2) says ENOENT below a directory that is there (/proc).
function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir, 0o700);
    syncDirectorySync(path.dirname(dir));
  } catch (error) {
    const parent = path.dirname(dir);
    if (codeOf(error) === 'ENOENT' && !existsSync(parent)) {
      makeDirectory(parent);
      makeDirectory(dir);
    } else if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function prepareDirectory(dir: string): void {
  makeDirectory(dir);
  const stat = statSync(dir);
  if (!stat.isDirectory()) throw new Error('it is no directory');
  if (stat.uid !== process.geteuid?.()) throw new Error(`it belongs to user ${stat.uid}`);
  if ((stat.mode & 0o077) !== 0) chmodSync(dir, 0o700);
  accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  for (const base of readdirSync(dir)) {
    const owner = temporaryOwner(base);
    if (owner !== null && (owner === process.pid || !exists(owner)))
      rmSync(path.join(dir, base), { force: true });
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
