/**
 * Looking at checks for confirmation: the monitor process is asked for what it saw last, many at once; what is too old is checked
 * again, a few at a time.
 */
import type { ResultView } from '../checks/ipc.js';
import type { MonitorHost, NamedView } from './monitor-host.js';

export interface Looks {
  /** `seen` follows, with a result not older than this; nothing follows where the monitor process is lost. */
  want(check: string, freshMs: number): void;
  close(): void;
}

export interface LooksOptions {
  monitor: Pick<MonitorHost, 'look' | 'run'>;
  /** True for a check that the monitor process has. */
  has: (check: string) => boolean;
  /** `last` is null where the view alone was looked at. */
  seen: (view: NamedView, last: ResultView | null) => void;
}

const LOOK_MAX = 1000;
const RUNS_MAX = 32;

export function createLooks({ monitor, has, seen }: LooksOptions): Looks {
  const wanted = new Map<string, number>();
  const toRun = new Set<string>();
  const running = new Set<string>();
  let looking = false;
  let closed = false;

  async function look(): Promise<void> {
    looking = true;
    // All that one moment wants goes into one question.
    await new Promise((resolve) => setImmediate(resolve));
    while (wanted.size > 0 && !closed) {
      const some = [...wanted].slice(0, LOOK_MAX);
      for (const [check] of some) wanted.delete(check);
      const fresh = new Map(some.filter(([check]) => has(check)));
      await lookAt(fresh).catch(() => {});
    }
    looking = false;
  }

  async function lookAt(fresh: ReadonlyMap<string, number>): Promise<void> {
    const asked = [...fresh].filter(([, freshMs]) => freshMs > 0).map(([check]) => check);
    for (const [check, freshMs] of fresh) if (freshMs <= 0) toRun.add(check);
    const views = asked.length === 0 ? [] : await monitor.look(asked);
    if (closed) return;
    for (const view of views) {
      if (view.age <= (fresh.get(view.name) ?? 0)) seen(view, null);
      else toRun.add(view.name);
    }
    runSome();
  }

  function runSome(): void {
    for (const check of toRun) {
      if (running.size >= RUNS_MAX || closed) return;
      toRun.delete(check);
      if (running.has(check) || !has(check)) continue;
      running.add(check);
      void runOne(check);
    }
  }

  async function runOne(check: string): Promise<void> {
    try {
      const { view, last } = await monitor.run(check);
      if (!closed) seen(view, last);
    } catch {
      // The process is lost, or the check is gone: whoever wants it will ask again.
    }
    running.delete(check);
    runSome();
  }

  return {
    want(check, freshMs) {
      wanted.set(check, Math.min(freshMs, wanted.get(check) ?? Number.POSITIVE_INFINITY));
      if (!looking) void look();
    },
    close() {
      closed = true;
      wanted.clear();
      toRun.clear();
    },
  };
}
