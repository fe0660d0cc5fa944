/** Bytes <-> the messages of the handshake between nodes. Rules N20… of docs/protocol-wire.md. */
import * as check from './check.js';
import { hastmon } from './gen/peer.js';
import { type RefuseReason, refuseReasons } from './words.js';

const { Handshake } = hastmon;

/** The newest protocol version of this program, and the oldest it still speaks. */
export const protocolVersion = 1;
export const protocolVersionMin = 1;
/** Bytes of the random value that each side contributes. */
export const nonceBytes = 32;
/** The longest proof: sha512 gives 64 bytes. */
const macBytesMax = 64;

export interface Hello {
  kind: 'hello';
  version: number;
  resource: string;
  node: string;
  incarnation: number;
  nonce: Buffer;
  /** '' where the sender has no key. */
  algorithm: string;
}

export interface Challenge {
  kind: 'challenge';
  version: number;
  node: string;
  incarnation: number;
  nonce: Buffer;
  algorithm: string;
}

export interface Proof {
  kind: 'proof';
  /** Empty without a key. */
  mac: Buffer;
}

export interface Accept {
  kind: 'accept';
  mac: Buffer;
}

export interface Refuse {
  kind: 'refuse';
  /** 'unknown': a reason that this version does not know. */
  reason: RefuseReason | 'unknown';
  /** The name of the refusing node, '' where it did not say. */
  node: string;
}

export type HandshakeMessage = Hello | Challenge | Proof | Accept | Refuse;

export function encodeHandshake(message: HandshakeMessage): Uint8Array {
  switch (message.kind) {
    case 'hello':
      return Handshake.encode({ hello: message }).finish();
    case 'challenge':
      return Handshake.encode({ challenge: message }).finish();
    case 'proof':
      return Handshake.encode({ proof: message }).finish();
    case 'accept':
      return Handshake.encode({ accept: message }).finish();
    case 'refuse': {
      const reason = message.reason === 'unknown' ? 0 : refuseReasons.number(message.reason);
      return Handshake.encode({ refuse: { reason, node: message.node } }).finish();
    }
  }
}

/** The message, or why the bytes are none, as one phrase. */
export function decodeHandshake(bytes: Uint8Array): HandshakeMessage | string {
  try {
    const frame = Handshake.decode(bytes);
    if (frame.hello) return helloFromWire(frame.hello);
    if (frame.challenge) return challengeFromWire(frame.challenge);
    if (frame.proof) return { kind: 'proof', mac: mac('proof', frame.proof.mac) };
    if (frame.accept) return { kind: 'accept', mac: mac('accept', frame.accept.mac) };
    if (frame.refuse) return refuseFromWire(frame.refuse);
    return 'no message of the handshake';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function helloFromWire(wire: hastmon.Hello.$Properties): Hello {
  return {
    kind: 'hello',
    version: check.counter('hello.version', wire.version, 1),
    resource: check.name('hello.resource', wire.resource),
    node: check.name('hello.node', wire.node),
    incarnation: check.counter('hello.incarnation', wire.incarnation, 1),
    nonce: nonce('hello', wire.nonce),
    algorithm: check.nameOrNone('hello.algorithm', wire.algorithm),
  };
}

function challengeFromWire(wire: hastmon.Challenge.$Properties): Challenge {
  return {
    kind: 'challenge',
    version: check.counter('challenge.version', wire.version, 1),
    node: check.name('challenge.node', wire.node),
    incarnation: check.counter('challenge.incarnation', wire.incarnation, 1),
    nonce: nonce('challenge', wire.nonce),
    algorithm: check.nameOrNone('challenge.algorithm', wire.algorithm),
  };
}

function refuseFromWire(wire: hastmon.Refuse.$Properties): Refuse {
  return {
    kind: 'refuse',
    reason: refuseReasons.word(wire.reason ?? 0) ?? 'unknown',
    node: check.nameOrNone('refuse.node', wire.node),
  };
}

/** A copy: the frame it comes from is only lent. */
function nonce(field: string, value: Uint8Array | null | undefined): Buffer {
  if (value?.length !== nonceBytes) throw new check.Invalid(`${field}.nonce has not ${nonceBytes} bytes`);
  return Buffer.from(value);
}

function mac(field: string, value: Uint8Array | null | undefined): Buffer {
  if ((value?.length ?? 0) > macBytesMax) throw new check.Invalid(`${field}.mac is too long`);
  return Buffer.from(value ?? []);
}
