/**
 * Reading an HTTP answer as it comes, in pieces of any size: status line and header section as RFC 1945 and RFC 9112 have
 * them, and a body by length, in chunks, or up to the end. Pure; it keeps no more than it is allowed to.
 */

/** What a header section says that matters here. */
export interface Head {
  /** Bytes up to and with the empty line. */
  length: number;
  status: number;
  location: string;
  /** Of the body; null: up to the end of the connection. */
  contentLength: number | null;
  chunked: boolean;
}

export type HeadOutcome = Head | 'more' | 'malformed';

const CR = 13;
const LF = 10;
/** Of each number of a version; there is one at present. */
const VERSION_DIGITS_MAX = 4;
const PREFIX = Buffer.from('HTTP/');

/**
 * Where the header section ends: the length up to and with the empty line, 0 where it is not there yet. Lines may end in LF alone,
 * as RFC 9112 section 2.2 lets a reader accept.
 */
export function headEnd(bytes: Buffer, length: number): number {
  let start = 0;
  for (let at = 0; at < length; at += 1) {
    if (bytes[at] !== LF) continue;
    if (at === start || (at === start + 1 && bytes[start] === CR)) return at + 1;
    start = at + 1;
  }
  return 0;
}

/**
 * The status of an answer that begins here; 0 where more is needed to know, -1 where it is no HTTP. Nothing is allocated.
 */
export function statusOf(bytes: Buffer, length: number): number {
  const most = Math.min(length, PREFIX.length);
  for (let index = 0; index < most; index += 1) if (bytes[index] !== PREFIX[index]) return -1;
  if (length <= PREFIX.length) return 0;
  // HTTP-version: "HTTP/" 1*DIGIT "." 1*DIGIT (RFC 1945 section 3.1), then one blank and three digits.
  const dot = digitsEnd(bytes, PREFIX.length, length);
  if (dot === PREFIX.length || dot - PREFIX.length > VERSION_DIGITS_MAX) return -1;
  if (dot >= length) return 0;
  if (bytes[dot] !== 46) return -1;
  const minor = dot + 1;
  if (minor >= length) return 0;
  const at = digitsEnd(bytes, minor, length);
  if (at === minor || at - minor > VERSION_DIGITS_MAX) return -1;
  if (at >= length) return 0;
  if (bytes[at] !== 32) return -1;
  let status = 0;
  for (let index = 1; index <= 3; index += 1) {
    if (at + index >= length) return 0;
    const digit = (bytes[at + index] as number) - 48;
    if (digit < 0 || digit > 9) return -1;
    status = status * 10 + digit;
  }
  if (at + 4 >= length) return 0;
  const after = bytes[at + 4];
  return (after === 32 || after === CR || after === LF) && status >= 100 ? status : -1;
}

/** Where the digits that begin at `at` end; no more of them are looked at than tell that they are too many. */
function digitsEnd(bytes: Buffer, at: number, length: number): number {
  const most = Math.min(length, at + VERSION_DIGITS_MAX + 1);
  let end = at;
  while (end < most && isDigit(bytes[end])) end += 1;
  return end;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}

/** True for the statuses that send a client elsewhere: not 300, which offers a choice, nor 304, which says to stay. */
export function isRedirect(status: number): boolean {
  return (status >= 301 && status <= 303) || status === 307 || status === 308;
}

/** Reads the whole header section; `method` HEAD has no body. */
export function readHead(bytes: Buffer, length: number, method: string): HeadOutcome {
  const status = statusOf(bytes, length);
  if (status < 0) return 'malformed';
  const end = headEnd(bytes, length);
  if (status === 0 || end === 0) return end > 0 ? 'malformed' : 'more';
  const head: Head = { length: end, status, location: '', contentLength: null, chunked: false };
  const lines = bytes.toString('latin1', 0, end).split(/\r?\n/).slice(1);
  for (const line of lines) {
    if (line === '' || /^[ \t]/.test(line)) continue;
    const colon = line.indexOf(':');
    if (colon <= 0 || /[\s]/.test(line.slice(0, colon))) return 'malformed';
    if (!takeField(head, line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()))
      return 'malformed';
  }
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) {
    head.contentLength = 0;
    head.chunked = false;
  } else if (head.chunked) {
    head.contentLength = null;
  }
  return head;
}

