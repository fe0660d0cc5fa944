/** What speaks against a drill for real, all of it at once, and what becomes of the role of this node. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RealTask } from '../../ctl/drill-arguments.js';
import { expectedOf } from '../../ctl/drill-expected.js';
import { compute } from '../../ctl/drill-facts.js';
import { objections, roleLeft } from '../../ctl/drill-objections.js';
import { realRisk } from '../../ctl/risk.js';
import type { DrillFacts, DrillNode } from '../../proto/drill-types.js';
import type { Condition, Explanation } from '../../proto/explain-types.js';
import { factsOf, MEASURED } from '../drill/support.js';

const TASK: RealTask = {
  ...{ kind: 'drill-for-real', resource: 'shared', to: '', holdMs: 1000, report: '', back: [] },
};
/** A cluster in which the resource comes back by its priority. */
const GOOD = { settings: { priority: 1 }, nodes: { alpha: { priority: 1 }, beta: { priority: 2 } } };

function objectionsTo(
  facts: DrillFacts,
  change: {
    task?: Partial<RealTask>;
    others?: DrillFacts[];
    outages?: string[];
    plan?: Explanation;
  } = {},
): string[] {
  return objections(
    { ...TASK, ...change.task },
    { asked: facts, others: change.others ?? [], missing: [] },
    change.outages ?? [],
    change.plan ?? null,
  );
}

describe('it objects', () => {
  test('to nothing where all is well', () => assert.deepEqual(objectionsTo(factsOf(GOOD)), []));

  const with_ = (nodes: Record<string, Partial<DrillNode>>): DrillFacts =>
    factsOf({
      ...GOOD,
      nodes: {
        ...GOOD.nodes,
        ...Object.fromEntries(
          Object.entries(nodes).map(([name, node]) => [name, { ...GOOD.nodes[name as 'alpha'], ...node }]),
        ),
      },
    });
  const cases: [what: string, facts: DrillFacts, objection: RegExp][] = [
    [
      'a node that is silent',
      with_({ gamma: { fresh: false, heardMs: 5000 } }),
      /^alpha heard gamma last 5 s ago$/,
    ],
    [
      'a node that was never heard',
      with_({ gamma: { fresh: false, heardMs: null } }),
      /^alpha has not heard gamma$/,
    ],
    [
      'a node without a connection',
      with_({ gamma: { linked: false } }),
      /^gamma is not connected with alpha$/,
    ],
    ['a voter without history', with_({ gamma: { history: false } }), /^the voter of gamma has no history$/],
    [
      'a successor that is not able',
      with_({ beta: { able: false } }),
      /^no other node is able to take it over$/,
    ],
    [
      'what is held elsewhere',
      with_({ alpha: { holds: false }, beta: { holds: true } }),
      /^it is held by beta: run the drill there$/,
    ],
    ['what nobody holds', with_({ alpha: { holds: false } }), /^nobody holds it$/],
    [
      'what is only starting',
      with_({ alpha: { run: 'starting' } }),
      /^it does not run here: it is starting$/,
    ],
    ['what runs by force', with_({ alpha: { forced: true } }), /^it runs by force/],
    [
      'maintenance',
      factsOf({ ...GOOD, maintenance: { node: 'alpha', reason: '', by: 'x' } }),
      /^it is in maintenance on alpha$/,
    ],
    [
      'a change of the voters',
      factsOf({ ...GOOD, votersChanging: true }),
      /^the voters are being changed, as alpha knows$/,
    ],
    [
      'a service that counts as failed',
      factsOf({ ...GOOD, serviceFailed: 'web' }),
      /^its service counts as failed: web$/,
    ],
    [
      'a way back that is barred',
      factsOf({ ...GOOD, unfit: 'disk' }),
      /^it could not come back to alpha: disk$/,
    ],
    [
      'no way back',
      factsOf(),
      /^it would not come back by itself: alpha has priority 100, beta 100; .*-- ssh \{\} hastmonctl switchover shared --to alpha$/,
    ],
  ];
  for (const [what, facts, objection] of cases)
    test(`to ${what}`, () => {
      const found = objectionsTo(facts);
      assert.ok(
        found.some((line) => objection.test(line)),
        found.join('\n'),
      );
    });

  test('to confirmed outages, and to what other nodes see', () => {
    assert.deepEqual(objectionsTo(factsOf(GOOD), { outages: ['web'] }), [
      'the outage of web is confirmed, and not over',
    ]);
    const beta = factsOf({ node: 'beta', nodes: { gamma: { linked: false } } });
    assert.deepEqual(objectionsTo(factsOf(GOOD), { others: [beta] }), ['gamma is not connected with beta']);
  });

  test('not to equal priorities where a command brings it back', () => {
    assert.deepEqual(objectionsTo(factsOf(), { task: { back: ['ssh'] } }), []);
  });
});

