/** Dropping root's privileges for good, in the one order that works. It does not know for whom. */

import { messageOf } from './errors.js';
import { type GroupEntry, loadNative, type Native, type UserEntry } from './native.js';

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
export function dropPrivileges(native: Native, privileges: Privileges): string | null {
  // Names are looked up first: inside the new root there is no /etc/passwd.
  const user = native.getpwnam(privileges.user);
  if (user === null) return `there is no user ${privileges.user}`;
  const group = privileges.group === undefined ? null : native.getgrnam(privileges.group);
  if (privileges.group !== undefined && group === null) return `there is no group ${privileges.group}`;
  try {
    drop(native, user, group, privileges.chroot);
  } catch (error) {
    return `cannot become user ${user.name}: ${messageOf(error)}`;
  }
  return verify(native, user, group?.gid ?? user.gid);
}

/**
 * Becomes the first of these users that exists, for good, where this process is root. Gives back who it is now; throws where it cannot,
 * and the process has to end.
 */
export function becomeFirstOf(users: readonly string[], chroot: string): string {
  const uid = process.getuid?.();
  if (uid !== 0) return String(uid);
  const native = loadNative();
  const user = users.find((name) => native.getpwnam(name) !== null);
  if (user === undefined) throw new Error(`none of these users exists: ${users.join(', ')}`);
  const reason = dropPrivileges(native, { user, ...(chroot === '' ? {} : { chroot }) });
  if (reason !== null) throw new Error(reason);
  return user;
}

function drop(native: Native, user: UserEntry, group: GroupEntry | null, root: string | undefined): void {
  const gid = group?.gid ?? user.gid;
  // initgroups(3) reads /etc/group: before the chroot. The user last: all else needs root.
  native.initgroups(user.name, gid);
  if (root !== undefined) native.chroot(root);
  native.setgid(gid);
  native.setuid(user.uid);
}

// setuid(2) keeps a way back open where only the effective id was root's; nothing but trying shows that it is closed.
function verify(native: Native, user: UserEntry, gid: number): string | null {
  if (process.getuid?.() !== user.uid || process.geteuid?.() !== user.uid)
    return `not running as user ${user.name}`;
  if (process.getgid?.() !== gid || process.getegid?.() !== gid) return `not running in group ${gid}`;
  if (user.uid === 0) return null;
  try {
    native.setuid(0);
  } catch {
    return null;
  }
  return `user ${user.name} can become root again`;
}
