/** Ranges of hosts: every one of them, in order, as it would be written by hand. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hostsOf, messagesOf } from './support.js';

const of = (line: string): string[] =>
  hostsOf(line).map(({ tag, host, port }) => `${tag} ${host}${port === 0 ? '' : `:${port}`}`);

describe('ranges of hosts', () => {
  const table: readonly [string, readonly string[]][] = [
    ['w[1-3] w[1-3].int:8080', ['w1 w1.int:8080', 'w2 w2.int:8080', 'w3 w3.int:8080']],
    ['s[08-10] 10.0.0.[8-10]', ['s08 10.0.0.8', 's09 10.0.0.9', 's10 10.0.0.10']],
    ['s[1-2,7] 10.0.0.[4,5-6]', ['s1 10.0.0.4', 's2 10.0.0.5', 's7 10.0.0.6']],
    ['r[1-2]n[1-2] 10.0.[1-2].[1-2]', ['r1n1 10.0.1.1', 'r1n2 10.0.1.2', 'r2n1 10.0.2.1', 'r2n2 10.0.2.2']],
    ['p[1-2] 10.0.0.1:[8081-8082]', ['p1 10.0.0.1:8081', 'p2 10.0.0.1:8082']],
    ['x[1-2] [fd00::[1-2]]:80', ['x1 fd00::1:80', 'x2 fd00::2:80']],
    ['x [fd00::1]:80', ['x fd00::1:80']],
    ['x[0-0] 10.0.0.[007-007]', ['x0 10.0.0.7']],
    ['x[5]y a[5]', ['x5y a5']],
  ];
  for (const [line, hosts] of table) test(line, () => assert.deepEqual(of(line), hosts));

  test('4096 hosts are the most of a line', () => {
    assert.equal(of('h[1-4096] h[1-4096].int').length, 4096);
    assert.equal(messagesOf('h[1-4097] h[1-4097].int').length, 2);
  });

  test('100,000 are the most of a file', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `a${index}-[1-4000] a${index}-[1-4000].int`);
    assert.deepEqual(messagesOf(lines.join('\n')), ['26:14 more than 100000 hosts in all']);
  });

  test('a line amounts to the lines of its hosts, for any pieces', () => {
    const piece = fc.record({
      from: fc.integer({ min: 0, max: 300 }),
      more: fc.integer({ min: 0, max: 20 }),
      width: fc.constantFrom(0, 3, 5),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(piece, { minLength: 1, maxLength: 4, selector: ({ from }) => from }),
        (pieces) => {
          const pad = (number: number, width: number) => String(number).padStart(width, '0');
          const numbers = pieces.flatMap(({ from, more, width }) =>
            Array.from({ length: more + 1 }, (_, index) => pad(from + index, width)),
          );
          fc.pre(new Set(numbers).size === numbers.length);
          const range = pieces
            .map(({ from, more, width }) => `${pad(from, width)}-${pad(from + more, width)}`)
            .join(',');
          assert.deepEqual(
            of(`h[${range}] h[${range}].int`),
            numbers.map((number) => `h${number} h${number}.int`),
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});
