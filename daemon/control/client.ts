/**
 * One client of the control socket: reads its one request, has it carried out, writes the replies. Rules N40… of
 * docs/protocol-wire.md. Knows one socket and its limits; does not know what a request means.
 */
import type { Socket } from 'node:net';
import { decodeRequest, encodeReply } from '../../proto/control-codec.js';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import { controlFrameBytesMax, createFrameDecoder, encodeFrame, FrameError } from '../../proto/frame.js';
import type { NetLog } from '../net/log.js';
import { exitCode } from '../process/sysexits.js';
import { userOf } from './owner.js';

/** How long a client has to send its request, and to read a refusal. */
const requestMs = 5000;
/** What may wait in our memory for a client that does not read. */
const writeBytesMax = 8 * 1024 * 1024;

/**
 * Carries a request out and gives the final reply. `reply` sends progress (or part of a long answer) before it.
 * `signal` is aborted when the client goes away or the server closes. `by`: who asks, by the kernel's word, such as `alice (uid 1000)`.
 * A rejection is answered with EX_SOFTWARE.
 */
export type Handle = (
  request: ControlRequest,
  reply: (partial: Partial<ControlReply>) => void,
  signal: AbortSignal,
  by: string,
) => Promise<Partial<ControlReply>>;

export interface ClientOptions {
  socket: Socket;
  handle: Handle;
  log: NetLog;
  /** True: there are too many clients, and this one only gets to know that. */
  refuse: boolean;
  onGone: () => void;
}

export interface Client {
  /** Breaks its request off; what is written may still be read for so long. */
  end(lingerMs: number): Promise<void>;
}

export function serve(options: ClientOptions): Client {
  const { socket, log } = options;
  const decoder = createFrameDecoder(controlFrameBytesMax);
  const abort = new AbortController();
  let state: 'reading' | 'working' | 'done' = 'reading';
  let deadline = setTimeout(() => fail(exitCode.protocol, 'no request came'), requestMs);
  const gone = new Promise<void>((resolve) => {
    socket.once('close', () => {
      clearTimeout(deadline);
      abort.abort();
      options.onGone();
      resolve();
    });
  });
  socket.on('error', (error) => log.debug({}, `control client: ${error.message}`));
  // A client that ends its side does not wait for an answer: hastmonctl never does.
  socket.on('end', () => socket.destroy());
  socket.on('data', receive);
  if (options.refuse) fail(exitCode.tempFail, 'too many hastmonctl at a time; try again');
  return { end };

  function receive(chunk: Buffer): void {
    if (state === 'done') return;
    try {
      for (const frame of decoder.push(chunk)) {
        if (state !== 'reading') return fail(exitCode.protocol, 'one connection, one request');
        begin(frame);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      fail(exitCode.protocol, `not understood: ${error.message}`);
    }
  }

  function begin(frame: Buffer): void {
    const decoded = decodeRequest(frame);
    if (decoded.kind === 'invalid') return fail(exitCode.protocol, `not understood: ${decoded.reason}`);
    if (decoded.kind === 'unknown') {
      return fail(exitCode.protocol, 'hastmond does not know this command: hastmonctl is of a newer version');
    }
    state = 'working';
    clearTimeout(deadline);
    void carryOut(decoded.request);
  }

  async function carryOut(request: ControlRequest): Promise<void> {
    try {
      const partial = (part: Partial<ControlReply>) => write({ ...part, final: false, error: null });
      const last = await options.handle(request, partial, abort.signal, userOf(socket));
      finish({ ...last, final: true });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log.error({ request: request.kind }, `the request ${request.kind} failed: ${message}`);
      fail(exitCode.software, `internal error: ${message}`);
    }
  }

  function fail(code: number, message: string): void {
    finish({ final: true, error: { code, message } });
  }

  function finish(reply: Partial<ControlReply>): void {
    if (state === 'done') return;
    write(reply);
    state = 'done';
    socket.end();
    // A client that does not close its side is not waited for.
    clearTimeout(deadline);
    deadline = setTimeout(() => socket.destroy(), requestMs);
  }

  function write(reply: Partial<ControlReply>): void {
    if (state === 'done' || socket.destroyed) return;
    const nothing = {
      final: false,
      progress: '',
      error: null,
      status: [],
      text: '',
      monitor: null,
      balancer: null,
      events: [],
      explanations: [],
      cluster: null,
    };
    const whole: ControlReply = { ...nothing, ...reply };
    for (const payload of encodeReply(whole)) socket.write(encodeFrame(payload));
    if (socket.writableLength > writeBytesMax) socket.destroy();
  }

  async function end(lingerMs: number): Promise<void> {
    state = 'done';
    abort.abort();
    const limit = setTimeout(() => socket.destroy(), lingerMs);
    socket.destroySoon();
    await gone;
    clearTimeout(limit);
  }
}
