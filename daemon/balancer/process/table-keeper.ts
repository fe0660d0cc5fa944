/**
 * Keeps the kernel's table as the core wants it: reads it, has the difference made, and looks twice a second whether it is still so. One
 * thing at a time. Where the kernel has no IPVS, everything else goes on, and it is tried again.
 */
import type { RecordEvent } from '../../../proto/event-types.js';
import type { NetLog } from '../../net/log.js';
import type { BalancerInput } from '../core/types.js';
import { afterChanges } from '../ipvs/diff.js';
import { type Kernel, openKernel } from '../ipvs/kernel.js';
import { type Counted, type Leaving, lingering } from '../ipvs/linger.js';
import { connectionsOf, sameTable } from '../ipvs/proc.js';
import type { SyncState } from '../ipvs/sync.js';
import type { Change, Connections, ServerKey, ServiceKey, Table } from '../types.js';

type WithoutNow<T> = T extends unknown ? Omit<T, 'now'> : never;

export interface TableKeeper {
  /** With this program from the next step on. */
  open(ipvsadm: string): void;
  /** Resolves when the kernel has been told all that was wanted at the call, or could not be. */
  settle(): Promise<void>;
  /** undefined: it has none; null: not known. */
  connections(service: ServiceKey, server: ServerKey): Connections | null | undefined;
  /** Counts the connections anew. */
  count(): Promise<void>;
  /** Connection synchronization as wanted; tried again until it is, and looked at now and then. */
  sync(wanted: SyncState): void;
  /** Why the table is not kept, '' where it is. */
  problem(): string;
  close(): Promise<void>;
}

export interface TableKeeperOptions {
  log: NetLog;
  record: RecordEvent;
  plan(): Change[];
  /** Before changes are made: what they follow from is to be on disk, whoever dies in between. */
  prepare(): void;
  feed(input: WithoutNow<Extract<BalancerInput, { kind: 'table' | 'applied' | 'refused' }>>): void;
  /** POLL_MS and RETRY_MS if not said. */
  pollMs?: number;
  retryMs?: number;
}

const POLL_MS = 500;
/** What cannot be done is tried again. */
const RETRY_MS = 5000;
/** A reload of the module, an interface that goes or somebody else may end the synchronization. */
const SYNC_LOOK_MS = 60_000;
/** Each refusal leaves one service less: more than a few rounds would be a loop. */
const ROUNDS_MAX = 20;

