/** Words for what was thrown. It does not decide who gets to read them. */
import { getSystemErrorMap } from 'node:util';

/** The message of an Error, without its stack; anything else as text. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The errno's name of a system error (ENOENT, …); '' where it is none. */
export function codeOf(thrown: unknown): string {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return code ?? '';
}

/** Where the system's own words would not be understood. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['EISDIR', 'it is a directory'],
  ['ENOTDIR', 'a part of its path is not a directory'],
]);

/** Why a system call failed, in words without its name and its path (`no such file or directory`); else the message. */
export function reasonOf(thrown: unknown): string {
  const errno = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).errno : undefined;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return WORDS.get(codeOf(thrown)) ?? known?.[1] ?? messageOf(thrown);
}
