/**
 * The clocks. Leases run on CLOCK_BOOTTIME, which goes on during suspend and never goes back; Node itself only has
 * CLOCK_MONOTONIC. Nothing here knows the wall clock.
 */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { tryLibc } from './libc.js';

interface Source {
  name: string;
  loss: string;
  read: () => number;
}

let source: Source | undefined;

/**
 * Milliseconds of CLOCK_BOOTTIME, with fractions. Cheap: may be read at every event. Readings of all processes of one boot
 * are comparable (see clockSource() for the exception).
 */
export function bootTime(): number {
  source ??= chooseSource();
  return source.read();
}

/** Milliseconds of CLOCK_MONOTONIC, which stands still during suspend: for measuring what this process itself does. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

let boot: string | undefined;

/** The kernel's id of this boot: boot times are comparable only where it is equal. '' where the kernel tells none. */
export function bootId(): string {
  if (boot === undefined) {
    try {
      boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    } catch {
      boot = '';
    }
  }
  return boot;
}

/** Which clock bootTime() reads; `loss` says what is lost against CLOCK_BOOTTIME, '' where nothing is. */
export function clockSource(): { name: string; loss: string } {
  source ??= chooseSource();
  return { name: source.name, loss: source.loss };
}

/** The clock of a machine where koffi cannot be loaded; see `loss`. For clock.ts and its test. */
export function fallbackSource(
  uptimeMs: () => number = () => os.uptime() * 1000,
  monotonic = monotonicMs,
): Source {
  let offset = 0;
  return {
    name: 'CLOCK_MONOTONIC and /proc/uptime',
    loss: 'up to 10 ms behind, 10 ms coarse after a suspend, and not comparable between processes to better than that',
    read() {
      // Uptime first: where this process stands still between the two, the offset found is too small, as it is anyway (uptime is
      // boot time, rounded down to 10 ms), and never too great. It grows at once when the machine has slept, and never
      // shrinks, so the sum never goes back.
      const uptime = uptimeMs();
      const now = monotonic();
      offset = Math.max(offset, uptime - now);
      return now + offset;
    },
  };
}

function chooseSource(): Source {
  return bootTimeSource() ?? fallbackSource();
}

const CLOCK_BOOTTIME = 7;

function bootTimeSource(): Source | null {
  const libc = tryLibc();
  if (libc === null) return null;
  const clockGettime = libc.func<(clock: number, time: Uint32Array) => number>(
    'int clock_gettime(int clock, void *time)',
  );
  // struct timespec is two longs; they are read as 32-bit words, which spares two BigInts per call.
  const words = new Uint32Array(4);
  const wide = libc.koffi.sizeof('long') === 8;
  const little = os.endianness() === 'LE';
  const [secondsLow, secondsHigh, nanoseconds] = wide ? (little ? [0, 1, 2] : [1, 0, 3]) : [0, 3, 1];
  const read = (): number => {
    clockGettime(CLOCK_BOOTTIME, words);
    // Where long has 32 bits, the word taken for the high half is never written and stays 0.
    const seconds = (words[secondsHigh] ?? 0) * 4_294_967_296 + (words[secondsLow] ?? 0);
    return seconds * 1000 + (words[nanoseconds] ?? 0) / 1e6;
  };
  if (clockGettime(CLOCK_BOOTTIME, words) !== 0) return null;
  // CLOCK_BOOTTIME is CLOCK_MONOTONIC plus time asleep: a C library with another layout would show here.
  const before = monotonicMs();
  return read() >= before ? { name: 'CLOCK_BOOTTIME', loss: '', read } : null;
}
