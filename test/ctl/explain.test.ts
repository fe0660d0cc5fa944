/** What hastmonctl explain prints: the sentence, the table in the room that there is, and what would have to change. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatExplanation } from '../../ctl/explain.js';
import { fold } from '../../ctl/table.js';
import type { Condition, Explanation } from '../../proto/explain-types.js';
import { execute, fakeDaemon, hastmonctl, invocationOf } from './support.js';

function condition(change: Partial<Condition>): Condition {
  return {
    ...{ topic: 'running', name: 'lease', holds: true, oneOf: '', enough: 1, what: 'it holds the lease' },
    ...{ value: 'epoch 3', needed: 'held by alpha', ageMs: null, source: 'alpha', change: '' },
    ...change,
  };
}

const REASON = { topic: 'promotion', oneOf: 'reason', holds: false } as const;
const SECONDARY: Explanation = {
  ...{ subject: 'resource', name: 'mail', node: 'alpha', sentence: 'secondary; beta holds the lease' },
  verdicts: { running: false, promotion: false, staying: null, 'stepping-down': null },
  conditions: [
    condition({
      holds: false,
      value: 'beta holds it',
      ageMs: 400,
      source: 'beta',
      change: 'beta has to lose it',
    }),
    condition({
      topic: 'promotion',
      name: 'clean',
      what: 'it is known to be stopped',
      value: 'known',
      needed: 'known',
    }),
    condition({
      ...REASON,
      name: 'successor',
      what: 'it is the successor',
      value: 'it is not',
      change: 'a switchover',
    }),
    condition({
      ...REASON,
      name: 'set',
      what: 'it was set',
      value: 'secondary',
      holds: null,
      change: 'a role',
    }),
  ],
};
const WIDE = { columns: 120, colour: false };

test('first the sentence, then topic by topic; what does not hold says what would have to change', () => {
  assert.equal(
    formatExplanation(SECONDARY, WIDE),
    `resource mail on alpha: secondary; beta holds the lease

       CONDITION                  NOW            NEEDED         AGE  FROM

RUNS HERE: no
  no   it holds the lease         beta holds it  held by alpha  0 s  beta
       -> beta has to lose it

CAN BE PROMOTED HERE: no
  yes  it is known to be stopped  known          known               alpha
  ?    one of these:
  no     it is the successor      it is not      held by alpha       alpha
         -> a switchover
  ?      it was set               secondary      held by alpha       alpha
         -> a role
`,
  );
});

test('where one of several is enough and holds, nothing else has to change', () => {
  const conditions = SECONDARY.conditions.map((each) =>
    each.name === 'set' ? { ...each, holds: true } : each,
  );
  const text = formatExplanation({ ...SECONDARY, conditions }, WIDE);
  assert.match(text, /^ {2}yes {2}one of these:$/m);
  assert.doesNotMatch(text, /a switchover|a role/);
  const two = conditions.map((each) => ({ ...each, enough: 2 }));
  const short = formatExplanation({ ...SECONDARY, conditions: two }, WIDE);
  assert.match(short, /^ {2}no {3}2 of these:$/m);
  assert.match(short, /-> a switchover/);
});

describe('no line is wider than the room', () => {
  const long = condition({
    what: 'a majority of the voters nodeA, nodeB, nodeC can be heard by this node',
    ...{ value: `1 of 3; not ${'x'.repeat(90)}`, needed: '2, within lease_timeout (1.0 s)', holds: false },
    change: 'nodeB and nodeC have to be started, or the network between them mended',
  });
  const explanation = { ...SECONDARY, conditions: [long, ...SECONDARY.conditions] };
  for (const columns of [20, 40, 60, 71, 72, 80, 100, 120, 200])
    test(`of ${columns}`, () => {
      const text = formatExplanation(explanation, { columns, colour: false });
      for (const line of text.split('\n')) assert.ok(line.length <= columns, `${line.length}: ${line}`);
      // Nothing is lost by that.
      assert.equal(text.replace(/[^x]/g, '').length >= 90, true);
      assert.ok(
        text.replace(/\s+/g, ' ').includes('-> nodeB and nodeC have to be started, or the network') ||
          columns < 60,
      );
      assert.equal(/^ +CONDITION/m.test(text), columns >= 72);
    });
  test('and in a pipe it is one that can be read', () => {
    const text = formatExplanation(explanation, { columns: Number.POSITIVE_INFINITY, colour: false });
    assert.ok(text.split('\n').every((line) => line.length <= 120));
  });
});

test('colours are for terminals, and what others said has no control characters', () => {
  const odd = { ...SECONDARY, sentence: 'no\x1b[2Jdisk\n' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  assert.doesNotMatch(formatExplanation(odd, WIDE), /\x1b/);
  const coloured = formatExplanation(SECONDARY, { columns: 120, colour: true });
  assert.ok(coloured.includes('\x1b[33mno\x1b[0m') && coloured.includes('\x1b[32myes\x1b[0m'));
  const narrow = formatExplanation(SECONDARY, { columns: 40, colour: true });
  assert.ok(narrow.includes('\x1b[33mno\x1b[0m'));
});

test('texts are folded between words, and within one that is too long', () => {
  assert.deepEqual(fold('  one two three', 9, '    '), ['  one two', '    three']);
  assert.deepEqual(fold('abcdefghij kl', 4, ''), ['abcd', 'efgh', 'ij', 'kl']);
  assert.deepEqual(fold('', 9, '  '), ['']);
  assert.deepEqual(fold('abc', 1, '  '), ['a', '  b', '  c']);
});

test('the command takes one name, and its status is 0 however it stands', async (t) => {
  const asked: unknown[] = [];
  const config = await fakeDaemon(t, async (request) => {
    asked.push(request);
    return { explanations: [SECONDARY, { ...SECONDARY, subject: 'check' }], text: 'the balancer is away' };
  });
  const words = ['explain', 'mail', '-c', config, '-n', 'alpha'];
  const { code, err, out } = await hastmonctl(words);
  assert.deepEqual([code, err], [0, 'hastmonctl: the balancer is away\n']);
  assert.match(out, /^resource mail on alpha: .*\n(.*\n)+\ncheck mail on alpha: /);
  assert.deepEqual(asked, [{ kind: 'explain', name: 'mail' }]);
  const json = await execute([...words, '--json']);
  assert.deepEqual(JSON.parse(json.out), [SECONDARY, { ...SECONDARY, subject: 'check' }]);
  for (const wrong of [['explain'], ['explain', '']])
    await assert.rejects(invocationOf(wrong), /'explain' takes the name of one resource, check, or host/);
  await assert.rejects(invocationOf(['explain', 'a', 'b']), /unknown argument: b/);
});

test('what hastmond cannot explain is an error', async (t) => {
  const config = await fakeDaemon(t, async () => ({ error: { code: 68, message: "there is no 'x'" } }));
  const { code, err } = await hastmonctl(['explain', 'x', '-c', config, '-n', 'alpha']);
  assert.deepEqual([code, err], [68, "hastmonctl: there is no 'x'\n"]);
});
