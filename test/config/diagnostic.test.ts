/** Messages: their form, their order, their limits, and what they must not show. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  createReporter,
  DIAGNOSTICS_MAX,
  formatDiagnostic,
  formatDiagnostics,
  quote,
} from '../../daemon/config/diagnostic.js';
import { parseConfig } from '../../daemon/config/load.js';
import { isPrintable, parse, resourceOf } from './support.js';

const shown = (text: string) => formatDiagnostics(parse(text).diagnostics);

describe('formatDiagnostic', () => {
  test('place, line, caret, help', () => {
    const text = shown(`\ttimeot 5\n${resourceOf('')}`);
    assert.equal(
      text,
      "/etc/hastmon.conf:1:2: error: unknown statement 'timeot'\n" +
        '\ttimeot 5\n' +
        '\t^~~~~~\n' +
        "  did you mean 'timeout'?\n",
    );
  });

  test('a message about a file as a whole has no line', () => {
    const diagnostic = {
      severity: 'error',
      file: 'x',
      line: 0,
      column: 1,
      length: 1,
      message: 'm',
      help: 'h',
    } as const;
    assert.equal(formatDiagnostic(diagnostic), 'x: error: m\n  h');
    assert.equal(formatDiagnostic({ ...diagnostic, help: '' }), 'x: error: m');
  });

  test('a long line is cut to a window with the caret under the word', () => {
    const lines = shown(`friends ${'hosts/x'.padStart(5000)}${' '.repeat(300)}\n${resourceOf('')}`).split(
      '\n',
    );
    const [, line = '', caret = ''] = lines;
    assert.ok(line.length <= 110);
    assert.equal(line.slice(caret.indexOf('^'), caret.lastIndexOf('~') + 1), 'hosts/x');
  });

  test('nothing of the file can move the cursor', () => {
    const text = shown(`timeout "\u001b[2J\u009b1m\u202e"\nfriends "\u001b]0;x\u0007"\n`);
    const included = parseConfig('include "/x\\n\\ty"', '/etc/\u001b', () => ({ ok: true, value: 'x' }), {
      hostname: 'a',
    });
    const lines = formatDiagnostics(included.diagnostics);
    assert.ok(isPrintable(lines) && lines.startsWith('/x'));
    assert.ok(isPrintable(text) && !text.includes('\u202e'));
  });
});

describe('the reporter', () => {
  const file = { name: 'x', text: 'a\nb\n', masks: new Map<number, number>() };
  const at = (line: number, column: number) => ({ file, line, column, length: 1 });

  test('orders by place, whole files last, and says a thing once', () => {
    const reporter = createReporter();
    reporter.warning(at(0, 1), 'whole');
    reporter.error(at(2, 1), 'second');
    reporter.error(at(1, 2), 'first, later');
    reporter.error(at(1, 1), 'first');
    reporter.error(at(1, 1), 'first');
    assert.deepEqual(
      reporter.finish().map(({ message }) => message),
      ['first', 'first, later', 'second', 'whole'],
    );
    assert.equal(reporter.failed, true);
  });

  test('has a limit', () => {
    const reporter = createReporter();
    for (let line = 1; line <= 3 * DIAGNOSTICS_MAX; line += 1) reporter.error(at(line, 1), 'error');
    reporter.warning(at(1, 1), 'warnings have one of their own');
    const messages = reporter.finish();
    assert.equal(messages.length, DIAGNOSTICS_MAX + 1);
    assert.equal(reporter.full, true);
    assert.match(messages.at(-1)?.message ?? '', /too many errors/);
  });

  test('warnings alone are no failure', () => {
    const reporter = createReporter();
    reporter.warning(at(1, 1), 'w');
    assert.equal(reporter.failed, false);
  });
});

describe('secrets', () => {
  const ways = [
    'key { secret HUSH x }',
    'key { secret "HUSH }',
    'key { secret\nHUSH\nHUSH }',
    'key { secert HUSH }',
    'key { sekrit HUSH }',
    'key { HUSH secret x }',
    'key HUSH',
    'key "HUSH"',
    'key { algorithm HUSH"HUSH" }',
    'secret HUSH ; timeout x',
    'timeout x ; secret HUSH',
    'k { secret HUSH }',
    'resource r { key { secret HUSH } timeout x }',
    'key{secret HUSH}timeout x',
    'key { algorithm SHA256 secret "HUSH\\z" }',
  ];
  for (const text of ways) {
    // An algorithm's name is shown: nothing else tells the operator what is wrong with it.
    const expected = text.includes('algorithm HUSH') ? /secret HUSH|"HUSH"/ : /HUSH/;
    test(JSON.stringify(text), () => {
      const output = JSON.stringify(parse(`${text}\n`).diagnostics) + shown(`${text}\n`);
      assert.ok(output.length > 10, 'there is something to say');
      assert.doesNotMatch(output, expected);
    });
  }
});

test('quote shortens', () => {
  assert.equal(quote('a'.repeat(100)).length, 62);
  assert.equal(quote("it's"), "'it's'");
});
