/** Native on the npm package posix, which is compiled where it is installed. It only evens out that package's peculiarities. */
import { createRequire } from 'node:module';
import { codeOf } from './errors.js';
import type { GroupEntry, LimitName, Limits, Native, UserEntry } from './native.js';

/** The part of posix 4.x that is used here. */
interface Posix {
  openlog(identity: string, options: Record<string, boolean>, facility: string): void;
  syslog(priority: string, message: string): void;
  closelog(): void;
  setsid(): number;
  getpwnam(user: string | number): { name: string; uid: number; gid: number; dir: string; shell: string };
  getgrnam(group: string | number): { name: string; gid: number; members: string[] };
  initgroups(user: string, gid: number): void;
  setgid(gid: number): void;
  setuid(uid: number): void;
  getrlimit(limit: LimitName): Limits;
  setrlimit(limit: LimitName, limits: Limits): void;
  chroot(path: string): void;
}

/** Throws where the package is not installed or was not compiled for this Node. */
export function loadNativePosix(): Native {
  const posix = createRequire(import.meta.url)('posix') as Posix;
  return {
    name: 'posix',
    openlog: (identity, facility) => posix.openlog(identity, { pid: true, ndelay: true }, facility),
    syslog: (priority, message) => posix.syslog(priority, message),
    closelog: () => posix.closelog(),
    setsid: () => posix.setsid(),
    getpwnam: (user) => orNull(() => toUser(posix.getpwnam(user))),
    getgrnam: (group) => orNull(() => toGroup(posix.getgrnam(group))),
    initgroups: (user, gid) => posix.initgroups(user, gid),
    setgid: (gid) => posix.setgid(gid),
    setuid: (uid) => posix.setuid(uid),
    getrlimit: (limit) => posix.getrlimit(limit),
    setrlimit: (limit, limits) => posix.setrlimit(limit, limits),
    chroot: (path) => posix.chroot(path),
  };
}

// posix throws for an unknown name, and also where the C library merely left an errno behind (it may do so in its first
// call, while it loads the name services), found or not. The errnos that getpwnam(3) counts as "not found" are that.
const notFound = new Set(['', 'ENOENT', 'ESRCH', 'EBADF', 'EPERM']);

function orNull<T>(look: () => T): T | null {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return look();
    } catch (error) {
      const code = codeOf(error);
      if (!notFound.has(code)) throw error;
      if (code === '' || attempt === 2) return null;
    }
  }
}

function toUser(entry: ReturnType<Posix['getpwnam']>): UserEntry {
  return { name: entry.name, uid: entry.uid, gid: entry.gid, home: entry.dir, shell: entry.shell };
}

function toGroup(entry: ReturnType<Posix['getgrnam']>): GroupEntry {
  return { name: entry.name, gid: entry.gid, members: entry.members };
}
