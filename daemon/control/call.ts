/** Talks to hastmond over its control socket. Knows sockets and frames; does not know how anything is printed. */
import net from 'node:net';
import { decodeReply, encodeRequest } from '../../proto/control-codec.js';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import { controlFrameBytesMax, createFrameDecoder, encodeFrame, FrameError } from '../../proto/frame.js';
import { createReplyJoiner } from '../../proto/reply-joiner.js';
import { isSocketPathTooLong } from '../net/unix-socket.js';
import { exitCode } from '../process/sysexits.js';

/** How long hastmond has to take the connection. */
const connectMs = 5000;

/** A failure to reach hastmond or to understand it; `code` is from sysexits(3), the message one line for people. */
export class ControlFailure extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** A failure before anything was asked. */
export class Unreached extends ControlFailure {}

/** Connects to the control socket; rejects with an Unreached. */
export function connectControl(path: string): Promise<net.Socket> {
  if (isSocketPathTooLong(path)) {
    return Promise.reject(new Unreached(exitCode.config, `${path} is too long for the path of a socket`));
  }
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path });
    const limit = setTimeout(() => {
      socket.destroy();
      reject(new Unreached(exitCode.unavailable, `hastmond at ${path} does not take our connection`));
    }, connectMs);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(limit);
      reject(cannotConnect(path, error));
    });
    socket.once('connect', () => {
      clearTimeout(limit);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/**
 * Sends one request and waits for its final reply, in which all that came in pieces before it is joined. `onPart` gets the replies with a line of progress or with events. Rejects with a ControlFailure where hastmond is out of
 * reach, does not say anything for `timeoutMs` (0: no limit), or cannot be understood; an error that hastmond
 * reports is in the reply.
 */
export async function call(
  path: string,
  request: ControlRequest,
  onPart: (reply: ControlReply) => void,
  timeoutMs: number,
): Promise<ControlReply> {
  const socket = await connectControl(path);
  try {
    return await exchange(socket, path, request, onPart, timeoutMs);
  } finally {
    socket.destroy();
  }
}

function exchange(
  socket: net.Socket,
  path: string,
  request: ControlRequest,
  onPart: (reply: ControlReply) => void,
  timeoutMs: number,
): Promise<ControlReply> {
  const decoder = createFrameDecoder(controlFrameBytesMax);
  const joiner = createReplyJoiner(onPart);

  /** The final reply, or null while it is not there. */
  function take(frame: Buffer): ControlReply | null {
    const reply = decodeReply(frame);
    if (typeof reply === 'string') throw new ControlFailure(exitCode.protocol, notUnderstood(path, reply));
    return joiner.take(reply);
  }

  return new Promise((resolve, reject) => {
    socket.setTimeout(timeoutMs, () => {
      const message = `hastmond at ${path} has not answered for ${timeoutMs / 1000} s; it may be busy or stopped`;
      reject(new ControlFailure(exitCode.unavailable, message));
    });
    socket.on('data', (chunk) => {
      try {
        for (const frame of decoder.push(chunk)) {
          const last = take(frame);
          if (last !== null) return resolve(last);
        }
      } catch (error) {
        const garbled = error instanceof FrameError;
        reject(garbled ? new ControlFailure(exitCode.protocol, notUnderstood(path, error.message)) : error);
      }
    });
    socket.on('error', (error) =>
      reject(new ControlFailure(exitCode.unavailable, lost(path, error.message))),
    );
    socket.on('close', () =>
      reject(new ControlFailure(exitCode.protocol, lost(path, 'no final answer came'))),
    );
    socket.write(encodeFrame(encodeRequest(request)));
  });
}

function cannotConnect(path: string, error: NodeJS.ErrnoException): Unreached {
  const where = `cannot connect to hastmond at ${path}`;
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTSOCK': {
      const hint = 'no daemon is running (or the path differs); start it, or name its configuration with -c';
      return new Unreached(exitCode.unavailable, `${where}: ${hint}`);
    }
    case 'EACCES':
    case 'EPERM':
      return new Unreached(
        exitCode.noPerm,
        `${where}: permission denied; try as root or as the socket's owner`,
      );
    case 'EAGAIN':
      return new Unreached(exitCode.tempFail, `${where}: too many others are waiting there; try again`);
    default:
      return new Unreached(exitCode.unavailable, `${where}: ${error.message}`);
  }
}

function notUnderstood(path: string, reason: string): string {
  return `the answer of hastmond at ${path} is not understood: ${reason}`;
}

function lost(path: string, reason: string): string {
  return `the connection to hastmond at ${path} was lost: ${reason}`;
}
