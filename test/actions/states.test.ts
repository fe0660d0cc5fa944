/** States, the sections that match a change, and what checks say of a resource. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { sectionsOf } from '../../daemon/actions/plan.js';
import {
  canHappen,
  isRoleWord,
  normalState,
  sectionsFor,
  stateIn,
  statusOfStates,
} from '../../daemon/actions/states.js';
import type { Section } from '../../daemon/actions/types.js';

function sections(...names: string[]): Section[] {
  return names.map((name, index) => {
    const [from = '', to = ''] = name.split('_to_');
    return { line: index + 1, on: { kind: 'change', from, to }, commands: [] };
  });
}

function named(found: readonly Section[]): string[] {
  return found.map(({ on }) => (on.kind === 'event' ? on.event : `${on.from}_to_${on.to}`));
}

const file = sections(
  ...['*_to_primary', 'secondary_to_primary', 'secondary_to_*', 'primary_to_secondary', 'ok_to_lagging'],
  ...['*_to_lagging', 'ok_to_*', '*_to_*', 'primary_to_*', 'init_to_watchdog'],
);

test('the words of states', () => {
  const cases: [string, string | null][] = [
    ['master', 'primary'],
    ['MASTER', 'primary'],
    ['Slave', 'secondary'],
    ['primary', 'primary'],
    ['lagging', 'lagging'],
    ['v1.2_rc-3', 'v1.2_rc-3'],
    ['up_to_date', null],
    ['a_to', null],
    ['', null],
    ['-x', null],
    ['a b', null],
    ['é', null],
    ['x'.repeat(64), 'x'.repeat(64)],
    ['x'.repeat(65), null],
  ];
  for (const [word, state] of cases) assert.equal(normalState(word), state, word);
});

test('the state that a check prints is its first word', () => {
  const cases: [string, string][] = [
    ['master\n', 'primary'],
    ['  lagging 30 s behind', 'lagging'],
    ['\n\nok\nmore', 'ok'],
    ['OK: all is well', 'ok'],
    ['', 'unknown'],
    ['*** slave', 'unknown'],
    ['\0', 'unknown'],
  ];
  for (const [output, state] of cases) assert.equal(stateIn(output), state, JSON.stringify(output));
});

describe('the sections for a change, in the order of the file', () => {
  test('of role', () => {
    const start = ['*_to_primary', 'secondary_to_primary', 'secondary_to_*', '*_to_*'];
    assert.deepEqual(named(sectionsFor(file, 'secondary', 'primary', 'role')), start);
    const stop = ['primary_to_secondary', '*_to_*', 'primary_to_*'];
    assert.deepEqual(named(sectionsFor(file, 'primary', 'secondary', 'role')), stop);
    assert.deepEqual(named(sectionsFor(file, 'init', 'watchdog', 'role')), ['*_to_*', 'init_to_watchdog']);
  });

  test("of a check's state", () => {
    const lists = ['ok_to_lagging', '*_to_lagging', 'ok_to_*', '*_to_*'];
    assert.deepEqual(named(sectionsFor(file, 'ok', 'lagging', 'check')), lists);
    assert.deepEqual(named(sectionsFor(file, 'lagging', 'ok', 'check')), ['*_to_*']);
  });

  test('of what hooks are told: a change in which primary has part is run by start and stop alone', () => {
    const plan = { file: '', checksFile: '', sections: file, checks: [] };
    const role = (from: string, to: string): string[] => named(sectionsOf(plan, 'role', ['db', from, to]));
    assert.deepEqual(role('secondary', 'primary'), []);
    assert.deepEqual(role('primary', 'init'), []);
    assert.deepEqual(role('init', 'secondary'), ['*_to_*']);
    assert.deepEqual(named(sectionsOf(plan, 'change', ['db', 'c', 'nodeA', 'ok', 'bad'])), [
      'ok_to_*',
      '*_to_*',
    ]);
    assert.deepEqual(named(sectionsOf(plan, 'connect', ['db'])), []);
  });
});

const word = fc.constantFrom(
  'primary',
  'secondary',
  'init',
  'watchdog',
  'ok',
  'lagging',
  'unknown',
  'stopped',
);
const side = fc.oneof(word, fc.constant('*'));

test('no word of a check runs what belongs to the lease, whatever it says and whatever the file has', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(side, side)), word, word, (names, from, to) => {
      const found = sectionsFor(sections(...names.map((name) => name.join('_to_'))), from, to, 'check');
      for (const { on } of found)
        assert.ok(on.kind === 'change' && !isRoleWord(on.from) && !isRoleWord(on.to), JSON.stringify(on));
      if (isRoleWord(from) && isRoleWord(to)) assert.deepEqual(found, []);
    }),
  );
});

test('what is said never to happen is what no change runs', () => {
  const words = ['primary', 'secondary', 'init', 'watchdog', 'ok', 'bad'];
  const roles = words.slice(0, 4);
  const pairs = words.flatMap((from) => words.filter((to) => to !== from).map((to) => [from, to] as const));
  for (const from of [...words, '*'])
    for (const to of [...words, '*']) {
      const file = sections(`${from}_to_${to}`);
      const plan = { file: '', checksFile: '', sections: file, checks: [] };
      const lists = [
        sectionsOf(plan, 'start', ['db']),
        sectionsOf(plan, 'stop', ['db']),
        ...pairs
          .filter((pair) => pair.every((word) => roles.includes(word)))
          .map((pair) => sectionsOf(plan, 'role', ['db', ...pair])),
        ...pairs.map((pair) => sectionsOf(plan, 'change', ['db', 'c', 'nodeA', ...pair])),
      ];
      assert.equal(
        canHappen(from, to),
        lists.some((found) => found.length > 0),
        `${from}_to_${to}`,
      );
    }
});

test('what the states of checks say of a resource', () => {
  const cases: [string[], 0 | 1 | null][] = [
    [['primary'], 0],
    [['primary', 'primary'], 0],
    [['secondary'], 1],
    [['secondary', 'stopped'], 1],
    [['primary', 'secondary'], null],
    [['primary', 'unknown'], null],
    [['ok'], null],
    [[], null],
  ];
  for (const [states, status] of cases) assert.equal(statusOfStates(states), status, states.join());
});
