/**
 * The journal of a node: what has happened, one JSON line each, in files that are begun anew when they have grown, of which the
 * oldest is removed. It survives restarts and kill -9 (what was handed to the kernel), and is no ledger: nothing is decided by it.
 * It knows files; what an event means it does not.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { HaEvent, NewEvent } from '../../proto/event-types.js';
import { reasonOf } from '../sys/errors.js';
import { bounded, eventOf } from './line.js';

export interface JournalOptions {
  /** Created, with mode 0700, where it is missing. */
  directory: string;
  node: string;
  /** Milliseconds since 1970. */
  wall: () => number;
  /** Milliseconds of CLOCK_BOOTTIME. */
  clock: () => number;
  bootId: string;
  /** What cannot be kept is told once, until it can be again. */
  problem: (text: string) => void;
  /** Bytes after which a file is full, and how many files are kept. */
  fileBytes?: number;
  files?: number;
}

export interface Journal {
  /** Numbers and dates the event, tells the subscribers, and has it written. Never throws. */
  record(event: NewEvent): HaEvent;
  /** The events that `wanted` takes, oldest first, of the last `last` of those; all that were recorded before the call are among them. */
  read(wanted: (event: HaEvent) => boolean, last?: number): Promise<HaEvent[]>;
  /** Calls `listener` for every event recorded from now on; gives how to end that. */
  subscribe(listener: (event: HaEvent) => void): () => void;
  /** Resolves when all that was recorded has been handed to the kernel. */
  close(): Promise<void>;
}

/** Four million bytes in all, some ten thousand events. */
const FILE_BYTES = 256 * 1024;
const FILES = 16;
/** Lines that wait for a disk that does not take them. */
const WAITING_MAX = 10_000;
const BOOT_CHARACTERS = 8;

/** Opens the journal of a directory, and goes on with its numbers. Never throws: what cannot be read counts as not there. */
export function openJournal(options: JournalOptions): Journal {
  const { directory, fileBytes = FILE_BYTES, files = FILES } = options;
  const listeners = new Set<(event: HaEvent) => void>();
  const boot = options.bootId.slice(0, BOOT_CHARACTERS);
  let waiting: { number: number; line: string }[] = [];
  let writing: Promise<void> | null = null;
  /** The present write, and the last number that was written, or was not for good. */
  let step: Promise<void> = Promise.resolve();
  let handled = 0;
  let current: { handle: FileHandle; bytes: number } | null = null;
  let failing = false;
  let missed = 0;
  let { number, torn } = prepare();

  function prepare(): { number: number; torn: boolean } {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      return endOf(directory);
    } catch (error) {
      fail(error);
      return { number: 0, torn: false };
    }
  }

  function fail(error: unknown): void {
    if (!failing) options.problem(`events cannot be kept in ${directory}: ${reasonOf(error)}`);
    failing = true;
  }

  function record(event: NewEvent): HaEvent {
    number += 1;
    const { node } = options;
    const when = { at: Math.round(options.wall()), boot, bootMs: options.clock() };
    const whole = bounded({ number, node, ...when, ...event });
    keep(whole);
    for (const listener of listeners) listener(whole);
    return whole;
  }

  function keep(event: HaEvent): void {
    if (waiting.length >= WAITING_MAX) {
      missed += waiting.length;
      waiting = [];
    }
    waiting.push({ number: event.number, line: `${JSON.stringify(event)}\n` });
    writing ??= write().finally(() => {
      writing = null;
    });
  }

  async function write(): Promise<void> {
    // What happens at one moment is written at once.
    await Promise.resolve();
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      step = attempt(lines);
      await step;
      handled = lines.at(-1)?.number ?? handled;
    }
  }

  async function attempt(lines: readonly { number: number; line: string }[]): Promise<void> {
    try {
      await append(lines);
      failing = false;
      tellMissed();
    } catch (error) {
      missed += lines.length;
      fail(error);
      await current?.handle.close().catch(() => {});
      current = null;
      // A part of it may have been written.
      torn = true;
    }
  }

  function tellMissed(): void {
    if (missed === 0) return;
    const count = missed;
    missed = 0;
    record({ kind: 'events-missed', text: `${count} events could not be kept`, data: { count } });
  }

  async function append(lines: readonly { number: number; line: string }[]): Promise<void> {
    const [first] = lines;
    if (first === undefined) return;
    if (current !== null && current.bytes >= fileBytes) {
      await current.handle.close();
      current = null;
    }
    current ??= await begin(first.number);
    const text = `${torn ? '\n' : ''}${lines.map(({ line }) => line).join('')}`;
    const bytes = Buffer.from(text);
    await current.handle.appendFile(bytes);
    torn = false;
    current.bytes += bytes.length;
  }

  /** Goes on with the newest file while there is room in it. */
  async function begin(first: number): Promise<{ handle: FileHandle; bytes: number }> {
    const names = namesIn(directory);
    const newest = names.at(-1);
    if (newest !== undefined) {
      const handle = await open(path.join(directory, newest), 'a', 0o600);
      const { size } = await handle.stat();
      if (size < fileBytes) return { handle, bytes: size };
      await handle.close();
    }
    torn = false;
    for (const name of names.slice(0, Math.max(0, names.length + 1 - files)))
      await rm(path.join(directory, name), { force: true });
    return { handle: await open(path.join(directory, nameOf(first)), 'a', 0o600), bytes: 0 };
  }

  async function read(
    wanted: (event: HaEvent) => boolean,
    last = Number.POSITIVE_INFINITY,
  ): Promise<HaEvent[]> {
    // Not for what is recorded meanwhile: there may always be more.
    const upTo = number;
    while (writing !== null && handled < upTo) await step;
    const found: HaEvent[][] = [];
    let count = 0;
    for (const name of namesIn(directory).reverse()) {
      // It may have been removed meanwhile, being the oldest.
      const text = await readFile(path.join(directory, name), 'utf8').catch(() => '');
      const events = eventsIn(text).filter(wanted);
      found.push(events);
      count += events.length;
      if (count >= last) break;
    }
    const all = found.reverse().flat();
    return count > last ? all.slice(count - last) : all;
  }

  return {
    record,
    read,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      await writing;
      await current?.handle.close();
      current = null;
    },
  };
}

const nameOf = (first: number): string => `${String(first).padStart(12, '0')}.jsonl`;

/** Oldest first. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile() && /^\d{12,15}\.jsonl$/.test(entry.name))
      .map(({ name }) => name)
      .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  } catch {
    return [];
  }
}

function eventsIn(text: string): HaEvent[] {
  return text.split('\n').flatMap((line) => eventOf(line) ?? []);
}

/** The last number given, and whether the last line was cut short. A line that cannot be read had one, too. */
function endOf(directory: string): { number: number; torn: boolean } {
  let torn: boolean | null = null;
  for (const name of namesIn(directory).reverse()) {
    const text = readFileSync(path.join(directory, name), 'utf8');
    torn ??= text !== '' && !text.endsWith('\n');
    if (text === '') continue;
    let number = Number.parseInt(name, 10) - 1;
    for (const line of text.split('\n'))
      if (line !== '') number = Math.max(number + 1, eventOf(line)?.number ?? 0);
    return { number, torn };
  }
  return { number: 0, torn: torn ?? false };
}
