/**
 * What is on record about hooks, so that another process can end them: one small file for each that runs, and one for
 * each `start` that left processes. Written before a hook executes. It outlives this process, not the machine: a record of
 * another boot names processes that are gone, and is dropped. It does not know which processes are alive.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { openStore } from '../state/store.js';
import { bootId } from '../sys/clock.js';
import { processAlive, processStartTime } from '../sys/process.js';
import type { HookAction } from './types.js';

export interface HookRecord {
  /** Of the record itself; it tells which process looks after the hook, see makerAlive(). */
  name: string;
  /** `running`: a hook under way. `left`: a `start` that is over, and what it left behind. */
  kind: 'running' | 'left';
  action: HookAction;
  program: string;
  /** Of the program, and also the number of its process group and session. */
  pid: number;
  /** See processStartTime(). */
  startTime: number;
  bootId: string;
  /** The control group it runs in, null for none. */
  cgroup: string | null;
  /** HASTMON_HOOK in its environment, which its children inherit: no two runs have the same one. */
  mark: string;
  /** Path of the fifo that takes its output, null for none. */
  output: string | null;
  /** Of a `left` record: the processes of the group when `start` ended. */
  members: { pid: number; startTime: number }[];
}

export interface HookRecords {
  /** The name for a new record; taken until the record is removed. */
  newName(): string;
  /** Where the pipe for the output of a run with this mark belongs. */
  outputPath(mark: string): string;
  /** Writes the record, or replaces it. Throws an Error (a full disk, mostly). */
  write(record: HookRecord): void;
  /** Removes the record. Never throws. */
  remove(record: HookRecord): void;
  /** Removes the record and its output. Never throws. */
  forget(record: HookRecord): void;
  /** All records of this boot; `unreadable` says of each other one what is wrong. */
  list(): { records: HookRecord[]; unreadable: string[] };
  /** Removes pipes that no record names and whose maker has ended. */
  sweepOutputs(): void;
}

/** A mark for a new run; see HookRecord. */
export function newMark(): string {
  marks += 1;
  return `${maker()}-${marks}`;
}

let marks = 0;

/** Numbers in the names of records that are in use: the names of one process are few, and used again. */
const slots = new Set<number>();

function newName(): string {
  let slot = 1;
  while (slots.has(slot)) slot += 1;
  slots.add(slot);
  return `${maker()}-${slot}`;
}

function freeName(name: string): void {
  if (name.startsWith(`${maker()}-`)) slots.delete(Number(name.slice(maker().length + 1)));
}

/** Opens the records of one resource. Throws an Error with a clear message where the directory cannot be used. */
export function openHookRecords(directory: string): HookRecords {
  const { store, reason } = openStore(directory);
  if (store === null) throw new Error(`no record of hooks can be kept: ${reason}`);
  const outputDirectory = path.join(directory, 'output');
  mkdirSync(outputDirectory, { recursive: true, mode: 0o700 });

  const remove = ({ name }: HookRecord): void => {
    attempt(() => store.remove(name));
    freeName(name);
  };
  const list = (): { records: HookRecord[]; unreadable: string[] } => {
    const records: HookRecord[] = [];
    const unreadable: string[] = [];
    for (const name of store.names()) {
      const stored = store.read(name);
      const record = stored.kind === 'valid' ? parseRecord(name, stored.value) : null;
      if (record !== null && record.bootId === bootId()) records.push(record);
      // Not written with fsync: after a loss of power a record may well be torn. Its name still tells the boot.
      else if (record !== null || !name.startsWith(`${bootTag()}-`)) attempt(() => store.remove(name));
      else if (stored.kind !== 'none') {
        unreadable.push(
          `${path.join(directory, name)}: ${stored.kind === 'corrupt' ? stored.reason : 'not a record'}`,
        );
      }
    }
    return { records, unreadable };
  };
  return {
    newName,
    outputPath: (mark) => path.join(outputDirectory, mark),
    write: ({ name, ...record }) => store.writeSync(name, record, 'process'),
    remove,
    forget(record) {
      remove(record);
      const { output } = record;
      if (output !== null) attempt(() => rmSync(output, { force: true }));
    },
    list,
    sweepOutputs() {
      const named = new Set(list().records.map((record) => record.output));
      for (const mark of readdirSync(outputDirectory)) {
        const file = path.join(outputDirectory, mark);
        if (!named.has(file) && !makerAlive(mark)) attempt(() => rmSync(file, { force: true }));
      }
    },
  };
}

let makerName: string | undefined;

/** This process, unmistakably. */
function maker(): string {
  makerName ??= `${bootTag()}-${process.pid}-${processStartTime(process.pid)}`;
  return makerName;
}

/** Enough of the boot id to tell boots apart in a file's name. */
function bootTag(): string {
  return bootId().slice(0, 8);
}

/** True while the process runs that made this mark, or a record of this name. */
export function makerAlive(name: string): boolean {
  const [, boot, pid, startTime] = /^(.*)-(\d+)-(\d+)-\d+$/.exec(name) ?? [];
  return boot === bootTag() && processAlive(Number(pid), Number(startTime));
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // What cannot be removed names processes that are gone, by pid and start time: it misleads nobody.
  }
}

function parseRecord(name: string, value: unknown): HookRecord | null {
  const record = value as Omit<HookRecord, 'name'>;
  const whole =
    typeof record === 'object' &&
    record !== null &&
    (record.kind === 'running' || record.kind === 'left') &&
    typeof record.action === 'string' &&
    typeof record.program === 'string' &&
    Number.isSafeInteger(record.pid) &&
    // 1 would be init, and as a group everybody.
    record.pid > 1 &&
    Number.isSafeInteger(record.startTime) &&
    typeof record.bootId === 'string' &&
    (record.cgroup === null || typeof record.cgroup === 'string') &&
    typeof record.mark === 'string' &&
    record.mark !== '' &&
    (record.output === null || typeof record.output === 'string') &&
    Array.isArray(record.members);
  return whole ? { ...record, name } : null;
}
