/** What `hastmonctl status --cluster` prints and ends with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCluster, selectFrom } from '../../ctl/cluster.js';
import type { DirectorWord } from '../../daemon/balancer/types.js';
import { DOUBLE, VIEW } from './cluster-support.js';
import { execute, fakeDaemon, hastmonctl, invocationOf } from './support.js';

const plain = { columns: Number.POSITIVE_INFINITY, colour: false };

test('one table of all nodes and resources; who is not heard is unknown, since when and why', () => {
  assert.deepEqual(formatCluster(VIEW, plain).split('\n'), [
    'NODE   RESOURCE  ROLE                STATE    LEASE             EPOCH  CHECKS DOWN           VERSION   AGE  NOTE',
    'alpha  mail      primary             run      held, 2.4 s left     12  2 of 12, 1 confirmed  0.1.0     now',
    '       db        primary             run      held, 2.4 s left      3',
    'beta   mail      secondary           stopped  alpha holds it       12  -                     0.1.0    5 ms  maintenance on alpha: upgrade',
    'gamma  -         unknown since 12 s                                                                         link lost: nothing heard for 3000 ms',
    'delta  -         unknown                                                                                    never heard since this daemon began',
    'omega  -         -                   -        -                        -                     0.1.0    5 ms',
    '',
  ]);
  const narrow = formatCluster(VIEW, { columns: 100, colour: false });
  for (const line of narrow.split('\n')) assert.ok(line.length <= 100, line);
});

test('where a table does not fit, each node and what it says below the other, and nothing is cut or left out', () => {
  const shown = formatCluster(VIEW, { columns: 40, colour: false });
  assert.deepEqual(shown.split('\n').slice(0, 12), [
    'alpha, checks down: 2 of 12, 1',
    '    confirmed, version 0.1.0',
    '  mail: primary, run, held, 2.4 s left,',
    '    epoch 12',
    '  db: primary, run, held, 2.4 s left,',
    '    epoch 3',
    'beta, version 0.1.0, age 5 ms',
    '  mail: secondary, stopped, alpha holds',
    '    it, epoch 12',
    '    maintenance on alpha: upgrade',
    'gamma',
    '  unknown since 12 s',
  ]);
  const odd = formatCluster(VIEW, { columns: 40, colour: true });
  assert.ok(odd.includes('\n\x1b[33m  unknown since 12 s\x1b[0m\n'), odd);
  assert.match(odd, /^ {2}db: primary/m);
  for (const columns of [60, 70, 80, 100]) {
    const names = formatCluster(VIEW, { columns, colour: false }).match(
      /^(alpha|beta|gamma|delta|omega)\b/gm,
    );
    assert.equal(names?.length, 5, String(columns));
  }
});

test('virtual services that are down: whose word that is where it is not its own, and unknown where that is too old', () => {
  const noteOf = (source: DirectorWord, servicesDown: number | null): string => {
    const balancer = { services: 3, servicesDown, servers: 9, serversDown: servicesDown, source };
    const nodes = VIEW.nodes.flatMap((report) =>
      report.said === null ? [] : [{ ...report, said: { ...report.said, status: [], balancer } }],
    );
    const [, line = ''] = formatCluster({ ...VIEW, nodes: nodes.slice(0, 1) }, plain).split('\n');
    return line.slice(line.indexOf('now') + 3).trim();
  };
  for (const node of ['alpha', ''])
    assert.equal(noteOf({ node, ageMs: 7, fresh: true }, 1), '1 of 3 virtual services down');
  assert.equal(
    noteOf({ node: 'beta', ageMs: 0, fresh: true }, 1),
    '1 of 3 virtual services down (the word of beta, 0 ms old)',
  );
  assert.equal(
    noteOf({ node: 'beta', ageMs: 2000, fresh: true }, 1),
    '1 of 3 virtual services down (the word of beta, 2 s old)',
  );
  assert.equal(
    noteOf({ node: 'beta', ageMs: 12_000, fresh: false }, null),
    'virtual services: unknown since 12 s',
  );
});

test('a node that has the balancer and no resource: below each other, too, it says what is down', () => {
  const source: DirectorWord = { node: 'omega', ageMs: 0, fresh: true };
  const balancer = { services: 5, servicesDown: 2, servers: 9, serversDown: 3, source };
  const nodes = VIEW.nodes
    .slice(-1)
    .map((report) => ({ ...report, said: report.said === null ? null : { ...report.said, balancer } }));
  const shown = formatCluster({ ...VIEW, nodes }, { columns: 29, colour: true });
  assert.deepEqual(shown.split('\n').slice(-3), [
    '\x1b[33m  2 of 5 virtual services\x1b[0m',
    '\x1b[33m   down\x1b[0m',
    '',
  ]);
  assert.match(shown, /^omega, /);
});

test('two that both run it: a line at the top, red where colours are wanted', () => {
  const words = 'mail RUNS ON MORE THAN ONE NODE: alpha and beta';
  assert.equal(formatCluster(DOUBLE, plain).split('\n')[0], words);
  assert.equal(formatCluster(DOUBLE, { ...plain, colour: true }).split('\n')[0], `\x1b[31;1m${words}\x1b[0m`);
  assert.ok(!formatCluster(DOUBLE, plain).includes('\x1b'));
});

test('some resources alone', () => {
  const some = selectFrom(DOUBLE, ['db']);
  assert.deepEqual(some.double, []);
  assert.deepEqual(
    some.nodes.map(({ said }) => said?.status.map(({ resource }) => resource)),
    [['db'], [], undefined, undefined, []],
  );
});

test('what the program asks, prints and ends with', async (t) => {
  const asked: unknown[] = [];
  let view = VIEW;
  const config = await fakeDaemon(t, async (request) => {
    asked.push(request);
    return { cluster: { kind: 'cluster', ...view } };
  });
  const words = ['status', '--cluster', '-c', config, '-n', 'alpha'];
  const well = await hastmonctl(words);
  assert.deepEqual([well.code, well.err, well.out], [0, '', formatCluster(VIEW, plain)]);
  assert.deepEqual(asked, [{ kind: 'cluster' }]);
  const json = await hastmonctl([...words, '--json', 'mail']);
  assert.deepEqual(JSON.parse(json.out), selectFrom(VIEW, ['mail']));
  const none = await hastmonctl([...words, 'shop']);
  assert.deepEqual(
    [none.code, none.err],
    [68, 'hastmonctl: no resource shop on any node that has answered\n'],
  );
  view = DOUBLE;
  const double = await execute(words);
  assert.equal(double.code, 1);
  assert.match(double.out, /^mail RUNS ON MORE THAN ONE NODE: alpha and beta\n/);
  assert.equal((await hastmonctl([...words, 'db'])).code, 0);
  assert.equal((await hastmonctl([...words, '--json'])).code, 1);
});

test('the command line', async () => {
  const request = async (...words: string[]) => (await invocationOf(words)).request;
  assert.deepEqual(await request('status', '--cluster'), { kind: 'cluster-status', resources: 'all' });
  assert.deepEqual(await request('status', '--cluster', 'a', 'b'), {
    kind: 'cluster-status',
    resources: ['a', 'b'],
  });
  assert.deepEqual(await request('timeline', 'mail'), {
    ...{ kind: 'timeline-of', resource: 'mail', last: 1, marks: false },
  });
  assert.deepEqual(await request('timeline', '-v', 'mail', '--last', '3'), {
    ...{ kind: 'timeline-of', resource: 'mail', last: 3, marks: true },
  });
  await assert.rejects(request('timeline'), /'timeline' takes the name of one resource/);
  await assert.rejects(request('timeline', 'mail', '--last', '0'), /'0' is not from 1 to 100/);
});
