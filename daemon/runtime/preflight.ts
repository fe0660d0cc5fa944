/**
 * A configuration held against this machine, before anything is opened: what `hastmond -t` refuses, a start refuses with the
 * same words. It changes nothing.
 */
import { checkFiles } from '../config/files.js';
import type { Config, Diagnostic } from '../config/types.js';
import { ownerProblems } from '../control/owner.js';

/** Errors: hastmond cannot run with it here. Warnings: something is missing that may still be installed. */
export async function examine(config: Config): Promise<Diagnostic[]> {
  const place = { file: config.file, line: 0, column: 1, length: 1 };
  const accounts = (await ownerProblems(config.control)).map((message): Diagnostic => {
    return { severity: 'error', ...place, message, help: 'expected the name or number of an account' };
  });
  return [...checkFiles(config), ...accounts];
}
