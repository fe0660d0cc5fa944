/** Connections that cross, replace each other, fall silent, are cut or are not read. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  cleanUp,
  patient,
  resource,
  startNode,
  startProxy,
  state,
  type TestNode,
  tcp,
  undisturbed,
  until,
} from './cluster.js';

afterEach(cleanUp);

/** How connections of a node ended, by its log. */
function ended(node: TestNode): string[] {
  return node.log.filter(({ text }) => text.startsWith('ended')).map(({ text }) => text);
}

/** The numbers of the states that a node has got, in order. */
function sorted(node: TestNode): number[] {
  const numbers = node.received.map(({ message }) => (message.kind === 'state' ? message.sequence : 0));
  return numbers.sort((one, other) => one - other);
}

describe('crossing connections', () => {
  test('[N31] [N38] of two that cross one stays, opened by the earlier voter; nothing is lost (20 rounds)', async () => {
    for (let round = 0; round < 20; round += 1) {
      const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
      const [toA, toB] = [await startProxy(a.address), await startProxy(b.address)];
      const open = () => toA.open() + toB.open();
      const configure = [
        () => a.network.configure([patient([toB.address])]),
        () => b.network.configure([patient([toA.address])]),
      ];
      if (round % 2 === 1) configure.reverse();
      configure[0]?.();
      for (let turn = 0; turn < round % 7; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      configure[1]?.();
      const sent = [0, 0];
      const refusals: string[] = [];
      const flood = setInterval(() => {
        for (const [index, node, other] of [[0, a, 'nodeB'] as const, [1, b, 'nodeA'] as const]) {
          if (node.events.length === 0) continue;
          if (node.network.send('shared', other, state((sent[index] ?? 0) + 1)))
            sent[index] = (sent[index] ?? 0) + 1;
          else refusals.push(node.name);
        }
      }, 1);
      // Each side dials at least once, to learn who is there.
      await until(
        'settled',
        () => [a, b].every((node) => node.network.links('shared')[0]?.node) && open() === 1,
      );
      await until('some messages', () => sent.every((count) => count >= 10));
      clearInterval(flood);
      assert.deepEqual(refusals, [], 'a link that is up takes messages');
      await until(
        'all arrived',
        () => b.received.length >= (sent[0] ?? 0) && a.received.length >= (sent[1] ?? 0),
      );
      const complete = (count = 0) => Array.from({ length: count }, (_, index) => index + 1);
      assert.deepEqual([sorted(a), sorted(b)], [complete(sent[1]), complete(sent[0])]);
      assert.deepEqual([toA.open(), toB.open()], [0, 1], 'the one that nodeA opened');
      assert.deepEqual([a.events, b.events], [['up nodeB'], ['up nodeA']]);
      await cleanUp();
    }
  });

  test(
    '[N35] an address is left in peace while its node is linked by the connection that it opened',
    undisturbed(async () => {
      const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
      const [toA, toB] = [await startProxy(a.address), await startProxy(b.address)];
      a.network.configure([resource([toB.address])]);
      b.network.configure([resource([toA.address])]);
      a.beat(20);
      b.beat(20);
      const answered = () => [a, b].every((node) => node.network.links('shared')[0]?.node);
      await until('settled', () => answered() && toA.open() + toB.open() === 1);
      const tries = () => [toA.accepted.length, toB.accepted.length].join();
      const before = tries();
      const heard = b.received.length;
      await until('some heartbeats', () => b.received.length >= heard + 20);
      assert.equal(tries(), before);
      toB.cut();
      await until('linked again', () => a.events.at(-1) === 'up nodeB' && a.events.length > 1);
    }),
  );

  test('[N31] of two addresses of the same node, one connection stays', async () => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    const [one, other] = [await startProxy(b.address), await startProxy(b.address)];
    b.network.configure([patient([])]);
    a.network.configure([patient([one.address, other.address])]);
    await until('both answered', () => a.network.links('shared').every(({ node }) => node === 'nodeB'));
    await until('one is left', () => one.open() + other.open() === 1);
    assert.deepEqual([a.events, b.events], [['up nodeB'], ['up nodeA']]);
    assert.ok(a.network.links('shared').every(({ connected }) => connected));
    await until('it is told', () => /another connection to the same node stays/.test(ended(a).join()));
  });
});

