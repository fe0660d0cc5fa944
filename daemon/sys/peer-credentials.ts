/** Who is at the other end of a UNIX socket, by the kernel's word (SO_PEERCRED, unix(7)). */
import type { Socket } from 'node:net';
import { type Libc, placeOf, tryLibc } from './libc.js';

export interface PeerCredentials {
  /** Of the process that connected, as it was then. */
  pid: number;
  uid: number;
  gid: number;
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const CREDENTIALS_BYTES = 12;

type Getsockopt = (fd: number, level: number, name: number, value: number, length: number) => number;

type Declared = { libc: Libc; getsockopt: Getsockopt } | null;

let declared: Declared | undefined;

/** null where the system does not tell, or koffi cannot be loaded. */
export function peerCredentials(socket: Socket): PeerCredentials | null {
  const fd = descriptorOf(socket);
  if (declared === undefined) declared = declare();
  if (fd === null || declared === null) return null;
  const { getsockopt, libc } = declared;
  const value = new Int32Array(new ArrayBuffer(CREDENTIALS_BYTES));
  const length = new Uint32Array(new ArrayBuffer(4)).fill(CREDENTIALS_BYTES);
  const failed = getsockopt(
    fd,
    SOL_SOCKET,
    SO_PEERCRED,
    placeOf(libc, value.buffer),
    placeOf(libc, length.buffer),
  );
  if (failed !== 0) return null;
  const [pid = 0, uid = 0, gid = 0] = value;
  // Where the kernel knows of nobody, they are 0 and -1.
  return pid === 0 ? null : { pid, uid: uid >>> 0, gid: gid >>> 0 };
}

function declare(): Declared {
  const libc = tryLibc();
  if (libc === null) return null;
  const getsockopt = libc.func<Getsockopt>(
    'int getsockopt(int fd, int level, int name, uintptr_t value, uintptr_t length)',
  );
  return { libc, getsockopt };
}

/** Node keeps it in the handle, and has no public way to it. */
function descriptorOf(socket: Socket): number | null {
  const { fd } = (socket as unknown as { _handle?: { fd?: number } | null })._handle ?? {};
  return typeof fd === 'number' && fd >= 0 ? fd : null;
}
