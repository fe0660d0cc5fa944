/** A drill for real, step by step: what it objects to, and where it leaves the resource whatever happens. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RealTask } from '../../ctl/drill-arguments.js';
import { compute } from '../../ctl/drill-facts.js';
import { reportText } from '../../ctl/drill-report.js';
import { forReal, objections, type RealEffects, type RealResult } from '../../ctl/for-real.js';
import type { DrillFacts, DrillNode } from '../../proto/drill-types.js';
import { factsOf } from '../drill/support.js';

const TASK: RealTask = {
  kind: 'drill-for-real',
  resource: 'shared',
  to: '',
  holdMs: 1000,
  report: '',
  back: [],
};
/** A cluster in which the resource comes back by its priority. */
const GOOD = { settings: { priority: 1 }, nodes: { alpha: { priority: 1 }, beta: { priority: 2 } } };

function objectionsTo(
  facts: DrillFacts,
  change: { task?: Partial<RealTask>; others?: DrillFacts[]; outages?: string[] } = {},
): string[] {
  return objections(
    { ...TASK, ...change.task },
    { asked: facts, others: change.others ?? [], missing: [] },
    change.outages ?? [],
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

/** A cluster that does what it is told, one look after the other; what is said and done is written down. */
function play(script: Partial<RealEffects> = {}) {
  const done: string[] = [];
  const world = { holder: 'alpha', run: 'run', now: 1_000_000, interrupts: 0, set: true };
  const facts = (): DrillFacts => {
    const node = (name: string): Partial<DrillNode> => {
      const holds = world.holder === name;
      const { priority } = GOOD.nodes[name as 'alpha'];
      return {
        priority,
        holds,
        role: holds ? 'primary' : 'secondary',
        run: holds ? (world.run as 'run') : 'stopped',
        able: !holds,
        roleSet: name === 'alpha' && world.set ? 'primary' : 'secondary',
      };
    };
    return factsOf({ ...GOOD, bootMs: world.now, nodes: { alpha: node('alpha'), beta: node('beta') } });
  };
  const moveTo = (holder: string): string => {
    Object.assign(world, { holder, run: 'starting' });
    return '';
  };
  const effects: RealEffects = {
    look: async () => facts(),
    switchover: async (to) => {
      done.push(`switchover ${to}`);
      world.set = false;
      return moveTo(to);
    },
    setPrimary: async () => {
      done.push('role primary');
      world.set = true;
      return world.holder === 'alpha' ? '' : moveTo('alpha');
    },
    runBack: async (on) => {
      done.push(`back on ${on}`);
      return moveTo('alpha');
    },
    say: (line) => void done.push(line),
    progress: () => {},
    pause: async () => {
      world.now += 100;
      world.run = 'run';
    },
    interrupts: () => world.interrupts,
    ...script,
  };
  const run = (task: Partial<RealTask> = {}): Promise<RealResult> =>
    forReal({ ...TASK, ...task }, facts(), effects);
  return { done, effects, facts, moveTo, run, world };
}

describe('it', () => {
  test('goes there, stays, comes back, and leaves the role as it was set', async () => {
    const { done, run } = play();
    const { back, end, interrupted, problem, there } = await run();
    assert.deepEqual([problem, end, interrupted], ['', 'shared runs on alpha', false]);
    assert.deepEqual(
      done.filter((line) => !line.startsWith('shared')),
      ['switchover beta', 'role primary'],
    );
    assert.deepEqual(
      [(there?.runsAt ?? 0) - (there?.stopsAt ?? 0), (back?.runsAt ?? 0) - (there?.runsAt ?? 0)],
      [100, 1100],
    );
  });

  test('comes back by the command, where there is one', async () => {
    const { done, run } = play();
    assert.equal((await run({ back: ['x'] })).problem, '');
    assert.deepEqual(
      done.filter((line) => !line.startsWith('shared')),
      ['switchover beta', 'back on beta', 'role primary'],
    );
  });

  test('does nothing where it is interrupted before', async () => {
    const { done, run, world } = play();
    world.interrupts = 1;
    const { end, problem, there } = await run();
    assert.deepEqual(
      [problem, end, there, done],
      ['interrupted before anything was done', 'shared runs on alpha', null, []],
    );
  });

  test('interrupted on the way there, goes on, and comes back without staying', async () => {
    const { effects, run, world } = play();
    const { switchover } = effects;
    effects.switchover = (to) => {
      world.interrupts = 1;
      return switchover(to);
    };
    const { back, interrupted, problem, there } = await run({ holdMs: 3_600_000 });
    assert.deepEqual([problem, interrupted, (back?.askedAt ?? 0) - (there?.runsAt ?? 0)], ['', true, 0]);
  });

  test('interrupted twice, stops there and says what brings it back', async () => {
    const { effects, run, world } = play();
    effects.setPrimary = async () => {
      world.interrupts = 2;
      return '';
    };
    const { end, problem } = await run();
    assert.equal(problem, 'interrupted twice');
    assert.equal(
      end,
      'shared runs on beta; this brings it back, on beta: hastmonctl switchover shared --to alpha',
    );
  });

  test('says that it was put back where the other node could not run it', async () => {
    const { done, effects, moveTo, run, world } = play();
    const { pause } = effects;
    let looks = 0;
    effects.pause = async () => {
      looks += 1;
      if (looks === 3) {
        moveTo('alpha');
        world.run = 'run';
      } else if (world.holder === 'alpha') await pause();
    };
    const { back, end, problem } = await run();
    assert.deepEqual(
      [problem, end, back],
      ['beta could not run it: it runs on alpha again', 'shared runs on alpha', null],
    );
    assert.equal(done.at(-1), 'role primary', 'its role is as it was set before');
  });

  test('ends with what hastmond says where that refuses', async () => {
    const { effects, run } = play();
    effects.switchover = async () => 'a change of role is under way';
    assert.equal((await run()).problem, 'a change of role is under way');
  });

  test('gives it up after a time that every stop and start fits in', async () => {
    const { effects, run, world } = play();
    effects.pause = async () => {
      world.now += 60_000;
    };
    const { end, problem } = await run();
    assert.match(problem, /^it does not run on beta after \d+ min/);
    assert.match(
      end,
      /^shared is held by beta and does not run yet: it is starting; hastmonctl explain shared/,
    );
  });

  test('says so where it leaves the other node by itself, or that is not heard', async () => {
    const left = play();
    const { pause } = left.effects;
    left.effects.pause = async () => {
      if (left.world.holder === 'beta' && left.world.run === 'run') left.world.holder = '';
      await pause();
    };
    assert.match((await left.run()).problem, /^it does not run on beta any more/);
  });

  test('says that nothing is known where hastmond does not answer any more', async () => {
    const { effects, run } = play();
    const { look } = effects;
    let looks = 0;
    effects.look = async () => {
      looks += 1;
      if (looks > 2) throw new Error('no hastmond at /run/x');
      return look();
    };
    const { end, problem } = await run();
    assert.deepEqual(
      [problem, end],
      ['no hastmond at /run/x', 'where shared is cannot be said: no hastmond at /run/x'],
    );
  });
});

describe('the report', () => {
  test('has what was measured beside what was expected, and the phases that all nodes saw', async () => {
    const { facts, run } = play();
    const result = await run();
    const phase = { beginMs: 0, node: 'alpha', setting: 'stop_timeout', settingMs: 5000 };
    const text = reportText({
      ...{ task: TASK, drilled: compute({ asked: facts(), others: [], missing: [] }), result },
      expected: { thereMs: 1200, backMs: null },
      ...{
        events: [],
        versions: { hastmonctl: '1.2', hastmond: '1.3' },
        began: new Date(0),
        ended: new Date(5000),
      },
      failovers: [
        {
          ...{
            epoch: 2,
            from: 'alpha',
            to: 'beta',
            at: 0,
            kind: 'handover',
            text: 'handed over',
            tookMs: 100,
            marks: [],
          },
          phases: [{ ...phase, name: 'stop', tookMs: 40, text: 'a | b\nc' }],
        },
      ],
    });
    assert.match(text, /^\| \*\*without the service, expected\*\* \| 1\.2 s \| - \|$/m);
    assert.match(text, /^\| \*\*without the service, measured\*\* \| 100 ms \| 100 ms \|$/m);
    assert.match(text, /^- hastmonctl 1\.2, hastmond 1\.3 on alpha$/m);
    assert.match(text, /^\| stop \| 40 ms \| alpha \| a \\\| b c \| stop_timeout 5 s \|$/m);
    assert.match(text, /^No event is on record\.$/m);
  });
});