describe('another process of a node', () => {
  test('[N32] replaces the earlier one without a moment down; that one does not come back', async () => {
    const b = await startNode('nodeB');
    b.network.configure([patient([])]);
    const first = await startNode('nodeA', { incarnation: 11 });
    const proxy = await startProxy(b.address);
    first.network.configure([patient([proxy.address])]);
    await until('linked', () => first.events.length === 1);
    proxy.mode = 'silent';
    const second = await startNode('nodeA', { incarnation: 12 });
    second.network.configure([patient([b.address])]);
    await until('the second is linked', () => second.events.length === 1);
    await until('the first is out', () => first.events.includes('down nodeB'));
    assert.deepEqual(b.events, ['up nodeA']);
    proxy.mode = 'pass';
    await until('the first is refused', () =>
      first.log.some(({ text }) => /a later process with our name/.test(text)),
    );
    second.network.send('shared', 'nodeB', state(7));
    await until('the second is heard', () => b.received.length === 1);
    assert.deepEqual(b.events, ['up nodeA']);
    await second.close();
    await until(
      'with the second gone the first may come',
      () => b.events.join() === 'up nodeA,down nodeA,up nodeA',
    );
  });

  test(
    '[N31] a new connection of the same process replaces one that is dead on its side',
    undisturbed(async () => {
      const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
      const proxy = await startProxy(a.address);
      // nodeB notices the silence at once, nodeA never.
      a.network.configure([patient([])]);
      b.network.configure([resource([proxy.address])]);
      a.beat(20);
      await until('linked', () => a.events.length === 1 && b.events.length === 1);
      proxy.mode = 'deaf';
      await until('nodeB gave it up', () => b.events.includes('down nodeA'));
      proxy.mode = 'pass';
      await until('linked again', () => b.events.filter((event) => event === 'up nodeA').length === 2);
      b.received.length = 0;
      await until('nodeA speaks on the new one', () => b.received.length > 3);
    }),
  );
});

test(
  '[N31] the connection that should stay does not, where it is dead on the other side',
  undisturbed(async () => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    const proxy = await startProxy(b.address);
    // nodeA opened it, is the earlier voter, and would never notice.
    a.network.configure([patient([proxy.address])]);
    b.network.configure([resource([])]);
    a.beat(20);
    await until('linked', () => a.events.length === 1 && b.received.length > 3);
    proxy.mode = 'frozen';
    await until('nodeB gave it up', () => b.events.includes('down nodeA'));
    b.network.configure([resource([a.address])]);
    await until('linked anew', () => b.events.at(-1) === 'up nodeA');
    b.received.length = 0;
    await until('nodeA speaks on the new one', () => b.received.length > 20);
    assert.deepEqual([a.events, b.events], [['up nodeB'], ['up nodeA', 'down nodeA', 'up nodeA']]);
  }),
);

