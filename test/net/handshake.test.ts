/**
 * The handshake as two machines and no socket: who believes whom, and every trick by which somebody without the key
 * might be believed.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Key } from '../../daemon/config/types.js';
import { createSeal, keyProblem, proof, sameBytes, sealBytes, transcript } from '../../daemon/net/auth.js';
import {
  createInitiator,
  createResponder,
  type HandshakeMachine,
  type HandshakeStep,
  type Identity,
  type Session,
} from '../../daemon/net/handshake.js';
import { frameHeaderBytes } from '../../proto/frame.js';
import {
  type Accept,
  type Challenge,
  decodeHandshake,
  encodeHandshake,
  type HandshakeMessage,
  type Hello,
  protocolVersion,
} from '../../proto/handshake-codec.js';

const voters = ['nodeA', 'nodeB', 'nodeC'];
const secret: Key = { algorithm: 'sha256', secret: 'a secret' };
const otherSecret: Key = { algorithm: 'sha256', secret: 'another secret' };
const otherHash: Key = { algorithm: 'sha512', secret: 'a secret' };

function identity(node: string, key: Key | null = secret, incarnation = 1): Identity {
  return { resource: 'shared', node, incarnation, key, voters };
}

/** A responder that knows the resource of its identity and takes everybody who proves himself. */
function responder(me: Identity): HandshakeMachine {
  return createResponder(
    (name) => (name === me.resource ? me : null),
    () => null,
    () => randomBytes(32),
  );
}

interface Outcome {
  initiator: HandshakeStep | null;
  responder: HandshakeStep | null;
  /** What went over the wire. */
  sent: HandshakeMessage[];
}

/** Lets two machines talk, over the wire form, with somebody in between who may change what they say. */
function shake(
  initiator: ReturnType<typeof createInitiator>,
  other: HandshakeMachine,
  between: (message: HandshakeMessage) => HandshakeMessage = (message) => message,
): Outcome {
  const outcome: Outcome = { initiator: null, responder: null, sent: [] };
  let message: HandshakeMessage | null = initiator.hello;
  let turn: 'initiator' | 'responder' = 'responder';
  for (let count = 0; message !== null && count < 10; count += 1) {
    outcome.sent.push(message);
    const arrived = decodeHandshake(encodeHandshake(between(message)));
    if (typeof arrived === 'string') throw new Error(arrived);
    const step: HandshakeStep = (turn === 'responder' ? other : initiator).receive(arrived);
    outcome[turn] = step;
    message = step.send;
    turn = turn === 'responder' ? 'initiator' : 'responder';
  }
  return outcome;
}

function sessions(outcome: Outcome): [Session, Session] {
  const { initiator, responder: other } = outcome;
  if (initiator?.kind !== 'done' || other?.kind !== 'done') throw new Error(JSON.stringify(outcome));
  return [initiator.session, other.session];
}

function refusal(step: HandshakeStep | null): string {
  if (step?.kind !== 'refused') throw new Error(`not refused but ${step?.kind}`);
  return step.reason;
}

