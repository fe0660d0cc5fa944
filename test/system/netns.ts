/**
 * A network of namespaces: one for each node, joined by a veth pair for each pair of nodes, so that each direction of each
 * pair can be cut alone. The pairs are made inside the namespaces: nothing of the host's own network is touched. What a
 * node sends is dropped silently by the qdisc `blackhole`, which every kernel with traffic control has built in.
 * Needs root. Sources: ip-netns(8), tc(8), net/sched/sch_blackhole.c.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Network } from './network.js';

const run = promisify(execFile);
const prefix = 'hastmon-test-';
const port = 8458;
let made = 0;

/** Why no namespaces can be had here, '' where they can. */
export function namespacesProblem(): string {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  try {
    execFileSync('ip', ['netns', 'list'], { stdio: 'ignore' });
    execFileSync('nsenter', ['--version'], { stdio: 'ignore' });
    execFileSync('tc', ['-V'], { stdio: 'ignore' });
    return '';
  } catch (error) {
    return `network namespaces need ip, tc and nsenter: ${(error as Error).message}`;
  }
}

/** Makes the namespaces; all of them are gone after `close`, and when the process ends before that. */
export async function createNamespaces(nodes: readonly string[]): Promise<Network> {
  sweep();
  made += 1;
  const mine = `${prefix}${process.pid}-${made}-`;
  const namespace = (node: string): string => `${mine}${node}`;
  const address = (node: string): string => `10.77.0.${nodes.indexOf(node) + 1}`;
  const link = (to: string): string => `to-${to}`.slice(0, 15);
  const cuts = new Set<string>();
  const remove = (): void => nodes.forEach((node) => void removeNamespace(namespace(node)));
  process.once('exit', remove);

  try {
    for (const node of nodes) {
      await run('ip', ['netns', 'add', namespace(node)]);
      await ip(node, 'link', 'set', 'lo', 'up');
      await ip(node, 'address', 'add', `${address(node)}/32`, 'dev', 'lo');
    }
    for (const [index, one] of nodes.entries())
      for (const other of nodes.slice(index + 1)) await join(one, other);
  } catch (error) {
    remove();
    throw error;
  }

  async function ip(node: string, ...words: string[]): Promise<void> {
    await run('ip', ['-n', namespace(node), ...words]);
  }

  async function join(one: string, other: string): Promise<void> {
    await ip(
      ...[one, 'link', 'add', link(other), 'type', 'veth', 'peer', 'name', link(one)],
      ...['netns', namespace(other)],
    );
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      await ip(from, 'link', 'set', link(to), 'up');
      await ip(from, 'route', 'add', `${address(to)}/32`, 'dev', link(to), 'src', address(from));
    }
  }

  async function qdisc(verb: 'add' | 'del', from: string, to: string): Promise<void> {
    const words = ['qdisc', verb, 'dev', link(to), 'root', ...(verb === 'add' ? ['blackhole'] : [])];
    await run('tc', ['-n', namespace(from), ...words]);
  }

  return {
    kind: 'namespaces',
    listen: (node) => `tcp4://${address(node)}:${port}`,
    remote: (_from, to) => `tcp4://${address(to)}:${port}`,
    // Not `ip netns exec`: that mounts /sys anew, and the control groups below it are gone.
    place: (node) => ['nsenter', `--net=/run/netns/${namespace(node)}`],
    async cut(from, to) {
      if (cuts.has(`${from} ${to}`)) return;
      cuts.add(`${from} ${to}`);
      await qdisc('add', from, to);
    },
    async heal() {
      for (const cut of cuts) {
        const [from = '', to = ''] = cut.split(' ');
        await qdisc('del', from, to);
      }
      cuts.clear();
    },
    async close() {
      process.removeListener('exit', remove);
      remove();
    },
  };
}

function removeNamespace(name: string): void {
  try {
    if (existsSync(`/run/netns/${name}`)) execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  } catch {
    // Busy or gone: the next run sweeps it.
  }
}

/** Removes what a test left behind that was killed. */
function sweep(): void {
  if (!existsSync('/run/netns')) return;
  for (const name of readdirSync('/run/netns')) {
    const pid = new RegExp(`^${prefix}([0-9]+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeNamespace(name);
  }
}
