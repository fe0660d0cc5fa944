/** What is left to deliver, on disk: a file for each delivery. It outlives the daemon and the loss of power. */
import type { NetLog } from '../net/log.js';
import type { Store } from '../state/store.js';
import { messageOf } from '../sys/errors.js';
import { type DeliveryRecord, WAYS } from './outbox-types.js';

export interface Queue {
  /** All that is there. A file that is corrupt is set aside, and told. */
  load(): { id: number; record: DeliveryRecord }[];
  /** Resolves when it is on disk, or was told that it cannot be. */
  save(id: number, record: DeliveryRecord): Promise<void>;
  forget(id: number): void;
}

export function createQueue(store: Store, log: NetLog): Queue {
  return {
    load() {
      try {
        return store.names().flatMap((name) => read(name) ?? []);
      } catch (error) {
        log.error({}, `alerts that were not delivered yet cannot be read: ${messageOf(error)}`);
        return [];
      }
    },
    async save(id, record) {
      try {
        await store.write(String(id), record);
      } catch (error) {
        const what = `${record.kind} of alert ${record.alert}`;
        log.error({}, `${what} cannot be written down, and is lost if hastmond ends: ${messageOf(error)}`);
      }
    },
    forget(id) {
      try {
        store.remove(String(id));
      } catch (error) {
        log.error(
          {},
          `an alert that was delivered will be delivered again after a restart: ${messageOf(error)}`,
        );
      }
    },
  };

  function read(name: string): { id: number; record: DeliveryRecord } | null {
    const stored = store.read(name);
    if (stored.kind === 'none') return null;
    const reason =
      stored.kind === 'corrupt' ? stored.reason : isRecord(stored.value) ? '' : 'it is no delivery';
    const id = Number(name);
    if (stored.kind === 'valid' && isRecord(stored.value) && Number.isSafeInteger(id) && id > 0)
      return { id, record: stored.value };
    const aside = store.setAside(name);
    log.error(
      {},
      `an alert that was not delivered yet is lost: ${reason}; the file is now ${aside ?? 'gone'}`,
    );
    return null;
  }
}

// Its checksum says that hastmon has written it; this, that it was a version which thought alike.
function isRecord(value: unknown): value is DeliveryRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { alert, kind, content, recipients, attempts, leftMs, wall } = value as Record<string, unknown>;
  return (
    typeof alert === 'string' &&
    WAYS.some((way) => way === kind) &&
    typeof content === 'object' &&
    content !== null &&
    (recipients === null || Array.isArray(recipients)) &&
    [attempts, leftMs, wall].every((number) => typeof number === 'number')
  );
}
