/** Variables: what is well-formed, what a word becomes, and that no value is ever more than a part of one word. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { argvOf } from '../../daemon/actions/list.js';
import {
  expandWord,
  literalVariables,
  shellLine,
  VARIABLES,
  type Values,
  valuesEnvironment,
  variableProblems,
} from '../../daemon/actions/variables.js';

const values: Values = {
  ...{ MASTER: 'nodeA', SLAVE: 'nodeB,nodeC', NODE: 'nodeA', RESOURCE: 'db', EPOCH: '7' },
  ...{ OLD: 'secondary', NEW: 'primary' },
};

test('a word with its values in place', () => {
  const cases: [string, string][] = [
    ['plumb', 'plumb'],
    ['%MASTER%', 'nodeA'],
    ['-h=%SLAVE%:%EPOCH%', '-h=nodeB,nodeC:7'],
    ['100%%', '100%'],
    ['%%MASTER%%', '%MASTER%'],
    ['%%%MASTER%%%', '%nodeA%'],
    ['', ''],
  ];
  for (const [word, expanded] of cases) assert.equal(expandWord(word, { ...values }), expanded, word);
});

test('what is wrong with percent signs, and where', () => {
  const cases: [string, [number, number, string | null][]][] = [
    ['%MASTER%', []],
    ['100%%', []],
    ['100%', [[3, 1, null]]],
    ['%FOO%', [[0, 5, 'FOO']]],
    ['a%NODE%b%Foo%', [[8, 5, 'Foo']]],
    ['%a b%NODE%', [[0, 1, null]]],
    ['%NODE%%', [[6, 1, null]]],
    ['%x%%%', [[0, 3, 'x']]],
  ];
  for (const [word, problems] of cases) {
    const found = variableProblems(word, VARIABLES).map(({ index, length, name }) => [index, length, name]);
    assert.deepEqual(found, problems, word);
  }
});

/** Words of a file that nothing is wrong with. */
const piece = fc.oneof(
  fc.constantFrom(...VARIABLES.map((name) => `%${name}%`)),
  fc.constant('%%'),
  fc.string({ maxLength: 5 }).map((text) => text.replaceAll('%', '')),
);
const wellFormed = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
const hostile = fc.oneof(
  fc.string(),
  fc.constantFrom('a b', '', '$(touch x)', '`x`', "'", '"', ';', '%NODE%', '%%', '$&', '*'),
);

test('expansion never changes the number of words, nor reads a value a second time', () => {
  fc.assert(
    fc.property(
      fc.array(wellFormed, { maxLength: 5 }),
      fc.array(hostile, { minLength: 7, maxLength: 7 }),
      (words, given) => {
        const odd = Object.fromEntries(VARIABLES.map((name, index) => [name, given[index] ?? '']));
        for (const word of words) assert.deepEqual(variableProblems(word, VARIABLES), []);
        const command = { line: 1, program: '/x', words: ['x', ...words], timeoutMs: 1 };
        const [, ...args] = argvOf(command, odd);
        assert.equal(args.length, words.length);
        for (const [index, word] of words.entries()) {
          // Piece by piece, as somebody would do it by hand.
          const expected = word
            .split(/(%[^%\s]*%)/)
            .map((part) => (part === '%%' ? '%' : (/^%(\w+)%$/.exec(part)?.[1] ?? part)))
            .map((part, at) => (at % 2 === 1 && part !== '%' ? (odd[part] ?? '') : part))
            .join('');
          assert.equal(args[index], expected);
        }
      },
    ),
  );
});

test('a line for the shell refers to the environment: no value is code there', () => {
  const line = shellLine('printf "%%s|" one "%MASTER%" %SLAVE%');
  for (const value of ['$(echo bad)', '`echo bad`', '"; echo bad; "', "'; echo bad; '", '$HOME', '\\']) {
    const env = { ...process.env, ...valuesEnvironment({ ...values, MASTER: value }) };
    const printed = execFileSync('/bin/sh', ['-c', line], { env, encoding: 'utf8' });
    assert.equal(printed, `one|${value}|nodeB,nodeC|`);
  }
});

test('variables between apostrophes are found, where the shell would not expand them', () => {
  const cases: [string, number[]][] = [
    ['echo %NODE%', []],
    ["echo '%NODE%'", [6]],
    ['echo "%NODE%"', []],
    [`echo "it's %NODE%"`, []],
    [`echo 'say "' "%NODE%"`, []],
    ["echo \\'%NODE%", []],
    ["echo '%%' '%NODE%'", [11]],
  ];
  for (const [line, places] of cases)
    assert.deepEqual(
      literalVariables(line).map(({ index }) => index),
      places,
      line,
    );
});
