/** Replacing a file so that a reader, and a loss of power, find the old or the new content and nothing between. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, messageOf } from '../sys/errors.js';

const contentBytesMax = 16 * 1024 * 1024;

let temporaries = 0;

/** Name for a temporary file beside `file`; it tells which process it belongs to. */
export function temporaryName(file: string): string {
  temporaries += 1;
  return path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.${temporaries}.tmp`);
}

/** The pid in a temporary file's name; null where it is none. */
export function temporaryOwner(base: string): number | null {
  const pid = /^\..+\.([0-9]+)\.[0-9]+\.tmp$/.exec(base)?.[1];
  return pid === undefined ? null : Number(pid);
}

/**
 * Writes the content beside the file and moves it there if `stillWanted` says so at the last moment. Durable when it
 * resolves. Rejects with a clear Error; the old content then stays, unless the very last fsync failed.
 */
export async function replaceFile(
  file: string,
  content: string,
  durable: boolean,
  stillWanted: () => boolean,
): Promise<void> {
  const temporary = temporaryName(file);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      if (durable) await handle.sync();
    } finally {
      await handle.close();
    }
    if (!stillWanted()) return unlinkSync(temporary);
    // Synchronous, so that nothing comes between the question and the deed.
    renameSync(temporary, file);
    if (durable) await syncDirectory(path.dirname(file));
  } catch (error) {
    throw writeError(file, temporary, error);
  }
}

/** As replaceFile(), at once. */
export function replaceFileSync(file: string, content: string, durable: boolean): void {
  const temporary = temporaryName(file);
  try {
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(fd, content);
      if (durable) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
    if (durable) syncDirectorySync(path.dirname(file));
  } catch (error) {
    throw writeError(file, temporary, error);
  }
}

/** The content of a regular file, null where there is none of that name. Throws an Error where it cannot be read. */
export function readContent(file: string, bytesMax = contentBytesMax): Buffer | null {
  let fd: number;
  try {
    // Without O_NONBLOCK, opening a fifo would wait for a writer.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error('it is no regular file');
    if (stat.size > bytesMax) throw new Error(`it has ${stat.size} bytes, more than ${bytesMax}`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the names in a directory durable. */
export function syncDirectorySync(directory: string): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function writeError(file: string, temporary: string, cause: unknown): NodeJS.ErrnoException {
  try {
    unlinkSync(temporary);
  } catch {
    // It was not even made, or is moved already.
  }
  const error: NodeJS.ErrnoException = new Error(`cannot write ${file}: ${messageOf(cause)}`, { cause });
  error.code = codeOf(cause);
  return error;
}
