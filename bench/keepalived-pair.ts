/**
 * Two keepalived in network namespaces of their own, joined by a veth pair, with the tests' beater as their service, started
 * and stopped by the notify script. What can befall them is the same as for a node of hastmon. It measures nothing.
 * Sources: keepalived(8), keepalived.conf(5).
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Beat, createBeatReader, monotonicMs } from '../test/system/beats.js';
import { createNamespaces, namespacesProblem } from '../test/system/netns.js';
import { cutBoth, type Network } from '../test/system/network.js';
import { beater } from '../test/system/paths.js';
import {
  clusterProcesses,
  DIRECTORY_MARK,
  killNode,
  NODE_MARK,
  signalProcess,
} from '../test/system/processes.js';
import { until } from '../test/system/wait.js';
import { clockOffsetMs, shellMs, timedHooksProblem } from './timed-hooks.js';

export interface KeepalivedPair {
  /** The node with the higher priority: it is the master of a pair at rest. */
  readonly master: string;
  readonly backup: string;
  beats(): Beat[];
  /** When the node's notify script was called with this state after an instant, or null; CLOCK_MONOTONIC, ms. */
  notifiedAt(node: string, state: string, after: number): number | null;
  /** Kills everything of the machine at one stroke: keepalived, its scripts, the service. */
  killMachine(node: string): void;
  /** Kills keepalived, all of its processes; what its script has started lives on. */
  killDaemon(node: string): void;
  /** Drops silently what the two send to each other. */
  cut(): Promise<void>;
  /** Ends all faults and waits until the service runs on the master alone. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

const names = ['nodeA', 'nodeB'] as const;
const [master, backup] = names;
const virtualAddress = '10.78.0.100/32';

/** Why there can be no pair here, '' where there can. */
export function keepalivedProblem(): string {
  if (namespacesProblem() !== '') return namespacesProblem();
  if (keepalivedVersion() === '') return 'keepalived is not installed';
  if (spawnSync('flock', ['--version']).status !== 0) return 'the notify script needs flock';
  return timedHooksProblem();
}

/** As it calls itself, '' where it is not installed. */
export function keepalivedVersion(): string {
  const { stderr, stdout } = spawnSync('keepalived', ['--version'], { encoding: 'utf8' });
  return /^Keepalived \S+/m.exec(`${stderr}${stdout}`)?.[0].toLowerCase() ?? '';
}

/** Scripts of one node run one after the other, in the order in which they were called. */
const notifyScript = `#!/usr/bin/env bash
# notify.sh NODE master|backup|fault|stop
export ${DIRECTORY_MARK}="\${0%/*}" ${NODE_MARK}="$1"
dir=\${0%/*} here=\${0%/*}/$1 pidfile=\${0%/*}/$1/service.pid
echo "$EPOCHREALTIME $1 $2" >>"$dir/notified"
exec 9>"$here/lock"
flock 9
lives() { read -r _ _ state _ 2>/dev/null <"/proc/$1/stat" && [ "$state" != Z ]; }
alive() { [ -f "$pidfile" ] && read -r pid <"$pidfile" && lives "$pid"; }
if [ "$2" = master ]; then
  alive && exit 0
  rm -f "$pidfile"
  setsid '${process.execPath}' '${beater}' "$dir/beats" "$1" 0 "$pidfile" </dev/null >/dev/null 2>&1 9>&- &
  while [ ! -f "$pidfile" ]; do sleep 0.005; done
else
  alive || exit 0
  kill -KILL "$pid" 2>/dev/null
  while lives "$pid"; do sleep 0.005; done
  rm -f "$pidfile"
fi
`;

function configuration(node: string, dir: string, advertSeconds: number): string {
  const other = node === master ? backup : master;
  const notify = ['master', 'backup', 'fault', 'stop'].map(
    (state) => `  notify_${state} "${dir}/notify.sh ${node} ${state}"`,
  );
  return `global_defs {
  router_id ${node}
  script_user root
  vrrp_version 3
}
vrrp_instance bench {
  state ${node === master ? 'MASTER' : 'BACKUP'}
  interface to-${other}
  virtual_router_id 77
  priority ${node === master ? 150 : 100}
  advert_int ${advertSeconds}
  virtual_ipaddress {
    ${virtualAddress}
  }
${notify.join('\n')}
}
`;
}