describe('who believes whom', () => {
  const keys: [string, Key | null][] = [
    ['no key', null],
    ['the key', secret],
    ['another secret', otherSecret],
    ['another algorithm', otherHash],
  ];
  const words: Record<string, RegExp> = {
    'no key/the key': /has no key and we have one/,
    'the key/no key': /has a key and we have none/,
    'the key/another secret': /the secrets differ/,
    'the key/another algorithm': /uses the algorithm sha256 and we use sha512/,
  };
  for (const [one, first] of keys) {
    for (const [other, second] of keys) {
      test(`[N20] [N23] ${one} meets ${other}`, () => {
        const outcome = shake(
          createInitiator(identity('nodeA', first), randomBytes(32)),
          responder(identity('nodeB', second)),
        );
        if (one === other) {
          const [a, b] = sessions(outcome);
          assert.deepEqual(
            [a.peer, b.peer],
            [
              { node: 'nodeB', incarnation: 1 },
              { node: 'nodeA', incarnation: 1 },
            ],
          );
          assert.equal(a.outgoing === null, first === null);
          return;
        }
        const reasons = [refusal(outcome.responder), refusal(outcome.initiator)];
        assert.match(reasons[0] ?? '', words[`${one}/${other}`] ?? /./);
        assert.match(reasons[1] ?? '', /refuses us/);
        for (const reason of reasons) assert.doesNotMatch(reason, /secret'|a secret|another secret/);
      });
    }
  }

  test('[N22] a node that is no voter, and one with our own name, are refused on both sides', () => {
    const stranger = shake(createInitiator(identity('nodeX'), randomBytes(32)), responder(identity('nodeB')));
    assert.match(refusal(stranger.responder), /nodeX has no `on` section/);
    assert.match(refusal(stranger.initiator), /our name has no `on` section/);
    const twin = shake(createInitiator(identity('nodeB'), randomBytes(32)), responder(identity('nodeB')));
    assert.match(refusal(twin.responder), /called nodeB as we are/);
    const answers = shake(
      createInitiator(identity('nodeA'), randomBytes(32)),
      responder(identity('nodeX')),
      (message) => (message.kind === 'challenge' ? { ...message, node: 'nodeX' } : message),
    );
    assert.match(refusal(answers.initiator), /nodeX has no `on` section/);
  });

  test('[N5] a resource that is not there is refused without saying what there is', () => {
    const outcome = shake(
      createInitiator({ ...identity('nodeA'), resource: 'other' }, randomBytes(32)),
      responder(identity('nodeB')),
    );
    assert.deepEqual(outcome.sent[1], { kind: 'refuse', reason: 'not-allowed', node: '' });
  });

  test('[N21] a newer node is met with the older version, one that is too old is refused', () => {
    const hello: Hello = { ...createInitiator(identity('nodeA'), randomBytes(32)).hello, version: 9 };
    const step = responder(identity('nodeB')).receive(hello);
    assert.equal(step.send?.kind === 'challenge' && step.send.version, protocolVersion);
    const old = shake(
      createInitiator(identity('nodeA'), randomBytes(32)),
      responder(identity('nodeB')),
      (message) => (message.kind === 'challenge' ? { ...message, version: 2 } : message),
    );
    assert.match(refusal(old.initiator), /protocol version 2/);
  });

  test('[N20] messages out of turn end the handshake', () => {
    const proofMessage: HandshakeMessage = { kind: 'proof', mac: Buffer.alloc(32) };
    const accept: HandshakeMessage = { kind: 'accept', mac: Buffer.alloc(32) };
    assert.match(refusal(responder(identity('nodeB')).receive(proofMessage)), /unexpected proof/);
    assert.match(refusal(responder(identity('nodeB')).receive(accept)), /unexpected accept/);
    const initiator = createInitiator(identity('nodeA'), randomBytes(32));
    assert.match(refusal(initiator.receive(accept)), /unexpected accept/);
    const twice = responder(identity('nodeB'));
    assert.equal(twice.receive(initiator.hello).kind, 'continue');
    assert.match(refusal(twice.receive(initiator.hello)), /unexpected hello/);
  });

  test('[N20] without a key a proof is out of place', () => {
    const outcome = shake(
      createInitiator(identity('nodeA', null), randomBytes(32)),
      responder(identity('nodeB', null)),
      (message) => (message.kind === 'proof' ? { kind: 'proof', mac: Buffer.alloc(32) } : message),
    );
    assert.match(refusal(outcome.responder), /wrong proof/);
  });
});

describe('tricks', () => {
  test('[N25] the side that accepted shows nothing made with the key before the other has proven itself', () => {
    const machine = responder(identity('nodeB'));
    const step = machine.receive(createInitiator(identity('nodeA'), randomBytes(32)).hello);
    assert.deepEqual(Object.keys(step.send ?? {}).sort(), [
      'algorithm',
      'incarnation',
      'kind',
      'node',
      'nonce',
      'version',
    ]);
    const wrong = machine.receive({ kind: 'proof', mac: randomBytes(32) });
    assert.deepEqual(wrong.send, { kind: 'refuse', reason: 'wrong-key', node: 'nodeB' });
  });

  test('[N29] a recorded session proves nothing to either side', () => {
    const recorded = shake(createInitiator(identity('nodeA'), randomBytes(32)), responder(identity('nodeB')));
    sessions(recorded);
    const [hello, challenge, proofMessage, accept] = recorded.sent as [
      Hello,
      Challenge,
      HandshakeMessage,
      Accept,
    ];
    const again = responder(identity('nodeB'));
    assert.equal(again.receive(hello).kind, 'continue');
    assert.match(refusal(again.receive(proofMessage)), /wrong proof/);
    const initiator = createInitiator(identity('nodeA'), randomBytes(32));
    assert.equal(initiator.receive(challenge).kind, 'continue');
    assert.match(refusal(initiator.receive(accept)), /wrong proof/);
  });

  test('[N29] our own proof, sent back to us as the answer, proves nothing', () => {
    const initiator = createInitiator(identity('nodeA'), randomBytes(32));
    const challenge: HandshakeMessage = {
      ...{ kind: 'challenge', version: 1, node: 'nodeB', incarnation: 1 },
      ...{ nonce: initiator.hello.nonce, algorithm: 'sha256' },
    };
    const step = initiator.receive(challenge);
    assert.ok(step.send?.kind === 'proof');
    assert.match(refusal(initiator.receive({ kind: 'accept', mac: step.send.mac })), /wrong proof/);
  });

  test('[N29] a node that is made to prove itself to us in both directions at once is not fooled', () => {
    // Mallory answers nodeB's connection, and at the same time connects to nodeB, with each other's random values.
    const dialing = createInitiator(identity('nodeB'), randomBytes(32));
    const accepting = responder(identity('nodeB'));
    const fake: Hello = { ...dialing.hello, node: 'nodeA', nonce: dialing.hello.nonce };
    const challenged = accepting.receive(fake);
    assert.ok(challenged.send?.kind === 'challenge');
    const proven = dialing.receive({ ...challenged.send, node: 'nodeA' });
    assert.ok(proven.send?.kind === 'proof');
    assert.match(refusal(accepting.receive(proven.send)), /wrong proof/);
  });

  const changes: [string, (message: HandshakeMessage) => HandshakeMessage][] = [
    ['the name of the first', (m) => (m.kind === 'hello' ? { ...m, node: 'nodeC' } : m)],
    ['the incarnation of the first', (m) => (m.kind === 'hello' ? { ...m, incarnation: 2 } : m)],
    ['the random value of the first', (m) => (m.kind === 'hello' ? { ...m, nonce: randomBytes(32) } : m)],
    ['the version', (m) => (m.kind === 'hello' ? { ...m, version: 2 } : m)],
    ['the name of the second', (m) => (m.kind === 'challenge' ? { ...m, node: 'nodeC' } : m)],
    ['the incarnation of the second', (m) => (m.kind === 'challenge' ? { ...m, incarnation: 2 } : m)],
    [
      'the random value of the second',
      (m) => (m.kind === 'challenge' ? { ...m, nonce: randomBytes(32) } : m),
    ],
  ];
  for (const [what, change] of changes) {
    test(`[N24] somebody in between who changes ${what} is noticed`, () => {
      const outcome = shake(
        createInitiator(identity('nodeA'), randomBytes(32)),
        responder(identity('nodeB')),
        change,
      );
      assert.match(refusal(outcome.responder), /wrong proof/);
    });
  }

  test('[N24] no item of the transcript can be shifted into the next', () => {
    const hello = createInitiator(identity('nodeA'), Buffer.alloc(32)).hello;
    const challenge: Challenge = {
      ...{
        kind: 'challenge',
        version: 1,
        node: 'nodeB',
        incarnation: 1,
        nonce: Buffer.alloc(32),
        algorithm: 'sha256',
      },
    };
    const one = transcript({ ...hello, node: 'ab' }, { ...challenge, node: 'c' });
    const other = transcript({ ...hello, node: 'a' }, { ...challenge, node: 'bc' });
    assert.notDeepEqual(one, other);
    assert.notDeepEqual(proof(secret, 'initiator', one), proof(secret, 'responder', one));
  });

  test('[N26] proofs are compared whatever their length is', () => {
    assert.equal(sameBytes(Buffer.from('abc'), Buffer.from('abc')), true);
    for (const other of ['abd', 'ab', 'abcd', ''])
      assert.equal(sameBytes(Buffer.from('abc'), Buffer.from(other)), false);
    for (const length of [0, 1, 31, 33, 64]) {
      const machine = responder(identity('nodeB'));
      machine.receive(createInitiator(identity('nodeA'), randomBytes(32)).hello);
      assert.match(refusal(machine.receive({ kind: 'proof', mac: Buffer.alloc(length) })), /wrong proof/);
    }
  });

  test('[N32] a proven peer may still be refused by its owner', () => {
    const machine = createResponder(
      () => identity('nodeB'),
      () => ({ reason: 'superseded', text: 'an earlier process' }),
      () => randomBytes(32),
    );
    const outcome = shake(createInitiator(identity('nodeA'), randomBytes(32)), machine);
    assert.equal(refusal(outcome.responder), 'an earlier process');
    assert.match(refusal(outcome.initiator), /a later process with our name/);
  });
});

describe('seals', () => {
  function sealed(session: Session, text: string): Buffer {
    const payload = Buffer.from(text);
    const frame = Buffer.alloc(frameHeaderBytes + payload.length + sealBytes);
    payload.copy(frame, frameHeaderBytes);
    session.outgoing?.sign(frame, frameHeaderBytes, frameHeaderBytes + payload.length);
    return frame.subarray(frameHeaderBytes);
  }

  function pair(): [Session, Session] {
    return sessions(shake(createInitiator(identity('nodeA'), randomBytes(32)), responder(identity('nodeB'))));
  }

  test('[N27] frames are believed in their order, in both directions', () => {
    const [a, b] = pair();
    for (const text of ['one', 'two', '', 'three']) {
      assert.equal(b.incoming?.verify(sealed(a, text)), true, text);
      assert.equal(a.incoming?.verify(sealed(b, text)), true, text);
    }
  });

  test('[N28] every changed bit is noticed', () => {
    const said = Buffer.from('anything');
    const good = Buffer.concat([Buffer.from('pay'), Buffer.alloc(sealBytes)]);
    createSeal(secret, 'initiator', said).sign(good, 0, 3);
    assert.equal(createSeal(secret, 'initiator', said).verify(good), true);
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const frame = Buffer.from(good);
      frame[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(createSeal(secret, 'initiator', said).verify(frame), false, `bit ${bit}`);
    }
  });

  test('[N28] a frame that is repeated, left out, reflected, cut or of another connection is noticed', () => {
    const [a, b] = pair();
    const first = sealed(a, 'one');
    assert.equal(b.incoming?.verify(first), true);
    assert.equal(b.incoming?.verify(first), false, 'repeated');
    const [c, d] = pair();
    sealed(c, 'left out');
    assert.equal(d.incoming?.verify(sealed(c, 'two')), false, 'left out');
    const [e] = pair();
    assert.equal(e.incoming?.verify(sealed(e, 'mine')), false, 'reflected');
    const [f, g] = pair();
    const [h] = pair();
    assert.equal(g.incoming?.verify(sealed(h, 'x')), false, 'of another connection');
    assert.equal(pair()[1].incoming?.verify(sealed(f, 'x').subarray(0, 10)), false, 'cut');
    assert.equal(pair()[1].incoming?.verify(Buffer.alloc(0)), false, 'empty');
  });

  test('[N23] an algorithm that this machine does not have is found out beforehand', () => {
    assert.equal(keyProblem(secret), null);
    assert.match(
      keyProblem({ algorithm: 'no-such-hash', secret: 'x' }) ?? '',
      /does not offer the hash no-such-hash/,
    );
  });
});
