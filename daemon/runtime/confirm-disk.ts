/**
 * What confirmation has to remember over a restart (E7): a record for each check with a past, and the floor under edges. Written in
 * the background, two files at a time, so that the voter's own writes never wait behind ten thousand of these.
 */
import { createHash } from 'node:crypto';
import type { LedgerRecord } from '../confirm/types.js';
import type { NetLog } from '../net/log.js';
import type { Store } from '../state/store.js';
import { codeOf, messageOf } from '../sys/errors.js';

export interface Remembered {
  records: Record<string, LedgerRecord>;
  floor: number;
}

export interface ConfirmDisk {
  /** Reads all that is there, a few files at a time; what is corrupt is set aside. */
  load(): Promise<Remembered>;
  /** null removes the record. `recorded` follows, also where the disk refuses. */
  record(check: string, edge: number, record: LedgerRecord | null): void;
  /** Before the records of checks that are gone are removed. */
  floor(floor: number): void;
  /** Resolves when nothing is left to be written. */
  idle(): Promise<void>;
}

export interface ConfirmDiskOptions {
  store: Store;
  log: NetLog;
  recorded: (check: string, edge: number) => void;
}

const WRITES_MAX = 2;
const READS_MAX = 50;
const FLOOR = 'floor';
const PREFIX = 'check ';
/** Names longer than this, as the store encodes them, are cut, and told apart by a digest. */
const NAME_BYTES_MAX = 150;

export function createConfirmDisk({ store, log, recorded }: ConfirmDiskOptions): ConfirmDisk {
  const waiting = new Map<string, { edge: number; record: LedgerRecord | null }>();
  let floorWritten: Promise<void> = Promise.resolve();
  /** Checks whose record is being written: one at a time each, so that the last word stays. */
  const writing = new Set<string>();
  let refused = '';
  let wake: (() => void)[] = [];

  function next(): void {
    for (const [check, { edge, record }] of waiting) {
      if (writing.size === WRITES_MAX) break;
      if (writing.has(check)) continue;
      waiting.delete(check);
      writing.add(check);
      void write(check, record).then(() => {
        writing.delete(check);
        if (record !== null) recorded(check, edge);
        next();
      });
    }
    if (writing.size > 0 || waiting.size > 0) return;
    for (const done of wake) done();
    wake = [];
  }

  async function write(check: string, record: LedgerRecord | null): Promise<void> {
    try {
      if (record !== null) await store.write(nameOf(check), { check, record });
      else {
        await floorWritten;
        // A turn of the loop for each: ten thousand may go at once.
        await new Promise((resolve) => setImmediate(resolve));
        store.remove(nameOf(check));
      }
      refused = '';
    } catch (error) {
      complain(error);
    }
  }

  /** Once for each trouble: ten thousand checks would say the same. */
  function complain(error: unknown): void {
    const what = codeOf(error) || messageOf(error);
    if (what === refused) return;
    refused = what;
    const text = `what people were told of outages cannot be kept: ${messageOf(error)}`;
    log.error({}, `${text}; after a restart it may be told again`);
  }

  async function load(): Promise<Remembered> {
    await idle();
    const records: Record<string, LedgerRecord> = {};
    const names = store.names();
    for (let at = 0; at < names.length; at += READS_MAX) {
      for (const name of names.slice(at, at + READS_MAX)) {
        const read = name.startsWith(PREFIX) ? readRecord(name) : null;
        if (read !== null) records[read.check] = read.record;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { records, floor: readFloor() };
  }

  function readRecord(name: string): { check: string; record: LedgerRecord } | null {
    const stored = store.read(name);
    if (stored.kind === 'valid' && isStored(stored.value) && nameOf(stored.value.check) === name)
      return stored.value;
    if (stored.kind !== 'none') setAside(name, stored.kind === 'corrupt' ? stored.reason : 'it is no ledger');
    return null;
  }

  function readFloor(): number {
    const stored = store.read(FLOOR);
    if (stored.kind === 'none') return 0;
    if (stored.kind === 'valid' && isCount(stored.value)) return stored.value;
    setAside(FLOOR, stored.kind === 'corrupt' ? stored.reason : 'it is no number');
    return 0;
  }

  function setAside(name: string, reason: string): void {
    try {
      const aside = store.setAside(name);
      const what = name === FLOOR ? 'numbers of edges may come twice' : `${name} begins anew`;
      log.error({}, `a record of outages is corrupt: ${reason}; kept as ${aside}, ${what}`);
    } catch (error) {
      log.error({}, `a record of outages is corrupt, and cannot be set aside: ${messageOf(error)}`);
    }
  }

  function idle(): Promise<void> {
    if (writing.size === 0 && waiting.size === 0) return floorWritten;
    return new Promise((resolve) => wake.push(resolve));
  }

  return {
    load,
    record(check, edge, record) {
      waiting.delete(check);
      waiting.set(check, { edge, record });
      next();
    },
    floor(floor) {
      floorWritten = store.write(FLOOR, floor).catch(complain);
    },
    idle,
  };
}

function nameOf(check: string): string {
  if (encodeURIComponent(check).replaceAll('.', '%2E').length <= NAME_BYTES_MAX) return `${PREFIX}${check}`;
  const digest = createHash('sha256').update(check).digest('hex').slice(0, 32);
  return `${PREFIX}${check.slice(0, 30)}~${digest}`;
}

function isStored(value: unknown): value is { check: string; record: LedgerRecord } {
  if (!isObject(value) || typeof value.check !== 'string' || !isObject(value.record)) return false;
  const { record } = value;
  const { mute, notes } = record;
  return (
    ['edge', 'told', 'said', 'flap', 'held', 'ack'].every((field) => isCount(record[field])) &&
    ['sinceMs', 'wall'].every((field) => Number.isFinite(record[field])) &&
    ['saidBy', 'ackBy'].every((field) => typeof record[field] === 'string') &&
    isObject(mute) &&
    isCount(mute.revision) &&
    Number.isFinite(mute.leftMs) &&
    Array.isArray(notes) &&
    notes.every((note) => isObject(note) && isCount(note.edge) && Array.isArray(note.witnesses))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
