/** To whom the control socket is to belong: users and groups of this machine, by name or number. */
import type { ControlConfig } from '../config/types.js';

/** Numbers for chown(2); -1 leaves the owner or group as it is. Rejects where a name is unknown here. */
export async function ownerOf(config: ControlConfig): Promise<{ uid: number; gid: number }> {
  const { gid, problems, uid } = await lookUp(config);
  if (problems.length > 0) throw new Error(problems.join('; '));
  return { uid, gid };
}

/** What is wrong with the names, a message for people each. */
export async function ownerProblems(config: ControlConfig): Promise<string[]> {
  return (await lookUp(config)).problems;
}

async function lookUp({ owner, group }: ControlConfig) {
  const problems: string[] = [];
  if (owner === undefined && group === undefined) return { uid: -1, gid: -1, problems };
  const { loadNative } = await import('../sys/native.js');
  const system = loadNative();
  const user = owner === undefined ? undefined : system.getpwnam(nameOrNumber(owner));
  const members = group === undefined ? undefined : system.getgrnam(nameOrNumber(group));
  if (user === null && !isNumber(owner)) problems.push(`control_owner: there is no user '${owner}' here`);
  if (members === null && !isNumber(group)) problems.push(`control_group: there is no group '${group}' here`);
  return { uid: user?.uid ?? Number(owner ?? -1), gid: members?.gid ?? Number(group ?? -1), problems };
}

function nameOrNumber(text: string): string | number {
  return isNumber(text) ? Number(text) : text;
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^\d+$/.test(text);
}
