/** Who has weight: disabling and reasons, fresh passes, ramps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairViews, serviceViews } from '../../../daemon/balancer/core/balancer.js';
import { rampWeight } from '../../../daemon/balancer/core/weights.js';
import type { TStatus } from '../../../daemon/balancer/types.js';
import { file, Given, host, nameOf, service, urlCheck, WWW } from './given.js';

const ALL = { '1': 100, '2': 200, '3': 300 };
const up = (): Given => new Given().pass(1, 2, 3);

function statusOf(given: Given, at: number): TStatus | undefined {
  const filter = { hosts: [`s${at}`], services: null, unknownMs: null };
  return pairViews(given.state, given.now, filter, () => undefined)[0]?.status;
}

test('weights while they come back are those of docs/balancer.md', () => {
  const table: [curve: 'weightman' | 'linear' | 'slowstart', leftMs: number, weight: number][] = [
    ['weightman', 10_000, 10],
    ['weightman', 9_999, 10],
    ['weightman', 9_000, 10],
    ['weightman', 4_001, 17],
    ['weightman', 1, 50],
    ['weightman', 0, 100],
    ['linear', 10_000, 1],
    ['linear', 5_000, 50],
    ['linear', 4_999, 50],
    ['linear', 1_000, 90],
    ['slowstart', 10_000, 1],
    ['slowstart', 5_000, 25],
    ['slowstart', 1_000, 81],
    ['slowstart', -5, 100],
  ];
  for (const [curve, leftMs, weight] of table)
    assert.equal(rampWeight(curve, 100, 10_000, leftMs), weight, `${curve}, ${leftMs} ms left`);
  assert.equal(rampWeight('weightman', 0, 10_000, 5000), 0);
  assert.equal(rampWeight('linear', 3, 1500, 1400), 1);
});

test('[B1] a server that is off, as a whole or in a service, has weight 0', () => {
  const given = up().off(1);
  assert.deepEqual(given.weights(), { ...ALL, '1': 0 });
  given.off(2, ['www'], ['deploy']).pass(1, 2, 3);
  assert.deepEqual(given.weights(), { ...ALL, '1': 0, '2': 0 });
});

test('[B1] services without a check as well', () => {
  const given = new Given({ config: file([service('www', { check: null })], [host('s1', { www: 7 })]) });
  assert.deepEqual(given.weights(), { '1': 7 });
  assert.deepEqual(given.off(1).weights(), { '1': 0 });
  assert.deepEqual(given.on(1).weights(), { '1': 7 });
});

test('[B2] one that is enabled waits for a pass that began afterwards', () => {
  const given = up().off(1);
  given.on(1);
  assert.deepEqual(given.awaited(), [nameOf('10.0.0.1')]);
  assert.equal(statusOf(given, 1), '1-AWAITPASS');
  const late = { name: nameOf('10.0.0.1'), state: 'up' as const, pass: true, nature: 'ok' };
  given.step({ kind: 'results', results: [{ ...late, begunAt: given.now }] });
  assert.deepEqual(given.weights(), { ...ALL, '1': 0 });
  given.now += 1;
  given.step({ kind: 'results', results: [{ ...late, begunAt: given.now }] });
  assert.deepEqual(given.weights(), ALL);
  assert.deepEqual(given.awaited(), []);
  assert.equal(statusOf(given, 1), '0-ENABLED');
});

test('[B2] a result that is not a pass ends the hurry, and not the waiting', () => {
  const given = up().off(1).on(1);
  given.now += 2;
  const result = { name: nameOf('10.0.0.1'), state: 'up' as const, nature: 'x', begunAt: given.now - 1 };
  given.step({ kind: 'results', results: [{ ...result, pass: false }] });
  assert.deepEqual(given.awaited(), []);
  assert.equal(given.weights()?.['1'], 0);
  assert.equal(given.pass(1).weights()?.['1'], 100);
});

test('[B2] one that was seen down needs a pass that began after that', () => {
  const given = up().fail(1);
  const result = {
    name: nameOf('10.0.0.1'),
    state: 'up' as const,
    pass: true,
    nature: 'ok',
    begunAt: given.now,
  };
  given.now += 5;
  assert.equal(given.step({ kind: 'results', results: [result] }).weights()?.['1'], 0);
  assert.equal(given.pass(1).weights()?.['1'], 100);
});

test('[B2] where its check is up by a pass that is too old to count, another one is asked for', () => {
  const given = up().fail(1);
  const late = { name: nameOf('10.0.0.1'), state: 'up' as const, nature: 'ok', begunAt: given.now };
  assert.deepEqual(given.awaited(), []);
  given.step({ kind: 'results', results: [{ ...late, pass: true }] });
  assert.deepEqual(given.awaited(), [late.name]);
  assert.equal(given.state.checks.get(late.name)?.nature, 'refused');
  given.reload(WWW);
  assert.deepEqual(given.awaited(), [late.name]);
  given.pass(1);
  assert.deepEqual(given.awaited(), []);
  assert.equal(given.weights()?.['1'], 100);
});

test('[B2] so does one that comes into a service whose check is up already, and one whose address changes', () => {
  const given = new Given({
    config: file([service('www'), service('api')], [host('s1', { www: 1 }), host('s2', { www: 1, api: 1 })]),
  });
  given.pass(1, 2);
  given.reload(
    file([service('www'), service('api')], [host('s1', { www: 1, api: 1 }), host('s2', { www: 1, api: 1 })]),
  );
  assert.deepEqual(given.weights('-t 1.2.3.5:80'), { '1': 0, '2': 1 });
  assert.deepEqual(given.pass(1).weights('-t 1.2.3.5:80'), { '1': 1, '2': 1 });
  const moved = new Map([['s1.example', '10.0.0.4']]);
  given.reload(file([service('www')], [host('s1', { www: 1 }), host('s2', { www: 1 })]), moved);
  assert.deepEqual(given.weights(), { '4': 0, '2': 1 });
  assert.deepEqual(given.pass(4).weights(), { '4': 1, '2': 1 });
});

test('[B2] another check of the same server leaves its weight until it has a result', () => {
  const given = up();
  given.reload({ ...WWW, services: [service('www', { check: urlCheck('/new') })] });
  assert.deepEqual(given.weights(), ALL);
  given.now += 2;
  const name = nameOf('10.0.0.1', 80, '/new');
  given.step({
    kind: 'results',
    results: [{ name, state: 'down', pass: false, nature: 'x', begunAt: given.now }],
  });
  assert.deepEqual(given.weights(), { ...ALL, '1': 0 });
});

test('[B3] a reason that other nodes would not believe is refused', () => {
  const given = up();
  for (const reason of ['a\u0001b', '\ufffd', '\ud83d', 'x'.repeat(201), ''.padEnd(3, '\n')]) {
    given.off(1, ['www'], ['fine', reason]);
    assert.match(given.told('answer').at(-1)?.error ?? '', /^# a reason has at most 200 characters/);
  }
  assert.deepEqual(given.weights(), ALL);
  given.off(1, ['www'], ['x'.repeat(200), 'größer 😀']);
  assert.equal(given.weights()?.['1'], 0);
});

test('[B3] all reasons, and the whole host, have to be taken back', () => {
  const given = up().off(1, ['www'], ['deploy', 'disk']).off(1);
  given.on(1, ['www'], ['deploy']).pass(1);
  assert.equal(given.weights()?.['1'], 0);
  given.on(1).pass(1);
  assert.equal(given.weights()?.['1'], 0, 'the reason disk is left');
  given.on(1, ['www'], ['disk']).pass(1);
  assert.equal(given.weights()?.['1'], 100);
});

test("[B3] '*' takes all reasons, and nothing is wrong with enabling twice", () => {
  const given = up().off(1, ['*'], ['a', 'b']);
  given.on(1, ['*'], ['*']).on(1, ['*'], ['*']).on(2);
  assert.deepEqual(
    given.told('answer').map(({ error }) => error),
    ['', '', '', ''],
  );
  assert.deepEqual(given.pass(1).weights(), ALL);
});

test('[B4] away for the trigger time, it comes back gradually; for less, at once', () => {
  const given = up().off(1).after(119_000).on(1).pass(1);
  assert.equal(given.weights()?.['1'], 100);
  given.off(1).after(120_000).on(1).pass(1);
  const seen = [given.weights()?.['1']];
  for (let second = 0; second < 10; second += 1) seen.push(given.after(1000).weights()?.['1']);
  assert.deepEqual(seen, [10, 10, 12, 13, 15, 17, 20, 25, 34, 50, 100]);
});

test('[B4] a ramp that is asked for is that of the operator, and none is one of 0', () => {
  const given = up().off(1).on(1, null, [], 3000).pass(1);
  assert.equal(given.weights()?.['1'], 25);
  assert.equal(statusOf(given, 1), '1-RAMPING');
  assert.equal(given.after(3000).weights()?.['1'], 100);
  given.off(1).after(300_000).on(1, null, [], 0).pass(1);
  assert.equal(given.weights()?.['1'], 100);
});

test('[B4] a failure or disabling ends a ramp; what was begun is not done until it passes', () => {
  const given = up().off(1).on(1, null, [], 5000).pass(1).after(2000).fail(1);
  assert.equal(given.weights()?.['1'], 0);
  assert.equal(statusOf(given, 1), '1-AWAITPASS');
  assert.equal(given.pass(1).weights()?.['1'], 100, 'the ramp was ended');
  given.off(1).on(1, null, [], 5000).pass(1).off(1);
  assert.equal(given.weights()?.['1'], 0);
  assert.equal(given.on(1).pass(1).weights()?.['1'], 100);
});

test('one that is down, and that nobody has enabled, says 0-ENABLED: nobody waits for it', () => {
  const given = up().fail(1);
  assert.equal(given.weights()?.['1'], 0);
  assert.equal(statusOf(given, 1), '0-ENABLED');
  assert.equal(statusOf(given.off(1), 1), '0-DISABLED');
  assert.equal(statusOf(given.on(1), 1), '1-AWAITPASS');
});

test('weights of the file apply at once, of disabled servers as well, and while they come back', () => {
  const given = up().off(1).off(2).on(2, null, [], 9000).pass(2);
  assert.deepEqual(given.weights(), { '1': 0, '2': 20, '3': 300 });
  given.reload({
    ...WWW,
    hosts: [host('s1', { www: 11 }), host('s2', { www: 50 }), host('s3', { www: 33 }), host('sorry', {})],
  });
  assert.deepEqual(given.weights(), { '1': 0, '2': 5, '3': 33 });
  assert.deepEqual(given.on(1).pass(1).weights(), { '1': 11, '2': 5, '3': 33 });
});

test('another full weight counts until it is taken back', () => {
  const given = up();
  const set = (weight: number | null): Given =>
    given.step({
      kind: 'command',
      command: { kind: 'weight', hosts: ['s1'], services: ['www'], weight, by: 'root' },
    });
  assert.equal(set(7).weights()?.['1'], 7);
  given.reload(WWW);
  assert.equal(given.weights()?.['1'], 7);
  assert.equal(set(null).weights()?.['1'], 100);
  set(-1);
  assert.match(given.told('answer').at(-1)?.error ?? '', /whole number/);
});

test('unknown names are told in the words of ipvs-weightman, and nothing is done', () => {
  const given = up();
  given.told('log');
  given.step({
    kind: 'command',
    command: { kind: 'off', hosts: ['s1', 'x'], services: null, reasons: [], by: 'root' },
  });
  given.off(1, ['www', 'y'], ['r']);
  assert.deepEqual(
    given.told('answer').map(({ error }) => error),
    ["# Host 'x': Not found", "# VS 'y': not found"],
  );
  assert.deepEqual(given.weights(), ALL);
});

test('one check serves all services that share it, and none is run twice', () => {
  const config = file(
    [service('www'), service('api')],
    [host('s1', { www: 1, api: 2 }), host('s2', { www: 1 })],
  );
  const given = new Given({ config });
  assert.deepEqual(given.awaited().sort(), [nameOf('10.0.0.1'), nameOf('10.0.0.2')]);
  given.pass(1, 2).fail(1);
  assert.deepEqual(given.weights(), { '1': 0, '2': 1 });
  assert.deepEqual(given.weights('-t 1.2.3.5:80'), { '1': 0 }, 'no sorry server in this file');
  assert.deepEqual(
    serviceViews(given.state, given.now, { services: ['api'], unknownMs: null }).map(({ alive }) => alive),
    [0],
  );
});
