/**
 * The C library through koffi: loaded once, when first needed. It knows how to call and how errors are told; which functions
 * are called is their users' business.
 *
 * Variadic functions (ioctl, syscall) may be declared here with fixed arguments: on Linux, where hastmon runs, both are passed
 * alike on all of koffi's 64-bit platforms.
 */
import { createRequire } from 'node:module';
import { getSystemErrorMap } from 'node:util';
import { messageOf } from './errors.js';

type Koffi = typeof import('koffi');

export interface Libc {
  readonly koffi: Koffi;
  /** Declares a function by its C prototype. The caller states its type. */
  func<F extends (...words: never[]) => unknown>(prototype: string): F;
}

let loaded: Libc | Error | undefined;

/** The C library. Throws an Error that says why, where koffi cannot be loaded. */
export function openLibc(): Libc {
  loaded ??= load();
  if (loaded instanceof Error) throw loaded;
  return loaded;
}

/** As openLibc(), with null where it cannot be loaded. */
export function tryLibc(): Libc | null {
  loaded ??= load();
  return loaded instanceof Error ? null : loaded;
}

/**
 * The number of a place in memory, cheaper to pass than the memory itself (as uintptr_t). Good as long as `memory` is referred to;
 * that of a small typed array may move, so it is asked of an ArrayBuffer.
 */
export function placeOf(libc: Libc, memory: ArrayBufferLike): number {
  return Number(libc.koffi.address(memory));
}

/** The Error of a call that has just failed: `code` is the errno's name, the message says which call and why. */
export function callError(libc: Libc, call: string): NodeJS.ErrnoException {
  const errno = libc.koffi.errno();
  // Node's table has errno negated, and says in lower case what strerror(3) says.
  const [code, text] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, `error ${errno}`];
  const error: NodeJS.ErrnoException = new Error(`${call}: ${text} (${code})`);
  error.code = code;
  error.errno = -errno;
  error.syscall = call;
  return error;
}

function load(): Libc | Error {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    // null: the symbols of this process, which always include those of the C library, whatever its name (glibc, musl).
    const library = koffi.load(null);
    return { koffi, func: (prototype) => library.func(prototype) as never };
  } catch (error) {
    return new Error(`koffi cannot be loaded: ${messageOf(error)}`);
  }
}
