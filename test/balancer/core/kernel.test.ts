/** The core and the kernel's table: whose a service is, what is refused, what others change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  balancerWakeAt,
  createBalancer,
  pairViews,
  planChanges,
  saved,
  serviceViews,
  stepBalancer,
} from '../../../daemon/balancer/core/balancer.js';
import { RETRY_MS, type SavedState } from '../../../daemon/balancer/core/types.js';
import type { Table } from '../../../daemon/balancer/types.js';
import {
  ADDRESSES,
  file,
  Given,
  type GivenOptions,
  host,
  nameOf,
  service,
  tableService,
  WWW,
  WWW_KEY,
} from './given.js';

const ALL = { '1': 100, '2': 200, '3': 300 };
const up = (options: GivenOptions = {}): Given => new Given(options).pass(1, 2, 3);
const warnings = (given: Given): string[] =>
  given.told('log').flatMap(({ level, text }) => (level === 'warn' ? [text] : []));
const found = (weights: Record<string, number> = ALL): Table => new Map([[WWW_KEY, tableService(weights)]]);
const problem = (given: Given): string | undefined =>
  serviceViews(given.state, given.now, { services: null, unknownMs: null })[0]?.problem;
/** Through the file that it is kept in. */
const keep = (given: Given): SavedState => JSON.parse(JSON.stringify(saved(given.state)));

test('nothing is planned before the table, the file and whether this node is active are known', () => {
  const inputs = [
    {
      kind: 'config',
      config: file([service('www', { adopt: true })], [host('s1', { www: 1 })]),
      addresses: ADDRESSES,
    },
    { kind: 'table', table: found({ '77': 1 }) },
    { kind: 'active', active: true },
  ] as const;
  for (const missing of [...inputs, undefined]) {
    const state = createBalancer();
    for (const input of inputs) if (input !== missing) stepBalancer(state, { ...input, now: 5 });
    const begunAt = 6;
    const result = { name: nameOf('10.0.0.1'), state: 'up' as const, pass: true, nature: 'ok', begunAt };
    stepBalancer(state, { now: 7, kind: 'results', results: [result] });
    assert.equal(planChanges(state, 7).length, missing === undefined ? 2 : 0, missing?.kind);
  }
});

test('[B6] a service that exists and is not its own is not touched, told once, and shown', () => {
  const given = up({ table: found({ '1': 1, '77': 5 }) })
    .fail(1)
    .off(2);
  assert.deepEqual(given.changes, []);
  assert.equal(warnings(given).filter((text) => text.includes('was not made by this balancer')).length, 1);
  assert.match(problem(given) ?? '', /adopt/);
  given.reload(file([], []));
  assert.deepEqual(given.changes, []);
});

test('[B6] adopting it by its line, by the settings or by a command makes it its own', () => {
  const table = found({ '1': 1, '77': 5 });
  const own = { ...WWW, services: [service('www', { adopt: true })] };
  for (const given of [up({ table, config: own }), up({ table, adopt: true })])
    assert.deepEqual(given.weights(), ALL);
  const given = up({ table });
  given.step({ kind: 'command', command: { kind: 'adopt', services: ['www'], by: 'root' } });
  assert.deepEqual(given.weights(), ALL);
  assert.equal(problem(given), '');
});

test('[B6] one that somebody makes at the moment in which it was about to be made is not its own', () => {
  const given = up();
  given.reload(file([], []));
  assert.equal(given.weights(), null);
  const { state } = given;
  stepBalancer(state, { now: given.now, kind: 'config', config: WWW, addresses: ADDRESSES });
  given.now += 2;
  const results = [1, 2, 3].map((at) => ({
    ...{
      name: nameOf(`10.0.0.${at}`),
      state: 'up' as const,
      pass: true,
      nature: 'ok',
      begunAt: given.now - 1,
    },
  }));
  stepBalancer(state, { now: given.now, kind: 'results', results });
  const services = [WWW_KEY];
  assert.equal(planChanges(state, given.now)[0]?.kind, 'add-service');
  stepBalancer(state, { now: given.now, kind: 'refused', services, why: 'Service already exists' });
  given.kernel = new Map([[WWW_KEY, tableService({ '1': 3 }, { scheduler: 'lc' })]]);
  given.step({ kind: 'table', table: given.kernel }).after(20_000).fail(1);
  assert.deepEqual(given.weights(), { '1': 3 });
  assert.match(problem(given) ?? '', /not made by this balancer/);
});