export function createTableKeeper(options: TableKeeperOptions): TableKeeper {
  const { feed, log, plan, record, retryMs = RETRY_MS } = options;
  let kernel: Kernel | null = null;
  /** The wanted one, and that of `kernel`. */
  let program = '';
  let opened = '';
  let table: Table | null = null;
  let counted: Counted | null = null;
  const leaving: Leaving = new Map();
  let problem = '';
  let lostAt = 0;
  let retryAt = 0;
  let rereadAt = 0;
  /** What is under way, and whether there is more since it began. */
  let running: Promise<void> | null = null;
  let again: Promise<void> | null = null;
  let wantedSync: SyncState | null = null;
  let syncProblem = '';
  let syncedAt = 0;
  let closed = false;
  const timer = setInterval(() => void look(), options.pollMs ?? POLL_MS);

  function settle(): Promise<void> {
    if (closed) return Promise.resolve();
    if (running === null) return run(rounds);
    again ??= running.then(() => {
      again = null;
      return settle();
    });
    return again;
  }

  function run(work: () => Promise<void>): Promise<void> {
    running = work()
      .catch((error: Error) => log.error({}, `the kernel's table: ${error.message}`))
      .finally(() => {
        running = null;
      });
    return running;
  }

  async function rounds(): Promise<void> {
    if (opened !== program) reopen();
    if (kernel === null) return;
    if (table === null && performance.now() >= retryAt) await read();
    for (let round = 0; round < ROUNDS_MAX && table !== null && !closed; round += 1) {
      const changes = lingering(plan(), table, counted, leaving, performance.now());
      if (changes.length === 0) return;
      options.prepare();
      const applied = await kernel.apply(changes);
      if (applied.ok) {
        table = afterChanges(table, changes);
        feed({ kind: 'applied', changes });
      } else {
        feed({ kind: 'refused', services: applied.failed, why: applied.why });
        await read();
      }
    }
  }

  /** Between two steps: what the one before has changed is known. */
  function reopen(): void {
    opened = program;
    void kernel?.close();
    kernel = openKernel({ ipvsadm: program, log: (level, text) => log[level]({}, text) });
    table = null;
    retryAt = 0;
    syncedAt = 0;
  }

  async function read(): Promise<void> {
    const reading = await kernel?.read();
    if (reading === undefined || closed) return;
    const why = 'table' in reading ? '' : 'missing' in reading ? reading.missing : reading.error;
    if (why !== problem) {
      tell(why);
      syncedAt = 0;
    }
    problem = why;
    if ('table' in reading) {
      table = reading.table;
      feed({ kind: 'table', table });
    } else {
      table = null;
      retryAt = performance.now() + retryMs;
    }
  }

  function tell(why: string): void {
    const now = performance.now();
    if (why !== '') {
      if (problem === '') lostAt = now;
      const text = `the kernel's table is not kept: ${why}`;
      log.error({}, text);
      return record({ kind: 'table-lost', text, data: { why } });
    }
    const text = "the kernel's table can be kept again";
    log.info({}, text);
    record({ kind: 'table-kept', text, data: { lostMs: Math.round(now - lostAt) } });
  }

  /** Twice a second: whether somebody else has changed something, and the connections. */
  async function look(): Promise<void> {
    if (running !== null || closed || kernel === null) return;
    if (table === null) return performance.now() < retryAt ? undefined : settle();
    const work = run(async () => {
      counted = await peek();
      if (isAlike() || performance.now() < rereadAt) return;
      await read();
      counted = await peek();
      // What /proc shows cannot be compared here: ipvsadm is not started twice a second for that.
      rereadAt = isAlike() ? 0 : performance.now() + retryMs;
    });
    await work;
    await keepSync();
    await settle();
  }

  function isAlike(): boolean {
    return table !== null && counted !== null && sameTable(table, counted.proc);
  }

  async function peek(): Promise<Counted | null> {
    const at = performance.now();
    const proc = (await kernel?.peek()) ?? null;
    return proc === null ? null : { proc, at };
  }

  async function keepSync(): Promise<void> {
    const [wanted, used] = [wantedSync, kernel];
    if (wanted === null || used === null || closed) return;
    const waitMs = syncProblem === '' ? SYNC_LOOK_MS : retryMs;
    if (syncedAt > 0 && performance.now() < syncedAt + waitMs) return;
    syncedAt = performance.now();
    const why = await used.sync(wanted);
    if (wanted !== wantedSync || used !== kernel || closed) return;
    if (why !== syncProblem && why !== '') {
      const text = `connections are not synchronized: ${why}`;
      log.error({}, text);
      record({ kind: 'sync-problem', text, data: { why } });
    }
    syncProblem = why;
    // From now on it is anybody's.
    if (why === '' && wanted.state === 'none') wantedSync = null;
  }

  return {
    open(ipvsadm) {
      program = ipvsadm;
    },
    settle,
    connections: (service, server) =>
      counted === null ? null : (connectionsOf(counted.proc, service, server) ?? undefined),
    async count() {
      counted = table === null ? null : await peek();
    },
    sync(wanted) {
      wantedSync = wanted;
      syncProblem = '';
      syncedAt = 0;
      void keepSync();
    },
    problem: () => problem,
    async close() {
      closed = true;
      clearInterval(timer);
      await kernel?.close();
    },
  };
}
