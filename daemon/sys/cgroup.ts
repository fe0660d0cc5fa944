/**
 * Control groups, version 2: one per resource, so that all that its `start` leaves behind can be killed with certainty.
 * It uses no controllers, only membership. Services that another manager starts (systemctl) are not in it.
 * Source: Documentation/admin-guide/cgroup-v2.rst.
 */
import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, messageOf } from './errors.js';

export type CgroupOutcome = { path: string; reason?: never } | { path: null; reason: string };

/**
 * Makes (or finds) the control group of a resource below this process's own. The name is unique for state directory and
 * resource. path null: it cannot be had here (no cgroup v2, no permission), and why.
 */
export function openCgroup(stateDir: string, resource: string): CgroupOutcome {
  try {
    const own = ownCgroup(
      readFileSync('/proc/self/mountinfo', 'utf8'),
      readFileSync('/proc/self/cgroup', 'utf8'),
    );
    if (own.path === null) return own;
    const group = path.join(own.path, cgroupName(stateDir, resource));
    makeDirectory(group);
    // Moving a process needs cgroup.procs of both groups and of their common ancestor: our own, and that one.
    for (const directory of [own.path, group])
      accessSync(path.join(directory, 'cgroup.procs'), constants.W_OK);
    return { path: group };
  } catch (error) {
    return {
      path: null,
      reason: `no control group: ${messageOf(error)}`,
    };
  }
}

/** True where no process is in the group or below it, or the group does not exist. False where that cannot be known. */
export function cgroupEmpty(group: string): boolean {
  try {
    const events = readIfThere(path.join(group, 'cgroup.events'));
    return events === null || /^populated 0$/m.test(events);
  } catch {
    return false;
  }
}

/** Sends SIGKILL to all that is in the group and below it, atomically where the kernel can (cgroup.kill, Linux 5.14). */
export function killCgroup(group: string): void {
  if (!writeIfThere(path.join(group, 'cgroup.kill'), '1')) killFrozen(group);
}

/** killCgroup() for kernels without cgroup.kill. For cgroup.ts and its test. */
export function killFrozen(group: string): void {
  // Frozen processes cannot fork between being listed and being killed; SIGKILL reaches them all the same.
  const frozen = writeIfThere(path.join(group, 'cgroup.freeze'), '1');
  for (const pid of processesOf(group)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  if (frozen) writeIfThere(path.join(group, 'cgroup.freeze'), '0');
}

/** Kills and waits until the group is empty, at most `limitMs`. False: processes are left (in an uninterruptible wait). */
export async function emptyCgroup(group: string, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  for (let pauseMs = 1; !cgroupEmpty(group); pauseMs = Math.min(2 * pauseMs, 50)) {
    if (performance.now() >= end) return false;
    killCgroup(group);
    await sleep(pauseMs);
  }
  return true;
}

/** Removes an empty group and the groups below it. False: it is not empty. */
export function removeCgroup(group: string): boolean {
  try {
    for (const child of childrenOf(group)) removeCgroup(child);
    rmdirSync(group);
    return true;
  } catch (error) {
    return codeOf(error) === 'ENOENT';
  }
}

/** Where this process's own control group is, by the text of two files in /proc/self. For cgroup.ts and its test. */
export function ownCgroup(mountinfo: string, cgroup: string): CgroupOutcome {
  const own = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  if (own === undefined) return { path: null, reason: 'this process is in no control group of version 2' };
  for (const line of mountinfo.split('\n')) {
    // 36 35 98:0 /root /mount/point options optional-fields - type source super-options
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = before.split(' ').map(unescapeMount);
    if (!after.startsWith('cgroup2 ')) continue;
    const below = path.posix.relative(root, own);
    // The mount may show only a part of the tree (a container), and not ours.
    if (below.startsWith('..')) continue;
    return { path: path.posix.join(point, below) };
  }
  return { path: null, reason: 'cgroup2 is not mounted, or not where this process is in it' };
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, 0o755);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** The name of a resource's group: the readable part for the operator, the digest for uniqueness. */
function cgroupName(stateDir: string, resource: string): string {
  const digest = createHash('sha256')
    .update(`${path.resolve(stateDir)}\0${resource}`)
    .digest('hex')
    .slice(0, 12);
  return `hastmon-${resource.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64)}-${digest}`;
}

// proc(5): blanks, tabs, line ends and backslashes are written in octal.
function unescapeMount(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function processesOf(group: string): number[] {
  const own = (readIfThere(path.join(group, 'cgroup.procs')) ?? '').split('\n').filter((line) => line !== '');
  return [...own.map(Number), ...childrenOf(group).flatMap(processesOf)].filter((pid) => pid > 1);
}

function childrenOf(group: string): string[] {
  try {
    const entries = readdirSync(group, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(group, entry.name));
  } catch {
    return [];
  }
}

// A group that is gone reads as null (ENOENT), or fails in the middle (ENODEV).
function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENODEV') return null;
    throw error;
  }
}

function writeIfThere(file: string, text: string): boolean {
  try {
    // No O_CREAT: where the kernel has no such file, none shall be made.
    const fd = openSync(file, constants.O_WRONLY);
    try {
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
    return true;
  } catch {
    return false;
  }
}
