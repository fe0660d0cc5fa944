/**
 * A network in the virtual machine: a client, two directors and their watchdog, four servers and one that says sorry, each in a namespace
 * of its own, on one bridge. Reached by NAT (the servers' gateway is the director), by IPv4 and by IPv6, and by direct routing and tunnels
 * (the servers answer the client).
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';

export type Director = 'a' | 'b';
export type ServerName = 's1' | 's2' | 's3' | 's4' | 'sorry';

/** Where clients go: by NAT, by direct routing, through tunnels, by NAT with IPv6. */
export const NAT = '10.1.0.100';
export const DIRECT = '10.3.0.100';
export const TUNNEL = '10.3.0.101';
export const SIX = 'fd00:1::100';
/** What a director has besides while it is the one: the servers' gateways. */
export const GATEWAY = '10.2.0.1';
const GATEWAY_SIX = 'fd00:2::1';
/** This machine, seen by the directors. */
export const HERE = '10.1.0.1';

export const SERVERS: Readonly<Record<ServerName, string>> = {
  ...{ s1: '10.2.0.21', s2: '10.2.0.22', s3: '10.2.0.23', s4: '10.2.0.24', sorry: '10.2.0.30' },
};

/** The server's address of IPv6. */
export function sixOf(name: ServerName): string {
  return `fd00:2::${SERVERS[name].split('.')[3]}`;
}

/** Addresses of a node by its last number. */
const NODES: Readonly<Record<string, number>> = { a: 11, b: 12, w: 13 };

/** Makes all of it; once in a virtual machine. */
export function buildNetwork(): void {
  const names = ['client', ...Object.keys(NODES), ...Object.keys(SERVERS)];
  ip(null, [
    'link add br0 type bridge',
    'link set br0 up',
    `addr add ${HERE}/24 dev br0`,
    ...names.flatMap((name) => [
      `netns add ${name}`,
      `link add v-${name} type veth peer name eth0 netns ${name}`,
      `link set v-${name} master br0 up`,
    ]),
  ]);
  setUp('client', ['10.1.0.2', '10.3.0.2', 'fd00:1::2'], [], []);
  for (const [name, last] of Object.entries(NODES)) {
    setUp(
      name,
      [...[1, 2, 3].map((net) => `10.${net}.0.${last}`), ...[1, 2].map((net) => `fd00:${net}::${last}`)],
      [],
      [
        ...['ipv4/ip_forward=1', 'ipv6/conf/all/forwarding=1'],
        // The client and the servers are on one bridge: they are not to be told so.
        ...['ipv4/conf/all/send_redirects=0', 'ipv4/conf/eth0/send_redirects=0'],
        // One client has all the requests and soon uses a port again; with direct routing it would be given the server of before.
        'ipv4/vs/conn_reuse_mode=3',
      ],
    );
    const program = ipvsadmOf(name);
    writeFileSync(program, `#!/bin/sh\nexec ip netns exec ${name} /usr/sbin/ipvsadm "$@"\n`, { mode: 0o755 });
  }
  const routes = [
    ...[`route add default via ${GATEWAY}`, 'route add 10.3.0.0/24 dev eth0'],
    `route add ::/0 via ${GATEWAY_SIX}`,
  ];
  for (const [name, address] of Object.entries(SERVERS))
    setUp(
      name,
      [address, sixOf(name as ServerName)],
      [`addr add ${DIRECT}/32 dev lo`, 'link set tunl0 up', `addr add ${TUNNEL}/32 dev tunl0`, ...routes],
      [
        // The address that all of them have is the director's as far as the network is told.
        ...['ipv4/conf/all/arp_ignore=1', 'ipv4/conf/all/arp_announce=2'],
        // What comes out of the tunnel is from the client, whom the server would answer by another way.
        ...['all', 'eth0', 'tunl0'].map((device) => `ipv4/conf/${device}/rp_filter=0`),
        // IPv6 knows no way of not telling of it.
        ...['ipv6/conf/all/accept_redirects=0', 'ipv6/conf/eth0/accept_redirects=0'],
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
    ...addresses.map(
      (address) => `addr add ${address}/${address.includes(':') ? '64' : '24'} dev eth0${nodad(address)}`,
    ),
    ...more,
  ]);
  const lines = settings.map((setting) => setting.replace(/(.*)=(.*)/, 'echo $2 >/proc/sys/net/$1'));
  if (lines.length > 0) execFileSync('ip', ['netns', 'exec', name, 'sh', '-ec', lines.join('\n')]);
}

/** Nobody else has it: IPv6 is not to wait until that is known. */
function nodad(address: string): string {
  return address.includes(':') ? ' nodad' : '';
}

function ip(namespace: string | null, lines: readonly string[]): void {
  const where = namespace === null ? [] : ['-n', namespace];
  execFileSync('ip', [...where, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** Gives the addresses to that director, without hastmon. */
export function giveAddresses(director: Director): void {
  ip(
    director,
    [NAT, DIRECT, TUNNEL, GATEWAY, SIX, GATEWAY_SIX].map(
      (address) => `addr add ${address}/${address.includes(':') ? '128' : '32'} dev eth0${nodad(address)}`,
    ),
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

/** Whether what a server says at /ok passes; `/` is answered in any case. */
export function passes(name: ServerName, yes: boolean): void {
  if (yes) rmSync(`/run/${name}.sick`, { force: true });
  else writeFileSync(`/run/${name}.sick`, '');
}

/** A web server that answers with its name. */
export function startServer(name: ServerName): ChildProcess {
  const file = `/run/${name}.conf`;
  writeFileSync(
    file,
    `daemon off; master_process off; pid /run/${name}.pid; error_log stderr; events { worker_connections 1024; }
     http { access_log off; keepalive_timeout 600s; keepalive_requests 1000000;
       server { listen 80 reuseport; listen [::]:80 ipv6only=on; location / { default_type text/plain; return 200 "${name}\\n"; }
         location = /ok { if (-f /run/${name}.sick) { return 503; } return 200; } } }\n`,
  );
  return startIn(name, name, ['nginx', '-c', file]);
}

/** Milliseconds of the clock that the load tells its times by. */
export function clockMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
