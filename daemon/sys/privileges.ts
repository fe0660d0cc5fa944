/** Dropping root's privileges for good, in the one order that works. */
import type { Native } from './native.js';

export interface Privileges {
  /** User name or number. */
  user: string | number;
  /** Group name or number; absent: the user's own. */
  group?: string | number;
  /** Directory to be locked into; absent: none. */
  chroot?: string;
}

/**
 * Drops privileges: chroot, groups, group, user. null: done and verified. Otherwise what failed, in one line; the process
 * may then be half-way and has to end.
 */
export declare function dropPrivileges(native: Native, privileges: Privileges): string | null;
