// The watchdog device, with a file in its place and a driver that is a function: what is written, and what failures do.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  deviceTimeoutSeconds,
  feedIntervalMs,
  type Ioctl,
  isWatchdogCounting,
  openWatchdogDevice,
  watchdogRequest,
} from '../../daemon/sys/watchdog-device.js';
import { temporaryDirectory } from './support.js';

const WDIOF_SETTIMEOUT = 0x80;
const WDIOF_MAGICCLOSE = 0x100;

function fakeDevice(t: TestContext): string {
  const device = path.join(temporaryDirectory(t), 'watchdog');
  writeFileSync(device, '');
  return device;
}

/** A driver that takes at most `secondsMax`, and records what it is asked. */
function driver(options: number, secondsMax = 60): { ioctl: Ioctl; requests: number[] } {
  let seconds = 60;
  const requests: number[] = [];
  const ioctl: Ioctl = (_fd, request, argument) => {
    requests.push(request);
    const words = new Int32Array(argument.buffer);
    if (request === watchdogRequest.getSupport) {
      words[0] = options;
      argument.set(Buffer.from('Fake Watchdog\0rubbish'), 8);
    } else if (request === watchdogRequest.setTimeout) {
      const wanted = words[0] ?? 0;
      if (wanted > 10 * secondsMax) throw new Error('ioctl: invalid argument (EINVAL)');
      seconds = Math.min(wanted, secondsMax);
    } else {
      words[0] = seconds;
    }
  };
  return { ioctl, requests };
}

test('the timeout is set in whole seconds and read back as the driver has it', (t) => {
  const { ioctl } = driver(WDIOF_SETTIMEOUT | WDIOF_MAGICCLOSE, 8);
  const open = (timeoutMs: number) => openWatchdogDevice(fakeDevice(t), timeoutMs, ioctl);
  const { device } = open(4001);
  assert.deepEqual(device?.info, {
    identity: 'Fake Watchdog',
    timeoutMs: 5000,
    magicClose: true,
    nowayout: null,
  });
  assert.equal(open(10_000).device?.info.timeoutMs, 8000);
});

test('a driver with a fixed timeout is not asked for another', (t) => {
  const { ioctl, requests } = driver(0);
  const { device } = openWatchdogDevice(fakeDevice(t), 5000, ioctl);
  assert.deepEqual(device?.info, {
    identity: 'Fake Watchdog',
    timeoutMs: 60_000,
    magicClose: false,
    nowayout: null,
  });
  assert.ok(!requests.includes(watchdogRequest.setTimeout));
});

test('feeding never writes the letter that disarms; closing does', (t) => {
  const file = fakeDevice(t);
  const { device } = openWatchdogDevice(file, 5000, driver(WDIOF_SETTIMEOUT).ioctl);
  assert.equal(device?.feed(), null);
  assert.equal(device?.feed(), null);
  assert.equal(readFileSync(file, 'utf8'), '\0\0');
  assert.equal(device?.close(), null);
  assert.equal(readFileSync(file, 'utf8'), '\0\0V');
  assert.match(device?.feed() ?? '', /^cannot feed watchdog device .*EBADF/);
});

test('a failure after opening disarms the device again', (t) => {
  const file = fakeDevice(t);
  const { device, reason } = openWatchdogDevice(file, 7_000_000, driver(WDIOF_SETTIMEOUT).ioctl);
  assert.equal(device, null);
  assert.equal(
    reason,
    `${file}: its driver Fake Watchdog refuses a timeout of 7000 s (WDIOC_SETTIMEOUT): ioctl: invalid argument (EINVAL)`,
  );
  assert.equal(readFileSync(file, 'utf8'), 'V');
});

test('a plain file is no watchdog device, and says so', (t) => {
  const file = fakeDevice(t);
  const { device, reason } = openWatchdogDevice(file, 5000);
  assert.equal(device, null);
  assert.match(reason ?? '', /this is no watchdog device \(WDIOC_GETSUPPORT\): ioctl: .*\(ENOTTY\)$/);
});

test('a device that is missing is not made', (t) => {
  const file = path.join(temporaryDirectory(t), 'watchdog');
  assert.match(openWatchdogDevice(file, 5000).reason ?? '', /^cannot open watchdog device .*ENOENT/);
  assert.equal(existsSync(file), false);
});

test('whether it counts is read from the kernel, without touching the device', (t) => {
  const sysfs = temporaryDirectory(t);
  const state = path.join(sysfs, 'watchdog0', 'state');
  mkdirSync(path.dirname(state));
  writeFileSync(state, 'active\n');
  assert.equal(isWatchdogCounting('/dev/watchdog', sysfs), true);
  assert.equal(isWatchdogCounting('/dev/watchdog0', sysfs), true);
  assert.equal(isWatchdogCounting('/dev/watchdog1', sysfs), null);
  writeFileSync(state, 'inactive\n');
  assert.equal(isWatchdogCounting('/dev/watchdog', sysfs), false);
});

test('whether there is a way out is read anew: it may be taken away while the device is open', (t) => {
  const sysfs = temporaryDirectory(t);
  const attribute = path.join(sysfs, 'watchdog0', 'nowayout');
  mkdirSync(path.dirname(attribute));
  writeFileSync(attribute, '0\n');
  const { device } = openWatchdogDevice(fakeDevice(t), 5000, driver(WDIOF_SETTIMEOUT).ioctl, sysfs);
  assert.deepEqual([device?.info.nowayout, device?.nowayout()], [false, false]);
  writeFileSync(attribute, '1\n');
  assert.equal(device?.nowayout(), true);
});

test("request numbers are those of the kernel's macros", () => {
  // <asm-generic/ioctl.h>: direction (read 2, write 1) << 30 | size << 16 | type << 8 | number.
  const request = (direction: number, size: number, number: number) =>
    ((direction << 30) | (size << 16) | ('W'.charCodeAt(0) << 8) | number) >>> 0;
  assert.equal(watchdogRequest.getSupport, request(2, 40, 0));
  assert.equal(watchdogRequest.setTimeout, request(3, 4, 6));
  assert.equal(watchdogRequest.getTimeout, request(2, 4, 7));
});

test('the arithmetic', () => {
  assert.deepEqual([1, 999, 1000, 1001, 10_000].map(deviceTimeoutSeconds), [1, 1, 1, 2, 10]);
  assert.deepEqual([1000, 2000, 4000, 60_000].map(feedIntervalMs), [250, 500, 1000, 1000]);
});
