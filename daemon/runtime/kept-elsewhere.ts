/**
 * Maintenance of resources that this node has no part in: it has no voter that would know. The other nodes that monitor are asked over the
 * connections that there are anyway (docs/decisions/0015), and what they say holds the alerts of the checks that judge those resources.
 */
import type { ControlReply, ControlRequest, StatusEntry } from '../../proto/control-types.js';
import type { JudgedResource } from '../checks/spec.js';
import type { Config } from '../config/types.js';
import type { Instant, NodeName } from '../core/types.js';

export interface KeptElsewhere {
  /** The checks of resources in maintenance elsewhere, each with its resource. */
  checks(): Map<string, string>;
  configure(config: Pick<Config, 'monitor' | 'node' | 'resources'>): void;
  /** A node that is connected (again) is asked at once. */
  link(node: NodeName, up: boolean): void;
  close(): void;
}

export interface KeptElsewhereOptions {
  /** Rejects where there is no answer in time. */
  ask: (node: NodeName, request: ControlRequest) => Promise<ControlReply>;
  /** CLOCK_BOOTTIME, in milliseconds. */
  clock: () => Instant;
  /** What `checks` says may have changed. */
  changed: () => void;
}

/** An alert may still go out so long after maintenance has begun, and is held so long after its end. */
export const ASK_MS = 5000;
/** Longer than a machine takes to start again; what was heard longer ago holds nothing back. */
export const HOLD_MS = 300_000;

/** What a node said last: which resources are in maintenance, each with the node that is, and when it said so. */
export interface Word {
  at: Instant;
  kept: ReadonlyMap<string, NodeName>;
}

/**
 * The checks that judge what some node says is in maintenance, unless that was too long ago. What the node itself says that is to be in maintenance
 * goes before what others say of it: one that is cut off from it does not hear of the end. Pure.
 */
export function checksKept(
  judged: readonly JudgedResource[],
  words: ReadonlyMap<NodeName, Word>,
  now: Instant,
): Map<string, string> {
  const fresh = [...words.values()].filter(({ at }) => now - at < HOLD_MS);
  const isKept = (resource: string): boolean =>
    fresh.some(({ at, kept }) => {
      const holder = kept.get(resource);
      const own = holder === undefined ? undefined : words.get(holder);
      const denied = own !== undefined && own.at > at - 2 * ASK_MS && !own.kept.has(resource);
      return holder !== undefined && !denied;
    });
  const kept = judged.filter(({ resource }) => isKept(resource));
  return new Map(kept.flatMap(({ checks, resource }) => checks.map((check) => [check, resource] as const)));
}

export function createKeptElsewhere({ ask, changed, clock }: KeptElsewhereOptions): KeptElsewhere {
  /** Resources of other nodes alone, with checks. */
  let judged: readonly JudgedResource[] = [];
  /** The nodes that can know of them and are linked with this one for monitoring. */
  let nodes: ReadonlySet<NodeName> = new Set();
  const words = new Map<NodeName, Word>();
  const asked = new Set<NodeName>();
  let timer: NodeJS.Timeout | null = null;

  async function askOne(node: NodeName): Promise<void> {
    if (asked.has(node)) return;
    asked.add(node);
    try {
      const { status } = await ask(node, { kind: 'status', resources: 'all' });
      if (status !== undefined && nodes.has(node)) words.set(node, { at: clock(), kept: keptIn(status) });
    } catch {
      // Not connected, or late: what it said before counts for a while.
    } finally {
      asked.delete(node);
    }
    if (timer !== null) changed();
  }

  function askAll(): void {
    for (const node of nodes) void askOne(node);
  }

  function stop(): void {
    if (timer !== null) clearInterval(timer);
    timer = null;
  }

  return {
    checks: () => checksKept(judged, words, clock()),
    configure({ monitor, node, resources }) {
      const own = new Set(resources.map(({ name }) => name));
      judged = monitor?.active ? monitor.judged.filter(({ resource }) => !own.has(resource)) : [];
      const linked = new Set(monitor?.nodes ?? []);
      const knowing = judged.flatMap(({ nodes: carry }) => carry);
      nodes = new Set(knowing.filter((name) => name !== node && linked.has(name)));
      for (const name of words.keys()) if (!nodes.has(name)) words.delete(name);
      if (nodes.size === 0) stop();
      else timer ??= setInterval(askAll, ASK_MS);
      askAll();
      changed();
    },
    link(node, up) {
      if (up && nodes.has(node)) void askOne(node);
    },
    close() {
      stop();
      nodes = new Set();
    },
  };
}

function keptIn(status: readonly StatusEntry[]): Map<string, NodeName> {
  return new Map(
    status.flatMap(({ maintenance, resource }) =>
      maintenance === null ? [] : [[resource, maintenance.node]],
    ),
  );
}
