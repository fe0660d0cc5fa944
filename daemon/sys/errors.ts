/** Words for what was thrown. It does not decide who gets to read them. */

/** The message of an Error, without its stack; anything else as text. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The errno's name of a system error (ENOENT, …); '' where it is none. */
export function codeOf(thrown: unknown): string {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return code ?? '';
}
