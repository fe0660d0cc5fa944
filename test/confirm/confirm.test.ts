/** Confirmation and telling people, case by case. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { initConfirm, stepConfirm } from '../../daemon/confirm/confirm.js';
import { edgeId, messageId } from '../../daemon/confirm/ledger.js';
import { whyNotPromoted, whyServiceFailed } from '../../daemon/confirm/resources.js';
import type { ConfirmInput, ConfirmOutput } from '../../daemon/confirm/types.js';
import { edgeSentence, lengthOf } from '../../daemon/confirm/words.js';
import { DOWN, LIMITS, ruleFor, Table, UP } from './given.js';

describe('confirmation', () => {
  test('[K1] [K3] [E3] [E4] two of three see it: confirmed at once, told once by the first of them', () => {
    const table = new Table(['a', 'b', 'c']);
    table.see('b', 'web', DOWN);
    assert.deepEqual(table.told, []);
    table.pass(3_000);
    table.see('c', 'web', DOWN);
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => table.edge(name)),
      [1, 1, 1],
    );
    table.pass(30_000);
    assert.deepEqual(table.told, ['web#1 down by b']);
  });

  test('[K3] [K4] what was seen one after the other, by answers of different speed, is no outage', () => {
    const checks = { web: ruleFor(['a', 'b', 'c'], { confirm: 3 }) };
    const config = { domain: 'x', limits: LIMITS, checks };
    let state = initConfirm('a', config, {}, 0, 0, 0);
    const step = (now: number, input: ConfirmInput): ConfirmOutput[] => {
      const result = stepConfirm(state, input, now, 0);
      state = result.state;
      return result.outputs;
    };
    for (const peer of ['b', 'c']) step(0, { kind: 'connected', peer });
    const asks = step(1_000, { kind: 'seen', check: 'web', view: DOWN }).flatMap((output) =>
      output.kind === 'send' && output.message.kind === 'ask' ? [output.message.id] : [],
    );
    const answer = (now: number, from: string, id: number | undefined, forMs: number): void => {
      const message = { kind: 'answer', check: 'web', id: id ?? 0, view: { ...DOWN, forMs } } as const;
      step(now, { kind: 'message', from, message });
    };
    answer(1_010, 'b', asks[0], 60_000);
    // c took its time: it sees it down for a second only, when b may see it up again.
    answer(9_000, 'c', asks[1], 1_000);
    assert.equal(state.ledgers.web?.edge ?? 0, 0);
    const again = step(11_000, { kind: 'tick' }).flatMap((output) =>
      output.kind === 'send' && output.message.kind === 'ask' ? [output.message.id] : [],
    );
    answer(11_010, 'b', again[0], 70_000);
    answer(11_020, 'c', again[1], 3_000);
    assert.equal(state.ledgers.web?.edge, 1);
  });

  test('[K5] one bad host wakes nobody, and says why', () => {
    const table = new Table(['a', 'b', 'c']);
    table.see('c', 'web', DOWN);
    table.pass(120_000);
    assert.deepEqual(table.told, []);
    assert.equal(table.logs.at(-1), 'c web: seen here only, 2 are needed: a and b see it up');
    table.cut('a', 'c');
    table.cut('b', 'c');
    table.pass(120_000);
    assert.equal(table.logs.at(-1), 'c web: seen here only: 0 of 2 peers reachable');
    assert.deepEqual(table.told, []);
  });

  test('[K6] a peer that comes back, or sees it later, is asked again', () => {
    const table = new Table(['a', 'b']);
    table.cut('a', 'b');
    table.see('a', 'web', DOWN);
    table.see('b', 'web', DOWN);
    table.pass(60_000);
    assert.equal(table.edge('a'), 0);
    table.mend('a', 'b');
    table.pass(20_000);
    assert.deepEqual(table.told, ['web#1 down by a']);
  });

  test('[K6] asks are bounded: one to each peer in askMs', () => {
    const table = new Table(['a', 'b']);
    table.see('a', 'web', DOWN);
    table.pass(100_000);
    const asks = table.outputs.filter(
      ({ output }) => output.kind === 'send' && output.message.kind === 'ask',
    );
    assert.ok(asks.length >= 9 && asks.length <= 12, String(asks.length));
  });

  test('[K2] a stale result is not an answer: it checks at once', () => {
    const table = new Table(['a', 'b']);
    table.see('b', 'web', DOWN);
    table.pass(1_000);
    table.outputs.length = 0;
    table.input('a', {
      kind: 'message',
      from: 'b',
      message: { kind: 'ask', check: 'web', id: 77, edge: 0, told: 0 },
    });
    const kinds = table.outputs
      .filter(({ node }) => node === 'a')
      .map(({ output }) => (output.kind === 'send' ? output.message.kind : output.kind));
    assert.deepEqual(kinds, ['check-now', 'answer']);
  });

  test('[K4] boot clocks that disagree by days change nothing', () => {
    const tell = (clocks: Record<string, number>): string[] => {
      const table = new Table(['a', 'b', 'c']);
      Object.assign(table.clocks, clocks);
      for (const name of ['a', 'b', 'c']) table.crash(name);
      for (const name of ['a', 'b', 'c']) table.start(name);
      table.see('b', 'web', DOWN);
      table.see('a', 'web', DOWN);
      table.pass(60_000);
      for (const name of ['a', 'b']) table.see(name, 'web', UP);
      table.pass(60_000);
      return table.told;
    };
    const told = tell({});
    assert.deepEqual(told, ['web#1 down by a', 'web#2 up by a']);
    assert.deepEqual(tell({ a: 86_400_000, c: -400_000 }), told);
  });

  test('[K7] it is over when fewer than confirm see it down, and one sees it up', () => {
    const table = new Table(['a', 'b', 'c']);
    for (const name of ['a', 'b', 'c']) table.see(name, 'web', DOWN);
    table.pass(30_000);
    table.see('c', 'web', UP);
    table.pass(60_000);
    assert.equal(table.edge('a'), 1);
    table.see('b', 'web', UP);
    table.pass(20_000);
    assert.deepEqual(table.told, ['web#1 down by a', 'web#2 up by b']);
  });

  test('[K7] [K8] who is cut off ends nothing, and a restart is no recovery', () => {
    const table = new Table(['a', 'b', 'c']);
    for (const name of ['a', 'b']) table.see(name, 'web', DOWN);
    table.pass(30_000);
    table.cut('a', 'c');
    table.cut('b', 'c');
    table.pass(3 * LIMITS.holdMs);
    assert.equal(table.edge('c'), 1);
    table.mend('a', 'c');
    table.mend('b', 'c');
    table.pass(20_000);
    table.crash('b');
    table.pass(20_000);
    table.start('b');
    table.pass(20_000);
    assert.deepEqual(table.told, ['web#1 down by a']);
  });

  test('[K9] what is up is forgotten', () => {
    const table = new Table(['a', 'b']);
    table.see('a', 'web', DOWN);
    table.see('a', 'web', UP);
    table.pass(30_000);
    for (const name of ['a', 'b']) {
      assert.deepEqual(table.states[name]?.troubles, {});
      assert.deepEqual(table.states[name]?.ledgers, {});
    }
  });

  test('[K10] a resource: confirmed outages count, and the local view for a promotion', () => {
    const table = new Table(['a', 'b']);
    table.see('a', 'web', DOWN);
    const failed = (): string => {
      const state = table.states.a;
      return state === undefined ? '' : whyServiceFailed(state, ['web'], table.now);
    };
    assert.equal(failed(), '');
    table.see('b', 'web', DOWN);
    table.pass(12_000);
    assert.equal(failed(), 'web is confirmed down for 12 s');
    assert.equal(
      whyNotPromoted(['gw'], () => 'down'),
      'gw is down as seen from here',
    );
    assert.equal(
      whyNotPromoted(['gw'], () => 'up'),
      '',
    );
  });

  test('[K11] a check of one node is its own; a reload changes who counts; who has it not says so', () => {
    const alone = new Table(['a', 'b'], { checks: { web: ruleFor(['a']) } });
    alone.see('a', 'web', DOWN);
    assert.deepEqual(alone.told, ['web#1 down by a']);
    const table = new Table(['a', 'b', 'c']);
    table.input('b', { kind: 'config', config: { ...table.config, checks: {} } });
    table.see('a', 'web', DOWN);
    table.pass(15_000);
    assert.equal(table.logs.at(-1), 'a web: seen here only, 2 are needed: c sees it up; b has no such check');
    table.input('a', { kind: 'config', config: { ...table.config, checks: { web: ruleFor(['a']) } } });
    table.pass(10_000);
    assert.deepEqual(table.told, ['web#1 down by a']);
  });
});

describe('telling people', () => {
  test('[E1] ids are the same everywhere, and fit into a header', () => {
    assert.equal(edgeId('web', 3), 'web#3');
    assert.equal(messageId('web@h 1', 3, 'x'), '<hastmon.web=40h=201.3@x>');
  });

  test('[E1] the number of a removed check is not used again', () => {
    const table = new Table(['a'], { checks: { web: ruleFor(['a']) } });
    table.see('a', 'web', DOWN);
    table.input('a', { kind: 'config', config: { ...table.config, checks: {} } });
    table.input('a', { kind: 'config', config: table.config });
    table.see('a', 'web', DOWN);
    assert.deepEqual(table.told, ['web#1 down by a', 'web#3 down by a']);
  });

  test('[E2] two sides that confirm apart tell the same id, and agree when they meet', () => {
    const table = new Table(['a', 'b', 'c', 'd']);
    for (const [x, y] of [
      ['a', 'c'],
      ['a', 'd'],
      ['b', 'c'],
      ['b', 'd'],
    ] as const)
      table.cut(x, y);
    for (const name of ['a', 'b', 'c', 'd']) table.see(name, 'web', DOWN);
    table.pass(30_000);
    assert.deepEqual(table.told.toSorted(), ['web#1 down by a', 'web#1 down by c']);
    for (const [x, y] of [
      ['a', 'c'],
      ['a', 'd'],
      ['b', 'c'],
      ['b', 'd'],
    ] as const)
      table.mend(x, y);
    for (const name of ['a', 'b', 'c', 'd']) table.see(name, 'web', UP);
    table.pass(60_000);
    assert.equal(table.told.length, 3);
    assert.match(table.told[2] ?? '', /^web#2 up/);
  });

  test('[E4] two that cannot talk, with a third between them, do not both tell', () => {
    const table = new Table(['a', 'b', 'c']);
    table.cut('a', 'b');
    for (const name of ['a', 'b', 'c']) table.see(name, 'web', DOWN);
    table.pass(60_000);
    assert.equal(table.told.length, 1);
  });

  test('[E6] the sender dies before it has sent: the next one does', () => {
    const table = new Table(['a', 'b', 'c']);
    table.senders.delete('a');
    for (const name of ['a', 'b', 'c']) table.see(name, 'web', DOWN);
    table.pass(2_000);
    table.crash('a');
    table.pass(20_000);
    assert.deepEqual(table.told, ['web#1 down by b']);
    table.senders.add('a');
    table.start('a');
    table.pass(30_000);
    assert.equal(table.told.length, 1);
  });

  test('[E6] an alert that fails here is told by the next', () => {
    const table = new Table(['a', 'b', 'c']);
    table.senders.delete('a');
    for (const name of ['a', 'b', 'c']) table.see(name, 'web', DOWN);
    table.input('a', { kind: 'failed', check: 'web', edge: 1, why: 'refused by the mail server' });
    table.pass(20_000);
    assert.deepEqual(table.told, ['web#1 down by b']);
  });

  test('[E6] an alert that fails again and again is tried again, and said once', () => {
    const table = new Table(['a']);
    table.senders.delete('a');
    table.see('a', 'web', DOWN);
    for (let round = 0; round < 5; round += 1) {
      table.input('a', { kind: 'failed', check: 'web', edge: 1, why: 'the mail server is down' });
      table.pass(20_000);
    }
    const tried = table.outputs.filter(({ output }) => output.kind === 'notify').length;
    const said = table.logs.filter((line) => line.includes('could not tell people')).length;
    assert.ok(tried >= 5);
    assert.equal(said, 1);
  });

  test('[E6] the sender dies after sending: a second time, with the same id', () => {
    const table = new Table(['a', 'b', 'c']);
    table.senders.delete('a');
    for (const name of ['a', 'b', 'c']) table.see(name, 'web', DOWN);
    const sent = table.outputs.filter(({ output }) => output.kind === 'notify');
    assert.equal(sent.length, 1);
    table.crash('a');
    table.pass(20_000);
    const ids = table.outputs.flatMap(({ output }) => (output.kind === 'notify' ? [output.messageId] : []));
    assert.deepEqual(ids, ['<hastmon.web.1@x>', '<hastmon.web.1@x>']);
  });

  test('[E7] all restart: what was told is not told again, and the recovery is', () => {
    const table = new Table(['a', 'b', 'c']);
    for (const name of ['a', 'b', 'c']) table.see(name, 'web', DOWN);
    table.pass(10_000);
    for (const name of ['a', 'b', 'c']) table.crash(name);
    for (const name of ['a', 'b', 'c']) table.start(name);
    table.pass(30_000);
    assert.equal(table.told.length, 1);
    for (const name of ['a', 'b', 'c']) table.see(name, 'web', UP);
    table.pass(30_000);
    assert.match(table.told[1] ?? '', /^web#2 up/);
  });

  test('[E5] [E7] nobody could send and all restart: told late, outage and end', () => {
    const table = new Table(['a', 'b']);
    table.senders.clear();
    for (const name of ['a', 'b']) table.see(name, 'web', DOWN);
    table.pass(10_000);
    for (const name of ['a', 'b']) table.see(name, 'web', UP);
    table.pass(10_000);
    for (const name of ['a', 'b']) table.crash(name);
    for (const name of ['a', 'b']) table.senders.add(name);
    for (const name of ['a', 'b']) table.start(name);
    table.pass(60_000);
    assert.deepEqual(
      table.told.map((text) => text.slice(0, 10)),
      ['web#1 down', 'web#2 up b'],
    );
  });

  test('[E8] flapping is said once, then nothing, then that it is calm', () => {
    const limits = { ...LIMITS, flapEdges: 4, calmMs: 100_000 };
    const table = new Table(['a'], { limits, checks: { web: ruleFor(['a']) } });
    for (let round = 0; round < 5; round += 1) {
      table.see('a', 'web', DOWN);
      table.pass(5_000);
      table.see('a', 'web', UP);
      table.pass(5_000);
    }
    table.pass(150_000);
    assert.deepEqual(table.told, [
      'web#1 down by a',
      'web#2 up by a',
      'web#3 down by a',
      'web#4 flapping by a',
      'web#12 calm by a',
    ]);
  });

  test('[E9] behind a dead router: held back, told when it is still down after', () => {
    const checks = { web: ruleFor(['a', 'b'], { depends: ['gw'] }), gw: ruleFor(['a', 'b']) };
    const table = new Table(['a', 'b'], { checks });
    for (const name of ['a', 'b']) table.truth[`${name} gw`] = DOWN;
    for (const name of ['a', 'b']) table.see(name, 'web', DOWN);
    table.pass(60_000);
    assert.deepEqual(table.told, ['gw#1 down by a']);
    assert.ok(table.logs.includes('a web: not told: behind gw, which is down'));
    for (const name of ['a', 'b']) table.see(name, 'gw', UP);
    table.pass(60_000);
    assert.deepEqual(table.told.slice(1), ['gw#2 up by a', 'web#1 down by a']);
  });

  test('[E9] what came and went behind it is not told', () => {
    const checks = { web: ruleFor(['a', 'b'], { depends: ['gw'] }), gw: ruleFor(['a', 'b']) };
    const table = new Table(['a', 'b'], { checks });
    for (const name of ['a', 'b']) table.see(name, 'gw', DOWN);
    for (const name of ['a', 'b']) table.see(name, 'web', DOWN);
    table.pass(30_000);
    for (const name of ['a', 'b']) table.see(name, 'web', UP);
    for (const name of ['a', 'b']) table.see(name, 'gw', UP);
    table.pass(60_000);
    assert.deepEqual(table.told, ['gw#1 down by a', 'gw#2 up by a']);
  });

  test('[E10] a mute silences all nodes until it ends; an acknowledgement is kept', () => {
    const table = new Table(['a', 'b']);
    table.input('b', { kind: 'mute', check: 'web', forMs: 100_000 });
    for (const name of ['a', 'b']) table.see(name, 'web', DOWN);
    table.pass(90_000);
    assert.deepEqual(table.told, []);
    table.pass(20_000);
    assert.deepEqual(table.told, ['web#1 down by a']);
    table.input('b', { kind: 'ack', check: 'web', by: 'eve' });
    for (const name of ['a', 'b']) table.see(name, 'web', UP);
    table.pass(20_000);
    const last = table.outputs.findLast(({ output }) => output.kind === 'notify')?.output;
    assert.ok(last?.kind === 'notify');
    assert.equal(last.facts.ackBy, 'eve');
    assert.equal(last.facts.what, 'up');
  });

  test('sentences', () => {
    assert.equal(
      edgeSentence('up', [{ node: 'a', view: UP }], ['b'], 720_000),
      'up again after 12 min: seen up by a; nothing heard from b',
    );
    assert.deepEqual([48_000, 12_000_000, 200_000_000].map(lengthOf), ['48 s', '3 h 20 min', '2 d 7 h']);
  });
});
