/** Peer networks on loopback: connecting, sending, listening, names, reload. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import type { Address } from '../../daemon/config/types.js';
import type { PeerMessage } from '../../daemon/core/types.js';
import {
  cleanUp,
  patient,
  resource,
  startNode,
  startProxy,
  state,
  type TestNode,
  tcp,
  until,
} from './cluster.js';

afterEach(cleanUp);

/** Runs the body with nodes that connect to each other. */
async function withNodes(
  names: readonly string[],
  body: (nodes: Record<string, TestNode>, list: TestNode[]) => Promise<void>,
): Promise<void> {
  const list = await Promise.all(names.map((name) => startNode(name)));
  for (const node of list) {
    node.network.configure([patient(list.filter((other) => other !== node).map((other) => other.address))]);
  }
  await until('everybody linked', () => list.every((node) => node.events.length >= names.length - 1));
  await body(Object.fromEntries(list.map((node) => [node.name, node])), list);
}

function node(nodes: Record<string, TestNode>, name: string): TestNode {
  const found = nodes[name];
  if (found === undefined) throw new Error(name);
  return found;
}

describe('connecting and sending', () => {
  test('[N30] [N38] three nodes link, each once with each, and report it once', () =>
    withNodes(['nodeA', 'nodeB', 'nodeC'], async (_nodes, list) => {
      await until('every address answered', () =>
        list.every((one) => one.network.links('shared').every((link) => link.node !== null)),
      );
      for (const one of list) {
        const others = list.filter((other) => other !== one).map((other) => `up ${other.name}`);
        assert.deepEqual([...one.events].sort(), others);
        for (const link of one.network.links('shared')) {
          assert.equal(link.connected, true);
          assert.equal(link.remote, true);
          assert.equal(link.reason, '');
          assert.ok(link.since > 0 && link.lastHeard > 0);
        }
      }
    }));

  test('[N10] messages arrive in their order, from both ends', () =>
    withNodes(['nodeA', 'nodeB'], async (nodes) => {
      const [a, b] = [node(nodes, 'nodeA'), node(nodes, 'nodeB')];
      for (let sequence = 1; sequence <= 500; sequence += 1) {
        assert.equal(a.network.send('shared', 'nodeB', state(sequence)), true);
        assert.equal(b.network.send('shared', 'nodeA', state(1000 + sequence)), true);
      }
      await until('all there', () => a.received.length === 500 && b.received.length === 500);
      const sequences = (one: TestNode) =>
        one.received.map(({ message }) => (message.kind === 'state' ? message.sequence : 0));
      assert.deepEqual(
        sequences(b),
        Array.from({ length: 500 }, (_, index) => index + 1),
      );
      assert.deepEqual(
        sequences(a),
        Array.from({ length: 500 }, (_, index) => index + 1001),
      );
      assert.deepEqual(b.received[0], { resource: 'shared', from: 'nodeA', message: state(1) });
    }));

  test('a message for several nodes is encoded once', () =>
    withNodes(['nodeA', 'nodeB', 'nodeC'], async (nodes) => {
      const a = node(nodes, 'nodeA');
      let reads = 0;
      const message: PeerMessage = {
        ...{ kind: 'complaint', sequence: 1 },
        get incarnation() {
          reads += 1;
          return 1;
        },
      };
      assert.equal(a.network.send('shared', 'nodeB', message), true);
      const once = reads;
      assert.ok(once > 0);
      assert.equal(a.network.send('shared', 'nodeC', message), true);
      assert.equal(reads, once);
      const received = () => ['nodeB', 'nodeC'].map((name) => node(nodes, name).received.length);
      await until('both have it', () => received().every((count) => count === 1));
    }));

  test('sending to nobody is false: no such resource, node, or link', async () => {
    const a = await startNode('nodeA');
    a.network.configure([patient([])]);
    assert.equal(a.network.send('other', 'nodeB', state(1)), false);
    assert.equal(a.network.send('shared', 'nodeB', state(1)), false);
    assert.deepEqual(a.network.links('other'), []);
  });

  test('[N30] without a key it works the same', async () => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    a.network.configure([patient([b.address], { key: null })]);
    b.network.configure([patient([], { key: null })]);
    await until('linked', () => a.events.length === 1 && b.events.length === 1);
    a.network.send('shared', 'nodeB', state(1));
    b.network.send('shared', 'nodeA', state(2));
    await until('both have it', () => a.received.length === 1 && b.received.length === 1);
    const [link] = b.network.links('shared');
    assert.equal(link?.remote, false, 'nodeB does not connect to nodeA');
    assert.equal(link?.address, 'tcp4://127.0.0.1');
  });

  test('[N34] [N35] a node that starts later is found, and then its address is left in peace', async () => {
    const b = await startNode('nodeB');
    const proxy = await startProxy(b.address);
    const a = await startNode('nodeA');
    a.network.configure([patient([proxy.address])]);
    await until('a refusal', () => proxy.accepted.length > 0);
    b.network.configure([patient([])]);
    await until('linked', () => a.events.length === 1);
    const tries = proxy.accepted.length;
    a.beat(20);
    await until('some heartbeats', () => b.received.length >= 10);
    assert.equal(proxy.accepted.length, tries);
    assert.equal(proxy.open(), 1);
  });

  test('[N34] attempts are a heartbeat interval apart, and rarer after a while', async () => {
    const arrivals: number[] = [];
    const server = net.createServer((socket) => {
      arrivals.push(performance.now());
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const a = await startNode('nodeA');
    a.network.configure([patient([tcp('127.0.0.1', (server.address() as net.AddressInfo).port)])]);
    await until('nine attempts', () => arrivals.length >= 9);
    const pauses = arrivals.slice(1).map((at, index) => at - (arrivals[index] ?? 0));
    for (const pause of pauses) assert.ok(pause > 45, `${pause} ms after one another`);
    const [first = 0, last = 0] = [pauses[0], pauses.at(-1)];
    assert.ok(first < 150 && last > 300, `pauses ${pauses.map(Math.round).join(' ')}`);
    assert.equal(
      a.log.filter(({ level, text }) => level === 'info' && /cannot connect/.test(text)).length,
      1,
    );
    server.close();
  });
});

describe('listening', () => {
  test('an address in use is named, and nothing has changed', async () => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    const before = b.network.listening();
    await assert.rejects(
      b.network.listen([tcp('127.0.0.1', 0), a.address]),
      (error: Error) => error.message.includes(a.address.text) && error.message.includes('EADDRINUSE'),
    );
    assert.deepEqual(b.network.listening(), before);
    a.network.configure([patient([b.address])]);
    b.network.configure([patient([])]);
    await until('it still listens', () => a.events.length === 1);
    await assert.rejects(b.network.listen([tcp('192.0.2.1', 1)]), /tcp4:\/\/192\.0\.2\.1:1.*EADDRNOTAVAIL/);
  });

  test('another set of addresses opens and closes only what differs; links live on', async () => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    a.network.configure([patient([b.address])]);
    b.network.configure([patient([])]);
    await until('linked', () => a.events.length === 1);
    const wildcard: Address = { ...tcp('0.0.0.0', b.address.port), text: `tcp4://0.0.0.0:${b.address.port}` };
    await b.network.listen([wildcard]);
    assert.deepEqual(b.network.listening(), [wildcard]);
    assert.deepEqual(a.events, ['up nodeB']);
    assert.equal(a.network.send('shared', 'nodeB', state(1)), true);
    await until('it arrives', () => b.received.length === 1);
  });

  test('[N7] a UNIX socket is open to its owner alone, and whoever can open it is heard', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-net-'));
    const file = path.join(folder, 'peer');
    const unix: Address = { scheme: 'unix', path: file, text: `unix://${file}` };
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    await b.network.listen([unix]);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    a.network.configure([patient([unix], { friends: [] })]);
    b.network.configure([patient([], { friends: [] })]);
    await until('linked', () => a.events.length === 1 && b.events.length === 1);
    rmSync(folder, { recursive: true });
  });

  test('[N6] IPv6, and IPv4 over an IPv6 socket', async (t) => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    const dual: Address = { scheme: 'tcp', host: '::', port: 0, text: 'tcp://[::]:0' };
    try {
      await b.network.listen([dual]);
    } catch {
      t.skip('this machine has no IPv6');
      return;
    }
    const { port } = b.network.listening()[0] as Extract<Address, { port: number }>;
    const loopback6: Address = { scheme: 'tcp6', host: '::1', port, text: `tcp6://[::1]:${port}` };
    b.network.configure([
      patient([], { friends: [{ ...loopback6, host: '0:0:0:0:0:0:0:1' }, tcp('127.0.0.1', 8458)] }),
    ]);
    a.network.configure([patient([loopback6])]);
    await until('linked over IPv6', () => a.events.length === 1);
    a.network.configure([patient([tcp('127.0.0.1', port)])]);
    await until('linked over IPv4', () => a.events.join() === 'up nodeB,down nodeB,up nodeB');
    assert.equal(b.network.links('shared')[0]?.address, 'tcp4://127.0.0.1');
  });
});

