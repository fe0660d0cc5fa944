/** What `hastmonctl status` prints: the ancestor's lines, then the new ones. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatStatus } from '../../ctl/status.js';
import { duration, seconds } from '../../ctl/words.js';
import type { StatusEntry } from '../../proto/control-types.js';
import { entryOf } from './support.js';

function linesOf(other: Partial<StatusEntry>, colour = false): string[] {
  return formatStatus(entryOf(other), colour).split('\n');
}

test('a primary that is well', () => {
  assert.equal(
    formatStatus(entryOf(), false),
    [
      'mail:',
      '  role: primary',
      '  workerpid: 4711',
      '  exec: /etc/mail.sh',
      '  remote:',
      '    tcp4://bolek (connected)',
      '  state: run',
      '  attempts: 0 from 5',
      '  complaints: 0 for last 60 sec (threshold 3)',
      '  heartbeat: 10 sec',
      '  priority: 10',
      '  lease: held, epoch 12, 2.4 s left of 3 s (grant 8.1 s)',
      '  voters: 2 of 3 reachable, majority 2',
      '    alpha (self) votes for alpha',
      '    beta (reachable) votes for alpha',
      '    gamma (unreachable) unknown since 12 s',
      '  backed by: the watchdog device',
      '  restart margin: 5.2 s',
      '  waiting: nothing',
      '',
      '',
    ].join('\n'),
  );
});

test('a watchdog tells what its remotes do', () => {
  const remote = { address: 'tcp4://lolek', node: 'alpha', connected: true, heardMs: 50, reason: '' };
  const lines = linesOf({
    role: 'watchdog',
    roleSet: 'watchdog',
    remotes: [
      { ...remote, role: 'primary', state: 'run' },
      { ...remote, address: 'tcp4://bolek', role: null, state: null },
      { ...remote, connected: false, role: null, state: null, reason: 'connection refused', heardMs: 7000 },
    ],
  });
  assert.ok(lines.includes('    tcp4://lolek (primary/run)'));
  assert.ok(lines.includes('    tcp4://bolek (connected)'));
  assert.ok(lines.includes('    tcp4://lolek (disconnected): connection refused; unknown since 7 s'));
  assert.ok(!lines.some((line) => /backed by|restart margin/.test(line)), 'it has nothing to stop');
});

test('what checks of actions have said', () => {
  const report = { node: 'alpha', check: 'check_db', state: 'primary', ageMs: 1200, forMs: 75_000 };
  const lines = linesOf({ reports: [report, { ...report, node: 'beta', check: 'lag', state: 'ok' }] });
  const from = lines.indexOf('  checks:');
  assert.deepEqual(lines.slice(from + 1, from + 3), [
    '    check_db on alpha: primary (for 1 min 15 s, said 1.2 s ago)',
    '    lag on beta: ok (for 1 min 15 s, said 1.2 s ago)',
  ]);
  const unheard = linesOf({ reports: [{ ...report, node: 'beta', state: '', ageMs: 90_000 }] });
  assert.ok(unheard.includes('    check_db on beta: unknown since 1 min 30 s'));
});

test('a node that knows nobody yet', () => {
  const lines = linesOf({ remotes: [], backedBy: '', restartMarginMs: null });
  assert.deepEqual(lines.slice(4, 6), ['  remote:', '    none']);
  assert.ok(lines.includes('  backed by: nothing'));
  assert.ok(lines.includes('  restart margin: not measured'));
});

describe('the lease', () => {
  const lease = { held: false, epoch: 12, leftMs: 0, leaseMs: 300, grantMs: 505, stopBudgetMs: 200 };
  const cases: [string, Partial<StatusEntry>, string][] = [
    ['nobody holds it', { lease, holder: '' }, 'not held, last epoch 12 (grant 505 ms)'],
    ['never held', { lease: { ...lease, epoch: 0 }, holder: '' }, 'not held, no epoch yet (grant 505 ms)'],
    [
      'another node holds it',
      { lease: { ...lease, leftMs: 400 }, holder: 'beta' },
      "held by beta, epoch 12, this node's vote is given for 400 ms (grant 505 ms)",
    ],
    [
      'it held, and is lost',
      { lease: { ...lease, leftMs: 400 }, holder: '' },
      "not held, last epoch 12, this node's vote is given for 400 ms (grant 505 ms)",
    ],
  ];
  for (const [title, other, expected] of cases)
    test(title, () => assert.ok(linesOf(other).includes(`  lease: ${expected}`), linesOf(other).join('\n')));
});

test('what is wrong has a line of its own', () => {
  const lines = linesOf({
    roleSet: 'secondary',
    warnings: ['nothing backs the stop up', 'the record is corrupt'],
    lastError: 'start exited with 1 after 12 ms',
    waiting: 'for a majority: beta and gamma cannot be reached',
    restartMarginMs: -1200,
  });
  assert.deepEqual(lines.slice(-8), [
    '  backed by: the watchdog device',
    '  restart margin: -1.2 s, a restart of hastmond comes too late',
    '  warning: nothing backs the stop up',
    '  warning: the record is corrupt',
    '  last error: start exited with 1 after 12 ms',
    '  waiting: for a majority: beta and gamma cannot be reached',
    '',
    '',
  ]);
  assert.ok(lines.includes('  role set: secondary'));
});

test('a voter without history, and one that has not voted', () => {
  const voter = { self: false, reachable: true, heardMs: 50, grantingTo: '', history: true };
  const lines = linesOf({
    voters: [
      { ...voter, node: 'alpha' },
      { ...voter, node: 'beta', history: false },
    ],
  });
  assert.ok(lines.includes('    alpha (reachable) votes for nobody'));
  assert.ok(lines.includes('    beta (reachable) votes for nobody, has no history'));
});

describe('forced', () => {
  test('is red where colours are wanted', () => {
    const lines = linesOf({ forced: true }, true);
    assert.equal(lines[1], '  role: \x1b[31;1mprimary\x1b[0m');
    assert.ok(lines.some((line) => line.startsWith('  \x1b[31;1mforced: yes')));
  });

  test('is said without colours too, and only where it is so', () => {
    assert.ok(
      linesOf({ forced: true }).includes('  forced: yes, outside the lease: it may run on another node too'),
    );
    assert.ok(!linesOf({}, true).join('').includes('\x1b'));
  });
});

test('nothing that a peer or a hook says can move the cursor', () => {
  const text = formatStatus(entryOf({ lastError: 'a\x1b[2Jb\nc', waiting: 'x\ry' }), false);
  assert.ok(text.includes('  last error: a [2Jb c\n'));
  assert.ok(text.includes('  waiting: x y\n'));
});

test('words for numbers', () => {
  assert.deepEqual([10_000, 100, 50, 1500, 60_000].map(seconds), ['10', '0.1', '0.05', '1.5', '60']);
  const lengths = [0, 999, 1000, 2449, 59_940, 59_990, 75_400, 3_600_000, 7_500_000, -1200];
  assert.deepEqual(lengths.map(duration), [
    ...['0 ms', '999 ms', '1 s', '2.4 s', '59.9 s', '1 min', '1 min 15 s', '1 h', '2 h 5 min', '-1.2 s'],
  ]);
});
