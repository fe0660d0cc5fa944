/**
 * Notices changes in a directory of dmonitor's. The kernel tells that something happened (inotify(7), by fs.watch); what is there is
 * then read and compared, once it has come to rest, so that an editor's files beside, or a file that is touched, are no change.
 * Where the kernel has no room for more watches, the directory is looked at every now and then, and the log says so.
 */
import { existsSync, type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import { readDmonitorFiles } from '../config/dmonitor-files.js';
import type { NetLog } from '../net/log.js';
import { reasonOf } from '../sys/errors.js';

export interface DirectoryWatch {
  /** The directory to watch from now on, absolute; '' for none. */
  follow(directory: string): void;
  close(): void;
}

export interface DirectoryWatchOptions {
  log: NetLog;
  /** What the directory says is not what it said before. */
  changed(): void;
  /** What happens within this time is one change; but nobody waits for longer than ten times that. */
  settleMs?: number;
  /** Where the kernel does not tell. */
  pollMs?: number;
  /** fs.watch, or something like it. */
  watch?: (folder: string, told: (name: string | null) => void) => FSWatcher;
}

const SETTLE_MS = 500;
const SETTLES_MAX = 10;
const POLL_MS = 30_000;

interface Watched {
  watcher: FSWatcher;
  /** A directory that is made anew under the same name is another one. */
  identity: string;
}

export function createDirectoryWatch(options: DirectoryWatchOptions): DirectoryWatch {
  const { log, settleMs = SETTLE_MS, pollMs = POLL_MS, watch: open = watchFolder } = options;
  const watched = new Map<string, Watched>();
  let directory = '';
  let known = '';
  let settle: NodeJS.Timeout | undefined;
  let waiting = 0;
  let poll: NodeJS.Timeout | undefined;

  function follow(next: string): void {
    if (next === directory) return;
    close();
    directory = next;
    if (directory === '') return;
    arm();
    known = stateOf(directory);
  }

  function close(): void {
    clearTimeout(settle);
    clearInterval(poll);
    settle = undefined;
    poll = undefined;
    for (const { watcher } of watched.values()) watcher.close();
    watched.clear();
    directory = '';
  }

  /** Something happened: looks when it has come to rest. */
  function happened(): void {
    if (settle === undefined) waiting = performance.now();
    const left = waiting + SETTLES_MAX * settleMs - performance.now();
    clearTimeout(settle);
    settle = setTimeout(look, Math.max(0, Math.min(settleMs, left)));
  }

  function look(): void {
    settle = undefined;
    // First the watches, then the look: what happens in between is told.
    arm();
    const state = stateOf(directory);
    if (state === known) return;
    known = state;
    log.info({}, `${directory} has changed: reading it again`);
    options.changed();
  }

  function arm(): void {
    const wanted = new Map(foldersOf(directory).map((folder) => [folder, identityOf(folder)]));
    for (const [folder, { watcher, identity }] of watched) {
      if (wanted.get(folder) === identity) continue;
      watcher.close();
      watched.delete(folder);
    }
    try {
      for (const [folder, identity] of wanted) if (!watched.has(folder)) watchOne(folder, identity);
      if (poll !== undefined) log.info({}, `changes in ${directory} are noticed at once again`);
      clearInterval(poll);
      poll = undefined;
    } catch (error) {
      fallBack(error);
    }
  }

  function watchOne(folder: string, identity: string): void {
    if (identity === '') return;
    // Outside of the directory it matters whether there is one, and nothing else.
    const only =
      folder === directory || folder.startsWith(`${directory}/`) ? null : nextTo(folder, directory);
    const watcher = open(folder, (name) => {
      if (only === null || name === null || name === only) happened();
    });
    watcher.on('error', (error) => {
      watcher.close();
      watched.delete(folder);
      fallBack(error);
    });
    watched.set(folder, { watcher, identity });
  }

  function fallBack(error: unknown): void {
    if (poll !== undefined || directory === '') return;
    const hint =
      codeOf(error) === 'ENOSPC' ? '; fs.inotify.max_user_watches (sysctl) is how many there may be' : '';
    const seconds = pollMs / 1000;
    log.warn({}, `changes in ${directory} are looked for every ${seconds} s only: ${reasonOf(error)}${hint}`);
    poll = setInterval(look, pollMs);
  }

  return { follow, close };
}

function watchFolder(folder: string, told: (name: string | null) => void): FSWatcher {
  return watch(folder, { persistent: false }, (_, name) => told(name));
}

/** All that the directory says, in one text; also why it says nothing. */
function stateOf(directory: string): string {
  const { plugins, ...listing } = readDmonitorFiles(directory);
  return JSON.stringify({ ...listing, plugins: [...plugins] });
}

/** What has to be watched: the directory with what is below, and the nearest one above, which tells when it comes and goes. */
function foldersOf(directory: string): string[] {
  let above = path.dirname(directory);
  while (!existsSync(above)) above = path.dirname(above);
  const hosts = path.join(directory, 'hosts.d');
  const below = [directory, hosts, path.join(directory, 'plugins'), path.join(directory, 'alert.d')];
  return [above, ...below, ...namesIn(hosts).map((name) => path.join(hosts, name))].filter(
    (folder) => identityOf(folder) !== '',
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Which directory it is, '' for none. */
function identityOf(folder: string): string {
  try {
    const found = statSync(folder);
    return found.isDirectory() ? `${found.dev}:${found.ino}:${found.birthtimeMs}` : '';
  } catch {
    return '';
  }
}

/** The name in `folder` on the way to what is below it. */
function nextTo(folder: string, below: string): string {
  return path.relative(folder, below).split('/')[0] ?? '';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
