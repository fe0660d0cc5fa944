/**
 * The watchdog device of the kernel: resets the machine unless fed in time. It does not know when feeding is right; that is
 * the main process's decision. Source: Documentation/watchdog/watchdog-api.rst and <linux/watchdog.h>.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from './errors.js';
import { callError, openLibc } from './libc.js';

export interface WatchdogInfo {
  identity: string;
  /** The timeout that the driver really set, which may differ from what was asked for. */
  timeoutMs: number;
  /** The driver knows magic close: V and close disarm it. */
  magicClose: boolean;
  /** When it was opened: true, it cannot be disarmed. null: not known. */
  nowayout: boolean | null;
}

export interface WatchdogDevice {
  readonly info: WatchdogInfo;
  /** As it is now: an administrator may take the way out away while the device is open (sysfs), and cannot give it back. */
  nowayout(): boolean | null;
  /** Starts the time anew; never waits. null: done; else what failed. */
  feed(): string | null;
  /** Magic close: disarms and closes. null: done; else what failed, and the device may go on counting. */
  close(): string | null;
}

export type WatchdogOutcome = { device: WatchdogDevice; reason?: never } | { device: null; reason: string };

/** The ioctl of a driver: fills or reads `argument`; throws an Error. A test puts its own in its place. */
export type Ioctl = (fd: number, request: number, argument: Uint8Array) => void;

/** <linux/watchdog.h>, as all of koffi's Linux platforms but ppc64 number them: direction, size, 'W', number. */
export const watchdogRequest = {
  getSupport: 0x80285700,
  setTimeout: 0xc0045706,
  getTimeout: 0x80045707,
} as const;
const SYSFS = '/sys/class/watchdog';
const WDIOF_SETTIMEOUT = 0x0080;
const WDIOF_MAGICCLOSE = 0x0100;

/**
 * Opens the device, which arms it, and sets its timeout (rounded up to whole seconds). A failure disarms it again, if it
 * can be. Only one process can have it open.
 */
export function openWatchdogDevice(
  device: string,
  timeoutMs: number,
  ioctl: Ioctl = deviceIoctl(),
  sysfs = SYSFS,
): WatchdogOutcome {
  let fd: number;
  try {
    // Not created where it is missing: a plain file would be fed for ever and guard nothing.
    fd = openSync(device, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    return { device: null, reason: `cannot open watchdog device ${device}: ${messageOf(error)}` };
  }
  try {
    const nowayout = (): boolean | null => readNowayout(device, sysfs);
    const info = { ...setUp(fd, timeoutMs, ioctl), nowayout: nowayout() };
    return { device: { info, nowayout, feed: () => feed(fd, device), close: () => magicClose(fd, device) } };
  } catch (error) {
    const left = magicClose(fd, device);
    return { device: null, reason: [`${device}: ${messageOf(error)}`, left].filter(Boolean).join('; ') };
  }
}

/** Whole seconds for the device: rounded up, at least 1. */
export function deviceTimeoutSeconds(timeoutMs: number): number {
  return Math.max(1, Math.ceil(timeoutMs / 1000));
}

/** How often to feed, so that three feedings in a row may fail or come late: a quarter of the timeout, at most every second. */
export function feedIntervalMs(timeoutMs: number): number {
  return Math.min(1000, timeoutMs / 4);
}

function setUp(fd: number, timeoutMs: number, ioctl: Ioctl): Omit<WatchdogInfo, 'nowayout'> {
  // struct watchdog_info: options, firmware version, identity[32].
  const support = new Uint8Array(40);
  call('this is no watchdog device (WDIOC_GETSUPPORT)', () => ioctl(fd, watchdogRequest.getSupport, support));
  const options = wordOf(support);
  const identity = Buffer.from(support.subarray(8)).toString('latin1').replace(/\0.*$/s, '');
  const wanted = deviceTimeoutSeconds(timeoutMs);
  if ((options & WDIOF_SETTIMEOUT) !== 0) {
    call(`its driver ${identity} refuses a timeout of ${wanted} s (WDIOC_SETTIMEOUT)`, () =>
      ioctl(fd, watchdogRequest.setTimeout, bytesOf(wanted)),
    );
  }
  const actual = bytesOf(0);
  call(`its driver ${identity} does not tell its timeout (WDIOC_GETTIMEOUT)`, () =>
    ioctl(fd, watchdogRequest.getTimeout, actual),
  );
  return { identity, timeoutMs: wordOf(actual) * 1000, magicClose: (options & WDIOF_MAGICCLOSE) !== 0 };
}

function feed(fd: number, device: string): string | null {
  try {
    // Any byte but V; V would disarm it at the next close, also at that of a crash.
    writeSync(fd, '\0');
    return null;
  } catch (error) {
    return `cannot feed watchdog device ${device}: ${messageOf(error)}`;
  }
}

function magicClose(fd: number, device: string): string | null {
  try {
    try {
      writeSync(fd, 'V');
    } finally {
      closeSync(fd);
    }
    return null;
  } catch (error) {
    return `cannot disarm watchdog device ${device}: ${messageOf(error)}`;
  }
}

/**
 * Whether the device counts down at present, whoever started it; null where the kernel does not tell. Looking does not
 * touch it. Source: Documentation/ABI/testing/sysfs-class-watchdog.
 */
export function isWatchdogCounting(device: string, sysfs = SYSFS): boolean | null {
  const state = readAttribute(device, 'state', sysfs);
  return state === null ? null : state === 'active';
}

// /dev/watchdog is the first device; its driver's state is in sysfs where the kernel was built so.
function readAttribute(device: string, attribute: string, sysfs: string): string | null {
  const name = path.basename(device) === 'watchdog' ? 'watchdog0' : path.basename(device);
  try {
    return readFileSync(path.join(sysfs, name, attribute), 'utf8').trim();
  } catch {
    return null;
  }
}

function readNowayout(device: string, sysfs: string): boolean | null {
  const value = readAttribute(device, 'nowayout', sysfs);
  return value === null ? null : value === '1';
}

let declared: Ioctl | undefined;

function deviceIoctl(): Ioctl {
  return (fd, request, argument) => {
    declared ??= declareIoctl();
    declared(fd, request, argument);
  };
}

function declareIoctl(): Ioctl {
  const libc = openLibc();
  const ioctl = libc.func<(fd: number, request: number, argument: Uint8Array) => number>(
    'int ioctl(int fd, unsigned long request, void *argument)',
  );
  return (fd, request, argument) => {
    if (ioctl(fd, request, argument) === -1) throw callError(libc, 'ioctl');
  };
}

function call(what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`);
  }
}

// An int in the machine's own byte order.
function bytesOf(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

function wordOf(bytes: Uint8Array): number {
  return new Int32Array(bytes.buffer, 0, 1)[0] ?? 0;
}
