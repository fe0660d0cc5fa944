/** Who gives a command, for the records of the daemon. */
import os from 'node:os';

/** Who sits at the terminal, also behind sudo(8). */
export function invokingUser(): string {
  const { LOGNAME, SUDO_USER, USER } = process.env;
  const named = SUDO_USER || LOGNAME || USER;
  if (named) return named;
  try {
    return os.userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
