/**
 * Frames: 4 bytes of length, big-endian, then that many bytes. Rules N1… of docs/protocol-wire.md. Knows nothing of
 * what is inside a frame.
 */

/** Bytes that announce a length. */
export const frameHeaderBytes = 4;
/** The largest frame of a side that has not proven who it is. */
export const handshakeFrameBytesMax = 4 * 1024;
/** The largest frame between nodes that believe each other. */
export const peerFrameBytesMax = 64 * 1024;
/** The largest frame on the control socket. */
export const controlFrameBytesMax = 1024 * 1024;

/** The smallest buffer for a frame that arrives in pieces. */
const gatherBytesMin = 64;

/** A length that no frame may have. The stream cannot be read on. */
export class FrameError extends Error {}

export interface FrameDecoder {
  /**
   * The frames that are complete with these bytes, in order. A frame is valid until the next call. Throws FrameError
   * as soon as a length is 0 or above the limit, however little of the frame has arrived; not to be used after that.
   */
  push(chunk: Uint8Array): Generator<Buffer, void, void>;
  /** Changes the limit for the frames that follow, also for those in a chunk that is being read. */
  setLimit(bytesMax: number): void;
  /** Bytes held back for an incomplete frame. */
  pending(): number;
}

/** A new buffer with the header filled in and `length` bytes of room after it, for the writer to fill. */
export function frameFor(length: number): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + length);
  frame.writeUInt32BE(length, 0);
  return frame;
}

export function encodeFrame(payload: Uint8Array): Buffer {
  const frame = frameFor(payload.length);
  frame.set(payload, frameHeaderBytes);
  return frame;
}

/**
 * Reads frames from a stream that may be cut anywhere. Whole frames are views into the chunk they came in; only what
 * is incomplete is copied, into a buffer that grows with what has arrived (at most twofold) and never by what a
 * length announces.
 */
export function createFrameDecoder(bytesMax: number): FrameDecoder {
  let limit = bytesMax;
  let gathered: Buffer = Buffer.alloc(0);
  let filled = 0;

  function lengthAt(bytes: Buffer, offset: number): number {
    const length = bytes.readUInt32BE(offset);
    if (length === 0) throw new FrameError('a frame of length 0');
    if (length > limit) throw new FrameError(`a frame of ${length} bytes, ${limit} are allowed`);
    return length;
  }

  function gather(bytes: Buffer): void {
    const needed = filled + bytes.length;
    if (needed > gathered.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(gatherBytesMin, 2 * needed));
      gathered.copy(grown, 0, 0, filled);
      gathered = grown;
    }
    bytes.copy(gathered, filled);
    filled = needed;
  }

  /** Completes a frame that began in an earlier chunk; null while it is still incomplete. */
  function complete(chunk: Buffer, from: number): { frame: Buffer | null; next: number } {
    let next = from;
    if (filled < frameHeaderBytes) {
      const part = chunk.subarray(next, next + frameHeaderBytes - filled);
      gather(part);
      next += part.length;
      if (filled < frameHeaderBytes) return { frame: null, next };
    }
    const end = frameHeaderBytes + lengthAt(gathered, 0);
    const part = chunk.subarray(next, next + end - filled);
    gather(part);
    next += part.length;
    if (filled < end) return { frame: null, next };
    const frame = gathered.subarray(frameHeaderBytes, end);
    gathered = Buffer.alloc(0);
    filled = 0;
    return { frame, next };
  }

  return {
    *push(bytes) {
      const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      let next = 0;
      while (next < chunk.length) {
        if (filled > 0) {
          const step = complete(chunk, next);
          next = step.next;
          if (step.frame !== null) yield step.frame;
          continue;
        }
        if (chunk.length - next < frameHeaderBytes) return gather(chunk.subarray(next));
        const end = next + frameHeaderBytes + lengthAt(chunk, next);
        if (end > chunk.length) return gather(chunk.subarray(next));
        const frame = chunk.subarray(next + frameHeaderBytes, end);
        next = end;
        yield frame;
      }
    },
    setLimit(bytes) {
      limit = bytes;
    },
    pending: () => filled,
  };
}
