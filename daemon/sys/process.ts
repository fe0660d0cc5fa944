/**
 * Whether a recorded process or process group is still there, by the kernel's word (proc(5)). A pid alone says nothing:
 * numbers are used again. Where the kernel cannot be asked, a process counts as alive.
 */

/** Names one process of all times: its pid, its start in clock ticks after boot, and the boot. */
export interface ProcessRecord {
  pid: number;
  startTime: number;
  bootId: string;
}

/** A process of a group, zombies left out. */
export interface GroupMember {
  pid: number;
  startTime: number;
  session: number;
}

/** When the process started: clock ticks after boot (field 22 of /proc/PID/stat); null where there is no such process. */
export declare function processStartTime(pid: number): number | null;

/** True while this very process runs: same pid, same start, no zombie. */
export declare function processAlive(pid: number, startTime: number): boolean;

/** The record of the calling process, or of one of this boot. */
export declare function processRecord(pid?: number): ProcessRecord | null;

/** processAlive() for a record that may come from an earlier boot. */
export declare function recordAlive(record: ProcessRecord): boolean;

/** The processes of a process group that are not zombies. */
export declare function groupMembers(pgid: number): GroupMember[];

/** True while any process of the group is there that is not a zombie. */
export declare function groupAlive(pgid: number): boolean;

/** Sends the signal if that very process is there. False: it was not. */
export declare function killProcess(pid: number, startTime: number, signal: NodeJS.Signals): boolean;

/** Sends the signal to every process of the group. False: there is no such group. */
export declare function killGroup(pgid: number, signal: NodeJS.Signals): boolean;
