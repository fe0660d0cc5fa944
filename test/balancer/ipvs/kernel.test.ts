// The shell around ipvsadm with the real program, where this kernel has no IPVS or this process may not use it; test/vm/ipvs has the rest.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Kernel, openKernel } from '../../../daemon/balancer/ipvs/kernel.js';
import type { Change } from '../../../daemon/balancer/types.js';
import { isRoot, temporaryDirectory } from '../../sys/support.js';

const IPVSADM = '/usr/sbin/ipvsadm';
const hasIpvs = existsSync('/proc/net/ip_vs');
const unlessInstalled = existsSync(IPVSADM) ? false : 'ipvsadm is not installed';
const CHANGE: Change = { kind: 'delete-service', service: '-t 10.99.99.99:1' };

const open = (ipvsadm: string, limitMs?: number): Kernel =>
  openKernel({ ipvsadm, log: () => {}, ...(limitMs === undefined ? {} : { limitMs }) });

test('no ipvsadm: the message says how to get it; nothing rejects', async () => {
  const kernel = open('/nowhere/ipvsadm');
  const why =
    '/nowhere/ipvsadm is not there: install ipvsadm (apt-get install ipvsadm), or say where it is (IPVSADM=)';
  assert.deepEqual(await kernel.read(), { error: why });
  assert.deepEqual(await kernel.apply([CHANGE]), { ok: false, why, failed: [CHANGE.service] });
  assert.equal(await kernel.sync({ state: 'none' }), why);
});

test('a kernel without IPVS: missing, with what to do', {
  skip: unlessInstalled || (hasIpvs && 'this kernel has IPVS') || (!isRoot && 'needs root'),
}, async () => {
  const kernel = open(IPVSADM);
  const reading = await kernel.read();
  assert.ok('missing' in reading, JSON.stringify(reading));
  assert.match(reading.missing, /^this kernel has no IPVS: load it \("modprobe ip_vs"/);
  assert.equal(await kernel.peek(), null);
  const applied = await kernel.apply([CHANGE]);
  assert.ok(!applied.ok);
  assert.deepEqual(applied, { ok: false, why: reading.missing, failed: [CHANGE.service] });
  assert.equal(await kernel.sync({ state: 'master', interface: 'lo', id: 1 }), reading.missing);
});

test('not root: the message says so', {
  skip: unlessInstalled || (isRoot && 'root is refused nothing'),
}, async () => {
  const reading = await open(IPVSADM).read();
  assert.ok('error' in reading, JSON.stringify(reading));
  assert.match(reading.error, /^the kernel refuses: hastmond has to run as root/);
});

test('nothing to change starts no process', async () => {
  assert.deepEqual(await open('/nowhere/ipvsadm').apply([]), { ok: true });
});

test('one that does not end is killed, and said to be', async (t) => {
  const program = path.join(temporaryDirectory(t), 'ipvsadm');
  writeFileSync(program, '#!/bin/sh\necho "$$" >"$0.pid"\nexec sleep 600\n', { mode: 0o755 });
  assert.deepEqual(await open(program, 1000).read(), {
    error: 'ipvsadm did not end within 1 s and was killed',
  });
  assert.ok(!existsSync(`/proc/${readFileSync(`${program}.pid`, 'utf8').trim()}`));
});

test('what is asked after the end is an error, and starts nothing', async () => {
  const kernel = open(IPVSADM);
  await kernel.close();
  assert.deepEqual(await kernel.read(), { error: 'the balancer is ending' });
  const applied = await kernel.apply([CHANGE]);
  assert.deepEqual(applied, { ok: false, why: 'the balancer is ending', failed: [CHANGE.service] });
});
