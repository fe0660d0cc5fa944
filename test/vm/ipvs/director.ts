/** hastmond with a balancer in a director's namespace, its console, and the kernel's table as it is there. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectionsOf, type Proc, parseProc } from '../../../daemon/balancer/ipvs/proc.js';
import { NAT, SERVERS, type ServerName, startIn } from './lab.js';

const WAIT_MS = 180_000;
const program = (name: string): string => fileURLToPath(new URL(`../../../bin/${name}.js`, import.meta.url));

/** Waits for it; fails with these words after a time that is far beyond what an emulated machine needs. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = WAIT_MS,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs / 1000} s for ${what}`);
    await sleep(50);
  }
}

export interface Daemon {
  readonly name: string;
  readonly main: ChildProcess;
  /** Processes of it by a part of their title. */
  pids(title: string): number[];
  log(): string;
  /** Resolves when the main process and all that it started have ended. */
  gone(): Promise<void>;
}

/** Starts hastmond there with /run/NAME.conf, and waits until it is ready, and its balancer where there is one. */
export async function startDaemon(name: string, balancer: boolean): Promise<Daemon> {
  const before = readLog(name).length;
  const words = ['-F', '-c', `/run/${name}.conf`, '-n', name, '-P', `/run/${name}.pid`];
  const main = startIn(name, name, [process.execPath, program('hastmond'), ...words]);
  const log = (): string => readLog(name).slice(before);
  const ready = balancer ? /the balancer is ready/ : /hastmond is ready/;
  await until(`${name} to be ready`, () => {
    if (main.exitCode !== null) throw new Error(`hastmond on ${name} has ended: ${log()}`);
    return ready.test(log());
  });
  const own = (): number[] => [main.pid ?? -1, ...childrenOf(main.pid ?? -1)];
  let known = own();
  return {
    name,
    main,
    log,
    pids: (title) => own().filter((pid) => titleOf(pid).includes(title)),
    async gone() {
      known = [...new Set([...known, ...own()])];
      await until(`hastmond on ${name} to be gone`, () =>
        known.every((pid) => !titleOf(pid).includes('hastmon')),
      );
    },
  };
}

function readLog(name: string): string {
  try {
    return readFileSync(`/out/${name}.log`, 'utf8');
  } catch {
    return '';
  }
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function childrenOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]));
    } catch {
      // It has just ended.
    }
  }
  const found: number[] = [];
  for (let at = -1; at < found.length; at += 1)
    for (const [child, parent] of parents) if (parent === (at < 0 ? pid : found[at])) found.push(child);
  return found;
}

/** A console over TCP: ipvs-weightman's commands, one after the other. */
export interface Console {
  ask(line: string): Promise<string>;
  close(): void;
}

export function openConsole(name: string): Console {
  const child = spawn('ip', ['netns', 'exec', name, 'busybox', 'nc', '127.0.0.1', '9000'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  child.stdin.on('error', () => {});
  const prompt = async (): Promise<string> => {
    await until(`an answer of the console of ${name}`, () => text.endsWith('$ ') || child.exitCode !== null);
    const answer = text.replace(/\$ $/, '');
    text = '';
    return answer;
  };
  return {
    ask(line) {
      // The first answer comes after the help.
      child.stdin.write(`${line}\n`);
      return prompt();
    },
    close: () => void child.kill('SIGKILL'),
  };
}

/** The kernel's table there. */
export function tableIn(name: string): Proc {
  const text = execFileSync('ip', ['netns', 'exec', name, 'cat', '/proc/net/ip_vs'], { encoding: 'latin1' });
  const proc = parseProc(text);
  if (proc === null) throw new Error(`not understood: ${text}`);
  return proc;
}

/** The weights of a service's servers by name. Servers that are not there are not in it. */
export function weightsIn(name: string, address = NAT): Record<string, number> {
  const servers = tableIn(name).get(`-t ${address}:80`)?.servers;
  const known = Object.entries(SERVERS).flatMap(([server, at]) => {
    const weight = servers?.get(`${at}:80`)?.weight;
    return weight === undefined ? [] : [[server, weight] as const];
  });
  return Object.fromEntries(known);
}

export function activeOn(name: string, server: ServerName, address = NAT): number {
  return connectionsOf(tableIn(name), `-t ${address}:80`, `${SERVERS[server]}:80`)?.active ?? 0;
}

/** Waits until the kernel has these weights, whatever stands beside them. */
export async function weightsAre(name: string, wanted: Record<string, number>, address = NAT): Promise<void> {
  let last = '';
  await until(`weights ${JSON.stringify(wanted)}`, () => {
    const now = weightsIn(name, address);
    last = JSON.stringify(now);
    return Object.entries(wanted).every(([server, weight]) => now[server] === weight);
  }).catch((error: Error) => {
    throw new Error(`${error.message}: they are ${last}`);
  });
}

/** Writes hastmon.conf for this node alone, with these statements besides, and the balancer's file, for both ways to the same servers. */
export function configure(name: string, weights: Record<string, number>, statements = ''): void {
  writeFileSync(
    `/run/${name}.conf`,
    `balancer { config /run/${name}.vs }\non ${name} { control /run/${name}.ctl ; listen tcp4://127.0.0.1 ; state_dir /var/lib/${name} }\n${statements}\n`,
  );
  writeVirtualServices(name, weights);
}

/** The balancer's file of that node. */
export function writeVirtualServices(name: string, weights: Record<string, number>): void {
  const hosts = Object.entries(weights).map(
    ([server, weight]) => `${server} ${SERVERS[server as ServerName]} www=${weight} direct=${weight}`,
  );
  writeFileSync(
    `/run/${name}.vs`,
    `${[
      ...[`DB=/run/${name}.db`, 'IPVSADM=/usr/sbin/ipvsadm', 'Config.CheckPeriod=1'],
      ...['Ramping.TriggerTime=4', 'Ramping.Duration=3', 'SorryServer.Default=sorry'],
      `! www ${NAT}:80 http://lab/ interval=1s,timeout=20s`,
      `! direct 10.3.0.100:80 http://lab/ interval=1s,timeout=20s,method=gate`,
      ...hosts,
      `sorry ${SERVERS.sorry}`,
    ].join('\n')}\n`,
  );
}
