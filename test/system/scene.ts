/**
 * A cluster with everything at rest, into which faults are brought: who plays which part at the moment, and how it is brought
 * back to rest. It does not judge; see trial.ts.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { openCgroup, removeCgroup } from '../../daemon/sys/cgroup.js';
import type { ControlRequest } from '../../proto/control-types.js';
import type { Beat } from './beats.js';
import { type Cluster, createCluster } from './cluster.js';
import { createNamespaces } from './netns.js';
import type { ClusterNode } from './node.js';
import { order } from './node.js';
import { createProxies } from './proxy.js';
import { until } from './wait.js';

/**
 * `three`: two candidates and a watchdog. `five`: three candidates and two watchdogs. `supervised`: three nodes whose daemon is
 * started again whenever it ends, with role_on_start and a stop_timeout of 2 s. `fenced`: as supervised, with FENCED_STOP_MS, a fence, and
 * a service that leaves the control group.
 */
export type SceneKind = 'three' | 'five' | 'supervised' | 'fenced';

export interface Scene {
  readonly kind: SceneKind;
  readonly cluster: Cluster;
  /** The node that holds the resource now. */
  readonly primary: ClusterNode;
  /** The other candidates, the best first. */
  readonly secondaries: readonly ClusterNode[];
  readonly watchdogs: readonly ClusterNode[];
  /** The first of them. */
  readonly secondary: ClusterNode;
  readonly watchdog: ClusterNode;
  readonly all: readonly ClusterNode[];
  /** Drops what `from` sends to each of `to`. */
  cut(from: ClusterNode, ...to: ClusterNode[]): Promise<void>;
  /** Drops everything from and to the node. */
  isolate(node: ClusterNode): Promise<void>;
  order(node: ClusterNode, request: ControlRequest): Promise<void>;
  beats(): Beat[];
  /** Whether what `start` leaves behind can be killed with certainty here. */
  readonly controlGroups: boolean;
  /** Ends all faults, starts what is down, sets the roles anew, and waits until all is at rest. Says what is wrong if it does not come to that. */
  settle(): Promise<void>;
  close(keep?: boolean): Promise<void>;
}

export const HEARTBEAT_MS = 100;
export const LEASE_MS = 300;
/** Time for stop, and for the fence likewise. */
export const FENCED_STOP_MS = 1500;
const settleLimitMs = 40_000;

/** Statements of the resource for the time budget of all trials. */
function statements(stopTimeoutMs: number): string {
  return `  heartbeat_interval ${HEARTBEAT_MS}ms
  lease_timeout ${LEASE_MS}ms
  stop_timeout ${stopTimeoutMs}ms
  start_timeout 1500ms
  status_timeout 1s
  status_interval 200ms
  attempts 3`;
}

/** By lists, a stop takes a process of hastmond first, and a start or status likewise. */
const LISTS_STOP_MS = 1000;
/** By how much the service may come later where lists run it, on a machine that does nothing else. */
export const LISTS_SPARE_MS = 3000;

/** The hook program as lists, in a file of its own; what is beside it in each says that a list goes on. */
export function listsOf(dir: string): string {
  const program = path.join(dir, 'service.sh');
  const file = path.join(dir, 'actions.conf');
  const lists = [
    ['slave_to_master', `${program} start %RESOURCE%`, '/bin/true'],
    ['master_to_slave', '/bin/true', `${program} stop %RESOURCE%`],
    ['status', `${program} status %RESOURCE%`],
  ];
  writeFileSync(file, lists.map(([name, ...lines]) => `[${name}]\n${lines.join('\n')}\n`).join(''));
  return file;
}

