/** ICMP and ICMPv6 echo as bytes. Source: RFC 792, RFC 4443. Pure. */

export const ECHO_BYTES = 32;
const TOKEN_AT = 8;
/** What tells our echoes from others': slot, generation, and a number of this process. */
const TOKEN_BYTES = 16;

export interface Echo {
  slot: number;
  generation: number;
}

/** Writes an echo request; `secret` is 8 bytes that are this process's own. The kernel sums up ICMPv6 itself. */
export function writeEcho(into: Buffer, v6: boolean, id: number, secret: Buffer, echo: Echo): void {
  into.fill(0, 0, ECHO_BYTES);
  into[0] = v6 ? 128 : 8;
  into.writeUInt16BE(id & 0xffff, 4);
  into.writeUInt16BE(echo.generation & 0xffff, 6);
  into.writeInt32LE(echo.slot, TOKEN_AT);
  into.writeInt32LE(echo.generation, TOKEN_AT + 4);
  secret.copy(into, TOKEN_AT + 8, 0, 8);
  if (!v6) into.writeUInt16BE(checksum(into, ECHO_BYTES), 2);
}

export type EchoAnswer = { kind: 'reply' | 'unreachable'; echo: Echo } | null;

/**
 * What a received packet says of one of our echoes: answered, or that there is no way to there; null where it is about something
 * else. `ipHeader`: it begins with an IPv4 header.
 */
export function readEcho(packet: Buffer, v6: boolean, ipHeader: boolean, secret: Buffer): EchoAnswer {
  const at = ipHeader ? ((packet[0] ?? 0) & 0x0f) * 4 : 0;
  const type = packet[at];
  if (type === (v6 ? 129 : 0)) {
    const echo = tokenAt(packet, at + TOKEN_AT, secret);
    return echo === null ? null : { kind: 'reply', echo };
  }
  if (type !== (v6 ? 1 : 3)) return null;
  // The packet that could not be delivered comes with the message.
  const inner = at + 8;
  const header = v6 ? 40 : ((packet[inner] ?? 0) & 0x0f) * 4;
  const echo = tokenAt(packet, inner + header + TOKEN_AT, secret);
  return echo === null ? null : { kind: 'unreachable', echo };
}

function tokenAt(packet: Buffer, at: number, secret: Buffer): Echo | null {
  if (packet.length < at + TOKEN_BYTES) return null;
  if (packet.compare(secret, 0, 8, at + 8, at + 16) !== 0) return null;
  return { slot: packet.readInt32LE(at), generation: packet.readInt32LE(at + 4) };
}

/** RFC 1071. */
function checksum(bytes: Buffer, length: number): number {
  let sum = 0;
  for (let at = 0; at + 1 < length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
