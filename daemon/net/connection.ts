/**
 * One connection to a peer, from the first byte of its handshake to its end: frames, limits, the seal, the deadline.
 * Rules N1…N39 of docs/protocol-wire.md. Knows one socket; which of several connections is used, and when a new one is
 * made, is decided elsewhere (peer-links.ts, dialer.ts).
 */
import type { Socket } from 'node:net';
import { decodePeerMessage, type LinkMessage } from '../../proto/codec.js';
import {
  createFrameDecoder,
  encodeFrame,
  FrameError,
  frameFor,
  frameHeaderBytes,
  handshakeFrameBytesMax,
  peerFrameBytesMax,
} from '../../proto/frame.js';
import { decodeHandshake, encodeHandshake, type HandshakeMessage } from '../../proto/handshake-codec.js';
import { sealBytes } from './auth.js';
import type { HandshakeMachine, Peer, Session } from './handshake.js';

/** What may wait in our memory for a peer that does not read. */
const writeBytesMax = 256 * 1024;
/** After so long without traffic the kernel asks, too, whether the other side is there. */
const keepAliveMs = 10_000;
/** How long a side that was refused has to read why. */
const farewellMs = 1000;

export interface ConnectionOptions {
  socket: Socket;
  /** 'out': we connected. */
  direction: 'in' | 'out';
  /** The other end, for people. */
  address: string;
  machine: HandshakeMachine;
  /** What to send first; null where the other side begins. */
  greeting: HandshakeMessage | null;
  /** How long the handshake may take from now on. */
  handshakeMs: number;
  clock: () => number;
  /** The handshake succeeded. Messages follow. */
  onUp: (connection: Connection, session: Session) => void;
  /** Something arrived whole; called before what it says is handed on. */
  onHeard: (connection: Connection, peer: Peer) => void;
  onMessage: (peer: Peer, message: LinkMessage) => void;
  /** A message that was thrown away because a value in it is out of range. */
  onInvalid: (connection: Connection, peer: Peer, reason: string) => void;
  /**
   * It can no longer be used. Called exactly once, never from inside a call to the connection. `peer`: who it was, or
   * who it said it was where the handshake failed, null where it did not say.
   */
  onDown: (connection: Connection, reason: string, peer: Peer | null) => void;
}

export interface Connection {
  readonly direction: 'in' | 'out';
  readonly address: string;
  /** Readings of the clock; lastHeard counts whole frames only. */
  readonly since: number;
  readonly lastHeard: number;
  /** False as soon as it cannot be used, before onDown says so. */
  readonly usable: boolean;
  /** Bytes that wait in this process for the other side to read. */
  readonly waiting: number;
  /** Sends a payload; false where the connection cannot take it. `shared` keeps the frame for other connections. */
  send(payload: SharedPayload): boolean;
  /** Sends nothing any more, but takes what the other side still has to say; it goes after `lingerMs` at the latest. */
  retire(reason: string, lingerMs: number): void;
  destroy(reason: string): void;
}

/** An encoded message, and its frame where one connection without a seal has already built it. */
export interface SharedPayload {
  payload: Uint8Array;
  frame: Buffer | null;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { socket, clock } = options;
  const decoder = createFrameDecoder(handshakeFrameBytesMax);
  let state: 'handshake' | 'up' | 'retired' | 'refused' | 'gone' = 'handshake';
  let session: Session | null = null;
  let peer: Peer | null = null;
  let since = clock();
  let lastHeard = 0;
  let downReason = '';
  let told = false;
  let deadline = setTimeout(() => destroy('no handshake in time'), options.handshakeMs);

  const connection: Connection = {
    direction: options.direction,
    address: options.address,
    get since() {
      return since;
    },
    get lastHeard() {
      return lastHeard;
    },
    get usable() {
      return state === 'up';
    },
    get waiting() {
      return socket.writableLength;
    },
    send,
    retire,
    destroy,
  };

  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
  socket.on('data', receive);
  socket.on('error', (error: NodeJS.ErrnoException) => finish(describeSocketError(error)));
  socket.on('end', () => finish('closed by the other side'));
  socket.on('close', () => finish('closed'));
  if (options.greeting !== null) socket.write(encodeFrame(encodeHandshake(options.greeting)));
  return connection;

