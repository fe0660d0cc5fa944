/**
 * How the engine reaches a service: a wire opens something (a connection, a socket, a child process), carries bytes, and closes.
 * Several wires stand behind this interface: epoll, Node's sockets, TLS, ICMP, plugins. None knows what is said on it.
 */
import type { Flight } from './flight.js';

export interface Wire {
  readonly name: string;
  /** How many flights it takes at once. */
  readonly most: number;
  /**
   * Opens for `flight`, to the address in flight.address. '' where that is under way: connected() or failed() follows, perhaps
   * at once. Else the errno's name.
   */
  open(flight: Flight): string;
  /** Queues bytes to be sent. Errors come as failed(). */
  send(flight: Flight, bytes: Uint8Array): void;
  /** Ends it; no event of the flight comes any more. `politely`: what was sent still gets through. */
  close(flight: Flight, politely: boolean): void;
}

/** What a wire tells. */
export interface WireEvents {
  connected(flight: Flight): void;
  /** `bytes` is the wire's own buffer, good until this returns. */
  received(flight: Flight, bytes: Buffer, length: number): void;
  /** The other side sends no more. */
  ended(flight: Flight): void;
  /** `errno`: the error's name; `text`: what a person should read, '' where the name says all. */
  failed(flight: Flight, errno: string, text: string): void;
}
