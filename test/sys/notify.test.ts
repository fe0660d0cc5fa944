// sd_notify(3): what reaches the service manager's socket.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { socketAddress } from '../../daemon/sys/datagram.js';
import { openNotifier } from '../../daemon/sys/notify.js';
import { receiveAt } from './receiver.js';
import { temporaryDirectory } from './support.js';

for (const kind of ['path', 'abstract'] as const) {
  test(`every state reaches a socket with ${kind} address`, async (t) => {
    const directory = temporaryDirectory(t);
    const address = kind === 'path' ? path.join(directory, 'notify') : `@hastmon-test${directory}`;
    const receiver = receiveAt(address);
    t.after(receiver.close);
    const notifier = openNotifier({ NOTIFY_SOCKET: address });
    assert.ok(notifier.active);
    notifier.ready('all sockets are open');
    assert.equal(await receiver.receive(), 'READY=1\nSTATUS=all sockets are open');
    notifier.ready();
    assert.equal(await receiver.receive(), 'READY=1');
    notifier.status('mail: primary\nREADY=1');
    assert.equal(await receiver.receive(), 'STATUS=mail: primary READY=1');
    notifier.watchdog();
    assert.equal(await receiver.receive(), 'WATCHDOG=1');
    notifier.stopping('bye');
    assert.equal(await receiver.receive(), 'STOPPING=1\nSTATUS=bye');

    const before = process.hrtime.bigint() / 1000n;
    notifier.reloading();
    const [, microseconds] = /^RELOADING=1\nMONOTONIC_USEC=([0-9]+)$/.exec(await receiver.receive()) ?? [];
    assert.ok(
      before <= BigInt(microseconds ?? 0) && BigInt(microseconds ?? 0) <= process.hrtime.bigint() / 1000n,
    );
  });
}

test('a manager that is gone or deaf is not waited for', (t) => {
  const address = path.join(temporaryDirectory(t), 'notify');
  const receiver = receiveAt(address);
  const notifier = openNotifier({ NOTIFY_SOCKET: address });
  // Nobody reads: the receiver's queue is full long before this ends.
  for (let message = 0; message < 5000; message += 1) notifier.status(`message ${message}`);
  receiver.close();
  notifier.watchdog();
});

test('without a manager nothing is said, and nothing fails', () => {
  const notifier = openNotifier({ WATCHDOG_USEC: '1000000' });
  assert.equal(notifier.active, false);
  assert.equal(notifier.watchdogMs, null);
  assert.equal(notifier.problem, '');
  notifier.ready();
});

test('the variables are removed, so that children do not inherit them', () => {
  const env = {
    NOTIFY_SOCKET: '@nobody',
    WATCHDOG_USEC: '30000000',
    WATCHDOG_PID: String(process.pid),
    PATH: '/bin',
  };
  assert.equal(openNotifier(env).watchdogMs, 30_000);
  assert.deepEqual(env, { PATH: '/bin' });
});

test('a watchdog meant for another process, or none at all, is none', () => {
  const watchdogMs = (env: NodeJS.ProcessEnv) =>
    openNotifier({ NOTIFY_SOCKET: '@nobody', ...env }).watchdogMs;
  assert.equal(watchdogMs({ WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' }), null);
  assert.equal(watchdogMs({ WATCHDOG_USEC: '1000000' }), 1000);
  assert.equal(watchdogMs({ WATCHDOG_USEC: 'soon' }), null);
  assert.equal(watchdogMs({}), null);
});

test('an address of another kind is told as a problem', () => {
  const notifier = openNotifier({ NOTIFY_SOCKET: 'vsock:2:1234' });
  assert.equal(notifier.active, false);
  assert.equal(notifier.problem, 'NOTIFY_SOCKET: no address of a socket: vsock:2:1234');
  assert.match(openNotifier({ NOTIFY_SOCKET: `/${'x'.repeat(108)}` }).problem, /longer than 107 bytes/);
});

test('addresses are as unix(7) says', () => {
  assert.deepEqual(socketAddress('/run/x').subarray(2), Buffer.from('/run/x\0'));
  assert.deepEqual(socketAddress('@x').subarray(2), Buffer.from('\0x'));
  assert.equal(socketAddress(`@${'x'.repeat(107)}`).length, 110);
});
