/** The keeper of the watchdog device: when it is armed, fed, starved, disarmed, and left counting. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Demand } from '../../daemon/core/demand.js';
import { createDeviceKeeper, type DeviceKeeper } from '../../daemon/runtime/device.js';
import type { WatchdogInfo } from '../../daemon/sys/watchdog-device.js';

interface Bench {
  keeper: DeviceKeeper;
  demands: Demand[];
  /** What was done to the device, in order. */
  done: string[];
  logged: string[];
  /** Kinds of events. */
  recorded: string[];
}

interface Given {
  counting?: boolean | null;
  info?: Partial<WatchdogInfo>;
  /** As the kernel says it later, where that is another answer than when it was opened. */
  nowayout?: boolean;
  /** Why the device cannot be opened. */
  refuses?: string;
  /** What goes wrong when it is fed or closed. */
  failure?: string | null;
}

function bench(t: TestContext, given: Given = {}): Bench {
  const { counting = false, info = {}, failure = null } = given;
  const demands: Demand[] = [];
  const done: string[] = [];
  const logged: string[] = [];
  const recorded: string[] = [];
  const write = (_fields: object, text: string): void => void logged.push(text);
  const did = (what: string): string | null => {
    done.push(what);
    return failure;
  };
  const device = {
    info: { identity: 'Fake', timeoutMs: 5000, magicClose: true, nowayout: false, ...info },
    nowayout: () => given.nowayout ?? info.nowayout ?? false,
    feed: () => did('feed'),
    close: () => did('close'),
  };
  const keeper = createDeviceKeeper({
    config: { path: '/dev/watchdog', timeoutMs: 5000 },
    demands: () => demands,
    log: { trace: write, debug: write, info: write, warn: write, error: write },
    openDevice() {
      done.push('open');
      return given.refuses === undefined ? { device } : { device: null, reason: given.refuses };
    },
    isCounting: () => counting,
    record: ({ kind }) => void recorded.push(kind),
  });
  t.after(() => keeper.close());
  return { keeper, demands, done, logged, recorded };
}

function look({ keeper, demands, done }: Bench, ...now: Demand[]): string {
  demands.splice(0, demands.length, ...now);
  done.length = 0;
  keeper.look();
  return done.join(' ');
}

test('[G5] armed with the lease, fed while all is well, disarmed when nothing is left', (t) => {
  const b = bench(t);
  assert.equal(look(b, 'none'), '');
  assert.equal(look(b, 'feed'), 'open');
  assert.equal(look(b, 'feed', 'none'), 'feed');
  assert.equal(look(b, 'none', 'none'), 'close');
  assert.equal(look(b, 'none'), '');
  assert.equal(look(b, 'feed'), 'open');
  assert.deepEqual(b.recorded, ['device-armed', 'device-disarmed', 'device-armed']);
});

test('[G5] one resource without a good lease is enough not to feed', (t) => {
  const b = bench(t);
  look(b, 'feed', 'feed');
  assert.equal(look(b, 'feed', 'starve'), '');
  assert.match(b.logged.at(-1) ?? '', /not feeding .*without a lease/);
  const lines = b.logged.length;
  assert.equal(look(b, 'feed', 'starve'), '');
  assert.equal(b.logged.length, lines);
  assert.equal(look(b, 'feed', 'feed'), 'feed');
  look(b, 'starve');
  assert.equal(b.logged.length, lines + 1, 'said anew when it comes again');
  assert.deepEqual(b.recorded, ['device-armed', 'device-starved', 'device-starved']);
});

test('[G5] a device that an earlier daemon left counting is not opened while something may be running', (t) => {
  for (const counting of [true, null]) {
    const b = bench(t, { counting });
    assert.equal(look(b, 'starve'), '');
    assert.equal(look(b, 'starve', 'feed'), '');
    assert.equal(look(b, 'none'), 'open close');
    assert.equal(look(b, 'none'), '');
  }
});

test('[G5] a device that does not count is started for what an earlier daemon left running', (t) => {
  const b = bench(t);
  assert.equal(look(b, 'starve'), 'open');
  assert.equal(look(b, 'starve'), '');
});

test('[G5] closing the keeper disarms only where nothing may be running', (t) => {
  const quiet = bench(t);
  look(quiet, 'feed');
  quiet.demands.splice(0, 1, 'none');
  quiet.keeper.close();
  assert.deepEqual(quiet.done, ['open', 'close']);
  const stuck = bench(t);
  look(stuck, 'feed');
  stuck.demands.splice(0, 1, 'starve');
  stuck.keeper.close();
  assert.deepEqual(stuck.done, ['open']);
});

test('a device that cannot be opened, or waits too long, is a problem that the status shows, logged once', (t) => {
  const given: Given = { refuses: 'cannot open watchdog device /dev/watchdog: EBUSY' };
  const b = bench(t, given);
  look(b, 'feed');
  look(b, 'feed');
  assert.equal(b.keeper.problem(), 'cannot open watchdog device /dev/watchdog: EBUSY');
  assert.equal(b.logged.filter((line) => line.includes('EBUSY')).length, 1);
  assert.deepEqual(b.recorded, ['device-problem']);
  delete given.refuses;
  look(b, 'feed');
  assert.equal(b.keeper.problem(), '');
  const long = bench(t, { info: { timeoutMs: 60_000 } });
  look(long, 'feed');
  assert.match(long.keeper.problem(), /waits 60 s, longer than the watchdog_timeout of 5 s/);
});

test('nowayout is said when the device is armed', (t) => {
  const b = bench(t, { info: { nowayout: true } });
  look(b, 'feed');
  assert.match(b.logged.at(-1) ?? '', /cannot be disarmed \(nowayout\)/);
});

test('[L7] what cannot be disarmed is no reason against maintenance before it is armed, and is one from then on', (t) => {
  const given: Given = {};
  const b = bench(t, given);
  given.nowayout = true;
  assert.equal(b.keeper.cannotClose(), '');
  given.nowayout = false;
  look(b, 'feed');
  assert.equal(b.keeper.cannotClose(), '');
  // The way out is taken away while the device is open.
  given.nowayout = true;
  assert.match(
    b.keeper.cannotClose(),
    /^\/dev\/watchdog cannot be disarmed \(nowayout\): .* maintenance here$/,
  );
});

test('[G5] between the changes it is fed by its own timer', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const b = bench(t);
  look(b, 'feed');
  b.done.length = 0;
  t.mock.timers.tick(5000);
  assert.ok(b.done.length >= 2 && b.done.every((what) => what === 'feed'), b.done.join(' '));
});

test('a device that cannot be fed or stopped is an error in the log', (t) => {
  const b = bench(t, { failure: 'cannot write to /dev/watchdog: EIO' });
  look(b, 'feed');
  for (const demand of ['feed', 'feed', 'none'] as const) {
    b.logged.length = 0;
    look(b, demand);
    assert.deepEqual(b.logged, ['cannot write to /dev/watchdog: EIO']);
  }
  assert.deepEqual(b.recorded, ['device-armed', 'device-problem', 'device-problem']);
});