describe('silence', () => {
  for (const mode of ['silent', 'deaf', 'stuck'] as const) {
    test(
      `[N33] a half-open connection (${mode}) is noticed by both within the lease, and made anew`,
      undisturbed(async () => {
        const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
        const proxy = await startProxy(b.address);
        a.network.configure([resource([proxy.address])]);
        b.network.configure([resource([])]);
        a.beat(20);
        b.beat(20);
        await until('heartbeats', () => a.received.length > 10 && b.received.length > 10);
        assert.deepEqual([a.events, b.events], [['up nodeB'], ['up nodeA']]);
        const at = performance.now();
        proxy.mode = mode;
        await until('nodeA noticed', () => a.events.includes('down nodeB'));
        const noticedMs = performance.now() - at;
        assert.ok(noticedMs > 400 && noticedMs < 3000, `after ${noticedMs} ms`);
        await until('nodeB noticed', () => b.events.includes('down nodeA'));
        // Whoever is first ends the connection for both.
        assert.match(`${a.reasons[1]} ${b.reasons[1]}`, /nothing heard for 500 ms/);
        proxy.mode = 'pass';
        await until('back', () => a.events.length === 3 && b.events.length === 3);
      }),
    );
  }

  test(
    '[N33] a process that is stopped is noticed, and taken back when it goes on',
    undisturbed(async () => {
      const a = await startNode('nodeA');
      const child = spawn(process.execPath, [fileURLToPath(new URL('./peer-process.js', import.meta.url))], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      try {
        const port = await firstNumber(child);
        a.network.configure([resource([tcp('127.0.0.1', port)])]);
        a.beat(20);
        await until('heartbeats', () => a.received.length > 5);
        child.kill('SIGSTOP');
        const at = performance.now();
        await until('noticed', () => a.events.at(-1) === 'down nodeB');
        assert.ok(performance.now() - at < 3000, `${performance.now() - at} ms`);
        a.received.length = 0;
        child.kill('SIGCONT');
        await until('back', () => a.events.at(-1) === 'up nodeB' && a.received.length > 5);
      } finally {
        child.kill('SIGKILL');
      }
    }),
  );

  test(
    '[N33] heartbeats keep a connection for longer than the lease',
    undisturbed(async () => {
      const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
      a.network.configure([resource([b.address])]);
      b.network.configure([resource([a.address])]);
      a.beat(50);
      b.beat(50);
      await until('30 heartbeats', () => a.received.length >= 30 && b.received.length >= 30);
      assert.deepEqual([a.events, b.events], [['up nodeB'], ['up nodeA']]);
    }),
  );
});

describe('broken connections', () => {
  test('[N38] a cut connection is down at once and up again a heartbeat later', async () => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    const proxy = await startProxy(b.address);
    a.network.configure([patient([proxy.address])]);
    b.network.configure([patient([])]);
    await until('linked', () => a.events.length === 1 && b.events.length === 1);
    const at = performance.now();
    proxy.cut();
    await until('up again', () => a.events.join() === 'up nodeB,down nodeB,up nodeB');
    assert.ok(performance.now() - at < 2000);
    assert.deepEqual(b.events, ['up nodeA', 'down nodeA', 'up nodeA']);
  });

  test('[N36] a peer that does not read costs 256 KiB and its connection', async () => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    const proxy = await startProxy(b.address);
    const voters = Array.from({ length: 60 }, (_, index) => `${'n'.repeat(150)}${index}`);
    a.network.configure([patient([proxy.address])]);
    b.network.configure([patient([])]);
    await until('linked', () => a.events.length === 1 && b.events.length === 1);
    proxy.mode = 'stuck';
    const message = {
      ...state(1),
      memory: { history: true, epochMax: 0, sets: [voters], longestGrantMs: 0, grant: null },
    };
    let sent = 0;
    while (sent < 5000 && a.network.send('shared', 'nodeB', message)) sent += 1;
    assert.ok(sent < 5000, 'it went on for ever');
    await until('down', () => a.events.includes('down nodeB'));
    assert.match(a.reasons[1] ?? '', /does not read/);
  });

  test('[N28] a byte changed on the way ends the connection, and no message comes of it', async () => {
    const [a, b] = [await startNode('nodeA'), await startNode('nodeB')];
    const proxy = await startProxy(b.address);
    a.network.configure([patient([proxy.address])]);
    b.network.configure([patient([])]);
    await until('linked', () => a.events.length === 1 && b.events.length === 1);
    proxy.flipBits = true;
    a.network.send('shared', 'nodeB', state(1));
    await until('down', () => b.events.includes('down nodeA'));
    assert.match(b.reasons[1] ?? '', /seal does not fit/);
    assert.equal(b.received.length, 0);
  });
});

function firstNumber(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
    child.once('exit', (code) => reject(new Error(`the process ended with ${code}`)));
  });
}
