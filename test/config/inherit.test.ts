/** Defaults and inheritance: global, on the node, resource, on the node in the resource. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Config, ResourceConfig } from '../../daemon/config/types.js';
import { configOf, resourceOf } from './support.js';

const resource = (text: string, hostname = 'a'): ResourceConfig => {
  const [first] = configOf(text, hostname).resources;
  if (first === undefined) throw new Error('no resource');
  return first;
};

test('the defaults', () => {
  const config = configOf(resourceOf(''));
  const expected: Config = {
    node: 'a',
    file: '/etc/hastmon.conf',
    control: { path: '/var/run/hastmonctl', mode: 0o600 },
    listen: [{ scheme: 'tcp4', host: '0.0.0.0', port: 8458, text: 'tcp4://0.0.0.0' }],
    stateDir: '/var/lib/hastmon',
    watchdogDevice: null,
    log: { level: 'info', facility: 'daemon' },
    resources: [
      {
        name: 'r',
        exec: '/etc/r',
        actions: null,
        attempts: 5,
        complaintCount: 3,
        priority: 100,
        roleOnStart: 'init',
        friends: [],
        remote: [{ scheme: 'tcp4', host: 'b', port: 8458, text: 'tcp4://b' }],
        key: null,
        fence: null,
        voters: ['a', 'b', 'c'],
        checks: [],
        requires: [],
        timeoutMs: 5000,
        heartbeatIntervalMs: 1000,
        complaintIntervalMs: 60_000,
        leaseTimeoutMs: 3000,
        startTimeoutMs: 30_000,
        stopTimeoutMs: 5000,
        statusTimeoutMs: 5000,
        statusIntervalMs: 1000,
        switchoverTimeoutMs: 60_000,
        fenceTimeoutMs: 0,
        driftPpm: 10_000,
        failbackMs: Number.POSITIVE_INFINITY,
      },
    ],
    monitor: null,
    balancer: null,
    http: null,
  };
  assert.deepEqual(config, expected);
});

describe('defaults that follow from others', () => {
  test('lease_timeout from complaint_count and heartbeat_interval, at least two heartbeats', () => {
    assert.equal(resource(resourceOf('heartbeat_interval 200ms complaint_count 5')).leaseTimeoutMs, 1000);
    assert.equal(resource(resourceOf('complaint_count 1')).leaseTimeoutMs, 2000);
    assert.equal(resource(resourceOf('complaint_count 0')).leaseTimeoutMs, 2000);
    assert.equal(resource(resourceOf('complaint_count 5 lease_timeout 3s')).leaseTimeoutMs, 3000);
  });

  test('status_interval from heartbeat_interval', () => {
    assert.equal(resource(resourceOf('heartbeat_interval 50ms')).statusIntervalMs, 50);
  });

  test('switchover_timeout leaves room for a long stop', () => {
    assert.equal(resource(resourceOf('stop_timeout 2m')).switchoverTimeoutMs, 240_000);
  });

  test('fence_timeout counts only with a fence program', () => {
    assert.equal(resource(resourceOf('fence /sbin/fence')).fenceTimeoutMs, 10_000);
    assert.equal(resource(resourceOf('fence /sbin/fence fence_timeout 1s')).fenceTimeoutMs, 1000);
    assert.equal(resource(resourceOf('fence none fence_timeout 1s')).fenceTimeoutMs, 0);
  });
});

describe('the innermost setting counts', () => {
  /** Every statement that may stand in all four sections, and how a value of it shows. */
  const statements: readonly [
    string,
    (n: number) => string,
    (resource: ResourceConfig) => unknown,
    (n: number) => unknown,
  ][] = [
    ['attempts', String, ({ attempts }) => attempts, (n) => n],
    [
      'heartbeat_interval',
      (n) => `${n}00ms`,
      ({ heartbeatIntervalMs }) => heartbeatIntervalMs,
      (n) => n * 100,
    ],
    ['complaint_count', String, ({ complaintCount }) => complaintCount, (n) => n],
    [
      'complaint_interval',
      (n) => `${n}m`,
      ({ complaintIntervalMs }) => complaintIntervalMs,
      (n) => n * 60_000,
    ],
    ['lease_timeout', (n) => `1${n}s`, ({ leaseTimeoutMs }) => leaseTimeoutMs, (n) => 10_000 + n * 1000],
    ['start_timeout', (n) => `${n}s`, ({ startTimeoutMs }) => startTimeoutMs, (n) => n * 1000],
    ['stop_timeout', (n) => `${n}s`, ({ stopTimeoutMs }) => stopTimeoutMs, (n) => n * 1000],
    ['status_timeout', (n) => `${n}s`, ({ statusTimeoutMs }) => statusTimeoutMs, (n) => n * 1000],
    ['status_interval', (n) => `${n}s`, ({ statusIntervalMs }) => statusIntervalMs, (n) => n * 1000],
    [
      'switchover_timeout',
      (n) => `${n}m`,
      ({ switchoverTimeoutMs }) => switchoverTimeoutMs,
      (n) => n * 60_000,
    ],
    ['drift', (n) => `${n}%`, ({ driftPpm }) => driftPpm, (n) => n * 10_000],
    ['fence', (n) => `/sbin/${n}`, ({ fence }) => fence, (n) => `/sbin/${n}`],
    [
      'role_on_start',
      (n) => ['', 'primary', 'secondary', 'watchdog', 'init'][n] ?? '',
      ({ roleOnStart }) => roleOnStart,
      (n) => ['', 'primary', 'secondary', 'watchdog', 'init'][n],
    ],
  ];
  for (const [name, write, read, value] of statements) {
    test(name, () => {
      const at = (levels: readonly number[]) => {
        const line = (n: number) => (levels.includes(n) ? `${name} ${write(n)}` : '');
        return read(
          resource(
            `exec /etc/r\n${line(1)}\non a { ${line(2)} }\non b { ${name} ${write(1)} }\n` +
              `resource r {\n${line(3)}\non a { remote b\n${line(4)} }\non b { remote a\n${name} ${write(1)} }\non c { remote a }\n}\n`,
          ),
        );
      };
      assert.deepEqual(at([1]), value(1));
      assert.deepEqual(at([1, 2]), value(2));
      assert.deepEqual(at([1, 2, 3]), value(3));
      assert.deepEqual(at([1, 2, 3, 4]), value(4));
      assert.deepEqual(at([2, 4]), value(4));
      assert.deepEqual(at([1, 3]), value(3));
    });
  }

  test('priority goes from the global on to the resource', () => {
    const text = (outer: string, inner: string) =>
      `on a { ${outer} }\nresource r { exec /etc/r on a { remote b ${inner} } on b { remote a } on c { remote a } }`;
    assert.equal(resource(text('', '')).priority, 100);
    assert.equal(resource(text('priority 7', '')).priority, 7);
    assert.equal(resource(text('priority 7', 'priority 0')).priority, 0);
  });

  test('exec and timeout, which a global on does not have', () => {
    const text =
      'exec /e1 timeout 1 resource r { exec /e2 timeout 2 on a { remote b exec /e3 timeout 3 } on b { remote a } on c { remote a } }';
    assert.deepEqual([resource(text).exec, resource(text).timeoutMs], ['/e3', 3000]);
    assert.deepEqual([resource(text, 'b').exec, resource(text, 'b').timeoutMs], ['/e2', 2000]);
  });

  test('a key is taken as a whole', () => {
    const outer = 'key { algorithm SHA512 secret outer-secret-outer }';
    assert.deepEqual(resource(`${outer}${resourceOf('')}`).key, {
      algorithm: 'sha512',
      secret: 'outer-secret-outer',
    });
    const inner = resourceOf('key { secret inner-secret-inner }');
    assert.deepEqual(resource(`${outer}${inner}`).key, { algorithm: 'sha256', secret: 'inner-secret-inner' });
  });

  test('an outer fence can be taken back', () => {
    assert.equal(resource(`fence /sbin/fence\n${resourceOf('fence none')}`).fence, null);
  });
});

