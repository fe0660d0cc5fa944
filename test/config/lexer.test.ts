/** Tokens: the ancestor's words and comments, strings, and where each token stands. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createReporter } from '../../daemon/config/diagnostic.js';
import { TOKENS_MAX, tokenize } from '../../daemon/config/lexer.js';

function scan(text: string) {
  const reporter = createReporter();
  const tokens = tokenize({ name: 'x', text, masks: new Map() }, reporter);
  return { tokens, messages: reporter.finish() };
}

const texts = (text: string) => scan(text).tokens.map((token) => (token.kind === 'end' ? 'END' : token.text));

describe('tokenize', () => {
  test('words, braces, comments', () => {
    assert.deepEqual(texts('on a{remote tcp4://b:1;x}#y\n#z'), [
      'on',
      'a',
      '{',
      'remote',
      'tcp4://b:1',
      ';',
      'x',
      '}',
      'END',
    ]);
    assert.deepEqual(texts(''), ['END']);
    assert.deepEqual(texts('# only'), ['END']);
    assert.deepEqual(texts('a#b c'), ['a', 'END'], 'a comment ends a word');
    assert.deepEqual(texts('# } " {;\nb'), ['b', 'END'], 'nothing in a comment counts');
    assert.deepEqual(texts('\ufeffa\r\n\t b'), ['a', 'b', 'END']);
    assert.deepEqual(texts('1% [::1]:2 a@b+c~d!$&()*<>?\\^`|'), [
      '1%',
      '[::1]:2',
      'a@b+c~d!$&()*<>?\\^`|',
      'END',
    ]);
  });

  test('URLs of checks', () => {
    const urls = [
      'http://h/p?a=1,2&b=%20[x]@',
      'exec:/p?arg=-w&arg=5,4',
      'dns://s/n?type=A',
      'redis://:a=b@h',
      'postgresql://u@h',
    ];
    for (const url of urls) assert.deepEqual(texts(`${url}{`), [url, '{', 'END']);
    assert.deepEqual(texts('http://h/a#b'), ['http://h/a', 'END']);
    assert.deepEqual(texts('http://h/a;x "http://h"'), ['http://h/a', ';', 'x', 'http://h', 'END']);
    assert.deepEqual(scan('http://h/?a=b,c').messages, []);
  });

  test('lists of addresses keep their commas', () => {
    assert.deepEqual(texts('tcp://a,tcp4://b,tcp6://c,unix:///d,uds:///e,x'), [
      ...['tcp://a', 'tcp4://b', 'tcp6://c', 'unix:///d', 'uds:///e', 'x', 'END'],
    ]);
    assert.deepEqual(texts('xhttp://a,b exec=/x,y'), ['xhttp://a', 'b', 'exec', '/x', 'y', 'END']);
    assert.equal(scan('tcp://a,tcp://b').messages.length, 1);
  });

  test('bytes in strings', () => {
    const { tokens, messages } = scan('"ab\\r\\x0a\\xFf" "\\n"');
    assert.deepEqual(messages, []);
    assert.deepEqual(
      tokens.map(({ text, bytesAt }) => [text, bytesAt]),
      [
        ['ab\r\n\u00ff', 3],
        ['\n', -1],
        ['', -1],
      ],
    );
    assert.equal(scan('"\\x1g"').messages.length, 1);
    assert.equal(scan('"\\q"').messages.length, 1);
  });

  test('strings', () => {
    assert.deepEqual(texts('"a b" "" "\\"\\\\\\n\\t" "#{};"'), ['a b', '', '"\\\n\t', '#{};', 'END']);
    assert.deepEqual(
      scan('a "a"').tokens.map(({ kind }) => kind),
      ['word', 'string', 'end'],
    );
    const open = scan('x "abc\ny');
    assert.deepEqual(
      open.tokens.map(({ text }) => text),
      ['x', 'abc', 'y', ''],
    );
    assert.equal(open.tokens[1]?.flawed, true);
    assert.equal(open.messages.length, 1);
    assert.equal(scan('"ends in a backslash\\').messages.length, 1);
    assert.equal(scan('"ends in a backslash\\\n').messages.length, 1);
  });

  test('places count from 1', () => {
    const [first, second, third] = scan('ab\n\tcd "e f"').tokens;
    assert.deepEqual([first?.line, first?.column, first?.length, first?.startsLine], [1, 1, 2, true]);
    assert.deepEqual([second?.line, second?.column, second?.length, second?.startsLine], [2, 2, 2, true]);
    assert.deepEqual([third?.line, third?.column, third?.length, third?.startsLine], [2, 5, 5, false]);
  });

  test('what the ancestor passed over is passed over with a warning', () => {
    const { tokens, messages } = scan('a,b = c');
    assert.deepEqual(
      tokens.map(({ text }) => text),
      ['a', 'b', 'c', ''],
    );
    assert.deepEqual(
      messages.map(({ severity }) => severity),
      ['warning', 'warning'],
    );
  });

  test('what belongs nowhere is an error, once for a run of it', () => {
    const { tokens, messages } = scan('é\u0000\u0001 x');
    assert.deepEqual(
      tokens.map(({ text }) => text),
      ['x', ''],
    );
    assert.equal(messages.length, 1);
    assert.match(messages[0]?.message ?? '', /U\+00E9/);
  });

  test('a file of words without end is cut off', () => {
    const { tokens, messages } = scan('a '.repeat(TOKENS_MAX + 10));
    assert.equal(tokens.length, TOKENS_MAX + 1);
    assert.match(messages[0]?.message ?? '', /too large/);
  });
});