describe('to a successor that would not keep it for the hold', () => {
  /** By the word of beta, its own failback counts. */
  const ofBeta = (failbackMs: number, startMs: number | null = null): DrillFacts => {
    const { settings } = factsOf();
    return factsOf({
      ...{
        node: 'beta',
        nodes: GOOD.nodes,
        settings: { ...settings, node: 'beta', priority: 2, failbackMs },
      },
      hooks: startMs === null ? [] : [{ action: 'start', ms: startMs }],
    });
  };
  const against = (holdMs: number, beta: DrillFacts): string[] =>
    objectionsTo(factsOf(GOOD), { task: { holdMs }, others: [beta] });

  test('failback there is not longer than the hold, with the start as it was measured', () => {
    assert.deepEqual(against(60_000, ofBeta(60_000)), [
      'it would not stay on beta for the hold of 1 min: failback is after 1 min there; give a shorter --hold',
    ]);
    assert.deepEqual(against(59_000, ofBeta(60_000)), []);
    assert.match(
      against(59_000, ofBeta(60_000, 2000)).join(),
      /failback is after 1 min there, and it needs 2 s to start/,
    );
    assert.deepEqual(against(3_600_000, ofBeta(Number.POSITIVE_INFINITY)), []);
  });

  test('not where the other node has the better priority: then a command brings it back', () => {
    const worse = { settings: { priority: 3 }, nodes: { ...GOOD.nodes, alpha: { priority: 3 } } };
    assert.deepEqual(
      objectionsTo(factsOf(worse), { task: { holdMs: 60_000, back: ['ssh'] }, others: [ofBeta(1000)] }),
      [],
    );
  });

  /** All are set to primary when they start, and alpha has it; it is to go to the worst. */
  const three = (settings: Partial<DrillFacts['settings']> = {}, set = true): DrillFacts => {
    const roleSet = set ? 'primary' : 'secondary';
    const other = { role: 'secondary', run: 'stopped', able: true, roleSet } as const;
    return factsOf({
      nodes: {
        alpha: { priority: 50 },
        beta: { ...other, priority: 100 },
        gamma: { ...other, priority: 150 },
      },
      settings: { priority: 50, ...settings },
      hooks: MEASURED,
    });
  };

  test('a third node of better priority is set to primary, or gets it by failback', () => {
    assert.deepEqual(objectionsTo(three(), { task: { to: 'gamma' } }), [
      'it would not stay on gamma for the hold: beta has the better priority (100), and it is set to primary',
    ]);
    assert.deepEqual(objectionsTo(three(), { task: { to: 'beta' } }), []);
    assert.deepEqual(objectionsTo(three({}, false), { task: { to: 'gamma' } }), []);
    assert.match(
      objectionsTo(three({ failbackMs: 600_000 }, false), { task: { to: 'gamma' } }).join(),
      /beta has the better priority \(100\), and failback is set on gamma$/,
    );
  });

  test('what the rules make of it counts too, and a short failback does not keep the times from being computed', () => {
    const drilled = compute({ asked: three(), others: [], missing: [] });
    assert.match(
      expectedOf(drilled, 'gamma').objection,
      /^it would not stay on gamma for the hold: gamma runs it, and is about to hand it over/,
    );
    assert.deepEqual(expectedOf(drilled, 'gamma').expected.backMs, null);
    const quick = compute({ asked: three({ failbackMs: 4000 }, false), others: [], missing: [] });
    const { expected, objection } = expectedOf(quick, 'beta');
    assert.equal(objection, '');
    assert.ok((expected.thereMs ?? 0) > 900 && (expected.backMs ?? 0) > 900, JSON.stringify(expected));
  });
});

test('what becomes of the role is told before: set to primary it stays, where its priority brings it back', () => {
  const secondary = factsOf({ nodes: { alpha: { roleSet: 'secondary' } } });
  assert.match(
    roleLeft(TASK, secondary),
    /^alpha is set to secondary, and will be set to primary: .* A command behind -- leaves the role as it is$/,
  );
  assert.equal(roleLeft(TASK, factsOf()), '');
  assert.equal(roleLeft({ ...TASK, back: ['ssh'] }, secondary), '');
});

describe('who cannot take it over is told with what is missing, in the words of a switchover', () => {
  const condition = (source: string, change: string, topic = 'successor'): Condition => ({
    ...{ topic, name: 'x', holds: change === '', oneOf: '', enough: 1, what: '', value: '', needed: '' },
    ...{ ageMs: 0, source, change },
  });
  const plan = (...conditions: Condition[]): Explanation => ({
    ...{ subject: 'switchover', name: 'shared', node: 'alpha', sentence: 'x', verdicts: {}, conditions },
  });
  const unable = factsOf({ ...GOOD, nodes: { alpha: { priority: 1 }, beta: { priority: 2, able: false } } });

  test('each node by itself, all phrases at once', () => {
    const said = plan(
      condition('alpha', 'it is in maintenance', 'here'),
      condition('beta', 'its hastmond is about to end'),
      condition('beta', 'it has just given the resource up: no disk'),
      condition('alpha', 'delta is not connected'),
      condition('gamma', 'its role is watchdog'),
      condition('gamma', ''),
    );
    assert.deepEqual(objectionsTo(unable, { plan: said }), [
      'beta cannot take over now: its hastmond is about to end; it has just given the resource up: no disk',
      'gamma cannot take over now: its role is watchdog',
    ]);
  });

  test('also where it says in its heartbeats that it is able', () => {
    const bound = plan(condition('beta', 'no majority that it hears is free to grant it'));
    assert.deepEqual(objectionsTo(factsOf(GOOD), { plan: bound }), [
      'beta cannot take over now: no majority that it hears is free to grant it',
    ]);
  });

  test('nothing of it on a node that does not hold it', () => {
    const elsewhere = factsOf({
      ...GOOD,
      nodes: { alpha: { holds: false }, beta: { holds: true, able: false } },
    });
    assert.deepEqual(objectionsTo(elsewhere), ['it is held by beta: run the drill there']);
  });
});

test('what is risked is told in lines that fit, whatever becomes of the role', () => {
  const role = roleLeft(TASK, factsOf({ nodes: { alpha: { roleSet: 'secondary' } } }));
  const expected = { thereMs: 500, backMs: null };
  for (const [columns, widest] of [
    [80, 80],
    [Number.POSITIVE_INFINITY, 120],
  ] as const)
    for (const line of realRisk('shared', 'alpha', 'beta', expected, role, columns).split('\n'))
      assert.ok(line.length <= widest, line);
});
