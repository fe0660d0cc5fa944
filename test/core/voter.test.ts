/** The voter: what it answers, in which order it judges, and what it remembers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AskMessage, RefusalReason, RequestMessage } from '../../daemon/core/types.js';
import { UNMARKED } from '../../daemon/core/types.js';
import {
  bootstrapVoter,
  copyVoter,
  initVoter,
  type VoterOutput,
  type VoterRecord,
  type VoterState,
  voteOnAsk,
  voteOnRelease,
  voteOnRequest,
  voterHeard,
  voterMemory,
  voterStored,
} from '../../daemon/core/voter.js';
import { deepFreeze } from '../sim/freeze.js';
import { GRANT_MS, heartbeat, requestOf, TERMS, VOTERS } from './given.js';

const EMPTY: VoterRecord = { epochMax: 0, grant: null, sets: [VOTERS] };

/** A voter with a history and nothing granted, at time 0. */
const fresh = (record: VoterRecord | null = EMPTY): VoterState => initVoter('c', VOTERS, record, GRANT_MS, 0);

/** Each step works on a copy; what it was given must stay as it is. */
function step(before: VoterState, act: (state: VoterState) => VoterOutput[]): [VoterState, VoterOutput[]] {
  deepFreeze(before);
  const state = copyVoter(before);
  return [state, act(state)];
}

/** Judges a request, and stores what is to be stored; gives back the refusal, null for a grant. */
function request(
  state: VoterState,
  message: RequestMessage,
  now: number,
  disk = true,
): [VoterState, RefusalReason | null] {
  let [after, outputs] = step(state, (copy) => voteOnRequest(copy, message.holder.node, message, now));
  for (const output of outputs) {
    if (output.kind !== 'store') continue;
    [after, outputs] = step(after, (copy) => voterStored(copy, output.id, disk, now));
  }
  const answer = outputs.find((output) => output.kind === 'answer');
  assert.ok(answer?.kind === 'answer', 'no answer');
  return [after, answer.message.refusal];
}

/** A voter that its operator told that there is no history, what it heard so far, and when. */
function bootstrapped(state: VoterState, now: number): VoterState {
  const [told, [store]] = step(state, (copy) => bootstrapVoter(copy, now));
  assert.ok(store?.kind === 'store');
  return step(told, (copy) => voterStored(copy, store.id, true, now))[0];
}

/** A voter to which node a has given the resource up, for the good of b. */
function reservedForB(held: VoterState): VoterState {
  const release = { kind: 'release', holder: { node: 'a', incarnation: 1 }, epoch: 1 } as const;
  const [after, [store]] = step(held, (copy) =>
    voteOnRelease(copy, { ...release, successor: 'b', reservationMs: 3000 }, 0),
  );
  assert.ok(store?.kind === 'store');
  return step(after, (copy) => voterStored(copy, store.id, true, 0))[0];
}

function askOf({ holder, sets }: RequestMessage): AskMessage {
  return { kind: 'ask', holder, request: 1, sets };
}

function ask(state: VoterState, message: RequestMessage, now: number): [VoterState, RefusalReason | null] {
  const [after, [answer]] = step(state, (copy) => voteOnAsk(copy, message.holder.node, askOf(message), now));
  assert.ok(answer?.kind === 'answer');
  return [after, answer.message.refusal];
}

