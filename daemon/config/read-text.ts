/** Reading a file of the configuration. */
import { closeSync, openSync, readSync } from 'node:fs';
import { reasonOf } from '../sys/errors.js';
import type { Parsed } from './duration.js';
import { FILE_CHARACTERS_MAX } from './parser.js';

/** At most four bytes make a character. */
const FILE_BYTES_MAX = 4 * FILE_CHARACTERS_MAX;

/**
 * Reads a whole file, but never more of it than a configuration can be: it may be a device. Throws nothing; `code` is the
 * system's, or `EFBIG`.
 */
export function readText(file: string): Parsed<string> & { code: string } {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const chunks: Buffer[] = [];
    let bytes = 0;
    while (bytes <= FILE_BYTES_MAX) {
      const chunk = Buffer.allocUnsafe(64 * 1024);
      const read = readSync(descriptor, chunk);
      if (read === 0) return { ok: true, value: Buffer.concat(chunks).toString('utf8'), code: '' };
      chunks.push(chunk.subarray(0, read));
      bytes += read;
    }
    return { ok: false, reason: `it is larger than ${FILE_BYTES_MAX} bytes`, code: 'EFBIG' };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return { ok: false, reason: reasonOf(error), code: code || 'EIO' };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
