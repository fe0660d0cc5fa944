/** What a real hastmond tells its service manager: ready, how it is, alive, reloading, stopping. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { receiveAt } from '../sys/receiver.js';
import { hastmond } from './paths.js';
import { loneNode } from './support.js';

test('the service manager hears of every turn of its life', async (t) => {
  const lone = await loneNode(t);
  const receiver = receiveAt(lone.file('notify'));
  t.after(receiver.close);
  const env = { ...process.env, NO_COLOR: '1', NOTIFY_SOCKET: lone.file('notify'), WATCHDOG_USEC: '400000' };
  const args = [hastmond, '-F', '-c', lone.config, '-n', 'lone', '-P', lone.file('pid')];
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
  t.after(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');

  /** The first datagram that is not one of those that come all the time. */
  const next = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const told = await receiver.receive();
      if (pattern.test(told)) return told;
      assert.match(told, /^(WATCHDOG=1|STATUS=shared: .*)$/);
    }
  };
  assert.equal(await next(/READY/), 'READY=1\nSTATUS=shared: init, nobody holds the lease');
  assert.equal(await next(/WATCHDOG/), 'WATCHDOG=1');
  child.kill('SIGHUP');
  assert.match(await next(/RELOADING/), /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
  assert.match(await next(/READY/), /^READY=1\nSTATUS=shared: init/);
  child.kill('SIGTERM');
  assert.match(await next(/STOPPING/), /^STOPPING=1/);
  assert.deepEqual(await ended, [0, null]);
});
