/**
 * A network in the virtual machine: a client, two directors and their watchdog, four servers and one that says sorry, each in a namespace
 * of its own, on one bridge. Reached by NAT (the servers' gateway is the director) and by direct routing (the servers answer the client).
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';

export type Director = 'a' | 'b';
export type ServerName = 's1' | 's2' | 's3' | 's4' | 'sorry';

/** Where clients go: by NAT, by direct routing. */
export const NAT = '10.1.0.100';
export const DIRECT = '10.3.0.100';
/** What a director has besides while it is the one: the servers' gateway. */
export const GATEWAY = '10.2.0.1';

export const SERVERS: Readonly<Record<ServerName, string>> = {
  ...{ s1: '10.2.0.21', s2: '10.2.0.22', s3: '10.2.0.23', s4: '10.2.0.24', sorry: '10.2.0.30' },
};

/** Addresses of a node by its last number. */
const NODES: Readonly<Record<string, number>> = { a: 11, b: 12, w: 13 };

/** Makes all of it; once in a virtual machine. */
export function buildNetwork(): void {
  const names = ['client', ...Object.keys(NODES), ...Object.keys(SERVERS)];
  ip(null, [
    'link add br0 type bridge',
    'link set br0 up',
    ...names.flatMap((name) => [
      `netns add ${name}`,
      `link add v-${name} type veth peer name eth0 netns ${name}`,
      `link set v-${name} master br0 up`,
    ]),
  ]);
  setUp('client', ['10.1.0.2', '10.3.0.2'], [], []);
  for (const [name, last] of Object.entries(NODES)) {
    setUp(
      name,
      [`10.1.0.${last}`, `10.2.0.${last}`, `10.3.0.${last}`],
      [],
      [
        'ip_forward=1',
        // The client and the servers are on one bridge: they are not to be told so.
        ...['conf/all/send_redirects=0', 'conf/eth0/send_redirects=0'],
        // One client has all the requests and soon uses a port again; with direct routing it would be given the server of before.
        'vs/conn_reuse_mode=3',
      ],
    );
    const program = ipvsadmOf(name);
    writeFileSync(program, `#!/bin/sh\nexec ip netns exec ${name} /usr/sbin/ipvsadm "$@"\n`, { mode: 0o755 });
  }
  const routes = [`route add default via ${GATEWAY}`, 'route add 10.3.0.0/24 dev eth0'];
  for (const [name, address] of Object.entries(SERVERS))
    setUp(
      name,
      [address],
      [`addr add ${DIRECT}/32 dev lo`, ...routes],
      [
        // The address that all of them have is the director's as far as the network is told.
        ...['conf/all/arp_ignore=1', 'conf/all/arp_announce=2'],
      ],
    );
}

function setUp(
  name: string,
  addresses: readonly string[],
  more: readonly string[],
  settings: readonly string[],
): void {
  ip(name, [
    'link set lo up',
    'link set eth0 up',
    ...addresses.map((address) => `addr add ${address}/24 dev eth0`),
    ...more,
  ]);
  const lines = settings.map((setting) => setting.replace(/(.*)=(.*)/, 'echo $2 >/proc/sys/net/ipv4/$1'));
  if (lines.length > 0) execFileSync('ip', ['netns', 'exec', name, 'sh', '-ec', lines.join('\n')]);
}

function ip(namespace: string | null, lines: readonly string[]): void {
  const where = namespace === null ? [] : ['-n', namespace];
  execFileSync('ip', [...where, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** Gives the addresses to that director, without hastmon. */
export function giveAddresses(director: Director): void {
  ip(
    director,
    [NAT, DIRECT, GATEWAY].map((address) => `addr add ${address}/32 dev eth0`),
  );
}

/** A program that is ipvsadm in that director's namespace. */
export function ipvsadmOf(name: string): string {
  return `/run/ipvsadm-${name}`;
}

/** Starts a program there; its output goes to /out/LOG.log. `group`: as the leader of a group of its own. */
export function startIn(
  namespace: string,
  log: string,
  words: readonly string[],
  group = false,
): ChildProcess {
  const file = openSync(`/out/${log}.log`, 'a');
  try {
    return spawn('ip', ['netns', 'exec', namespace, ...words], {
      stdio: ['pipe', file, file],
      detached: group,
    });
  } finally {
    closeSync(file);
  }
}

/** Ends it at once (SIGKILL) and waits until it has. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGKILL');
  });
}

/** A web server that answers with its name. */
export function startServer(name: ServerName): ChildProcess {
  const file = `/run/${name}.conf`;
  writeFileSync(
    file,
    `daemon off; master_process off; pid /run/${name}.pid; error_log stderr; events { worker_connections 1024; }
     http { access_log off; keepalive_timeout 600s; keepalive_requests 1000000;
       server { listen 80 reuseport; location / { default_type text/plain; return 200 "${name}\\n"; } } }\n`,
  );
  return startIn(name, name, ['nginx', '-c', file]);
}

/** Milliseconds of the clock that the load tells its times by. */
export function clockMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