  function receive(chunk: Buffer): void {
    if (state === 'refused' || state === 'gone') return;
    try {
      for (const frame of decoder.push(chunk)) {
        if (state === 'handshake') handshakeFrame(frame);
        else if (state === 'up' || state === 'retired') peerFrame(frame);
        else return;
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      destroy(`garbage: ${error.message}`);
    }
  }

  function handshakeFrame(frame: Buffer): void {
    const message = decodeHandshake(frame);
    if (typeof message === 'string') return destroy(`garbage in the handshake: ${message}`);
    const step = options.machine.receive(message);
    if (step.send !== null) {
      const bytes = encodeFrame(encodeHandshake(step.send));
      if (step.kind === 'refused') socket.end(bytes);
      else socket.write(bytes);
    }
    if (step.kind === 'done') up(step.session);
    if (step.kind === 'refused') refuse(step.reason, step.peer, step.send !== null);
  }

  function up(agreed: Session): void {
    clearTimeout(deadline);
    session = agreed;
    peer = agreed.peer;
    state = 'up';
    since = clock();
    lastHeard = since;
    decoder.setLimit(peerFrameBytesMax);
    options.onUp(connection, agreed);
  }

  function refuse(reason: string, who: Peer | null, saidWhy: boolean): void {
    peer = who;
    if (!saidWhy) return destroy(reason);
    state = 'refused';
    downReason = reason;
    clearTimeout(deadline);
    deadline = setTimeout(() => destroy(reason), farewellMs);
  }

  function peerFrame(frame: Buffer): void {
    if (session === null) return;
    const { incoming, peer } = session;
    if (incoming !== null && !incoming.verify(frame)) return destroy('a frame whose seal does not fit');
    const payload = incoming === null ? frame : frame.subarray(0, frame.length - sealBytes);
    const decoded = decodePeerMessage(payload);
    if (decoded.kind === 'malformed') return destroy(`garbage: ${decoded.reason}`);
    lastHeard = clock();
    options.onHeard(connection, peer);
    if (decoded.kind === 'message') options.onMessage(peer, decoded.message);
    else if (decoded.kind === 'invalid') options.onInvalid(connection, peer, decoded.reason);
  }

  function send(shared: SharedPayload): boolean {
    if (state !== 'up') return false;
    socket.write(frameOf(shared, session));
    if (socket.writableLength <= writeBytesMax) return true;
    destroy(`the other side does not read: ${socket.writableLength} bytes wait for it`);
    return false;
  }

  function retire(reason: string, lingerMs: number): void {
    if (state !== 'up') return destroy(reason);
    state = 'retired';
    downReason = reason;
    socket.end();
    deadline = setTimeout(() => destroy(reason), lingerMs);
  }

  function destroy(reason: string): void {
    if (state === 'gone') return;
    if (downReason === '') downReason = reason;
    state = 'gone';
    clearTimeout(deadline);
    socket.destroy();
    // The socket's own 'close' tells the owner, after whoever called us is done.
  }

  function finish(reason: string): void {
    if (downReason === '') downReason = reason;
    if (state !== 'gone') {
      state = 'gone';
      clearTimeout(deadline);
    }
    if (!socket.destroyed) socket.destroySoon();
    tellOnce();
  }

  function tellOnce(): void {
    if (told) return;
    told = true;
    options.onDown(connection, downReason, peer);
  }
}

function frameOf(shared: SharedPayload, session: Session | null): Buffer {
  const { payload } = shared;
  if (!session?.outgoing) {
    shared.frame ??= encodeFrame(payload);
    return shared.frame;
  }
  const frame = frameFor(payload.length + sealBytes);
  const end = frameHeaderBytes + payload.length;
  frame.set(payload, frameHeaderBytes);
  session.outgoing.sign(frame, frameHeaderBytes, end);
  return frame;
}

/** A system error as a phrase: the code, which people know, without the call and the address, which stand elsewhere. */
export function describeSocketError(error: NodeJS.ErrnoException): string {
  const words: Record<string, string> = {
    ECONNREFUSED: 'connection refused (no daemon listens there)',
    ECONNRESET: 'connection reset by the other side',
    EHOSTUNREACH: 'no route to the host',
    ENETUNREACH: 'the network is unreachable',
    ETIMEDOUT: 'timed out',
    EPIPE: 'closed by the other side',
    ENOENT: 'no such socket',
    EACCES: 'permission denied',
  };
  return words[error.code ?? ''] ?? error.code ?? error.message;
}
