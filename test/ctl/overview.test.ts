/** `hastmonctl status --watch`: what it shows, in any room, and what it asks for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bar } from '../../ctl/bar.js';
import { formatOverview, type Overview } from '../../ctl/overview.js';
import type { DirectorWord, PairView } from '../../daemon/balancer/types.js';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import type { HaEvent } from '../../proto/event-types.js';
import { reportOf, runs, saidOf } from '../cluster/support.js';
import { checkOf, listOf } from './check-support.js';
import { entryOf, execute, fakeDaemon } from './support.js';

const AT = new Date(2026, 10, 28, 12, 41, 5).getTime();
const pair = (other: Partial<PairView>): PairView => ({
  ...{
    host: 's1',
    service: 'www',
    real: '10.0.0.2:80',
    virtual: '10.0.0.1:80',
    unknownMs: null,
    disabled: false,
    reasons: [],
  },
  ...{ weight: 40, overridden: false, stateWeight: 40, desiredWeight: 40, procWeight: 40, connections: null },
  ...{ ramp: null, status: '0-ENABLED', sorry: false },
  check: { name: 'c', state: 'up', nature: 'ok', sinceAge: null, passAge: null },
  ...other,
});
const event = (number: number, kind: string, text: string): HaEvent => ({
  ...{
    number,
    node: 'alpha',
    at: AT + number,
    boot: 'b',
    bootMs: number,
    kind,
    resource: 'mail',
    text,
    data: {},
  },
});

const VIEW: Overview = {
  cluster: {
    ...{ node: 'alpha', at: AT, double: [] },
    nodes: [
      reportOf(
        'alpha',
        saidOf(entryOf({ complaints: { now: 2, intervalMs: 60_000, threshold: 3 } }), runs('db', 3)),
        { self: true, ageMs: 0, heardMs: 0 },
      ),
      reportOf('gamma', null, { heardMs: 12_000, note: 'link lost: nothing heard for 3000 ms' }),
    ],
  },
  checks: { ...listOf(checkOf({ state: 'down', outage: true, nature: 'refused' })), up: 9, unknown: 1 },
  servers: [
    pair({
      host: 's2',
      stateWeight: 0,
      status: '0-DISABLED',
      reasons: [{ name: 'deploy', by: 'root', age: 60_000 }],
    }),
    pair({ stateWeight: 10, procWeight: 10, status: '1-RAMPING', ramp: { durationMs: 9000, leftMs: 7000 } }),
  ],
  events: [
    event(1, 'lease-lost', 'the lease is lost'),
    event(2, 'lease-acquired', 'this node holds the lease, epoch 12'),
  ],
};
const plain = { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY, colour: false };

test('what runs where, leases as bars, what is down, weights on their way, the last events', () => {
  const text = formatOverview(VIEW, plain);
  const [head = '', ...rest] = text.split('\n');
  assert.equal(head, '2026-11-28 12:41:05  seen from alpha, 1 of 2 nodes answer');
  const lines = rest.join('\n');
  assert.match(lines, /^gamma {2}- {9}unknown since 12 s .*link lost/m);
  assert.match(
    lines,
    /\nLEASES\nmail {2}\[#+-*\] 2\.4 s of 3 s, epoch 12, alpha\n {6}2 complaints within 1 min, heard by alpha; it takes more than 3\ndb {4}\[/,
  );
  assert.match(lines, /\nCHECKS\nNAME .*\nwww .*down, confirmed.*\n9 up, 1 down, 1 unknown/);
  assert.match(
    lines,
    /\nWEIGHTS\ns1\/www {2}\[#####-{15}\] 10 of 40, coming back, 7 s left\ns2\/www {2}\[-{20}\] 0 of 40, off: deploy \(root, 60 s\)/,
  );
  assert.match(
    lines,
    /\nEVENTS\n12:41:05\.001 {2}mail {2}the lease is lost\n12:41:05\.002 {2}mail {2}this node holds/,
  );
});

test('nobody holds a lease: why, by the one who wants it most', () => {
  const released = { ...entryOf().lease, held: false, leftMs: 0 };
  const waits = (role: 'secondary' | 'watchdog', waiting: string) =>
    saidOf(entryOf({ role, roleSet: role, lease: released, holder: '', waiting }));
  const nodes = [
    reportOf('beta', waits('watchdog', 'w')),
    reportOf('alpha', waits('secondary', 'more complaints')),
  ];
  const text = formatOverview({ ...VIEW, cluster: { ...VIEW.cluster, nodes } }, plain);
  assert.match(text, /^mail {2}nobody holds it: more complaints$/m);
});

test('two nodes that run it are the first thing in red, and both leases are shown', () => {
  const { cluster } = VIEW;
  const nodes = [...cluster.nodes.slice(0, 1), reportOf('beta', saidOf(entryOf()))];
  const double = [{ resource: 'mail', nodes: ['alpha', 'beta'] }];
  const text = formatOverview(
    { ...VIEW, cluster: { ...cluster, nodes, double } },
    { ...plain, colour: true },
  );
  const [, , third = ''] = text.split('\n');
  assert.equal(third, '\x1b[31;1mmail RUNS ON MORE THAN ONE NODE: alpha and beta\x1b[0m');
  assert.equal(text.match(/mail {2}\[#/g)?.length, 2);
});

test('no line is longer, and there are no more of them, than there is room for', () => {
  const sizes = fc.record({
    columns: fc.integer({ min: 1, max: 200 }),
    rows: fc.integer({ min: 1, max: 80 }),
  });
  fc.assert(
    fc.property(sizes, fc.boolean(), fc.integer({ min: 0, max: 60 }), (size, colour, many) => {
      const view: Overview = {
        ...VIEW,
        servers: Array.from({ length: many }, (_, index) => pair({ host: `server${index}`, stateWeight: 1 })),
        events: Array.from({ length: many }, (_, index) => event(index, 'hook', 'start has ended well')),
      };
      const text = formatOverview(view, { ...size, colour });
      const lines = text.replace(/\n$/, '').split('\n');
      assert.ok(lines.length <= size.rows, `${lines.length} lines`);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken away.
      for (const line of lines) assert.ok(line.replace(/\x1b\[[\d;]*m/g, '').length <= size.columns, line);
    }),
  );
});

test('a narrow terminal does without version, age, epoch and checks, and still says why', () => {
  const [, , titles = ''] = formatOverview(VIEW, { columns: 75, rows: 30, colour: false }).split('\n');
  assert.match(titles, /^NODE +RESOURCE +ROLE +STATE +LEASE +NOTE$/);
});

test('a bar: never empty where there is something, never more than full', () => {
  assert.deepEqual(
    [0, 0.001, 0.5, 1, 7, -1, Number.NaN].map((share) => bar(share, 4)),
    ['[----]', '[#---]', '[##--]', '[####]', '[####]', '[----]', '[----]'],
  );
});

test('what it asks for: nothing of checks and balancer where there are none; in JSON a line each time', async (t) => {
  const asked: ControlRequest['kind'][] = [];
  const config = await fakeDaemon(t, async (request): Promise<Partial<ControlReply>> => {
    asked.push(request.kind);
    if (request.kind === 'events') return { events: [...VIEW.events] };
    assert.equal(request.kind, 'cluster');
    return { cluster: { kind: 'cluster', ...VIEW.cluster } };
  });
  const words = ['status', 'db', '--watch=100ms', '--json', '-c', config, '-n', 'alpha'];
  const { out } = await execute(words, {}, '"$@" | head -n 2');
  const lines: Overview[] = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(lines.length, 2);
  assert.deepEqual(asked.slice(0, 4), ['cluster', 'events', 'cluster', 'events']);
  const [first] = lines;
  assert.deepEqual(
    first?.cluster.nodes[0]?.said?.status.map(({ resource }) => resource),
    ['db'],
  );
  assert.deepEqual(first?.events, VIEW.events);
  assert.deepEqual([first?.checks, first?.servers], [null, null]);
});

test('weights that another node tells: whose word, and unknown where that is too old', () => {
  const [own, ...others] = VIEW.cluster.nodes;
  const seen = (source: DirectorWord, servers: readonly PairView[]): string => {
    const balancer = { services: 1, servicesDown: null, servers: 1, serversDown: null, source };
    const self = { ...own, said: { ...own?.said, balancer } } as typeof own;
    const nodes = self === undefined ? others : [self, ...others];
    return formatOverview({ ...VIEW, cluster: { ...VIEW.cluster, nodes }, servers }, plain);
  };
  const told = seen({ node: 'gamma', ageMs: 2000, fresh: true }, VIEW.servers ?? []);
  assert.match(told, /^WEIGHTS \(the word of gamma, 2 s old\)$/m);
  assert.match(
    told,
    /^s1\/www {2}coming back, 7 s left\ns2\/www {2}off: /m,
    'it said nothing of a weight now',
  );
  for (const node of ['alpha', '']) {
    const own = seen({ node, ageMs: 0, fresh: true }, VIEW.servers ?? []);
    assert.match(own, /^WEIGHTS\ns1\/www {2}\[#/m, 'an older hastmond says nobody');
  }
  const unknown = pair({ unknownMs: 12_000, desiredWeight: null, status: '?-UNKNOWN' });
  const old = seen({ node: 'gamma', ageMs: 12_000, fresh: false }, [unknown]);
  assert.match(old, /^WEIGHTS \(unknown since 12 s\)\ns1\/www +unknown since 12 s$/m);
});
