/** Names and numeric addresses of the balancer's file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numericForm } from '../../../daemon/balancer/process/names.js';

test('numeric addresses are written as the kernel writes them', () => {
  const forms: [string, string | null][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['FD00:0:0:0::1', 'fd00::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['::', '::'],
    ['www.example.com', null],
    ['10.0.0', null],
    ['', null],
  ];
  for (const [written, expected] of forms) assert.equal(numericForm(written), expected, written);
});
