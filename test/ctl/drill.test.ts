/** hastmonctl drill: its command line, what it prints, and how it ends. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { readArguments } from '../../ctl/arguments.js';
import { drillJson, formatDrill, isSafe } from '../../ctl/drill.js';
import { compute, type Drilled } from '../../ctl/drill-facts.js';
import type { DrillFacts } from '../../proto/drill-types.js';
import { factsOf, MEASURED } from '../drill/support.js';
import { directory, fakeDaemon, hastmonctl, invocationOf } from './support.js';

const task = async (...words: string[]): Promise<unknown> =>
  (await invocationOf(['drill', ...words])).request;

async function refusal(...words: string[]): Promise<string> {
  const read = await readArguments(['drill', ...words]);
  assert.equal(read.kind, 'refuse', words.join(' '));
  return read.kind === 'refuse' ? read.message : '';
}

const known = (asked: DrillFacts, missing: Drilled['known']['missing'] = []) =>
  compute({ asked, others: [], missing });
const WIDE = { columns: Number.POSITIVE_INFINITY, colour: false };

describe('the command line', () => {
  test('what would follow, for all or some', async () => {
    const matrix = { kind: 'drill-matrix', check: false };
    assert.deepEqual(await task(), { ...matrix, resources: 'all' });
    assert.deepEqual(await task('mail', 'web', '--check'), {
      ...matrix,
      resources: ['mail', 'web'],
      check: true,
    });
  });

  test('for real, with a command behind --', async () => {
    const real = { kind: 'drill-for-real', resource: 'mail', to: '', holdMs: 10_000, report: '', back: [] };
    assert.deepEqual(await task('mail', '--for-real'), real);
    const words = [
      'mail',
      '--for-real',
      '--to',
      'beta',
      '--hold',
      '1m',
      '--report',
      'x.md',
      '--',
      'ssh',
      '{}',
      '--yes',
    ];
    const other = { to: 'beta', holdMs: 60_000, report: 'x.md', back: ['ssh', '{}', '--yes'] };
    assert.deepEqual(await task(...words), { ...real, ...other });
  });

  test('what belongs to one of them is refused with the other', async () => {
    assert.match(await refusal('--for-real'), /takes the name of one resource/);
    assert.match(await refusal('all', '--for-real'), /takes the name of one resource/);
    assert.match(await refusal('mail', 'web', '--for-real'), /takes the name of one resource/);
    assert.match(
      await refusal('mail', '--for-real', '--check'),
      /--check is for a drill that is not for real/,
    );
    assert.match(await refusal('mail', '--hold', '1s'), /^--hold is for a drill --for-real$/);
    assert.match(await refusal('mail', '--to', 'beta'), /^--to is for a drill --for-real$/);
    assert.match(await refusal('mail', '--', 'ssh'), /^a command behind -- is for a drill --for-real$/);
    assert.match(await refusal('mail', '--for-real', '--hold', '25h'), /hold.*0s to 24h/);
    assert.match(await refusal('mail', '--for-real', '--report', 'a', '--report', 'b'), /given twice/);
  });
});

describe('what is printed', () => {
  test('of a cluster that is well', () => {
    assert.equal(
      formatDrill(known(factsOf({ hooks: MEASURED })), WIDE),
      `resource shared on alpha: runs on alpha; any single node may be lost: yes; any single link: yes

  FAILURE                   RUNS ON  AFTER  WITHOUT SERVICE
  nothing more happens      alpha        -  -
  alpha (primary) lost      beta     8.6 s  8.6 s
  beta (secondary) lost     alpha        -  -
  gamma (watchdog) lost     alpha        -  -
  link alpha - beta cut     alpha        -  -
  link alpha - gamma cut    alpha        -  -
  link beta - gamma cut     alpha        -  -
  alpha (primary) cut off   beta     8.6 s  5.9 s
  beta (secondary) cut off  alpha        -  -
  gamma (watchdog) cut off  alpha        -  -

  start is taken to need 700 ms on alpha (measured once), 700 ms on beta (as measured on another node).
  stop is taken to need 300 ms on alpha (measured once), 300 ms on beta (as measured on another node).
  One failure each, from how things stand; times are the worst of several moments within a heartbeat, without the load
    of real machines. Hooks end well, and what is lost stays lost.
`,
    );
  });

  test('what is one failure too many is red, with the reason, and so is the sentence', () => {
    const drilled = known(factsOf({ nodes: { gamma: { fresh: false, linked: false, heardMs: 12_000 } } }));
    const shown = formatDrill(drilled, { columns: 300, colour: true });
    const red = shown.split('\n').filter((line) => line.includes('\x1b[31;1m'));
    assert.match(
      red[0] ?? '',
      /any single node may be lost: no \(alpha, beta\); any single link: no \(alpha - beta\)/,
    );
    assert.ok(
      red.some(
        (line) => line.includes('alpha (primary) lost, gamma lost already') && line.includes('nobody'),
      ),
    );
    assert.match(
      shown,
      /nobody, with alpha \(primary\) lost, gamma lost already: beta: secondary; waiting for a majority/,
    );
    assert.match(shown, /gamma was heard 12 s ago: it counts as lost\./);
    assert.ok(!isSafe(drilled));
  });

  describe('a node that could not run it when it tried last', () => {
    const why = 'start exited with 1: disk /data is not mounted';
    const failed = (holder = 'alpha'): Drilled => {
      const beta = factsOf({ node: 'beta', settings: { node: 'beta' }, startFailed: why });
      const asked = factsOf({ hooks: MEASURED, startFailed: holder === 'alpha' ? '' : why });
      return compute({ asked, others: holder === 'alpha' ? [beta] : [], missing: [] });
    };

    test('is no node to rely on: the sentence says so, with the error, and warns', () => {
      const shown = formatDrill(failed(), { columns: 300, colour: true });
      const sentence =
        'runs on alpha; any single node may be lost: not sure (alpha); any single link: not sure (alpha); ' +
        `beta could not run it last: ${why}`;
      assert.equal(shown.split('\n')[0], `\x1b[33mresource shared on alpha: ${sentence}\x1b[0m`);
      assert.ok(shown.includes('\x1b[33malpha (primary) lost'), shown);
      assert.ok(!shown.includes('\x1b[31'), 'nothing is lost for sure');
      assert.match(shown, /The last attempt .* on beta has failed: .*hastmonctl role secondary shared$/m);
    });

    test('is not safe, for scripts', () => {
      const json = drillJson(failed());
      assert.equal(json.safe, false);
      const doubtful = json.failures
        .filter(({ doubtful }) => doubtful)
        .map(({ kind, nodes }) => [kind, nodes]);
      assert.deepEqual(doubtful, [
        ['node-lost', ['alpha']],
        ['node-cut-off', ['alpha']],
      ]);
    });

    test('but for the one that runs it now', () => {
      assert.equal(isSafe(failed('beta')), true);
      assert.doesNotMatch(formatDrill(failed('beta'), WIDE), /last attempt/);
    });
  });

  test('what is known at second hand is said', () => {
    const missing = ['beta', 'gamma'].map((node) => ({ node, why: 'no answer for 500 ms' }));
    const shown = formatDrill(known(factsOf(), missing), WIDE);
    assert.match(shown, /beta has not answered \(no answer for 500 ms\): of it its heartbeats count\./);
    assert.match(shown, /Connections between nodes that have not answered are taken to be there\./);
    assert.match(shown, /never measured: all that its limit allows/);
  });

  test('by force, or between two: nothing is computed, and that is not safe', () => {
    const forced = known(factsOf({ nodes: { alpha: { forced: true, holds: false } } }));
    assert.match(
      formatDrill(forced, WIDE),
      /what would follow cannot be computed: it runs on alpha by force/,
    );
    assert.equal(isSafe(forced), false);
    const two = known(factsOf({ nodes: { beta: { holds: true } } }));
    assert.match(formatDrill(two, WIDE), /it is changing hands, between alpha and beta/);
  });

  test('a voter without history, and a failback that is far away, are said', () => {
    const blank = known(factsOf({ hooks: MEASURED, nodes: { gamma: { history: false } } }));
    assert.match(formatDrill(blank, WIDE), /The voter of gamma has no history: it grants nothing before/);
    assert.equal(isSafe(blank), false);
    const nodes = {
      alpha: { role: 'secondary', roleSet: 'secondary', run: 'stopped', able: true, holds: false },
      beta: { role: 'primary', run: 'run', able: false, holds: true, priority: 200 },
    } as const;
    const far = known(factsOf({ nodes, settings: { failbackMs: 1_800_000 } }));
    assert.match(
      formatDrill(far, WIDE),
      /alpha gets it back by failback, 30 min after it is able: the table does not reach that far\./,
    );
  });

  test('what takes too long to compute is given up, and is not safe', () => {
    let time = 0;
    const slow = compute({ asked: factsOf(), others: [], missing: [] }, () => {
      time += 25_000;
      return time;
    });
    assert.deepEqual([slow.problem, slow.cells], ['it takes more than 1 min', []]);
    assert.equal(isSafe(slow), false);
  });

  test('no line is wider than the terminal', () => {
    const drilled = known(factsOf({ nodes: { gamma: { fresh: false, linked: false } } }));
    for (const columns of [30, 60, 80])
      for (const line of formatDrill(drilled, { columns, colour: false }).split('\n'))
        assert.ok(line.length <= columns, `${line.length} in ${columns}: ${line}`);
  });

  test('where a table does not fit, no failure is cut, so that each can be told from the others', () => {
    const drilled = known(factsOf({ hooks: MEASURED, nodes: { gamma: { fresh: false, linked: false } } }));
    for (const columns of [40, 60]) {
      const shown = formatDrill(drilled, { columns, colour: false });
      assert.doesNotMatch(shown, /\+$|\+ /m);
      const text = shown.replace(/\s+/g, ' ');
      for (const words of [
        'nothing more happens, gamma lost already runs on alpha',
        'alpha (primary) lost, gamma lost already runs on nobody until that is mended',
        'link alpha - beta cut, gamma lost already runs on nobody until',
      ])
        assert.ok(text.includes(words), `${words} in\n${shown}`);
    }
    const well = formatDrill(known(factsOf({ hooks: MEASURED })), { columns: 40, colour: false });
    assert.match(
      well,
      /^ {2}alpha \(primary\) cut off\n {6}runs on beta after 8\.6 s, 5\.9 s\n {8}without service$/m,
    );
  });

  test('what another node says cannot reach the terminal as it is', () => {
    const unfit = 'x\x1b[2J\ny';
    const shown = formatDrill(
      known(factsOf({ unfit, nodes: { alpha: { holds: false, role: 'secondary', run: 'stopped' } } })),
      WIDE,
    );
    assert.ok(shown.includes('x [2J y') && !shown.includes('\x1b'), shown);
  });

  test('in JSON: each failure with who would run it, and where the numbers are from', () => {
    const json = drillJson(known(factsOf({ hooks: MEASURED })));
    assert.deepEqual(
      [json.resource, json.node, json.holder, json.safe, json.problem],
      ['shared', 'alpha', 'alpha', true, ''],
    );
    const lost = json.failures.find(({ kind, nodes }) => kind === 'node-lost' && nodes[0] === 'alpha');
    assert.deepEqual([lost?.runsOn, lost?.nowhere, lost?.bad, lost?.why], [['beta'], false, false, []]);
    assert.ok(Number.isInteger(lost?.afterMs) && lost?.afterMs === lost?.withoutServiceMs);
    assert.deepEqual(json.hooks[0], { node: 'alpha', action: 'start', ms: 700, source: 'node' });
  });
});

test('--check ends with 1 where a single failure is one too many, and with 0 where none is', async (t) => {
  const answers = { facts: [factsOf({ hooks: MEASURED })] };
  const config = await fakeDaemon(t, async (request) => {
    assert.deepEqual(request, { kind: 'drill', resources: ['shared'], depth: 'all' });
    return { cluster: { kind: 'drill', facts: answers.facts, missing: [] } };
  });
  const words = ['-c', config, '-n', 'alpha', 'drill', 'shared'];
  assert.equal((await hastmonctl([...words, '--check'])).code, 0);
  const beta = factsOf({ node: 'beta', settings: { node: 'beta' }, startFailed: 'no disk' });
  answers.facts = [factsOf({ hooks: MEASURED }), beta];
  assert.equal(
    (await hastmonctl([...words, '--check'])).code,
    1,
    'nobody knows that the other one can run it',
  );
  answers.facts = [factsOf({ nodes: { beta: { able: false } } })];
  const { code, out } = await hastmonctl([...words, '--check', '--json']);
  assert.equal(code, 1);
  assert.equal((JSON.parse(out) as { safe: boolean }[])[0]?.safe, false);
  assert.equal(
    (await hastmonctl(words)).code,
    0,
    'without it the status tells only whether it could be computed',
  );
});

test('of several resources it says how far it is', async (t) => {
  const facts = ['mail', 'web'].map((resource) => factsOf({ resource, hooks: MEASURED }));
  const config = await fakeDaemon(t, async () => ({ cluster: { kind: 'drill', facts, missing: [] } }));
  const { err, out } = await hastmonctl(['-c', config, '-n', 'alpha', 'drill']);
  assert.match(err, /computing mail \(1 of 2\)\nprogress: computing web \(2 of 2\)/);
  assert.match(out, /^resource web on alpha/m);
});

test('for real: what was true before the question is looked at again after it, and nothing is begun where it is not', async (t) => {
  const good = { settings: { priority: 1 }, hooks: MEASURED };
  const nodes = { alpha: { priority: 1 }, beta: { priority: 2 } };
  const answered = factsOf({ ...good, nodes });
  const moved = factsOf({
    ...good,
    nodes: {
      alpha: { ...nodes.alpha, holds: false, role: 'secondary' },
      beta: { priority: 2, holds: true, run: 'run' },
    },
  });
  const state = { looks: 0, asked: [] as string[], later: moved };
  const config = await fakeDaemon(t, async ({ kind }) => {
    if (kind === 'checks')
      return {
        monitor: {
          kind: 'checks',
          entries: [],
          up: 0,
          down: 0,
          unknown: 0,
          next: 0,
          lateMs: null,
          skipped: 0,
          note: '',
        },
      };
    if (kind === 'version') return { text: '1.2.3' };
    if (kind === 'switchover-plan') return {};
    if (kind !== 'drill') {
      state.asked.push(kind);
      return { error: { code: 75, message: 'refused' } };
    }
    state.looks += 1;
    const facts = { ...(state.looks > 1 ? state.later : answered), bootMs: performance.now() };
    return { cluster: { kind: 'drill', facts: [facts], missing: [] } };
  });
  const report = path.join(directory(t), 'report.md');
  const words = ['-c', config, '-n', 'alpha', 'drill', 'shared', '--for-real', '--report', report];
  const typed = await hastmonctl(words, ['shared']);
  assert.equal(typed.code, 69, typed.err);
  assert.match(typed.err, /no drill with shared now:\n.*it is held by beta: run the drill there\n$/);
  state.looks = 0;
  state.later = factsOf({
    ...good,
    nodes: { ...nodes, beta: { priority: 2, able: false }, gamma: { priority: 3, able: true } },
  });
  const other = await hastmonctl(words, ['shared']);
  assert.equal(other.code, 69, other.err);
  assert.match(other.err, /it would go to gamma now, and not to beta: begin again\n$/);
  assert.deepEqual(state.asked, []);
});
