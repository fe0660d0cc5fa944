/** A drill for real, step by step: where it leaves the resource, and the role of this node, whatever happens. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RealTask } from '../../ctl/drill-arguments.js';
import { awayMs, forReal, type RealEffects, type RealResult } from '../../ctl/for-real.js';
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
    setRole: async (role) => {
      done.push(`role ${role}`);
      world.set = role === 'primary';
      return role === 'secondary' || world.holder === 'alpha' ? '' : moveTo('alpha');
    },
    runBack: async (on) => {
      done.push(`back on ${on}`);
      return moveTo('alpha');
    },
    endBack: async () => {},
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

  test('interrupted twice, stops there, takes the role back that would move it later, and says what brings it back', async () => {
    const { done, effects, run, world } = play();
    effects.setRole = async (role) => {
      done.push(`role ${role}`);
      world.set = role === 'primary';
      world.interrupts = Math.max(world.interrupts, 2);
      return '';
    };
    const { end, problem, role } = await run();
    assert.equal(problem, 'interrupted twice');
    assert.equal(
      end,
      'shared runs on beta; this brings it back, on beta: hastmonctl switchover shared --to alpha',
    );
    assert.deepEqual(
      done.filter((line) => line.startsWith('role')),
      ['role primary', 'role secondary'],
    );
    assert.match(
      role,
      /^alpha is set to secondary now, and was set to primary before; when shared runs here/,
    );
  });

  test('interrupted twice while it comes back already: it says so when it has come, and the role is as before', async () => {
    const { done, effects, moveTo, run, world } = play();
    const { pause } = effects;
    effects.setRole = async (role) => {
      done.push(`role ${role}`);
      world.set = role === 'primary';
      if (world.holder === 'beta') Object.assign(world, { run: 'stopping', interrupts: 2 });
      return '';
    };
    let looks = 0;
    effects.pause = async () => {
      world.now += 100;
      if (world.run !== 'stopping') return pause();
      looks += 1;
      if (looks > 5) moveTo('alpha');
    };
    const { end, problem, role } = await run();
    assert.deepEqual([problem, end, role], ['interrupted twice', 'shared runs on alpha', '']);
    assert.deepEqual(
      done.filter((line) => line.startsWith('role')),
      ['role primary'],
    );
  });

  describe('interrupted twice while it stops here', () => {
    const stopping = (interrupts: number) => {
      const played = play();
      const { effects, moveTo, world } = played;
      const { pause } = effects;
      let answer = (_said: string): void => {};
      effects.switchover = () => {
        Object.assign(world, { run: 'stopping', set: false, interrupts });
        return new Promise((resolve) => {
          answer = resolve;
        });
      };
      let looks = 0;
      effects.pause = async () => {
        world.now += 100;
        looks += 1;
        if (world.run === 'starting') {
          await pause();
          answer('');
        } else if (looks === 5) moveTo('beta');
      };
      return played;
    };

    test('waits for what comes of it, and says where it came to run', async () => {
      const { end, problem } = await stopping(2).run();
      assert.deepEqual(
        [problem, end],
        [
          'interrupted twice',
          'shared runs on beta; this brings it back, on beta: hastmonctl switchover shared --to alpha',
        ],
      );
    });

    test('and once more: it says that it is still under way', async () => {
      const { effects, run, world } = stopping(2);
      effects.pause = async () => {
        world.interrupts = 3;
      };
      const { end } = await run();
      assert.match(
        end,
        /^shared is held by alpha \(stopping\), and the move that was begun is still under way; hastmonctl/,
      );
    });
  });

  test('a node that was not set to primary: it says that it is now, and what ends that', async () => {
    const { run, world } = play();
    world.set = false;
    const { problem, role } = await run();
    assert.equal(problem, '');
    assert.match(
      role,
      /^alpha is set to primary now, and was set to secondary before: .* on alpha: hastmonctl role secondary shared$/,
    );
    const command = play();
    command.world.set = false;
    assert.equal((await command.run({ back: ['x'] })).role, '');
  });

  test('says that it was put back where the other node could not run it', async () => {
    const { done, effects, moveTo, run, world } = play();
    const { pause } = effects;
    let looks = 0;
    effects.pause = async () => {
      world.now += 100;
      looks += 1;
      if (looks === 3) {
        moveTo('alpha');
        world.run = 'run';
      } else if (world.holder === 'alpha') await pause();
    };
    const { back, end, problem, there } = await run();
    assert.deepEqual(
      [problem, end, back],
      ['beta could not run it: it runs on alpha again', 'shared runs on alpha', null],
    );
    assert.equal(there === null ? null : awayMs(there), 300, 'from the stop until it ran here again');
    assert.equal(there?.runsAt, null);
    assert.equal(done.at(-1), 'role primary', 'its role is as it was set before');
  });

  test('ends with what hastmond says where that refuses, also where it has moved there by other means', async () => {
    const { done, effects, moveTo, run, world } = play();
    const { pause } = effects;
    effects.switchover = async () => 'a change of role is under way';
    assert.equal((await run()).problem, 'a change of role is under way');
    assert.deepEqual(done, ['shared: handing it over to beta']);
    effects.switchover = async (to) => {
      moveTo(to);
      world.run = 'run';
      world.set = false;
      return 'alpha does not hold it';
    };
    effects.pause = pause;
    const { back, end, problem, there } = await run();
    assert.deepEqual([problem, back, there?.runsAt !== null], ['alpha does not hold it', null, true]);
    assert.match(end, /^shared runs on beta;/);
    assert.ok(!done.some((line) => line.startsWith('role')), done.join());
  });

  test('a command that switches back and fails is no success, also where it came back', async () => {
    const { effects, moveTo, run } = play();
    effects.runBack = async () => {
      moveTo('alpha');
      return 'the command ended with status 1';
    };
    const { end, problem } = await run({ back: ['x'] });
    assert.deepEqual([problem, end], ['the command ended with status 1', 'shared runs on alpha']);
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
