/**
 * What the operating system has and Node lacks, behind one small interface: syslog, sessions, users and groups, privileges,
 * limits, chroot. Two implementations: the npm package posix (optional, compiled on the spot) and koffi (ships its binaries).
 * It does not know what they are used for.
 */
import { loadNativeKoffi } from './native-koffi.js';
import { loadNativePosix } from './native-posix.js';

export type SyslogPriority = 'emerg' | 'alert' | 'crit' | 'err' | 'warning' | 'notice' | 'info' | 'debug';

/** The limits of setrlimit(2) that hastmon may touch. */
export type LimitName = 'core' | 'cpu' | 'data' | 'fsize' | 'nofile' | 'nproc' | 'stack' | 'as';

/** A soft and a hard limit in the unit of setrlimit(2); null is unlimited. */
export interface Limits {
  soft: number | null;
  hard: number | null;
}

/** A line of passwd(5). */
export interface UserEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
  shell: string;
}

/** A line of group(5). */
export interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

/** Every function throws an Error with the errno's name in `code` where the system call fails. */
export interface Native {
  readonly name: 'posix' | 'koffi';
  /** Names the program in syslog, with its pid. Facility: `daemon`, `local0`, … (syslog(3) without LOG_, lower case). */
  openlog(identity: string, facility: string): void;
  /** Sends one message; it is text, never a format. */
  syslog(priority: SyslogPriority, message: string): void;
  closelog(): void;
  /** Makes this process the leader of a new session and gives the session's id. Fails with EPERM in a group leader. */
  setsid(): number;
  /** The user of that name or number, null where there is none. */
  getpwnam(user: string | number): UserEntry | null;
  /** The group of that name or number, null where there is none. */
  getgrnam(group: string | number): GroupEntry | null;
  /** Sets the supplementary groups to those of the user, and `gid`. */
  initgroups(user: string, gid: number): void;
  /** Sets real, effective and saved group id (as root). */
  setgid(gid: number): void;
  /** Sets real, effective and saved user id (as root): there is no way back. */
  setuid(uid: number): void;
  getrlimit(limit: LimitName): Limits;
  setrlimit(limit: LimitName, limits: Limits): void;
  /** Changes the root directory, and the working directory with it. */
  chroot(path: string): void;
}

/**
 * The implementation named by `prefer` (posix if not said), the other one where that does not load.
 * Throws an Error that says why, where neither loads.
 */
export function loadNative(prefer: Native['name'] = 'posix'): Native {
  const loaders = [
    { name: 'posix', load: loadNativePosix },
    { name: 'koffi', load: loadNativeKoffi },
  ].sort((a) => (a.name === prefer ? -1 : 1));
  const reasons: string[] = [];
  for (const { name, load } of loaders) {
    try {
      return load();
    } catch (error) {
      reasons.push(`${name}: ${firstLine(error)}`);
    }
  }
  throw new Error(`no access to the operating system (npm rebuild koffi): ${reasons.join('; ')}`);
}

// What require() throws goes on with a stack of files, which tells an operator nothing.
function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? '';
}
