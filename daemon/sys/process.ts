/**
 * Whether a recorded process or process group is still there, by the kernel's word (proc(5)). A pid alone says nothing:
 * numbers are used again. Where the kernel cannot be asked, a process counts as alive. Nothing here starts a process.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { bootId } from './clock.js';
import { codeOf } from './errors.js';

/** Names one process of all times: its pid, its start in clock ticks after boot, and the boot. */
export interface ProcessRecord {
  pid: number;
  startTime: number;
  bootId: string;
}

/** A process of a group. */
export interface GroupMember {
  pid: number;
  startTime: number;
  session: number;
}

/**
 * When the process started: clock ticks after boot (field 22 of /proc/PID/stat); null where there is no such process.
 * A zombie has a start time too. Throws where /proc cannot be read (EMFILE, not mounted).
 */
export function processStartTime(pid: number): number | null {
  return readStat(pid)?.startTime ?? null;
}

/** What processStartTime() gives, as a reading of CLOCK_BOOTTIME in milliseconds. USER_HZ is 100 on all of Node's platforms. */
export function startedAtMs(startTime: number): number {
  return startTime * 10;
}

/** True while this very process runs: same pid, same start, no zombie. */
export function processAlive(pid: number, startTime: number): boolean {
  try {
    const stat = readStat(pid);
    return stat !== null && !stat.zombie && stat.startTime === startTime;
  } catch {
    return true;
  }
}

/** The record of a running process (default: this one); null where there is none. Throws as processStartTime() does. */
export function processRecord(pid: number = process.pid): ProcessRecord | null {
  const startTime = processStartTime(pid);
  return startTime === null ? null : { pid, startTime, bootId: bootId() };
}

/** processAlive() for a record that may come from an earlier boot. */
export function recordAlive(record: ProcessRecord): boolean {
  return record.bootId === bootId() && processAlive(record.pid, record.startTime);
}

/** The processes of a process group that are not zombies. Throws as processStartTime() does. */
export function groupMembers(pgid: number): GroupMember[] {
  const members: GroupMember[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat === null || stat.zombie || stat.group !== pgid) continue;
    members.push({ pid: stat.pid, startTime: stat.startTime, session: stat.session });
  }
  return members;
}

/** True while any process of the group is there that is not a zombie. Asking for a group that is gone costs a microsecond. */
export function groupAlive(pgid: number): boolean {
  if (!signal(-pgid, 0)) return false;
  // There is somebody, but zombies count for kill(2). The leader is the likeliest one to live.
  try {
    const leader = readStat(pgid);
    if (leader !== null && !leader.zombie && leader.group === pgid) return true;
    return groupMembers(pgid).length > 0;
  } catch {
    return true;
  }
}

/** True where the process was started with this entry (`NAME=value`) in its environment: proc(5). Not readable for one of another user. */
export function startedWith(pid: number, entry: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(entry);
  } catch {
    return false;
  }
}

/** Sends the signal if that very process is there. False: it was not, or may not be signalled. */
export function killProcess(pid: number, startTime: number, name: NodeJS.Signals): boolean {
  return processAlive(pid, startTime) && signal(pid, name);
}

/** Sends the signal to every process of the group. False: there is no such group, or none that may be signalled. */
export function killGroup(pgid: number, name: NodeJS.Signals): boolean {
  return signal(-pgid, name);
}

// EPERM answers the question whether somebody is there (signal 0), but a signal it did not send.
function signal(target: number, name: NodeJS.Signals | 0): boolean {
  // 0 and 1 (and -1) would mean this process's own group, init, and everybody.
  if (Math.abs(target) < 2) return false;
  try {
    process.kill(target, name);
    return true;
  } catch (error) {
    return name === 0 && codeOf(error) === 'EPERM';
  }
}

interface Stat {
  pid: number;
  zombie: boolean;
  group: number;
  session: number;
  startTime: number;
}

function readStat(pid: number): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    const code = codeOf(error);
    // ESRCH: it ended between open and read.
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
  return parseStat(text);
}

/** The fields of /proc/PID/stat that matter here. For process.ts and its test. */
export function parseStat(text: string): Stat {
  // The name (field 2) stands in parentheses and may hold blanks and parentheses itself; none come after it.
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const number = (field: number): number => Number(fields[field - 3]);
  const state = fields[0] ?? '';
  return {
    pid: Number.parseInt(text, 10),
    zombie: state === 'Z' || state === 'X',
    group: number(5),
    session: number(6),
    startTime: number(22),
  };
}
