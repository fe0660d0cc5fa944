/** Native on the C library itself, through koffi. Constants are those of Linux on the platforms that koffi has binaries for. */
import { callError, type Libc, openLibc } from './libc.js';
import type { GroupEntry, LimitName, Limits, Native, SyslogPriority, UserEntry } from './native.js';

const priorities: Record<SyslogPriority, number> = {
  emerg: 0,
  alert: 1,
  crit: 2,
  err: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};

// <syslog.h>: facilities count in steps of 8.
const facilities: Record<string, number> = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};
const LOG_PID = 0x01;
const LOG_NDELAY = 0x08;

const limitNumbers: Record<LimitName, number> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  nproc: 6,
  nofile: 7,
  as: 9,
};
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

/** Throws where koffi cannot be loaded. */
export function loadNativeKoffi(): Native {
  const libc = openLibc();
  return {
    name: 'koffi',
    ...syslogPart(libc),
    ...databasePart(libc),
    ...processPart(libc),
    ...limitPart(libc),
  };
}

function syslogPart(libc: Libc): Pick<Native, 'openlog' | 'syslog' | 'closelog'> {
  const openlog = libc.func<(identity: bigint, options: number, facility: number) => void>(
    'void openlog(const void *ident, int option, int facility)',
  );
  const syslog = libc.func<(priority: number, format: string, type: 'str', message: string) => void>(
    'void syslog(int priority, const char *format, ...)',
  );
  const closelog = libc.func<() => void>('void closelog()');
  return {
    openlog(identity, facility) {
      const number = facilities[facility];
      if (number === undefined) throw new Error(`unknown syslog facility ${facility}`);
      // openlog(3) keeps the pointer, so the memory is never given back; programs call it once or twice.
      const bytes = Buffer.from(`${identity}\0`);
      const memory = libc.koffi.alloc('uint8_t', bytes.length);
      new Uint8Array(libc.koffi.view(memory, bytes.length)).set(bytes);
      openlog(memory, LOG_PID | LOG_NDELAY, number * 8);
    },
    syslog: (priority, message) => syslog(priorities[priority], '%s', 'str', message),
    closelog: () => closelog(),
  };
}

function databasePart(libc: Libc): Pick<Native, 'getpwnam' | 'getgrnam'> {
  const { koffi } = libc;
  const passwd = koffi.struct({
    pw_name: 'char *',
    pw_passwd: 'char *',
    pw_uid: 'uint32_t',
    pw_gid: 'uint32_t',
    pw_gecos: 'char *',
    pw_dir: 'char *',
    pw_shell: 'char *',
  });
  const group = koffi.struct({
    gr_name: 'char *',
    gr_passwd: 'char *',
    gr_gid: 'uint32_t',
    gr_mem: 'void *',
  });
  const userByName = libc.func<Lookup<string>>('void *getpwnam(const char *name)');
  const userByNumber = libc.func<Lookup<number>>('void *getpwuid(uint32_t uid)');
  const groupByName = libc.func<Lookup<string>>('void *getgrnam(const char *name)');
  const groupByNumber = libc.func<Lookup<number>>('void *getgrgid(uint32_t gid)');
  return {
    getpwnam(user) {
      const found = lookup(libc, 'getpwnam', () =>
        typeof user === 'number' ? userByNumber(user) : userByName(user),
      );
      return found === null ? null : toUser(koffi.decode(found, passwd));
    },
    getgrnam(name) {
      const found = lookup(libc, 'getgrnam', () =>
        typeof name === 'number' ? groupByNumber(name) : groupByName(name),
      );
      return found === null ? null : toGroup(libc, koffi.decode(found, group));
    },
  };
}

type Lookup<Key> = (key: Key) => bigint | null;

// getpwnam(3): "0 or ENOENT or ESRCH or EBADF or EPERM or ...: the given name or uid was not found".
function lookup(libc: Libc, call: string, look: () => bigint | null): bigint | null {
  const { ENOENT, ESRCH, EBADF, EPERM } = libc.koffi.os.errno;
  libc.koffi.errno(0);
  const found = look();
  if (found !== null) return found;
  if ([0, ENOENT, ESRCH, EBADF, EPERM].includes(libc.koffi.errno())) return null;
  throw callError(libc, call);
}

interface Passwd {
  pw_name: string;
  pw_uid: number;
  pw_gid: number;
  pw_dir: string;
  pw_shell: string;
}

function toUser(entry: Passwd): UserEntry {
  return {
    name: entry.pw_name,
    uid: entry.pw_uid,
    gid: entry.pw_gid,
    home: entry.pw_dir,
    shell: entry.pw_shell,
  };
}

function toGroup(libc: Libc, entry: { gr_name: string; gr_gid: number; gr_mem: bigint }): GroupEntry {
  const { koffi } = libc;
  const members: string[] = [];
  for (;;) {
    const offset = members.length * koffi.sizeof('char *');
    const member = koffi.decode(entry.gr_mem, offset, 'char *') as string | null;
    if (member === null) return { name: entry.gr_name, gid: entry.gr_gid, members };
    members.push(member);
  }
}

function processPart(libc: Libc): Pick<Native, 'setsid' | 'initgroups' | 'setgid' | 'setuid' | 'chroot'> {
  const setsid = libc.func<() => number>('int setsid()');
  const initgroups = libc.func<(user: string, gid: number) => number>(
    'int initgroups(const char *user, uint32_t gid)',
  );
  const setgid = libc.func<(gid: number) => number>('int setgid(uint32_t gid)');
  const setuid = libc.func<(uid: number) => number>('int setuid(uint32_t uid)');
  const chroot = libc.func<(path: string) => number>('int chroot(const char *path)');
  const checked = (call: string, result: number): number => {
    if (result === -1) throw callError(libc, call);
    return result;
  };
  return {
    setsid: () => checked('setsid', setsid()),
    initgroups: (user, gid) => void checked('initgroups', initgroups(user, gid)),
    setgid: (gid) => void checked('setgid', setgid(gid)),
    setuid: (uid) => void checked('setuid', setuid(uid)),
    chroot(path) {
      // The working directory first: a process that is outside of its root is not locked in.
      process.chdir(path);
      checked('chroot', chroot(path));
    },
  };
}

function limitPart(libc: Libc): Pick<Native, 'getrlimit' | 'setrlimit'> {
  const getrlimit = libc.func<(limit: number, limits: BigUint64Array) => number>(
    'int getrlimit(int resource, _Out_ uint64_t *limits)',
  );
  const setrlimit = libc.func<(limit: number, limits: BigUint64Array) => number>(
    'int setrlimit(int resource, const uint64_t *limits)',
  );
  const fromLimit = (value: bigint | undefined): number | null =>
    value === undefined || value === RLIM_INFINITY ? null : Number(value);
  const toLimit = (value: number | null): bigint => (value === null ? RLIM_INFINITY : BigInt(value));
  return {
    getrlimit(limit) {
      const pair = new BigUint64Array(2);
      if (getrlimit(limitNumbers[limit], pair) !== 0) throw callError(libc, 'getrlimit');
      return { soft: fromLimit(pair[0]), hard: fromLimit(pair[1]) };
    },
    setrlimit(limit, limits: Limits) {
      const pair = BigUint64Array.of(toLimit(limits.soft), toLimit(limits.hard));
      if (setrlimit(limitNumbers[limit], pair) !== 0) throw callError(libc, 'setrlimit');
    },
  };
}