/** Makes the cluster and brings it to rest. `lists`: actions run the resource, in the place of the hook program. */
export async function createScene(kind: SceneKind, namespaces: boolean, lists = false): Promise<Scene> {
  const five = kind === 'five';
  const nodes = five ? ['nodeA', 'nodeB', 'nodeC', 'nodeD', 'nodeE'] : ['nodeA', 'nodeB', 'nodeC'];
  const watchdogNames = nodes.slice(five ? 3 : 2);
  const role = (node: string): string =>
    watchdogNames.includes(node) ? 'watchdog' : node === 'nodeA' ? 'primary' : 'secondary';
  const fence = kind === 'fenced';
  const supervised = kind === 'supervised' || fence;
  const stopMs = fence ? FENCED_STOP_MS : supervised ? 2000 : lists ? LISTS_STOP_MS : 200;
  const cluster = await createCluster({
    nodes,
    watchdogs: watchdogNames,
    label: kind,
    network: namespaces ? createNamespaces : createProxies,
    statements: fence ? `${statements(stopMs)}\n  fence_timeout ${stopMs}ms` : statements(stopMs),
    fence,
    ...(lists
      ? { runs: (dir) => `actions ${listsOf(dir)}${fence ? `\n  fence ${dir}/service.sh` : ''}` }
      : {}),
    perNode: supervised ? Object.fromEntries(nodes.map((node) => [node, `role_on_start ${role(node)}`])) : {},
  });
  const all = Object.values(cluster.nodes);
  const watchdogs = watchdogNames.map((name) => cluster.node(name));
  const candidates = all.filter((node) => !watchdogs.includes(node));
  let primary = cluster.node('nodeA');
  const resources = [cluster.resource];
  const probe = openCgroup(cluster.dir, 'probe').path;
  const controlGroups = probe !== null;
  removeCgroup(probe ?? '');
  // As daemons do; without control groups, nothing could end one whose start was killed.
  if (controlGroups) for (const node of all) node.fault('own.session');
  if (fence && probe !== null)
    for (const node of all) node.fault('own.cgroup', path.join(path.dirname(probe), 'cgroup.procs'));

  const give = (node: ClusterNode, wanted: 'primary' | 'secondary' | 'watchdog'): Promise<void> =>
    order(node, { kind: 'role', role: wanted, resources, force: false, wait: false });

  function endFaults(): void {
    for (const node of all) {
      node.resume();
      for (const action of ['start', 'stop'])
        for (const how of ['fail', 'slow', 'hang', 'lie']) node.fault(`${action}.${how}`, null);
      node.fault('status.unknown', null);
      node.fault('leave.daemon', null);
      node.fault('fence.slow', null);
    }
  }

  async function startAll(): Promise<void> {
    await Promise.all(
      all.map(async (node) => {
        if (supervised) node.supervise();
        else if (!node.running()) await node.start();
      }),
    );
    await until(
      async () => (await Promise.all(all.map((node) => node.status()))).every((status) => status !== null),
      settleLimitMs,
      'not every daemon answers',
    );
  }

  /** The holder, if it runs the resource and every node sees every other one in its proper role. */
  async function findRest(): Promise<ClusterNode | null> {
    const statuses = await Promise.all(all.map((node) => node.status()));
    let holder: ClusterNode | null = null;
    for (const [index, status] of statuses.entries()) {
      const node = all[index];
      if (status === null || node === undefined) return null;
      // Watchdogs connect to the candidates, not to each other.
      const expected = status.voters.filter(
        (voter) => voter.self || !(watchdogs.includes(node) && watchdogNames.includes(voter.node)),
      );
      if (!expected.every((voter) => voter.reachable && voter.history)) return null;
      if (watchdogs.includes(node)) {
        if (status.role !== 'watchdog') return null;
      } else if (status.role === 'primary') {
        if (holder !== null || status.state !== 'run' || !status.lease.held) return null;
        holder = node;
      } else if (status.role !== 'secondary' || status.holder === '' || status.workerPid === 0) return null;
    }
    return holder;
  }

  async function complaint(): Promise<string> {
    const statuses = await Promise.all(all.map((node) => node.status()));
    const lines = statuses.map((status, index) => {
      const name = all[index]?.name ?? '';
      if (status === null) return `${name}: does not answer`;
      const { role: own, state, holder, waiting, voters } = status;
      const missing = voters.filter((voter) => !voter.reachable).map((voter) => voter.node);
      return `${name}: ${own} ${state} holder=${holder} missing=${missing.join(',')} ${waiting}`;
    });
    return `the cluster does not come to rest:\n  ${lines.join('\n  ')}`;
  }

  /** Sets the roles as they are, so that nobody competes by an earlier order. */
  async function setRoles(holder: ClusterNode | null): Promise<void> {
    for (const node of watchdogs) await give(node, 'watchdog');
    const statuses = await Promise.all(candidates.map((node) => node.status()));
    const first = holder ?? candidates.find((_node, index) => statuses[index]?.role === 'primary');
    for (const node of candidates) if (node !== (first ?? candidates[0])) await give(node, 'secondary');
    const chosen = first ?? candidates[0];
    if (chosen !== undefined) await give(chosen, 'primary').catch(() => {});
  }

  async function settle(): Promise<void> {
    endFaults();
    await cluster.network.heal();
    await startAll();
    let ordered = performance.now();
    await setRoles(null);
    let restSince = Number.POSITIVE_INFINITY;
    let rolesOf: ClusterNode | null = null;
    const end = performance.now() + settleLimitMs;
    for (;;) {
      const holder = await findRest();
      const now = performance.now();
      if (holder === null) restSince = Number.POSITIVE_INFINITY;
      else restSince = Math.min(restSince, now);
      if (holder !== null && now - restSince > 2 * LEASE_MS) {
        if (rolesOf === holder) {
          primary = holder;
          return;
        }
        // A handover by priority may have begun: it is to be at rest with these roles.
        await setRoles(holder);
        rolesOf = holder;
        restSince = Number.POSITIVE_INFINITY;
      }
      if (now > end) throw new Error(await complaint());
      if (holder === null && now - ordered > 6000) {
        ordered = now;
        rolesOf = null;
        await setRoles(null);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function isolate(node: ClusterNode): Promise<void> {
    const others = all.filter((other) => other !== node);
    await Promise.all(
      others.flatMap((other) => [
        cluster.network.cut(node.name, other.name),
        cluster.network.cut(other.name, node.name),
      ]),
    );
  }

  const scene: Scene = {
    kind,
    cluster,
    get primary() {
      return primary;
    },
    get secondaries() {
      return candidates.filter((node) => node !== primary);
    },
    get secondary() {
      return scene.secondaries[0] as ClusterNode;
    },
    get watchdog() {
      return watchdogs[0] as ClusterNode;
    },
    watchdogs,
    all,
    controlGroups,
    async cut(from, ...to) {
      await Promise.all(to.map((other) => cluster.network.cut(from.name, other.name)));
    },
    isolate,
    order: (node, request) => order(node, request),
    beats: () => cluster.beats(),
    settle,
    close: (keep) => cluster.close(keep),
  };
  try {
    await settle();
  } catch (error) {
    await cluster.close(true);
    throw new Error(`${(error as Error).message}\nlogs: ${cluster.dir}/*/log`);
  }
  return scene;
}
