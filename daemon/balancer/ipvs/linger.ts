/**
 * Taking servers out of a service without harm: the kernel drops what is under way to a server that is not in the table any more. So it
 * gets weight 0 first, and goes when nothing is under way, or its time is over (B13).
 */
import type { Change, ServerKey, ServiceKey, Table } from '../types.js';
import { connectionsOf, type Proc } from './proc.js';

/** How long one stays at most. */
export const LINGER_MS = 60_000;

/** Who is on the way out: service and server, and since when it is without weight. */
export type Leaving = Map<string, number>;

export interface Counted {
  proc: Proc;
  /** When that was read. */
  at: number;
}

/**
 * The changes of a whole plan, with servers that are to go made to linger. Those that linger already are left out. `leaving` is changed in
 * place. Times are of any one clock, in milliseconds.
 */
export function lingering(
  changes: readonly Change[],
  table: Table,
  counted: Counted | null,
  leaving: Leaving,
  now: number,
): Change[] {
  const gone = new Set(changes.filter(({ kind }) => kind === 'delete-service').map(({ service }) => service));
  const seen = new Set<string>();
  const given = changes.flatMap((change): Change[] => {
    if (change.kind !== 'delete-server' || gone.has(change.service)) return [change];
    const { service, server } = change;
    const have = table.get(service)?.servers.get(server);
    if (have === undefined) return [change];
    const key = `${service} ${server}`;
    const since = leaving.get(key);
    const over = since !== undefined && now - since >= LINGER_MS;
    if (over || (have.weight === 0 && isIdle(counted, service, server, since))) return [change];
    seen.add(key);
    if (have.weight === 0) {
      leaving.set(key, since ?? now);
      return [];
    }
    leaving.set(key, now);
    const { method, more } = have;
    return [{ kind: 'edit-server', service, server, method, weight: 0, more }];
  });
  for (const key of leaving.keys()) if (!seen.has(key)) leaving.delete(key);
  return given;
}

/** Counted without weight, and after it had lost it, the kernel has no active connection to it. */
function isIdle(
  counted: Counted | null,
  service: ServiceKey,
  server: ServerKey,
  since: number | undefined,
): boolean {
  if (counted === null || (since !== undefined && counted.at <= since)) return false;
  const seen = connectionsOf(counted.proc, service, server);
  return seen !== null && seen.weight === 0 && seen.active === 0;
}