describe('voter', () => {
  test('[V1] an ask is answered with what a request would get, and changes nothing', () => {
    const [granted] = request(fresh(), requestOf('a', 1), 0);
    const [storing] = step(fresh(), (copy) => voteOnRequest(copy, 'c', requestOf('c', 1), 0));
    const more = fresh({ ...EMPTY, sets: [[...VOTERS, 'd'], VOTERS] });
    const states = [fresh(), fresh(null), granted, storing, more];
    for (const state of [...states, reservedForB(granted), bootstrapped(fresh(null), 0)])
      for (const node of ['a', 'b', 'x'])
        for (const now of [0, GRANT_MS - 1, GRANT_MS]) {
          const message = requestOf(node, 2);
          const [after, refusal] = ask(state, message, now);
          assert.deepEqual(after, state);
          const [, wouldBe] = request(state, message, now);
          assert.equal(refusal, wouldBe, `${node} at ${now}`);
        }
  });

  test('[V2] the first reason in the order of the rules is the one that is given', () => {
    // Each voter has one more thing against the asker than the one before.
    const held = request(fresh(), requestOf('a', 5), 0)[0];
    const reserved = step(held, (copy) =>
      voteOnRelease(
        copy,
        {
          ...{ kind: 'release', holder: { node: 'a', incarnation: 1 }, epoch: 5 },
          ...{ successor: 'a', reservationMs: 3000 },
        },
        0,
      ),
    )[0];
    const stored = step(reserved, (copy) => voterStored(copy, reserved.storing?.id ?? 0, true, 0))[0];
    const storing = step(stored, (copy) => voteOnRequest(copy, 'b', requestOf('b', 6), 5000))[0];
    const expectations: [string, VoterState, RequestMessage, number, RefusalReason | null][] = [
      ['nothing against it', fresh(), requestOf('b', 6), 0, null],
      ['an epoch that is too small', stored, requestOf('b', 5), 9000, 'stale-epoch'],
      ['a reservation, and that', stored, requestOf('b', 5), 10, 'reserved'],
      ['a grant, and that', held, requestOf('b', 5), 10, 'held'],
      ['no history, and a small epoch', fresh(null), requestOf('b', 0), 10, 'no-history'],
      ['its own release, and one being stored', storing, requestOf('a', 5), 5000, 'released'],
      ['its own release, and a reservation', stored, requestOf('a', 5), 10, 'released'],
      [
        'another set, and its own release',
        stored,
        requestOf('a', 5, { sets: [['a', 'b']] }),
        10,
        'voter-set',
      ],
      ['no voter, and another set', held, requestOf('x', 5, { sets: [['x']] }), 10, 'not-a-voter'],
    ];
    for (const [what, state, message, now, refusal] of expectations)
      assert.equal(request(state, message, now)[1], refusal, what);
  });

  test('[V3] while a grant is in force nobody else is granted, and its holder is renewed', () => {
    let [state] = request(fresh(), requestOf('a', 1), 0);
    for (let now = 1000; now < 20_000; now += 1000) {
      assert.equal(request(state, requestOf('b', 9), now)[1], 'held');
      let refusal: RefusalReason | null;
      [state, refusal] = request(state, requestOf('a', 1), now);
      assert.equal(refusal, null);
    }
    // The answers to its earlier renewals may still be on their way: a shorter one takes nothing back.
    [state] = request(state, requestOf('a', 1, { terms: { ...TERMS, leaseMs: 300 } }), 19_000);
    assert.equal(request(state, requestOf('b', 9), 19_000 + GRANT_MS - 1)[1], 'held');
    assert.equal(request(state, requestOf('b', 9), 19_000 + GRANT_MS)[1], null);
  });

  test('[V4] an acquisition that cannot be stored is refused and binds nobody; a renewal is not written', () => {
    const [state, refusal] = request(fresh(), requestOf('a', 1), 0, false);
    assert.equal(refusal, 'disk');
    assert.equal(request(state, requestOf('b', 1), 0)[1], null);
    const [held] = request(fresh(), requestOf('a', 1), 0);
    const [, outputs] = step(held, (copy) =>
      voteOnRequest(copy, 'a', requestOf('a', 1, { request: 2 }), 500),
    );
    assert.deepEqual(
      outputs.map(({ kind }) => kind),
      ['answer'],
    );
    const kinds = (state: VoterState, message: RequestMessage): string[] =>
      step(state, (copy) => voteOnRequest(copy, 'a', message, 0))[1].map(({ kind }) => kind);
    assert.deepEqual(kinds(fresh(), requestOf('a', 1)), ['store'], 'no answer before it is on disk');
    const longer = requestOf('a', 1, { terms: { ...TERMS, leaseMs: 9000 } });
    assert.deepEqual(kinds(held, longer), ['store'], 'nor to a longer one, for which a restart has to wait');
  });

  test('[V6] a release that overtakes the storing of its own acquisition wins', () => {
    const [asked, [store]] = step(fresh(), (copy) => voteOnRequest(copy, 'a', requestOf('a', 1), 0));
    assert.ok(store?.kind === 'store');
    const holder = { node: 'a', incarnation: 1 };
    const [released] = step(asked, (copy) =>
      voteOnRelease(copy, { kind: 'release', holder, epoch: 1, successor: '', reservationMs: 0 }, 0),
    );
    const [after, [answer]] = step(released, (copy) => voterStored(copy, store.id, true, 5));
    assert.ok(answer?.kind === 'answer');
    assert.equal(answer.message.refusal, 'released');
    assert.equal(request(after, requestOf('b', 2), 10)[1], null);
  });

  test('[V6] a late release of an earlier incarnation does not make a voter forget a newer one', () => {
    const holder = { node: 'a', incarnation: 2 };
    const own = requestOf('a', 5, { holder });
    let state = request(fresh(), own, 0)[0];
    for (const [incarnation, epoch] of [
      [2, 5],
      [1, 3],
      [2, 4],
    ] as const) {
      const release = { kind: 'release', holder: { node: 'a', incarnation }, epoch } as const;
      [state] = step(state, (copy) =>
        voteOnRelease(copy, { ...release, successor: '', reservationMs: 0 }, 10),
      );
      assert.equal(request(state, own, 20)[1], 'released');
    }
  });

  test('[V7] after a restart others wait for the whole stored grant, and its holder is renewed at once', () => {
    const grant = { holder: { node: 'a', incarnation: 1 }, epoch: 4, grantMs: GRANT_MS, mark: UNMARKED };
    const restarted = fresh({ epochMax: 4, grant, sets: [VOTERS] });
    assert.equal(request(restarted, requestOf('b', 5), GRANT_MS - 1)[1], 'restarted');
    assert.equal(request(restarted, requestOf('b', 5), GRANT_MS)[1], null);
    assert.equal(request(restarted, requestOf('b', 4), GRANT_MS)[1], 'stale-epoch');
    assert.equal(request(restarted, requestOf('a', 4), 1)[1], null);
    const other = requestOf('a', 5, { holder: { node: 'a', incarnation: 2 } });
    assert.equal(request(restarted, other, 1)[1], 'restarted', 'another incarnation is another holder');
  });

  test('[V9] without a record, in the middle of a change of the voters, it has to hear a majority of the old ones too', () => {
    // Its file has the new set; that of before had {b, self} as a majority, which c and d know nothing of.
    const memory = {
      ...heartbeat().memory,
      epochMax: 20,
      sets: [
        ['a', 'b', 'c', 'd'],
        ['a', 'b', 'c'],
      ],
    };
    let state = initVoter('a', ['a', 'b', 'c', 'd'], null, GRANT_MS, 0);
    const hear = (from: string, epochMax: number): VoterOutput[] => {
      const [next, outputs] = step(state, (copy) =>
        voterHeard(copy, from, { ...memory, epochMax }, GRANT_MS),
      );
      state = next;
      return outputs;
    };
    assert.deepEqual(hear('c', 20), []);
    assert.deepEqual(hear('d', 20), [], 'three of four, but two of three might be missing');
    const [store] = hear('b', 21);
    assert.ok(store?.kind === 'store');
    assert.equal(store.record.epochMax, 21);
  });

  /** What node `self` of a file with these voters makes of what it hears from others, one after the other. */
  function heardBy(self: string, file: string[], told: [from: string, sets: string[][]][]) {
    let state = initVoter(self, file, null, GRANT_MS, 0);
    const outputs: VoterOutput[] = [];
    for (const [from, sets] of told) {
      const memory = { ...heartbeat().memory, epochMax: 7, sets };
      const [next, more] = step(state, (copy) => voterHeard(copy, from, memory, GRANT_MS));
      state = next;
      outputs.push(...more);
    }
    return {
      state,
      stored: outputs.flatMap((output) => (output.kind === 'store' ? [output.record.sets] : [])),
    };
  }
  const AB = ['a', 'b'];
  const ABC = ['a', 'b', 'c'];
  const ABD = ['a', 'b', 'd'];
  const ABCD = ['a', 'b', 'c', 'd'];

  test('[V9] without a record it takes part in the change of the voters that the others tell of', () => {
    const told: [string, string[][]][] = ABC.slice(1).map((node) => [node, [ABCD, ABC]]);
    const { stored } = heardBy('a', ABCD, [...told, ['d', [ABCD]]]);
    assert.deepEqual(stored, [[ABCD, ABC]], 'not the set of its own file alone');
    const alone = heardBy('a', ABC, [
      ['b', [ABC]],
      ['c', [ABC]],
    ]);
    assert.deepEqual(alone.stored, [[ABC]]);
  });

  test('[V9] what somebody remembers of a set that he is no member of holds up nobody', () => {
    const { stored } = heardBy(
      'b',
      ['b', 'a'],
      [
        ['d', [AB, ABC]],
        ['a', [AB]],
      ],
    );
    assert.deepEqual(stored, [[['b', 'a']]]);
  });

  test('[V9] without a record it waits where changes of the voters cross each other', () => {
    const crossed = ['b', 'c', 'd'].map((node): [string, string[][]] => [node, [ABD, ABCD]]);
    assert.deepEqual(heardBy('a', AB, crossed).stored, []);
  });

  test('[V9] whom its own file does not name takes nothing for the past, and nobody relies on it', () => {
    const { state, stored } = heardBy('d', AB, [
      ['b', [AB]],
      ['a', [AB]],
    ]);
    assert.deepEqual(stored, []);
    assert.equal(voterMemory(state, GRANT_MS).history, false);
  });

  test('[V9] two that have forgotten are no new cluster where a third one, which the file names no more, remembers', () => {
    let state = initVoter('c', ['c', 'b'], null, GRANT_MS, 0);
    const { memory } = heartbeat();
    const hear = (from: string, change: object): VoterOutput[] => {
      const [next, outputs] = step(state, (copy) =>
        voterHeard(copy, from, { ...memory, ...change }, GRANT_MS),
      );
      state = next;
      return outputs;
    };
    assert.deepEqual(hear('a', { epochMax: 2, sets: [VOTERS] }), []);
    assert.deepEqual(hear('b', { history: false, sets: [['c', 'b']] }), []);
    state = initVoter('d', ['d', 'b'], null, GRANT_MS, 0);
    assert.deepEqual(hear('a', { epochMax: 2, sets: [VOTERS] }), []);
    const also = 'also where the one that remembers does not know this one yet';
    assert.deepEqual(hear('b', { history: false, sets: [['d', 'b']] }), [], also);
    state = initVoter('c', ['c', 'b'], null, GRANT_MS, 0);
    assert.equal(
      hear('b', { history: false, sets: [['c', 'b']] })[0]?.kind,
      'store',
      'without it they are one',
    );
  });

  test('[V9] who was heard to remember before the wait was over counts against a new cluster, also when it is silent since', () => {
    const remembers = { ...heartbeat().memory, epochMax: 2, sets: [VOTERS] };
    let [state] = step(initVoter('c', ['c', 'a'], null, GRANT_MS, 0), (copy) =>
      voterHeard(copy, 'b', remembers, 1),
    );
    const forgot = { ...heartbeat().memory, history: false, sets: [['c', 'a']] };
    let outputs: VoterOutput[];
    [state, outputs] = step(state, (copy) => voterHeard(copy, 'a', forgot, GRANT_MS));
    assert.deepEqual(outputs, []);
    const empty = { ...remembers, epochMax: 0 };
    [state] = step(initVoter('c', ['c', 'a'], null, GRANT_MS, 0), (copy) => voterHeard(copy, 'b', empty, 1));
    [state, outputs] = step(state, (copy) => voterHeard(copy, 'a', forgot, GRANT_MS));
    assert.equal(outputs[0]?.kind, 'store', 'an empty history is none');
  });

  test('[V8] [V9] without a record it waits, learns from all others, stores that, and only then votes', () => {
    const holder = { node: 'b', incarnation: 1 };
    const memory = heartbeat().memory;
    const holds = { ...memory, epochMax: 7, grant: { holder, epoch: 7, leftMs: 4000, mark: UNMARKED } };
    const hear = (state: VoterState, from: string, now: number) =>
      step(state, (copy) => voterHeard(copy, from, holds, now));
    let state = fresh(null);
    // Whatever it hears before its wait is over counts for nothing.
    for (const from of ['a', 'b']) [state] = hear(state, from, GRANT_MS - 1);
    assert.equal(request(state, requestOf('b', 7), GRANT_MS - 1)[1], 'no-history');
    let outputs: VoterOutput[];
    [state, outputs] = hear(state, 'a', GRANT_MS);
    assert.deepEqual(outputs, [], 'one of two is not enough');
    [state, outputs] = hear(state, 'b', GRANT_MS);
    const [store] = outputs;
    assert.ok(store?.kind === 'store');
    assert.equal(request(state, requestOf('b', 7), GRANT_MS)[1], 'no-history', 'not on disk yet');
    [state] = step(state, (copy) => voterStored(copy, store.id, true, GRANT_MS));
    assert.equal(request(state, requestOf('a', 8), GRANT_MS + 1)[1], 'restarted');
    assert.equal(request(state, requestOf('b', 7), GRANT_MS + 1)[1], null);
    assert.equal(
      request(state, requestOf('a', 7), GRANT_MS + 4000)[1],
      'stale-epoch',
      'epochs are learned too',
    );
  });

  test('[V2] [V8] what it learned is not renewed while it waits for what it forgot', () => {
    const grant = { holder: { node: 'b', incarnation: 1 }, epoch: 7, leftMs: 4000, mark: UNMARKED };
    const memory = { ...heartbeat().memory, epochMax: 7, grant };
    let [state] = step(fresh(null), (copy) => voterHeard(copy, 'a', memory, GRANT_MS));
    const longer = { ...memory, longestGrantMs: 3 * GRANT_MS };
    [state] = step(state, (copy) => voterHeard(copy, 'b', longer, GRANT_MS));
    state = bootstrapped(state, GRANT_MS);
    assert.equal(request(state, requestOf('b', 7), GRANT_MS + 1)[1], 'restarted');
  });

  test('[T1] others are told how long its grant lasts still, not until when', () => {
    const [state] = request(fresh(), requestOf('a', 1), 0);
    assert.equal(voterMemory(state, 2000).grant?.leftMs, GRANT_MS - 2000);
    assert.equal(voterMemory(state, GRANT_MS).grant?.leftMs, 0);
  });

  test('[V8] it waits for the longest grant that anybody heard may have asked for', () => {
    const memory = { ...heartbeat().memory, longestGrantMs: 3 * GRANT_MS };
    let [state] = step(fresh(null), (copy) => voterHeard(copy, 'a', memory, 1));
    for (const from of ['a', 'b'])
      [state] = step(state, (copy) => voterHeard(copy, from, memory, 3 * GRANT_MS - 1));
    assert.equal(state.storing, null);
    for (const from of ['a', 'b'])
      [state] = step(state, (copy) => voterHeard(copy, from, memory, 3 * GRANT_MS));
    assert.notEqual(state.storing, null);
  });
});
