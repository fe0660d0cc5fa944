/**
 * Bytes of a console -> lines. Takes what terminals and telnet(1) send: CR LF, CR NUL, CR; backspace; CTRL+D for the end; the negotiation
 * of RFC 854, every offer and request of which is refused. Pure.
 */

/** A longer line is left out, and told. */
export const LINE_BYTES_MAX = 64 * 1024;

export type LineEvent =
  | { kind: 'line'; text: string }
  /** It was longer than LINE_BYTES_MAX. */
  | { kind: 'too-long' }
  /** What telnet(1) wants to hear. */
  | { kind: 'reply'; bytes: Buffer }
  /** CTRL+D. */
  | { kind: 'end' };

export interface LineReader {
  push(chunk: Uint8Array): LineEvent[];
  /** Nothing more comes: a line without its end is a line. */
  end(): LineEvent[];
}

const [BACKSPACE, DELETE, LF, CR, NUL, CTRL_D] = [8, 127, 10, 13, 0, 4];
/** RFC 854. */
const [SE, SB, WILL, WONT, DO, DONT, IAC] = [240, 250, 251, 252, 253, 254, 255];

/** `endsAtCtrlD` false: that character means nothing. */
export function createLineReader({ endsAtCtrlD = true } = {}): LineReader {
  let line = Buffer.allocUnsafe(256);
  let length = 0;
  let tooLong = false;
  let afterReturn = false;
  /** Within negotiation: what came of it; null: outside. */
  let telnet: { verb: number; quoted: boolean } | null = null;
  let ended = false;
  let events: LineEvent[] = [];

  function put(byte: number): void {
    if (length >= LINE_BYTES_MAX) {
      tooLong = true;
      return;
    }
    if (length === line.length) line = Buffer.concat([line, Buffer.allocUnsafe(length)]);
    line[length] = byte;
    length += 1;
  }

  function endLine(): void {
    events.push(tooLong ? { kind: 'too-long' } : { kind: 'line', text: line.toString('utf8', 0, length) });
    length = 0;
    tooLong = false;
  }

  /** One byte behind IAC. */
  function negotiate(state: { verb: number; quoted: boolean }, byte: number): void {
    if (state.verb === SB) {
      // A subnegotiation goes on until IAC SE.
      if (state.quoted && byte === SE) telnet = null;
      else state.quoted = byte === IAC && !state.quoted;
    } else if (state.verb !== 0) {
      const answer = state.verb === DO ? WONT : state.verb === WILL ? DONT : 0;
      if (answer !== 0) events.push({ kind: 'reply', bytes: Buffer.from([IAC, answer, byte]) });
      telnet = null;
    } else if (byte === SB || (byte >= WILL && byte <= DONT)) state.verb = byte;
    else {
      if (byte === IAC) put(byte);
      telnet = null;
    }
  }

  function take(byte: number): void {
    if (ended) return;
    if (telnet !== null) return negotiate(telnet, byte);
    const behindReturn = afterReturn;
    afterReturn = false;
    switch (byte) {
      case IAC:
        telnet = { verb: 0, quoted: false };
        return;
      case LF:
      case NUL:
        if (!behindReturn && byte === LF) endLine();
        return;
      case CR:
        afterReturn = true;
        return endLine();
      case BACKSPACE:
      case DELETE:
        length = Math.max(0, length - 1);
        return;
      case CTRL_D:
        if (endsAtCtrlD) finish();
        return;
      default:
        put(byte);
    }
  }

  function finish(): void {
    if (!ended && (length > 0 || tooLong)) endLine();
    if (!ended) events.push({ kind: 'end' });
    ended = true;
  }

  function drain(): LineEvent[] {
    const result = events;
    events = [];
    return result;
  }

  return {
    push(chunk) {
      for (const byte of chunk) take(byte);
      return drain();
    },
    end() {
      finish();
      return drain();
    },
  };
}