describe('names', () => {
  test('[N6] a name is resolved before it is needed, and asked for again where that failed', async () => {
    let answer: string[] = [];
    const lookup = async (host: string) => {
      if (answer.length === 0) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
      return host === 'bolek' ? answer : [];
    };
    const b = await startNode('nodeB', { host: '127.0.0.2' });
    const a = await startNode('nodeA', { lookup });
    a.network.configure([patient([{ ...tcp('bolek', b.address.port), text: 'tcp4://bolek' }])]);
    await until('it says so', () =>
      a.log.some(({ text }) => /bolek cannot be resolved \(ENOTFOUND\)/.test(text)),
    );
    assert.equal(a.network.links('shared')[0]?.reason, 'the host name is not resolved');
    answer = ['127.0.0.2'];
    b.network.configure([patient([])]);
    await until('linked', () => a.events.length === 1);
    assert.equal(a.network.links('shared')[0]?.address, 'tcp4://bolek');
    assert.equal(a.log.filter(({ text }) => /cannot be resolved/.test(text)).length, 1);
  });
});

describe('reload', () => {
  test('[N37] only the resource whose key changed is linked anew', async () => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    const other = { algorithm: 'sha512', secret: 'new' };
    const both = (remote: Address[], changes = {}) => [
      patient(remote, { name: 'mail' }),
      patient(remote, { name: 'web', ...changes }),
    ];
    a.network.configure(both([b.address]));
    b.network.configure(both([]));
    await until('linked', () => a.events.length === 2 && b.events.length === 2);
    a.network.configure(both([b.address], { key: other }));
    await until(
      'web is down',
      () => a.events.includes('web: down nodeB') && b.events.includes('web: down nodeA'),
    );
    assert.equal(a.network.send('web', 'nodeB', state(1)), false);
    await until('both sides say why', () =>
      [a, b].every((one) => one.log.some(({ text }) => /algorithm/.test(text))),
    );
    b.network.configure(both([], { key: other }));
    await until('web is up', () => a.events.filter((event) => event === 'web: up nodeB').length === 2);
    assert.deepEqual(
      a.events.filter((event) => event.startsWith('mail')),
      ['mail: up nodeB'],
    );
  });

  test('[N37] times and priorities touch no link; a node that is no voter any more loses its', async () => {
    const nodes = await Promise.all(['nodeA', 'nodeB', 'nodeC'].map((name) => startNode(name)));
    const [a, b, c] = nodes as [TestNode, TestNode, TestNode];
    a.network.configure([patient([b.address, c.address])]);
    for (const one of [b, c]) one.network.configure([patient([])]);
    await until('linked', () => a.events.length === 2);
    a.network.configure([
      patient([b.address, c.address], { heartbeatIntervalMs: 70, priority: 1, timeoutMs: 900 }),
    ]);
    a.network.configure([patient([b.address, c.address], { voters: ['nodeA', 'nodeB'] })]);
    await until('nodeC is out', () => a.events.includes('down nodeC'));
    assert.deepEqual(a.events.slice(2), ['down nodeC']);
    await until('nodeC hears why', () =>
      c.log.some(({ text }) => /refuses us|closed by the other/.test(text)),
    );
  });

  test('[N37] a resource that is gone is left, one that comes is joined', async () => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    a.network.configure([patient([b.address])]);
    b.network.configure([patient([])]);
    await until('linked', () => a.events.length === 1);
    a.network.configure([]);
    await until('gone', () => a.events.length === 2 && b.events.length === 2);
    assert.deepEqual(a.network.links('shared'), []);
    a.network.configure([patient([b.address])]);
    await until('back', () => a.events.length === 3 && b.events.length === 3);
    assert.deepEqual(b.events, ['up nodeA', 'down nodeA', 'up nodeA']);
  });
});

test('after close() nothing is called any more, and the port is free', async () => {
  const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
  a.network.configure([resource([b.address])]);
  b.network.configure([resource([a.address])]);
  await until('linked', () => a.events.length === 1 && b.events.length === 1);
  await a.close();
  const events = a.events.length;
  assert.equal(a.events.at(-1), 'down nodeB');
  const again = await startNode('nodeA');
  await again.network.listen([a.address]);
  again.network.configure([patient([b.address])]);
  await until('the next process is linked', () => again.events.length === 1);
  assert.equal(a.events.length, events);
});
