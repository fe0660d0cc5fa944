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
  const users = config.monitor?.users ?? [];
  if (await someExist(users)) return [...checkFiles(config), ...accounts];
  const message = `monitor: user: none of these users exists here: ${users.join(', ')}`;
  const help = `create one of them: useradd --system ${users[0]}`;
  return [...checkFiles(config), ...accounts, { severity: 'warning', ...place, message, help }];
}

/** Without any of them, checks are not made and alerts not sent by a hastmond that is root. */
async function someExist(users: readonly string[]): Promise<boolean> {
  if (users.length === 0) return true;
  const { loadNative } = await import('../sys/native.js');
  const system = loadNative();
  return users.some((name) => system.getpwnam(name) !== null);
}
