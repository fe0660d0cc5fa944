/**
 * Durable state: named values in a directory, each in a file of its own that is replaced as a whole. A file that is not
 * exactly what was written is told as corrupt, never as absent. It does not know what the values mean.
 */

export type Stored =
  | { kind: 'none' }
  | { kind: 'valid'; value: unknown }
  /** Torn, changed, of another format, or unreadable. */
  | { kind: 'corrupt'; reason: string };

/** What a write outlives: the loss of power (fsync, the default), or only the end of this process. */
export type Survives = 'machine' | 'process';

export interface Store {
  readonly dir: string;
  read(name: string): Stored;
  /** Replaces the value atomically; resolves when it is durable. Rejects with a clear Error (`code` ENOSPC, …): the old value stays. */
  write(name: string, value: unknown, survives?: Survives): Promise<void>;
  /** As write(), at once; also overtakes writes of the same name that are under way. Throws. */
  writeSync(name: string, value: unknown, survives?: Survives): void;
  /** Removes the value, if there is one. Not durable by itself: after a loss of power it may be there again. */
  remove(name: string): void;
  /** Renames a corrupt file to NAME.corrupt, so that it can be examined; gives the new path, null where there was no file. */
  setAside(name: string): string | null;
  /** The names that have a value, corrupt ones too, in order. */
  names(): string[];
}

export type StoreOutcome = { store: Store; reason?: never } | { store: null; reason: string };

/** Opens the directory and creates it (mode 0700) where it is missing; removes what interrupted writes left. */
export declare function openStore(dir: string): StoreOutcome;
