// The clock of the leases: that it is CLOCK_BOOTTIME, that it is cheap, and what it is where koffi cannot be loaded.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bootId, bootTime, clockSource, fallbackSource, monotonicMs } from '../../daemon/sys/clock.js';
import { run, withoutKoffi } from './support.js';

function uptimeMs(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
}

interface Reading {
  source: { name: string; loss: string };
  backwards: number;
  now: number;
}

test("bootTime is the kernel's uptime, finer", () => {
  const before = uptimeMs();
  const now = bootTime();
  const after = uptimeMs();
  assert.ok(now >= before && now < after + 10, `${before} ${now} ${after}`);
  assert.deepEqual(clockSource(), { name: 'CLOCK_BOOTTIME', loss: '' });
});

test('bootTime goes on with fractions of a millisecond, never back', () => {
  const readings = Array.from({ length: 10_000 }, bootTime);
  assert.deepEqual(
    readings,
    readings.toSorted((a, b) => a - b),
  );
  assert.ok(new Set(readings).size > 5_000);
});

test('bootTime is cheap enough for every event', () => {
  bootTime();
  const before = process.cpuUsage();
  for (let reading = 0; reading < 100_000; reading += 1) bootTime();
  const { user, system } = process.cpuUsage(before);
  // Measured: 0.15 to 0.3 µs a reading. The limit is wide, for slower machines.
  assert.ok((user + system) / 100_000 < 5, `${user + system} µs`);
});

test('monotonicMs goes at the pace of bootTime', () => {
  // What one clock measures inside of what the other measures is the shorter time, however often this process is interrupted.
  for (const [outer, inner] of [
    [bootTime, monotonicMs],
    [monotonicMs, bootTime],
  ] as const) {
    const outerBegan = outer();
    const innerBegan = inner();
    while (inner() - innerBegan < 10);
    const innerMs = inner() - innerBegan;
    const outerMs = outer() - outerBegan;
    assert.ok(innerMs <= outerMs + 0.01, `${innerMs} ms within ${outerMs} ms`);
  }
});

test('processes of one boot agree on the time', async (t) => {
  const before = bootTime();
  const { now, backwards } = (await run(t, 'clock', [])) as Reading;
  assert.ok(before < now && now < bootTime());
  assert.equal(backwards, 0);
});

test('without koffi the clock says what is lost, and is at most 10 ms behind', async (t) => {
  const before = bootTime();
  const { source, backwards, now } = (await run(t, 'clock', [], { nodeArgs: withoutKoffi })) as Reading;
  assert.ok(before - 10 < now && now < bootTime());
  assert.equal(backwards, 0);
  assert.equal(source.name, 'CLOCK_MONOTONIC and /proc/uptime');
  assert.match(source.loss, /10 ms/);
});

test('without koffi a suspend is noticed at once', () => {
  let [uptime, monotonic] = [5000, 1003];
  const { read } = fallbackSource(
    () => uptime,
    () => monotonic,
  );
  assert.equal(read(), 5000);
  // Uptime is coarse: the monotonic clock fills in, and no reading goes back when uptime lags.
  monotonic += 7;
  assert.equal(read(), 5007);
  // An hour asleep: only uptime has seen it.
  uptime += 3_600_000;
  monotonic += 1;
  assert.equal(read(), 3_605_000);
  monotonic += 2;
  assert.equal(read(), 3_605_002);
});

test('without koffi the clock is not ahead where the process stood still while it was read', () => {
  let time = 1000;
  let standsMs = 500;
  // Whichever is asked first, time passes before the other is.
  const slow = (ahead: number) => (): number => {
    const now = time + ahead;
    time += standsMs;
    return now;
  };
  const { read } = fallbackSource(slow(4000), slow(0));
  read();
  standsMs = 0;
  const now = read();
  assert.ok(now <= time + 4000, `${now} at ${time + 4000}`);
});

test("bootId is the kernel's", () => {
  assert.equal(bootId(), readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  assert.match(bootId(), /^[0-9a-f-]{36}$/);
});
