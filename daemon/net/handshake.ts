/**
 * The handshake of two nodes as two pure machines: messages in, messages and a verdict out. Rules N20… of
 * docs/protocol-wire.md. Knows identities and keys; sockets, addresses and deadlines are the connection's business.
 *
 * The side that connected proves first: a stranger who only connects learns no value that was made with the key.
 */
import {
  type Challenge,
  type HandshakeMessage,
  type Hello,
  protocolVersion,
  protocolVersionMin,
} from '../../proto/handshake-codec.js';
import type { RefuseReason } from '../../proto/words.js';
import type { Key } from '../config/types.js';
import { createSeal, proof, type Seal, sameBytes, transcript } from './auth.js';
import { MONITORING } from './group.js';

/** Who we are for one resource, and whom we talk to. */
export interface Identity {
  resource: string;
  node: string;
  incarnation: number;
  key: Key | null;
  voters: readonly string[];
}

export interface Peer {
  node: string;
  incarnation: number;
}

export interface Session {
  resource: string;
  peer: Peer;
  /** The seals of what we send and of what we receive; null without a key. */
  outgoing: Seal | null;
  incoming: Seal | null;
}

export type HandshakeStep =
  | { kind: 'continue'; send: HandshakeMessage }
  | { kind: 'done'; send: HandshakeMessage | null; session: Session }
  /** Over. `send` tells the other side why, `reason` is for our own log. */
  | { kind: 'refused'; send: HandshakeMessage | null; reason: string; peer: Peer | null };

export interface HandshakeMachine {
  receive(message: HandshakeMessage): HandshakeStep;
}

/** The side that connected. `nonce` must never have been used before. */
export function createInitiator(me: Identity, nonce: Buffer): HandshakeMachine & { hello: Hello } {
  const hello: Hello = {
    kind: 'hello',
    version: protocolVersion,
    resource: me.resource,
    node: me.node,
    incarnation: me.incarnation,
    nonce,
    algorithm: me.key?.algorithm ?? '',
  };
  let challenge: Challenge | null = null;

  function receive(message: HandshakeMessage): HandshakeStep {
    if (message.kind === 'refuse') {
      const who = message.node === '' ? 'the other side' : message.node;
      return refused(null, `${who} refuses us: ${refusalText(me.resource, message.reason)}`);
    }
    if (message.kind === 'challenge' && challenge === null) {
      const peer: Peer = message;
      if (message.version < protocolVersionMin || message.version > protocolVersion) {
        return refused(null, `${peer.node} speaks protocol version ${message.version}`, peer);
      }
      const refusal = refusalOf(me, peer, message.algorithm);
      if (refusal !== null) return refused(refuseMessage(me, refusal.reason), refusal.text, peer);
      challenge = message;
      const mac = me.key ? proof(me.key, 'initiator', transcript(hello, message)) : Buffer.alloc(0);
      return { kind: 'continue', send: { kind: 'proof', mac } };
    }
    if (message.kind === 'accept' && challenge !== null) {
      if (!proven(me.key, 'responder', transcript(hello, challenge), message.mac)) {
        return refused(null, `${challenge.node} answers with a wrong proof: the secrets differ`, challenge);
      }
      return { kind: 'done', send: null, session: session(me, 'initiator', hello, challenge) };
    }
    return refused(null, `an unexpected ${message.kind} in the handshake`, challenge);
  }

  return { hello, receive };
}

/** Whom a responder takes itself for when somebody asks for a resource; null: refused, and not said why. */
export type FindIdentity = (resource: string) => Identity | null;
/** A last word before a proven peer is accepted: null to accept it. */
export type Admit = (resource: string, peer: Peer) => { reason: RefuseReason; text: string } | null;

