/**
 * Control groups, version 2: one per resource, so that all that its `start` leaves behind can be killed with certainty.
 * It uses no controllers, only membership. Services that another manager starts (systemctl) are not in it.
 */

export type CgroupOutcome = { path: string; reason?: never } | { path: null; reason: string };

/**
 * Makes (or finds) the control group of a resource below this process's own. The name is unique for state directory and
 * resource. path null: it cannot be had here (no cgroup v2, no permission), and why.
 */
export declare function openCgroup(stateDir: string, resource: string): CgroupOutcome;

/** True where no process is in the group or below it, or the group does not exist. */
export declare function cgroupEmpty(path: string): boolean;

/** Sends SIGKILL to all that is in the group and below it, atomically where the kernel can (cgroup.kill, Linux 5.14). */
export declare function killCgroup(path: string): void;

/** Kills and waits until the group is empty, at most `limitMs`. False: processes are left (in an uninterruptible wait). */
export declare function emptyCgroup(path: string, limitMs: number): Promise<boolean>;

/** Removes an empty group and the groups below it. False: it is not empty. */
export declare function removeCgroup(path: string): boolean;
