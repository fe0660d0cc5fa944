/** A pair of database hosts and a watchdog, as real daemons that run the description's two files with the executables of pair.sh. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Cluster, ClusterNode } from '../system/cluster.js';
import { createNamespaces, namespacesProblem } from '../system/netns.js';
import { root } from '../system/paths.js';
import { calmTimes, clusterFor, give } from '../system/support.js';

/** The description's lists, and what else this pair has; BIN is the directory of the executables. */
export const ACTIONS = `[slave_to_master]
stopservice1
unplumb
plumb %MASTER%
timeout=3s startservice1

[master_to_slave]
stopservice1
unplumb

[ok_to_lagging]
alarm %OLD% %NEW% %NODE% %MASTER% %SLAVE%
sh: BIN/alarm "$HASTMON_CHECK of $HASTMON_CHECK_NODE" "%RESOURCE%"

[up_to_*]
alarm uplink %NEW% %NODE%
`;
const CHECKS = '[local]\ncheck_db_host1\ncheck_db_host2\n[nodeC]\nname=uplink status=no sh: cat DIR/uplink\n';
const EXECUTABLES = [
  'stopservice1',
  'unplumb',
  'plumb',
  'startservice1',
  'startservice2',
  'alarm',
  'check_db_host1',
  'check_db_host2',
];
/** What a node's start notes, in its order. */
export const startOf = (node: string): string[] =>
  ['stopservice1', 'unplumb', `plumb ${node}`, 'startservice1'].map((line) => `start: ${line}`);

export const NODES = ['nodeA', 'nodeB', 'nodeC'] as const;

export interface Pair {
  cluster: Cluster;
  a: ClusterNode;
  b: ClusterNode;
  /** What the commands of a node have noted, from the `from`th line on. */
  notes(node: string, from?: number): string[];
  /** Sets a role, whatever is under way. */
  role(node: string, role: 'primary' | 'secondary'): Promise<void>;
  actions(text: string): void;
}

/** Nothing runs yet; what it makes goes with the test. */
export async function pairOf(t: TestContext): Promise<Pair> {
  const problem = namespacesProblem();
  const cluster = await clusterFor(t, {
    resource: 'db',
    label: 'actions',
    // A process of lists takes its time where other tests run.
    statements: `${calmTimes.replace('stop_timeout 1s', 'stop_timeout 2s')}\n  attempts 2\n  complaint_interval 3s\n  action_interval 200ms`,
    runs: (dir) => `actions ${dir}/bin/actions.conf`,
    ...(problem === '' ? { network: createNamespaces } : {}),
  });
  const { dir } = cluster;
  mkdirSync(path.join(dir, 'bin'));
  for (const name of EXECUTABLES)
    symlinkSync(path.join(root, 'test/actions/pair.sh'), path.join(dir, 'bin', name));
  appendFileSync(path.join(dir, 'service.env'), `NETNS=${problem === '' ? 'yes' : ''}\n`);
  const actions = (text: string): void =>
    writeFileSync(path.join(dir, 'bin/actions.conf'), text.replaceAll('BIN', path.join(dir, 'bin')));
  actions(ACTIONS);
  writeFileSync(path.join(dir, 'bin/checks.conf'), CHECKS.replace('DIR', dir));
  writeFileSync(path.join(dir, 'uplink'), 'up');
  return {
    cluster,
    a: cluster.node('nodeA'),
    b: cluster.node('nodeB'),
    notes(node, from = 0) {
      const file = path.join(dir, node, 'actions.log');
      return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(from) : [];
    },
    role: (node, role) =>
      give(cluster, node, { kind: 'role', role, resources: ['db'], force: false, wait: true }),
    actions,
  };
}

/** True where these lines follow each other somewhere in the others. */
export function hasRun(lines: readonly string[], wanted: readonly string[]): boolean {
  return lines.some((_, index) => wanted.every((line, at) => lines[index + at] === line));
}