/** The side that accepted. `drawNonce` gives a value that was never used before; it is called once, after a good hello. */
export function createResponder(find: FindIdentity, admit: Admit, drawNonce: () => Buffer): HandshakeMachine {
  let pending: { me: Identity; hello: Hello; challenge: Challenge } | null = null;

  function greeted(hello: Hello): HandshakeStep {
    const me = find(hello.resource);
    if (me === null) {
      const message: HandshakeMessage = { kind: 'refuse', reason: 'not-allowed', node: '' };
      return refused(message, `not allowed for the resource '${hello.resource}', or there is none`, hello);
    }
    if (hello.version < protocolVersionMin) {
      const text = `${hello.node} speaks only protocol version ${hello.version}`;
      return refused(refuseMessage(me, 'version'), text, hello);
    }
    const refusal = refusalOf(me, hello, hello.algorithm);
    if (refusal !== null) return refused(refuseMessage(me, refusal.reason), refusal.text, hello);
    const challenge: Challenge = {
      kind: 'challenge',
      version: Math.min(hello.version, protocolVersion),
      node: me.node,
      incarnation: me.incarnation,
      nonce: drawNonce(),
      algorithm: me.key?.algorithm ?? '',
    };
    pending = { me, hello, challenge };
    return { kind: 'continue', send: challenge };
  }

  function receive(message: HandshakeMessage): HandshakeStep {
    if (message.kind === 'hello' && pending === null) return greeted(message);
    if (message.kind === 'refuse') {
      const who = pending?.hello.node ?? 'the other side';
      return refused(null, `${who} refuses us: ${refusalSentence[message.reason]}`, pending?.hello ?? null);
    }
    if (message.kind === 'proof' && pending !== null) {
      const { me, hello, challenge } = pending;
      const said = transcript(hello, challenge);
      if (!proven(me.key, 'initiator', said, message.mac)) {
        const text = `${hello.node} has given a wrong proof: the secrets differ`;
        return refused(refuseMessage(me, 'wrong-key'), text, hello);
      }
      const objection = admit(me.resource, hello);
      if (objection !== null) return refused(refuseMessage(me, objection.reason), objection.text, hello);
      const mac = me.key ? proof(me.key, 'responder', said) : Buffer.alloc(0);
      return {
        kind: 'done',
        send: { kind: 'accept', mac },
        session: session(me, 'responder', hello, challenge),
      };
    }
    return refused(null, `an unexpected ${message.kind} in the handshake`, pending?.hello ?? null);
  }

  return { receive };
}

const refusalSentence: Record<RefuseReason | 'unknown', string> = {
  version: 'the protocol versions differ too much; update one of the nodes',
  'not-allowed': "our address is not among the resource's friends there, or it has no such resource",
  'not-a-voter': 'our name has no `on` section in the resource there',
  'same-node': 'it has the same name as we have',
  'key-missing': 'one side has a key for the resource and the other has none',
  algorithm: 'the key algorithms differ',
  'wrong-key': 'the secrets differ',
  superseded: 'a later process with our name is connected there',
  unknown: 'for a reason that this version does not know',
};

function refusalText(resource: string, reason: RefuseReason | 'unknown'): string {
  if (resource !== MONITORING) return refusalSentence[reason];
  if (reason === 'not-a-voter') return 'our name is not among the nodes that monitor there';
  if (reason === 'not-allowed') return 'our address is not that of a node that monitors there';
  return refusalSentence[reason].replace('for the resource', 'for monitoring');
}

/** What both sides check of each other before any proof. The texts name what differs and nothing secret. */
function refusalOf(
  me: Identity,
  peer: Peer,
  algorithm: string,
): { reason: RefuseReason; text: string } | null {
  if (peer.node === me.node)
    return { reason: 'same-node', text: `a node that is called ${me.node} as we are` };
  if (!me.voters.includes(peer.node)) {
    const what = me.resource === MONITORING ? 'does not monitor' : 'has no `on` section in the resource';
    return { reason: 'not-a-voter', text: `${peer.node} ${what} here` };
  }
  const ours = me.key?.algorithm ?? '';
  if ((ours === '') !== (algorithm === '')) {
    const text =
      ours === '' ? `${peer.node} has a key and we have none` : `${peer.node} has no key and we have one`;
    return { reason: 'key-missing', text };
  }
  if (ours !== algorithm) {
    return { reason: 'algorithm', text: `${peer.node} uses the algorithm ${algorithm} and we use ${ours}` };
  }
  return null;
}

function refuseMessage(me: Identity, reason: RefuseReason): HandshakeMessage {
  return { kind: 'refuse', reason, node: me.node };
}

function refused(send: HandshakeMessage | null, reason: string, peer: Peer | null = null): HandshakeStep {
  return { kind: 'refused', send, reason, peer: peer && { node: peer.node, incarnation: peer.incarnation } };
}

function proven(key: Key | null, side: 'initiator' | 'responder', said: Buffer, mac: Buffer): boolean {
  return key === null ? mac.length === 0 : sameBytes(mac, proof(key, side, said));
}

function session(me: Identity, side: 'initiator' | 'responder', hello: Hello, challenge: Challenge): Session {
  const other = side === 'initiator' ? challenge : hello;
  const peer = { node: other.node, incarnation: other.incarnation };
  if (me.key === null) return { resource: me.resource, peer, outgoing: null, incoming: null };
  const said = transcript(hello, challenge);
  return {
    resource: me.resource,
    peer,
    outgoing: createSeal(me.key, side, said),
    incoming: createSeal(me.key, side === 'initiator' ? 'responder' : 'initiator', said),
  };
}