function takeField(head: Head, name: string, value: string): boolean {
  if (name === 'content-length') {
    // Several equal ones count as one (RFC 9112 section 6.3).
    const values = value.split(',').map((part) => part.trim());
    if (values.some((part) => part !== values[0] || !/^[0-9]{1,15}$/.test(part))) return false;
    const length = Number(values[0]);
    if (head.contentLength !== null && head.contentLength !== length) return false;
    head.contentLength = length;
  } else if (name === 'transfer-encoding') {
    head.chunked = /(^|,)\s*chunked$/i.test(value);
  } else if (name === 'location') {
    head.location = value;
  }
  return true;
}

/** A body that is being read: at most `most` bytes of it are kept, the rest is counted. */
export class Body {
  kept: Buffer = Buffer.alloc(0);
  /** All of it has come. */
  complete = false;
  malformed = false;
  private readonly chunked: boolean;
  private readonly most: number;
  private size = 0;
  private room = Buffer.alloc(0);
  /** Bytes still to come of the body or of the chunk; Infinity: up to the end. */
  private left: number;
  /** Of a chunk's line, or of the trailer, what has come. */
  private line = '';
  private part: 'size' | 'data' | 'data-end' | 'trailer' = 'size';

  constructor(head: Head, most: number) {
    this.chunked = head.chunked;
    this.most = most;
    this.left = head.chunked ? 0 : (head.contentLength ?? Number.POSITIVE_INFINITY);
    if (!head.chunked && this.left === 0) this.complete = true;
  }

  /** True where as much as may be kept has been kept. */
  get full(): boolean {
    return this.size >= this.most;
  }

  feed(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0 && !this.complete && !this.malformed)
      rest = !this.chunked || this.part === 'data' ? this.takeData(rest) : this.takeLine(rest);
    this.kept = this.room.subarray(0, this.size);
  }

  /** The connection has ended: whether that was the body's end. */
  end(): boolean {
    return this.complete || (!this.chunked && this.left === Number.POSITIVE_INFINITY);
  }

  private takeData(bytes: Buffer): Buffer {
    const length = Math.min(bytes.length, this.left);
    this.keep(bytes, length);
    this.left -= length;
    if (this.left === 0) {
      if (this.chunked) this.part = 'data-end';
      else this.complete = true;
    }
    return bytes.subarray(length);
  }

  private keep(bytes: Buffer, length: number): void {
    const wanted = Math.min(this.most - this.size, length);
    if (wanted <= 0) return;
    if (this.room.length < this.size + wanted) {
      const larger = Buffer.allocUnsafe(Math.min(this.most, Math.max(4096, 2 * (this.size + wanted))));
      this.room.copy(larger, 0, 0, this.size);
      this.room = larger;
    }
    bytes.copy(this.room, this.size, 0, wanted);
    this.size += wanted;
  }

  private takeLine(bytes: Buffer): Buffer {
    const end = bytes.indexOf(LF);
    this.line += bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
    // Chunk extensions are nothing that anybody needs.
    if (this.line.length > 1024) this.malformed = true;
    if (end < 0 || this.malformed) return bytes.subarray(bytes.length);
    const line = this.line.replace(/\r$/, '');
    this.line = '';
    this.lineRead(line);
    return bytes.subarray(end + 1);
  }

  private lineRead(line: string): void {
    if (this.part === 'data-end') {
      if (line === '') this.part = 'size';
      else this.malformed = true;
    } else if (this.part === 'trailer') {
      if (line === '') this.complete = true;
    } else {
      const size = /^([0-9A-Fa-f]{1,12})[ \t]*(;.*)?$/.exec(line)?.[1];
      if (size === undefined) {
        this.malformed = true;
        return;
      }
      this.left = Number.parseInt(size, 16);
      this.part = this.left === 0 ? 'trailer' : 'data';
    }
  }
}
