/** The balancer's checks: run by a monitor process of its own, and by name; a fresh pass is asked for where one is awaited. */
import type { Known, ResultView } from '../../checks/ipc.js';
import { describeNature, type Nature } from '../../checks/natures.js';
import type { CheckSpec, MonitorConfig } from '../../checks/spec.js';
import { sameCheck } from '../../config/monitor-diff.js';
import type { NetLog } from '../../net/log.js';
import { createMonitorHost, type NamedView } from '../../runtime/monitor-host.js';
import type { ProcessSettings } from '../../runtime/monitor-settings.js';
import type { CheckResult } from '../core/types.js';

export interface BalancerChecks {
  /** What is to be checked from now on; the same list again is cheap. */
  apply(specs: readonly CheckSpec[], settings: ProcessSettings): void;
  /** Runs these as soon as may be; what is under way already is not asked for twice. */
  hasten(names: readonly string[]): void;
  close(): Promise<void>;
}

export interface BalancerChecksOptions {
  script: string;
  log: NetLog;
  /** Milliseconds of CLOCK_BOOTTIME. */
  clock: () => number;
  /** Milliseconds since 1970. */
  wall: () => number;
  results(results: readonly CheckResult[]): void;
  /** How a check stands by all that is known when it begins to be run: instants of `clock`. */
  known(name: string): { state: 'up' | 'down'; since: number; passAt: number | null } | null;
}

/** Asked for at once; the others follow. */
const HASTENED_MAX = 256;
/** The same one is not hastened again before. */
const AGAIN_MS = 1000;

export function createBalancerChecks(options: BalancerChecksOptions): BalancerChecks {
  const { clock, log, wall } = options;
  let applied: readonly CheckSpec[] = [];
  let settings: ProcessSettings | null = null;
  /** Results of this turn. */
  let gathered: CheckResult[] = [];
  /** Those that are run, each with the number of its run: an answer to an earlier one does not count. */
  const asked = new Map<string, number>();
  let runs = 0;
  /** Asked for, and failed, but not yet down: only edges are told by themselves, and a pass would be none. */
  const pursued = new Set<string>();
  const askedAt = new Map<string, number>();
  let retry: NodeJS.Timeout | undefined;
  let wanted: readonly string[] = [];
  let closed = false;
  const host = createMonitorHost({
    script: options.script,
    // It ends with this process, whatever ends that one: its channel is gone.
    records: { record: () => {}, forget: () => {} },
    log,
    events: {
      edge: (name, _edge, view, last, begunAt) => add(resultOf(name, view, last, begunAt)),
      cameUp(checks) {
        for (const { name, begunAt } of checks) add({ name, state: 'up', pass: true, nature: 'ok', begunAt });
      },
      blind: () => {},
      ready: () => hastenNow(),
    },
    wall: () => wall() / 1000,
    remembered,
  });

  function resultOf(name: string, view: NamedView, last: ResultView, begunAt: number): CheckResult | null {
    if (view.state === 'unknown') return null;
    const nature = describeNature(last.nature as Nature, last.detail);
    return { name, state: view.state, pass: last.nature === 'ok', nature, begunAt };
  }

  function add(result: CheckResult | null): void {
    if (result === null || closed) return;
    if (result.pass || result.state === 'down') pursued.delete(result.name);
    gathered.push(result);
    if (gathered.length > 1) return;
    setImmediate(() => {
      const results = gathered;
      gathered = [];
      if (!closed) options.results(results);
    });
  }

  function remembered(name: string): Known | null {
    const known = options.known(name);
    if (known === null) return null;
    const seconds = (at: number): number => (wall() - (clock() - at)) / 1000;
    return {
      state: known.state,
      since: seconds(known.since),
      lastOkAt: known.passAt === null ? 0 : seconds(known.passAt),
    };
  }

  function hastenNow(): void {
    clearTimeout(retry);
    if (closed || settings === null) return;
    const now = clock();
    let later = false;
    for (const name of new Set([...wanted, ...pursued])) {
      if (asked.has(name)) continue;
      if (asked.size >= HASTENED_MAX || now - (askedAt.get(name) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) {
        later = true;
        continue;
      }
      askedAt.set(name, now);
      void run(name);
    }
    if (later || asked.size > 0 || pursued.size > 0) retry = setTimeout(hastenNow, AGAIN_MS / 4);
  }

  async function run(name: string): Promise<void> {
    runs += 1;
    const mine = runs;
    asked.set(name, mine);
    try {
      const { begunAt, last, view } = await host.run(name);
      if (asked.get(name) !== mine) return;
      pursued.add(name);
      add(resultOf(name, view, last, begunAt));
    } catch {
      // The process is gone, or does not know it yet: it is asked for again.
    } finally {
      if (asked.get(name) === mine) asked.delete(name);
    }
  }

  return {
    apply(specs, next) {
      if (specs === applied && next === settings) return;
      applied = specs;
      const names = new Set(specs.map(({ name }) => name));
      for (const name of pursued) if (!names.has(name)) pursued.delete(name);
      // Some are other checks now, and their next run may be an interval away: who waits, asks anew.
      asked.clear();
      askedAt.clear();
      settings = next;
      host.apply(monitorOf(specs, next), sameCheck);
    },
    hasten(names) {
      wanted = names;
      const present = new Set(names);
      for (const name of askedAt.keys()) if (!present.has(name) && !pursued.has(name)) askedAt.delete(name);
      hastenNow();
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      await host.close();
    },
  };
}

function monitorOf(checks: readonly CheckSpec[], settings: ProcessSettings): MonitorConfig {
  return {
    ...settings,
    ...{ active: true, nodes: [], addresses: [], key: null, dmonitor: '', checks, alerts: [], judged: [] },
  };
}
