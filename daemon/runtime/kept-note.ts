/**
 * The note on disk that a resource is in maintenance on this node: a hastmond that is started under it takes the resource up as it is.
 * It outlives a reboot, since the voters do not forget either; its end is by the wall clock, which nothing that is safe depends on.
 */
import { ROLES } from '../config/values.js';
import type { KeptNote } from '../core/node-types.js';
import type { Role } from '../core/types.js';
import type { NetLog } from '../net/log.js';
import type { Store } from '../state/store.js';

export interface KeptNotes {
  /**
   * null: there is none. One that cannot be read counts as none: the resource is stopped then, as after a crash.
   */
  read(): KeptNote | null;
  /** `done` when it is durable (null: that there is none), or could not be made so. */
  keep(note: KeptNote | null, done: (ok: boolean) => void): void;
}

interface Written {
  reason: string;
  by: string;
  /** Milliseconds since 1970, null for never. */
  endsAt: number | null;
  roleSet: Role;
}

const MAINTENANCE = 'maintenance';

/** `wall`: milliseconds since 1970. */
export function createKeptNotes(store: Store, log: () => NetLog, wall: () => number): KeptNotes {
  async function write(note: KeptNote | null): Promise<void> {
    if (note === null) return store.removeDurably(MAINTENANCE);
    const endsAt = Number.isFinite(note.leftMs) ? wall() + note.leftMs : null;
    const { by, reason, roleSet } = note;
    await store.write(MAINTENANCE, { reason, by, endsAt, roleSet } satisfies Written);
  }

  return {
    read() {
      const read = store.read(MAINTENANCE);
      if (read.kind === 'none') return null;
      const value = read.kind === 'valid' ? (read.value as Partial<Written>) : null;
      if (value === null || typeof value.reason !== 'string' || typeof value.by !== 'string') {
        log().error({}, 'the note of maintenance cannot be read: the resource is not taken up as it is');
        return null;
      }
      const leftMs =
        typeof value.endsAt === 'number' ? Math.max(0, value.endsAt - wall()) : Number.POSITIVE_INFINITY;
      // A note of an earlier version does not say: nobody is favoured then.
      const roleSet = ROLES.find((role) => role === value.roleSet) ?? 'secondary';
      return { reason: value.reason, by: value.by, leftMs, roleSet };
    },
    keep(note, done) {
      write(note).then(
        () => done(true),
        (error: Error) => {
          log().error({}, `the note of maintenance: ${error.message}`);
          done(false);
        },
      );
    },
  };
}
