/**
 * What a key is good for: proofs that both sides know it, and a seal on every later frame. Rules N25… of
 * docs/protocol-wire.md. Pure computation; knows no sockets and draws no random numbers.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Challenge, Hello } from '../../proto/handshake-codec.js';
import type { Key } from '../config/types.js';

/** Bytes of the seal on a frame: an HMAC cut to 128 bits (RFC 2104, section 5, allows half of the hash and more). */
export const sealBytes = 16;

/** Which end of a connection speaks: the one that connected or the one that accepted. */
export type Side = 'initiator' | 'responder';

/** A running seal for one direction: counts frames, so that none can be repeated, left out or moved. */
export interface Seal {
  /** Writes the seal of the next frame into `frame`, whose first `payloadEnd` bytes from `start` are the payload. */
  sign(frame: Buffer, start: number, payloadEnd: number): void;
  /** True where the last sealBytes of `body` are the seal of what stands before them, as the next frame. */
  verify(body: Buffer): boolean;
}

/**
 * Everything that both sides have said, in a form in which no two handshakes look alike: each item with its length
 * before it, so that nothing can be shifted from one item into the next.
 */
export function transcript(hello: Hello, challenge: Challenge): Buffer {
  const items = [
    Buffer.from('hastmon peer handshake'),
    Buffer.from(`${hello.version} ${challenge.version}`),
    Buffer.from(hello.resource),
    Buffer.from(hello.algorithm),
    Buffer.from(challenge.algorithm),
    Buffer.from(hello.node),
    Buffer.from(challenge.node),
    Buffer.from(`${hello.incarnation} ${challenge.incarnation}`),
    hello.nonce,
    challenge.nonce,
  ];
  return Buffer.concat(items.flatMap((item) => [lengthOf(item), item]));
}

/** The proof of one side that it knows the key; it differs for each side, so that none can be sent back as the other. */
export function proof(key: Key, side: Side, said: Buffer): Buffer {
  return derive(key, `${side} knows the key`, said);
}

/** Compares in a time that does not depend on where the first difference is. */
export function sameBytes(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** The seal on what `side` sends, under a key that is good for this connection alone. */
export function createSeal(key: Key, side: Side, said: Buffer): Seal {
  const frameKey = derive(key, `frames of the ${side}`, said);
  const counter = Buffer.alloc(8);
  let count = 0;

  function next(payload: Uint8Array): Buffer {
    counter.writeUInt32BE(Math.floor(count / 0x100000000), 0);
    counter.writeUInt32BE(count >>> 0, 4);
    count += 1;
    return createHmac(key.algorithm, frameKey).update(counter).update(payload).digest();
  }

  return {
    sign(frame, start, payloadEnd) {
      next(frame.subarray(start, payloadEnd)).copy(frame, payloadEnd, 0, sealBytes);
    },
    verify(body) {
      const end = body.length - sealBytes;
      if (end < 0) return false;
      return sameBytes(body.subarray(end), next(body.subarray(0, end)).subarray(0, sealBytes));
    },
  };
}

/** Null where node:crypto can make an HMAC with this algorithm, else why it cannot. */
export function keyProblem(key: Key): string | null {
  try {
    const bytes = createHmac(key.algorithm, key.secret).digest().length;
    return bytes < sealBytes ? `the hash ${key.algorithm} is too short` : null;
  } catch {
    return `this machine's OpenSSL does not offer the hash ${key.algorithm}`;
  }
}

function derive(key: Key, label: string, said: Buffer): Buffer {
  return createHmac(key.algorithm, key.secret).update(label).update('\0').update(said).digest();
}

function lengthOf(item: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(item.length, 0);
  return length;
}