describe('friends add up, as in the ancestor', () => {
  test('over all sections of this node, each once', () => {
    const text = `friends x y\non a { friends z }\non b { friends no }\n${resourceOf('friends y w').replace('remote b', 'remote b friends v x')}`;
    assert.deepEqual(
      resource(text).friends.map(({ text: normal }) => normal.replace('tcp4://', '')),
      ['x', 'y', 'z', 'w', 'v'],
    );
  });
});

describe('what a node has outside of resources', () => {
  test('its own section overrides the global one', () => {
    const text = `control /c1 control_mode 0660 control_owner u control_group g listen 10.0.0.1 state_dir /s1
      watchdog_device /dev/w1 watchdog_timeout 20s log { file /l1 level warn facility local1 }
      on a { control /c2 listen 10.0.0.2 10.0.0.3:1 state_dir /s2 watchdog_timeout 15s log { level debug } control_group h }
      on b { watchdog_device none log /l3 }\n${resourceOf('')}`;
    const a = configOf(text);
    assert.deepEqual(a.control, { path: '/c2', mode: 0o660, owner: 'u', group: 'h' });
    assert.deepEqual(
      a.listen.map((address) => address.text),
      ['tcp4://10.0.0.2', 'tcp4://10.0.0.3:1'],
    );
    assert.equal(a.stateDir, '/s2');
    assert.deepEqual(a.watchdogDevice, { path: '/dev/w1', timeoutMs: 15_000 });
    assert.deepEqual(a.log, { file: '/l1', level: 'debug', facility: 'local1' });
    const b = configOf(text, 'b');
    assert.equal(b.watchdogDevice, null);
    assert.deepEqual(b.log, { file: '/l3', level: 'warn', facility: 'local1' });
    assert.equal(b.control.path, '/c1');
  });

  test('the default timeout of a device', () => {
    assert.deepEqual(configOf(`watchdog_device /dev/w ${resourceOf('')}`).watchdogDevice, {
      path: '/dev/w',
      timeoutMs: 10_000,
    });
  });
});

test('a resource without a section for this node is not its business', () => {
  const text = `${resourceOf('')}resource s { exec /etc/s on b { remote c } on c { remote b } on d { remote b } }`;
  assert.deepEqual(
    configOf(text).resources.map(({ name }) => name),
    ['r'],
  );
  assert.deepEqual(
    configOf(text, 'b').resources.map(({ name }) => name),
    ['r', 's'],
  );
  assert.deepEqual(
    configOf(text, 'd').resources.map(({ name }) => name),
    ['s'],
  );
});