/** Makes the namespaces; `settle` starts both. */
export async function createKeepalivedPair(advertSeconds: number): Promise<KeepalivedPair> {
  const network = await createNamespaces(names);
  const dir = mkdtempSync(path.join(os.tmpdir(), 'pair-'));
  chmodSync(dir, 0o755);
  writeFileSync(path.join(dir, 'notify.sh'), notifyScript, { mode: 0o755 });
  const beats = createBeatReader(path.join(dir, 'beats'));
  const killAll = (): void => names.forEach((name) => void killNode(dir, name));
  process.once('exit', killAll);
  const machines = names.map((name) => createMachine(name, dir, network, advertSeconds));
  const machine = (node: string): Machine => machines[node === master ? 0 : 1] as Machine;

  /** The service runs on the master alone, and has done so for some advertisements. */
  async function atRest(): Promise<void> {
    const longEnoughMs = Math.max(500, 3000 * advertSeconds);
    let since = monotonicMs();
    await until(
      () => {
        const now = monotonicMs();
        const alive = beats().filter((life) => life.last > now - 100);
        const up = machines.every((each) => each.daemons().length >= 2);
        if (alive.length !== 1 || alive[0]?.node !== master || !up) since = now;
        return now - since > longEnoughMs;
      },
      60_000,
      () => `keepalived does not come to rest; logs: ${dir}/*/log`,
    );
  }

  return {
    master,
    backup,
    beats,
    notifiedAt: (node, state, after) => notifiedAt(path.join(dir, 'notified'), node, state, after),
    killMachine(node) {
      for (const pid of machine(node).daemons()) signalProcess(pid, 'SIGSTOP');
      killNode(dir, node);
    },
    killDaemon(node) {
      const doomed = machine(node).daemons();
      // Its child is told when the parent dies, and would take its leave of the backup before it dies itself.
      for (const signal of ['SIGSTOP', 'SIGKILL'] as const)
        for (const pid of doomed) signalProcess(pid, signal);
    },
    cut: () => cutBoth(network, master, backup),
    async settle() {
      await network.heal();
      for (const each of machines) if (each.daemons().length === 0) each.boot();
      await atRest();
    },
    async close() {
      killAll();
      await until(() => clusterProcesses(dir).length === 0, 5000, 'keepalived does not end');
      process.removeListener('exit', killAll);
      await network.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

interface Machine {
  /** The pids of keepalived, which are two. */
  daemons(): number[];
  /** Starts keepalived on a machine that has nothing left of its past: no service, no virtual address, no pid files. */
  boot(): void;
}

function createMachine(node: string, dir: string, network: Network, advertSeconds: number): Machine {
  const own = (file: string): string => path.join(dir, node, file);
  const device = `to-${node === master ? backup : master}`;
  // The same priority as the daemons of the tests' clusters have.
  const realTime = spawnSync('chrt', ['--rr', '1', 'true']).status === 0 ? ['chrt', '--rr', '1'] : [];
  mkdirSync(own('.'));
  writeFileSync(own('conf'), configuration(node, dir, advertSeconds));
  // VRRP sends from an address of the interface itself.
  execute('add', `10.78.0.${node === master ? 1 : 2}/24`);

  function execute(verb: 'add' | 'del', address: string): void {
    const [program = '', ...args] = [...network.place(node), 'ip', 'address', verb, address, 'dev', device];
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (verb === 'add' && status !== 0) throw new Error(`ip address add ${address}: ${stderr.trim()}`);
  }

  return {
    daemons: () =>
      clusterProcesses(dir)
        .filter((entry) => entry.node === node && /^(\S*\/)?keepalived /.test(entry.title))
        .map(({ pid }) => pid),
    boot() {
      killNode(dir, node);
      execute('del', virtualAddress);
      for (const file of ['pid', 'vrrp.pid']) rmSync(own(file), { force: true });
      const files = ['-f', own('conf'), '-p', own('pid'), '-r', own('vrrp.pid')];
      const flags = ['--dont-fork', '--log-console', '--log-detail', '--no-syslog', '--vrrp'];
      const [program = '', ...args] = [...network.place(node), ...realTime, 'keepalived', ...flags, ...files];
      const out = openSync(own('log'), 'a');
      const env = { ...process.env, [DIRECTORY_MARK]: dir, [NODE_MARK]: node };
      spawn(program, args, { stdio: ['ignore', out, out], env, detached: true }).on('error', () => {});
      closeSync(out);
    },
  };
}

function notifiedAt(file: string, node: string, state: string, after: number): number | null {
  const offset = clockOffsetMs();
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  for (const line of lines) {
    const [time = '', who, what] = line.split(' ');
    const at = shellMs(time) + offset;
    if (who === node && what === state && at >= after) return at;
  }
  return null;
}
