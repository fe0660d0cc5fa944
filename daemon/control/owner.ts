/** To whom the control socket is to belong, and who is at its other end: users and groups of this machine, by name or number. */
import type { Socket } from 'node:net';
import type { ControlConfig } from '../config/types.js';
import { loadNative, type Native } from '../sys/native.js';
import { peerCredentials } from '../sys/peer-credentials.js';

/** Numbers for chown(2); -1 leaves the owner or group as it is. Rejects where a name is unknown here. */
export async function ownerOf(config: ControlConfig): Promise<{ uid: number; gid: number }> {
  const { gid, problems, uid } = lookUp(config);
  if (problems.length > 0) throw new Error(problems.join('; '));
  return { uid, gid };
}

/** What is wrong with the names, a message for people each. */
export async function ownerProblems(config: ControlConfig): Promise<string[]> {
  return lookUp(config).problems;
}

let loaded: Native | undefined;

/** Loaded where it is needed. */
function users(): Native {
  loaded ??= loadNative();
  return loaded;
}

/** The user of the process at the other end, such as `alice (uid 1000)`; `somebody` where the kernel does not tell. */
export function userOf(socket: Socket): string {
  const credentials = peerCredentials(socket);
  if (credentials === null) return 'somebody';
  const { uid } = credentials;
  return `${nameOf(uid)}(uid ${uid})`;
}

function nameOf(uid: number): string {
  try {
    const name = users().getpwnam(uid)?.name;
    return name === undefined ? '' : `${name} `;
  } catch {
    return '';
  }
}

function lookUp({ owner, group }: ControlConfig) {
  const problems: string[] = [];
  if (owner === undefined && group === undefined) return { uid: -1, gid: -1, problems };
  const system = users();
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