test('a service that leaves the file is deleted; one whose address changes is made before the old one goes', () => {
  const given = up();
  const moved = new Map([...ADDRESSES, ['www.example', '1.2.3.99']]);
  given.changes = [];
  given.reload(WWW, moved);
  assert.equal(given.changes[0]?.kind, 'add-service');
  assert.deepEqual(given.changes.at(-1), { kind: 'delete-service', service: WWW_KEY });
  assert.deepEqual(given.weights('-t 1.2.3.99:80'), ALL);
  given.reload(file([], []));
  assert.equal(given.kernel.size, 0);
});

test('what does not resolve stays where it was known to be, or is out of the table', () => {
  const given = up();
  given.reload(WWW, new Map([...ADDRESSES].filter(([name]) => name !== 's1.example')));
  assert.deepEqual(given.weights(), ALL);
  const fresh = new Given({
    config: file([service('www')], [host('s1', { www: 1 }), host('s8', { www: 1 })]),
  }).pass(1);
  assert.deepEqual(fresh.weights(), { '1': 1 });
  const views = pairViews(
    fresh.state,
    fresh.now,
    { hosts: null, services: null, unknownMs: null },
    () => undefined,
  );
  assert.deepEqual(
    views.map(({ real }) => real),
    ['10.0.0.1:80', ''],
  );
});

test('[B7] a service is not put into the kernel before there is a result to decide by', () => {
  const given = new Given();
  assert.equal(given.weights(), null);
  assert.equal(given.fail(1, 2).weights(), null, 'the third may have weight');
  assert.deepEqual(given.pass(3).weights(), { '1': 0, '2': 0, '3': 300 });
  assert.deepEqual(new Given().fail(1, 2, 3).weights(), { '1': 0, '2': 0, '3': 0, '9': 1 });
  assert.deepEqual(new Given().pass(2).weights(), { '1': 0, '2': 200, '3': 0 });
});

test('[B7] one that is there keeps its weights until there are results', () => {
  const given = new Given({ table: found({ '1': 7, '2': 8, '3': 9 }), adopt: true });
  assert.deepEqual(given.weights(), { '1': 7, '2': 8, '3': 9 });
  assert.deepEqual(given.pass(1).weights(), { '1': 100, '2': 8, '3': 9 });
  assert.deepEqual(given.fail(2).weights(), { '1': 100, '2': 0, '3': 9 });
});

test('[B8] what is refused is left alone until its time is over or something else is wanted; the others go on', () => {
  const config = file([service('www'), service('api')], [host('s1', { www: 1, api: 1 })]);
  const given = new Given({ config }).pass(1);
  const { state } = given;
  const command = { kind: 'off' as const, hosts: ['s1'], services: null, reasons: [], by: 'root' };
  stepBalancer(state, { now: given.now, kind: 'command', command });
  const services = (): string[] => [...new Set(planChanges(state, given.now).map(({ service }) => service))];
  const api = '-t 1.2.3.5:80';
  assert.deepEqual(services(), [WWW_KEY, api]);
  const events = stepBalancer(state, {
    now: given.now,
    kind: 'refused',
    services: [WWW_KEY],
    why: 'No space left',
  });
  assert.ok(
    events.some(
      (event) => event.kind === 'log' && event.level === 'error' && /No space left/.test(event.text),
    ),
  );
  assert.match(problem(given) ?? '', /No space left/);
  assert.deepEqual(services(), [api]);
  assert.equal(balancerWakeAt(state, given.now), given.now + RETRY_MS);
  given.now += RETRY_MS;
  assert.deepEqual(services(), [WWW_KEY, api], 'tried again');
  const again = stepBalancer(state, {
    ...{ now: given.now, kind: 'refused' },
    services: [WWW_KEY],
    why: 'No space left',
  });
  assert.ok(!again.some((event) => event.kind === 'log' && event.level === 'error'), 'told once');
  given.now += RETRY_MS;
  given.told('log');
  given.step({ kind: 'tick' });
  assert.deepEqual(given.weights(), { '1': 0 });
  assert.match(JSON.stringify(given.told('log')), /www .*: its changes are made now/);
  assert.equal(problem(given), '');
});

