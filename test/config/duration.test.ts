/** Durations and percentages: notations, exactness, and that the written form is read back. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatDuration, formatPercent, parseDuration, parsePercent } from '../../daemon/config/duration.js';

describe('durations', () => {
  const valid: readonly [string, number][] = [
    ['10', 10_000],
    ['007', 7000],
    ['0', 0],
    ['50ms', 50],
    ['10s', 10_000],
    ['0.5s', 500],
    ['0.001', 1],
    ['1.10s', 1100],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['0.0005h', 1800],
    // In floating point 4.35 x 1000 is 4350.000000000001 and 1.001 x 1000 is 1000.9999999999999.
    ['4.35', 4350],
    ['1.001s', 1001],
    ['999999999999999999999h', 1e15],
  ];
  for (const [text, ms] of valid) {
    test(text, () => assert.deepEqual(parseDuration(text), { ok: true, value: ms }));
  }

  const invalid = [
    '',
    's',
    '-1',
    '+1',
    '.5',
    '5.',
    '1e3',
    '1 s',
    '5x',
    '5S',
    '5sec',
    '0.5ms',
    '0.0001',
    'toString',
  ];
  for (const text of [...invalid, '5toString', '5__proto__', '1,5', '٣']) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text).ok, false));
  }

  test('what is written is read back', () => {
    for (const ms of [
      0, 1, 50, 999, 1000, 1001, 1100, 8080, 60_000, 61_000, 90_000, 120_000, 120_001, 3_600_000,
    ]) {
      assert.deepEqual(parseDuration(formatDuration(ms)), { ok: true, value: ms }, formatDuration(ms));
    }
    assert.equal(formatDuration(8080), '8.08s');
    assert.equal(formatDuration(60_000), '60s');
    assert.equal(formatDuration(300_000), '5m');
    assert.equal(formatDuration(7_200_000), '2h');
  });
});

describe('percentages', () => {
  test('parts per million', () => {
    assert.deepEqual(parsePercent('1%'), { ok: true, value: 10_000 });
    assert.deepEqual(parsePercent('0.01%'), { ok: true, value: 100 });
    assert.deepEqual(parsePercent('0.0001%'), { ok: true, value: 1 });
  });
  for (const text of ['1', '%', '1 %', '-1%', '0.00001%', '1%%', '1.%']) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.equal(parsePercent(text).ok, false));
  }
  test('what is written is read back', () => {
    for (const ppm of [0, 1, 100, 5000, 10_000, 12_345, 100_000]) {
      assert.deepEqual(parsePercent(formatPercent(ppm)), { ok: true, value: ppm });
    }
  });
});
