/** A check under way. There is a fixed number of flights; they are used again and again, so that a check allocates nothing. */
import type { Hop, Plan } from './plan.js';
import type { Wire } from './wire.js';

/** LVSmon's phases; WAIT is a check without a flight. */
export const Phase = { IDLE: 0, RESOLVE: 1, CONNECT: 2, QUERY: 3, RECV: 4, GOODBYE: 5 } as const;

/** Bytes of struct sockaddr_in. */
export const V4_BYTES = 16;

/** Bytes of an answer that are kept to explain a failure. */
export const EXCERPT_BYTES = 160;

const [ZERO, DOT, COLON, OPENING, CLOSING] = [48, 46, 58, 91, 93];

export class Flight {
  readonly slot: number;
  /** Counts the uses of the slot, so that an event of an earlier use is told apart. */
  generation = 0;
  row = -1;
  phase: number = Phase.IDLE;
  plan: Plan | null = null;
  wire: Wire | null = null;
  /** The socket address, and its length. */
  address: Buffer | null = null;
  addressLength = 0;
  /** Which of the host's addresses it is. */
  addressIndex = 0;
  /** A struct sockaddr_in for an address that comes as a number; and what is in it, -1 where flight.address is another one. */
  private readonly numeric: Buffer;
  private v4 = -1;
  /** Where that lies in memory, for a wire that asks the kernel itself; 0: not known yet. */
  place = 0;
  private addressText = '';
  private hostName = '';
  port = 0;
  fd = -1;
  begunAt = 0;
  /** The whole, in ms; known with the result. */
  tookMs = 0;
  /** When what follows was over, for the last address; 0: not reached. The address was known, and the transport below TLS stood. */
  resolvedAt = 0;
  transportAt = 0;
  connectedAt = 0;
  sentAt = 0;
  firstByteAt = 0;
  /** What ends this phase, and the whole. */
  endsAt = 0;
  /** The dialogue's own: where it is, a number, bytes that wait for the rest. */
  step = 0;
  detail = 0;
  kept: Buffer | null = null;
  keptLength = 0;
  /** More of the dialogue's own, where a number does not do. */
  talk: unknown = null;
  /** What a person should read of a failure; '' for none. */
  text = '';
  /** It takes leave without a word, whatever its goodbye is otherwise. */
  quiet = false;
  /** Where the dialogue goes on, when it has said HOP. */
  hop: Hop | null = null;
  /** Where redirects have led, '' for nowhere. */
  led = '';
  readonly excerpt: Buffer;
  excerptLength = 0;
  /** What the kernel has not taken yet. */
  unsent: Uint8Array | null = null;
  /** The wire's own. */
  handle: unknown = null;

  constructor(slot: number, excerpt: Buffer, numeric: Buffer) {
    this.slot = slot;
    this.excerpt = excerpt;
    this.numeric = numeric;
  }

  /** Its address came as a number. */
  get isNumeric(): boolean {
    return this.v4 >= 0;
  }

  /** The numeric address, for wires that want text. */
  get host(): string {
    return this.v4 < 0
      ? this.addressText
      : [24, 16, 8, 0].map((shift) => (this.v4 >>> shift) & 255).join('.');
  }

  /** The host's name, where it has one. */
  get name(): string {
    return this.v4 < 0 ? this.hostName : this.host;
  }

  set name(name: string) {
    this.hostName = name;
  }

  /** Writes the host as URLs have it, with the port where asked for; where that ends. Allocates nothing. */
  writeAuthority(into: Uint8Array, at: number, port: boolean): number {
    let end = at;
    if (this.v4 >= 0)
      for (let shift = 24; shift >= 0; shift -= 8) {
        if (shift < 24) into[end++] = DOT;
        end = writeNumber(into, end, (this.v4 >>> shift) & 255);
      }
    else {
      const bracketed = this.hostName.includes(':');
      if (bracketed) into[end++] = OPENING;
      for (let index = 0; index < this.hostName.length; index += 1)
        into[end++] = this.hostName.charCodeAt(index);
      if (bracketed) into[end++] = CLOSING;
    }
    if (!port) return end;
    into[end++] = COLON;
    return writeNumber(into, end, this.port);
  }

  /** Its address is this IPv4 address. */
  goTo(v4: number): void {
    const { numeric } = this;
    numeric[4] = v4 >>> 24;
    numeric[5] = (v4 >>> 16) & 255;
    numeric[6] = (v4 >>> 8) & 255;
    numeric[7] = v4 & 255;
    this.v4 = v4;
    this.address = numeric;
    this.addressLength = numeric.length;
  }

  /** Its address is this socket address, which reads so. */
  goToAddress(address: Buffer, text: string): void {
    this.v4 = -1;
    this.address = address;
    this.addressLength = address.length;
    this.addressText = text;
  }

  /** Makes it ready for a check. */
  begin(row: number, plan: Plan, now: number): void {
    this.row = row;
    this.plan = plan;
    this.begunAt = now;
    this.addressIndex = 0;
    this.v4 = -1;
    this.addressText = '';
    this.led = '';
    this.renew();
  }

  /** Makes it ready for another connection of the same check. */
  renew(): void {
    this.generation = (this.generation + 1) | 0;
    this.resolvedAt = 0;
    this.transportAt = 0;
    this.connectedAt = 0;
    this.sentAt = 0;
    this.firstByteAt = 0;
    this.step = 0;
    this.detail = 0;
    this.kept = null;
    this.keptLength = 0;
    this.talk = null;
    this.text = '';
    this.hop = null;
    this.quiet = false;
    this.connectedAt = 0;
    this.excerptLength = 0;
    this.unsent = null;
    this.handle = null;
    this.fd = -1;
  }

  /** Keeps the beginning of an answer. */
  note(bytes: Buffer, length: number): void {
    const room = Math.min(EXCERPT_BYTES - this.excerptLength, length);
    if (room <= 0) return;
    copyBytes(bytes, this.excerpt, this.excerptLength, room);
    this.excerptLength += room;
  }

  /** Keeps what has come until the rest is there, at most `most` bytes; false where that is not enough. */
  keep(bytes: Buffer, length: number, most: number): boolean {
    const total = this.keptLength + length;
    if (total > most) return false;
    if (this.kept === null || this.kept.length < total) {
      const larger = Buffer.allocUnsafe(Math.min(most, Math.max(1024, 2 * total)));
      this.kept?.copy(larger, 0, 0, this.keptLength);
      this.kept = larger;
    }
    bytes.copy(this.kept, this.keptLength, 0, length);
    this.keptLength = total;
    return true;
  }

  /** Forgets the first bytes of what is kept. */
  drop(length: number): void {
    if (length < this.keptLength) this.kept?.copyWithin(0, length, this.keptLength);
    this.keptLength -= length;
    if (this.keptLength === 0) this.kept = null;
  }
}

/** The first bytes of `from`, to a place in `into`. For a few hundred bytes: Buffer.copy() allocates a view for a part of a buffer. */
export function copyBytes(from: Uint8Array, into: Uint8Array, at: number, length: number): void {
  for (let index = 0; index < length; index += 1) into[at + index] = from[index] as number;
}

/** In decimal, up to five digits; where that ends. */
function writeNumber(into: Uint8Array, at: number, number: number): number {
  let end = at;
  let rest = number;
  let unit = number >= 10_000 ? 10_000 : number >= 1000 ? 1000 : number >= 100 ? 100 : number >= 10 ? 10 : 1;
  for (; unit >= 1; unit /= 10) {
    const digit = Math.floor(rest / unit);
    into[end++] = ZERO + digit;
    rest -= digit * unit;
  }
  return end;
}
