// conf/hooks/virtual-ip, in network namespaces: two nodes and a client on one bridge.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { type ReadyMade, readyMade } from './ready-made.js';
import { until, type Workplace, workplace } from './support.js';

interface Network {
  /** Runs ip(8) in a namespace: `a`, `b` or `client`. */
  ip(where: string, words: string): string;
  /** The hook on a node. */
  hook(node: 'a' | 'b', settings: string): ReadyMade;
  mac(node: string): string;
  /** The MAC address at which the client believes the address to be. */
  believed(address: string): string;
}

const problem = obstacle();

function obstacle(): string | false {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  for (const program of ['ip', 'arping', 'timeout']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `${program} is not installed`;
  }
  const name = `hastmon-try-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'no network namespace can be made here';
  spawnSync('ip', ['netns', 'del', name]);
  return false;
}

function run(command: string): string {
  const [program = '', ...words] = command.split(' ');
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  assert.equal(status, 0, `${command}: ${stderr}`);
  return stdout;
}

let networks = 0;

function network(place: Workplace): Network {
  networks += 1;
  const name = (where: string): string => `hastmon-${process.pid}-${networks}-${where}`;
  const ip = (where: string, words: string): string => run(`ip -n ${name(where)} ${words}`);
  for (const where of ['a', 'b', 'client']) {
    run(`ip netns add ${name(where)}`);
    place.after(() => spawnSync('ip', ['netns', 'del', name(where)]));
    ip(where, 'link set lo up');
  }
  ip('client', 'link add eth0 type bridge');
  ip('client', 'link set eth0 up');
  ip('client', 'address add 192.0.2.3/24 dev eth0');
  ip('client', 'address add 2001:db8::3/64 dev eth0 nodad');
  for (const node of ['a', 'b']) {
    ip(node, `link add eth0 type veth peer name port-${node} netns ${name('client')}`);
    ip('client', `link set port-${node} master eth0 up`);
    ip(node, 'link set eth0 up');
    ip(node, `address add 192.0.2.${node === 'a' ? 1 : 2}/24 dev eth0`);
    // The kernel's duplicate address detection in a tenth of the time.
    run(
      `ip netns exec ${name(node)} sysctl -q -w net.ipv6.neigh.eth0.retrans_time_ms=100 net.ipv6.conf.eth0.router_solicitation_delay=0`,
    );
  }
  return {
    ip,
    hook(node, settings) {
      // The settings of both nodes are in the same file; they are written before each use of the hook that needs others.
      const hook = readyMade(place, 'virtual-ip', {}, ['ip', 'netns', 'exec', name(node)]);
      hook.settings(`VIP_DEVICE=eth0 VIP_ANNOUNCE=1\n${settings}`);
      return hook;
    },
    mac: (node) => /link\/ether (\S+)/.exec(ip(node, 'link show dev eth0'))?.[1] ?? '',
    believed: (address) => /lladdr (\S+)/.exec(ip('client', `neigh show ${address}`))?.[1] ?? '',
  };
}

test('IPv4: start, status and stop, each twice', { skip: problem }, async (t) => {
  const net = network(workplace(t));
  const hook = net.hook('a', 'VIP=192.0.2.10');
  await hook.expect('status', 1);
  assert.equal(await hook.expect('start', 0), '');
  assert.match(net.ip('a', '-o address show dev eth0'), / 192\.0\.2\.10\/32 /);
  await hook.expect('status', 0);
  await hook.expect('start', 0);
  await hook.expect('stop', 0);
  assert.doesNotMatch(net.ip('a', '-o address show dev eth0'), / 192\.0\.2\.10\//);
  assert.match(net.ip('a', '-o address show dev eth0'), / 192\.0\.2\.1\/24 /);
  await hook.expect('stop', 0);
  await hook.expect('status', 1);
});

test('IPv4: the neighbours learn at once where the address has gone', { skip: problem }, async (t) => {
  const net = network(workplace(t));
  net.ip('client', `neigh replace 192.0.2.10 lladdr ${net.mac('a')} dev eth0 nud reachable`);
  assert.equal(net.believed('192.0.2.10'), net.mac('a'));
  await net.hook('b', 'VIP=192.0.2.10').expect('start', 0);
  await until(() => net.believed('192.0.2.10') === net.mac('b'), 'the announcement');
});

test('IPv4: an address that another machine has is not taken', { skip: problem }, async (t) => {
  const net = network(workplace(t));
  await net.hook('a', 'VIP=192.0.2.10').expect('start', 0);
  const hook = net.hook('b', 'VIP=192.0.2.10');
  const output = await hook.expect('start', 1);
  assert.match(
    output.toLowerCase(),
    new RegExp(`192.0.2.10 is in use by another machine: .*${net.mac('a')}`),
  );
  await hook.expect('status', 1);
  await net.hook('b', 'VIP=192.0.2.10 VIP_CHECK=0').expect('start', 0);
});

test('IPv6: start checks and announces, stop removes', { skip: problem }, async (t) => {
  const net = network(workplace(t));
  net.ip('client', `neigh replace 2001:db8::10 lladdr ${net.mac('a')} dev eth0 nud reachable`);
  const hook = net.hook('b', 'VIP=2001:db8::10');
  await hook.expect('status', 1);
  assert.equal(await hook.expect('start', 0), '');
  assert.match(net.ip('b', '-6 -o address show dev eth0'), / 2001:db8::10\/128 scope global \\/);
  await hook.expect('status', 0);
  await until(() => net.believed('2001:db8::10') === net.mac('b'), 'the announcement');
  await hook.expect('start', 0);
  await hook.expect('stop', 0);
  await hook.expect('status', 1);
  await hook.expect('stop', 0);
});

test('IPv6: an address that another machine has is not taken', { skip: problem }, async (t) => {
  const net = network(workplace(t));
  await net.hook('a', 'VIP=2001:db8::10').expect('start', 0);
  const hook = net.hook('b', 'VIP=2001:db8::10');
  assert.match(await hook.expect('start', 1), /2001:db8::10 is in use by another machine/);
  await hook.expect('status', 1);
  assert.equal(net.ip('b', '-6 -o address show dev eth0 to 2001:db8::10'), '');
});

test('several addresses: status is running only when all are there, stopped only when none is', {
  skip: problem,
}, async (t) => {
  const net = network(workplace(t));
  const hook = net.hook('a', 'VIP="192.0.2.10 192.0.2.11/24 2001:db8::10" VIP_CHECK=0');
  await hook.expect('start', 0);
  await hook.expect('status', 0);
  net.ip('a', 'address del 192.0.2.11/24 dev eth0');
  assert.match(await hook.expect('status', 2), /2 usable, 1 absent, 0 otherwise of/);
  await hook.expect('start', 0);
  await hook.expect('status', 0);
  await hook.expect('stop', 0);
  await hook.expect('status', 1);
});

test('an address on another interface is not stopped, and stop takes it away; on lo it does not matter', {
  skip: problem,
}, async (t) => {
  const net = network(workplace(t));
  net.ip('a', 'link add eth1 type bridge');
  net.ip('a', 'address add 192.0.2.10/24 dev eth1');
  net.ip('a', 'address add 192.0.2.10/32 dev lo');
  const hook = net.hook('a', 'VIP=192.0.2.10');
  assert.match(await hook.expect('status', 2), /192\.0\.2\.10: elsewhere/);
  await hook.expect('stop', 0);
  await hook.expect('status', 1);
  assert.match(net.ip('a', '-o address show dev lo'), / 192\.0\.2\.10\/32 /);
});

test('without a carrier, status is unknown where that is asked for', { skip: problem }, async (t) => {
  const net = network(workplace(t));
  await net.hook('a', 'VIP=192.0.2.10').expect('start', 0);
  const demanding = net.hook('a', 'VIP=192.0.2.10 VIP_CARRIER=required');
  await demanding.expect('status', 0);
  net.ip('client', 'link set port-a down');
  assert.match(await demanding.expect('status', 2), /eth0 has no carrier/);
  await net.hook('a', 'VIP=192.0.2.10').expect('status', 0);
});

test('an interface that does not exist is a failed start that says so', { skip: problem }, async (t) => {
  const net = network(workplace(t));
  const hook = net.hook('a', 'VIP=192.0.2.10 VIP_DEVICE=eth7');
  assert.match(await hook.expect('start', 1), /eth7/);
  await hook.expect('status', 1);
  await hook.expect('stop', 0);
});

test('when ip fails, status is unknown and stop fails', async (t) => {
  const place = workplace(t);
  place.script('ip', 'echo "no netlink" >&2; exit 1');
  const hook = readyMade(place, 'virtual-ip', { PATH: `${place.dir}:${process.env.PATH}` });
  hook.settings('VIP=192.0.2.10 VIP_DEVICE=eth0');
  assert.match(await hook.expect('status', 2), /no netlink/);
  await hook.expect('stop', 1);
});

test('no settings: the error names the file', async (t) => {
  assert.match(
    await readyMade(workplace(t), 'virtual-ip').expect('start', 64),
    /no VIP or no VIP_DEVICE in .*settings\/shop\.env/,
  );
});