test('what somebody else changes is told in words, once, and put right', () => {
  const given = up();
  given.told('log');
  given.meddle(() => tableService({ '1': 5, '2': 200, '8': 1 }, { scheduler: 'rr' }));
  assert.deepEqual(given.weights(), ALL);
  const [text = '', ...more] = warnings(given);
  assert.deepEqual(more, []);
  for (const word of [
    'www',
    'scheduler wrr -> rr',
    '10.0.0.1:80 weight 100 -> 5',
    '10.0.0.3:80 is gone',
    '10.0.0.8:80 came',
  ])
    assert.ok(text.includes(word), `${word} in: ${text}`);
  given.meddle(() => undefined);
  assert.deepEqual(given.weights(), ALL, 'made anew');
  given.step({ kind: 'table', table: given.kernel });
  assert.equal(warnings(given).length, 1);
});

test('or left, where that is wanted, until something else is wanted of the service; also over a restart', () => {
  const given = up({ foreign: 'leave' });
  given
    .meddle(() => tableService({ ...ALL, '1': 5 }))
    .after(5000)
    .pass(1, 2, 3);
  assert.deepEqual(given.weights(), { ...ALL, '1': 5 });
  assert.match(problem(given) ?? '', /left/);
  const again = new Given({ foreign: 'leave', known: keep(given), table: given.kernel, now: given.now });
  assert.deepEqual(again.pass(1, 2, 3).weights(), { ...ALL, '1': 5 });
  assert.deepEqual(again.fail(2).weights(), { ...ALL, '2': 0 });
});

test('gate and ipip keep the port of the service, and a firewall mark has none', () => {
  const hosts = [host('s1', { www: 1, dns: 2 }, { port: 8080 })];
  const dns = service('dns', { protocol: 'fwmark', host: '::', port: 5 });
  const given = new Given({ config: file([service('www', { method: 'gate' }), dns], hosts) });
  given.now += 2;
  const result = {
    name: nameOf('10.0.0.1', 8080),
    state: 'up' as const,
    pass: true,
    nature: 'ok',
    begunAt: given.now,
  };
  given.step({ kind: 'results', results: [result] });
  assert.deepEqual([...(given.kernel.get(WWW_KEY)?.servers.keys() ?? [])], ['10.0.0.1:80']);
  assert.deepEqual([...(given.kernel.get('-f 5 -6')?.servers.keys() ?? [])], ['10.0.0.1:0']);
});

test('one result among 10,000 servers costs no walk over all of them', () => {
  const tags = Array.from({ length: 1000 }, (_, at) => `v${at}`);
  const services = tags.map((tag, at) => service(tag, { protocol: 'fwmark', host: '', port: at + 1 }));
  const hosts = tags.flatMap((tag, at) =>
    Array.from({ length: 10 }, (_, of) =>
      host(`h${at}-${of}`, { [tag]: 10 }, { host: `10.${at >> 8}.${at & 255}.${of}` }),
    ),
  );
  const names = hosts.map(({ host: address }) => nameOf(address));
  const given = new Given({ config: file(services, hosts) });
  given.now += 2;
  const pass = { state: 'up' as const, pass: true, nature: 'ok', begunAt: given.now - 1 };
  given.step({ kind: 'results', results: names.map((name) => ({ name, ...pass })) });
  assert.equal(given.changes.length, 11_000);
  // Whatever is looked at is taken from these: a walk would be seen.
  let looked = 0;
  const { state } = given;
  const { get } = Map.prototype;
  state.byKey.get = function (key) {
    looked += 1;
    return get.call(this, key);
  };
  for (const name of names.slice(0, 100)) {
    const down = { name, state: 'down' as const, pass: false, nature: 'x', begunAt: given.now };
    given.step({ kind: 'results', results: [down] });
  }
  assert.ok(looked <= 500, `${looked} services were looked at for 100 results`);
  assert.equal(given.changes.length, 11_100);
});
