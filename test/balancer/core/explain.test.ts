/** What is explained of a real server, against what the core does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainServers } from '../../../daemon/balancer/core/balancer.js';
import type { ServerTopic } from '../../../daemon/balancer/core/explain.js';
import { together } from '../../../daemon/core/conditions.js';
import type { Condition, Explanation } from '../../../proto/explain-types.js';
import { createPrng } from '../../sim/prng.js';
import { OWN_WORD } from '../console/views.js';
import { file, Given, host, service, tableService, WWW } from './given.js';

function ask(given: Given, name = 's1/www'): Explanation<ServerTopic> {
  const [only, more] = explainServers(given.state, name, { node: 'nodeA', word: OWN_WORD }, given.now);
  assert.ok(only !== undefined && more === undefined, name);
  return only;
}

function find({ conditions }: Explanation<ServerTopic>, place: string): Condition<ServerTopic> {
  const found = conditions.find(({ name, topic }) => `${topic}/${name}` === place);
  assert.ok(found, place);
  return found;
}

test('a server that is disabled: for what, by whom, how long ago, and how it would come back', () => {
  const given = new Given().pass(1, 2, 3).after(130_000).off(1, ['www'], ['deploy']);
  given.after(14 * 60_000);
  const said = ask(given);
  assert.equal(
    said.sentence,
    'weight 0: disabled for reason deploy by root, 14 min ago; would ramp for 10 s',
  );
  assert.deepEqual(
    [said.subject, said.node, said.verdicts],
    ['server', 'nodeA', { weight: false, ramp: true, table: true }],
  );
  const { ageMs, change, holds, source } = find(said, 'weight/reason');
  assert.deepEqual([ageMs, holds, source], [14 * 60_000, false, 'root']);
  assert.equal(change, 'hastmonctl host s1 on --vs www --reason deploy');
  given.off(1);
  assert.match(
    ask(given).sentence,
    /^weight 0: disabled as a whole host by root, 0 s ago, and for reason deploy by/,
  );
  assert.equal(find(ask(given), 'weight/host').change, 'hastmonctl host s1 on');
  given.on(1).on(1, ['www'], ['deploy']);
  assert.match(ask(given).sentence, /^weight 0: it has not passed a check yet since it was enabled/);
  assert.equal(find(ask(given), 'weight/fresh-pass').holds, false);
  given.pass(1);
  assert.match(ask(given).sentence, /^weight \d+ of 100: it comes back, and has all of it in 10 s$/);
  assert.equal(given.after(11_000).state.table?.size, 1);
  assert.equal(ask(given).sentence, 'weight 100: its check passes');
  assert.deepEqual(ask(given).verdicts, { weight: true, ramp: null, table: true });
});

test('one that was away for a moment comes back at once', () => {
  const given = new Given().pass(1, 2, 3).after(130_000).fail(1);
  given.after(1000);
  const said = ask(given);
  assert.equal(said.sentence, 'weight 0: down for 1 s: refused; would come back at once');
  const { change, holds, needed, value } = find(said, 'ramp/would-ramp');
  assert.deepEqual(
    [holds, needed, value],
    [false, '2 min without weight', 'at once: without weight for 1 s'],
  );
  assert.match(change, /hastmonctl host s1 on --vs www --ramp 30s$/);
  assert.deepEqual(
    [find(said, 'weight/check').holds, find(said, 'weight/check').value],
    [false, 'down for 1 s: refused'],
  );
});

test('each other thing that takes weight away is named', () => {
  const cases: [string, Given, RegExp, RegExp][] = [
    ['weight/director', new Given({ active: false }), /^it is not; /, /ask there$/],
    [
      'weight/address',
      new Given({ addresses: new Map([['www.example', '1.2.3.4']]) }),
      /s1\.example does not resolve/,
      /balancer reload$/,
    ],
    [
      'weight/full-weight',
      new Given({ config: file([service('www')], [host('s1', { www: 0 })]) }),
      /^0$/,
      /in the file, then: hastmonctl balancer reload$/,
    ],
    ['weight/check', new Given(), /^no result yet$/, /has to answer its check$/],
    ['weight/warm', new Given(), /^not yet$/, /first results/],
    [
      'weight/quorum',
      new Given({ config: { ...WWW, services: [service('www', { quorum: 500 })] } }).pass(1, 2).fail(3),
      /^300$/,
      /hastmonctl hosts --vs www$/,
    ],
    [
      'table/owned',
      new Given({ table: new Map([['-t 1.2.3.4:80', tableService({ 7: 1 })]]) }),
      /^it is somebody else's$/,
      /^hastmonctl balancer adopt www$/,
    ],
  ];
  for (const [place, given, value, change] of cases) {
    const said = find(ask(given), place);
    assert.notEqual(said.holds, true, place);
    assert.match(said.value, value);
    assert.match(said.change, change);
  }
  const none = new Given({ config: file([service('www', { check: null })], [host('s1', { www: 5 })]) });
  assert.equal(find(ask(none), 'weight/check').value, 'it has none');
  assert.match(ask(none).sentence, /it (comes back|has no check)/);
});

test('on who is no director nothing is in the kernel, and that is as it should be', () => {
  const said = ask(new Given({ active: false }));
  assert.match(said.sentence, /; this node is not the director: its services are not in the kernel here$/);
  assert.deepEqual([said.verdicts.weight, said.verdicts.table], [false, true]);
  // A server that is down is not told that its service needs it.
  const alone = new Given({ config: file([service('www')], [host('s1', { www: 5 })]) }).fail(1);
  assert.deepEqual(
    [find(ask(alone), 'weight/check').holds, find(ask(alone), 'weight/quorum').holds],
    [false, true],
  );
});

test('what a service needs depends on whether its sorry server is in', () => {
  const services = [service('www', { quorum: 500, hysteresis: 50 })];
  const given = new Given({ config: { ...WWW, services } }).pass(1, 2, 3);
  const needed = (): string => find(ask(given), 'weight/quorum').needed;
  assert.equal(needed(), '450 (quorum 500, hysteresis 50)');
  given.fail(3);
  assert.equal(needed(), '550 (quorum 500, hysteresis 50)');
  assert.match(
    ask(given).sentence,
    /^weight 0: too little weight is alive in its service; would come back at once$/,
  );
});

test('a host is explained in each of its services; who there is not is not', () => {
  const config = file(
    [service('www'), service('api')],
    [host('s1', { api: 1, www: 2 }), host('s2', { www: 3 })],
  );
  const given = new Given({ config });
  const names = (name: string): string[] =>
    explainServers(given.state, name, { node: 'nodeA', word: OWN_WORD }, given.now).map((each) => each.name);
  assert.deepEqual(names('s1'), ['s1/www', 's1/api']);
  assert.deepEqual([names('s1/api'), names('s2/api'), names('www')], [['s1/api'], [], []]);
});

test('what is explained is what was decided, whatever happens', () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const prng = createPrng(seed);
    const services = [service('www', { quorum: prng.pick([1, 150]), hysteresis: prng.pick([0, 60]) })];
    const given = new Given({ config: { ...WWW, services } });
    for (let step = 0; step < 60; step += 1) {
      const at = prng.range(1, 3);
      // What would happen to it now, if it came back.
      const before = new Map([1, 2, 3].map((each) => [each, ask(given, `s${each}/www`)]));
      const from = given.now;
      const acts = [
        () => given.pass(at),
        () => given.fail(at),
        () => given.off(at, prng.pick([null, ['www']])),
        () => given.on(at, null, ['*']).on(at, ['www'], ['*'], prng.pick([null, 7000])),
        () => given.pass(1, 2, 3),
      ];
      prng.pick(acts)();
      for (const each of [1, 2, 3]) {
        const said = ask(given, `s${each}/www`);
        const pair = given.state.hosts.get(`s${each}`)?.pairs[0];
        const about = `seed ${seed}, step ${step}, s${each}: ${said.sentence}`;
        const has = pair?.memory.zeroSince === null;
        const conditions = said.conditions.filter(({ topic }) => topic === 'weight');
        assert.equal(
          together(conditions),
          has,
          `${about}\n${JSON.stringify(conditions.filter(({ holds }) => holds !== true))}`,
        );
        assert.equal(said.verdicts.weight, has, about);
        assert.equal(/^weight 0\b/.test(said.sentence), !has, about);
        const would = before.get(each)?.conditions.find(({ name }) => name === 'would-ramp');
        const came = has && would !== undefined && given.now - from < 10;
        // One that `on` asks another ramp of comes later: it waits for a pass first.
        if (came) assert.equal(would.holds, pair?.memory.ramp !== null, about);
      }
      given.after(prng.pick([0, 1000, 20_000, 130_000]));
    }
  }
});
