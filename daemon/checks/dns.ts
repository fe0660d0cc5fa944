/**
 * The DNS check: asks a server for a name over UDP, and looks at what it answers. Source: RFC 1035, RFC 3596 (AAAA), RFC 6891 is not
 * used: answers are small.
 */
import { type Expectation, occursIn } from './expectation.js';
import type { Flight } from './flight.js';
import { codeOfNature, OK } from './natures.js';
import { type Dialogue, MORE } from './plan.js';

/** Types that can be asked for. */
export const DNS_TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
};

const TYPE_NAMES = new Map(Object.entries(DNS_TYPES).map(([name, type]) => [type, name]));
const RESPONSE_CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
const MISMATCH = codeOfNature('answer-mismatch');
const HEADER_BYTES = 12;
/** A compressed name may not lead in circles. */
const JUMPS_MAX = 64;

export interface DnsAnswer {
  code: string;
  /** `TYPE VALUE` of each record of the answer section. */
  records: string[];
}

/** A query for one name; recursion is asked for. Throws where the name is none. */
export function dnsQuery(id: number, name: string, type: string): Buffer {
  const labels = name.replace(/\.$/, '').split('.');
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'latin1');
    if (bytes.length < 1 || bytes.length > 63) throw new Error(`no domain name: ${name}`);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  const head = Buffer.from([id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const code = DNS_TYPES[type] ?? 1;
  return Buffer.concat([head, ...parts, Buffer.from([0, code >> 8, code & 0xff, 0, 1])]);
}

/** Reads a response; null where it is none. Never throws, whatever the bytes. */
export function readDnsAnswer(message: Buffer): DnsAnswer | null {
  if (message.length < HEADER_BYTES || ((message[2] as number) & 0x80) === 0) return null;
  const code = (message[3] as number) & 0x0f;
  const records: string[] = [];
  let at = HEADER_BYTES;
  for (let left = message.readUInt16BE(4); left > 0; left -= 1) {
    const name = readName(message, at);
    if (name === null) return null;
    at = name.end + 4;
  }
  for (let left = message.readUInt16BE(6); left > 0; left -= 1) {
    const name = readName(message, at);
    if (name === null || name.end + 10 > message.length) return null;
    const type = message.readUInt16BE(name.end);
    const length = message.readUInt16BE(name.end + 8);
    const data = name.end + 10;
    if (data + length > message.length) return null;
    records.push(`${TYPE_NAMES.get(type) ?? `TYPE${type}`} ${recordValue(message, type, data, length)}`);
    at = data + length;
  }
  return { code: RESPONSE_CODES[code] ?? `RCODE${code}`, records };
}

function readName(message: Buffer, from: number): { name: string; end: number } | null {
  const labels: string[] = [];
  let at = from;
  let end = -1;
  for (let jumps = 0; jumps <= JUMPS_MAX; ) {
    const length = message[at];
    if (length === undefined) return null;
    if (length === 0) return { name: labels.join('.') || '.', end: end < 0 ? at + 1 : end };
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) return null;
      if (end < 0) end = at + 2;
      at = ((length & 0x3f) << 8) | low;
      jumps += 1;
    } else {
      if (length > 63 || at + 1 + length > message.length || labels.length > 127) return null;
      labels.push(message.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
  return null;
}

function recordValue(message: Buffer, type: number, at: number, length: number): string {
  const name = (offset: number): string => readName(message, at + offset)?.name ?? '?';
  if (type === 1 && length === 4) return [...message.subarray(at, at + 4)].join('.');
  if (type === 28 && length === 16) return v6Text(message.subarray(at, at + 16));
  if (type === 2 || type === 5 || type === 12) return name(0);
  if (type === 15 && length > 2) return `${message.readUInt16BE(at)} ${name(2)}`;
  if (type === 33 && length > 6) return `${message.readUInt16BE(at + 4)} ${name(6)}`;
  if (type === 16) return message.toString('latin1', at + 1, at + length);
  if (type === 6) return name(0);
  return message.toString('hex', at, at + length);
}

/** RFC 5952: the longest run of zeros is left out. */
function v6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  const text = groups.join(':');
  const runs = [...text.matchAll(/(?:^|:)(0(?::0)+)(?=:|$)/g)].map(([, run = '']) => run);
  const longest = runs.sort((a, b) => b.length - a.length)[0];
  if (longest === undefined) return text;
  const index = groups.findIndex(
    (_, at) => groups.slice(at).join(':').startsWith(longest) && groups[at] === '0',
  );
  const count = longest.split(':').length;
  return `${groups.slice(0, index).join(':')}::${groups.slice(index + count).join(':')}`;
}

/** `expected` null: any answer with a record of the type. What is expected is looked for in the answer's records. */
export function dnsDialogue(name: string, type: string, expected: Expectation | null): Dialogue {
  const query = dnsQuery(0, name, type);
  return {
    opening(flight) {
      // An answer to an earlier question is not one to this.
      query.writeUInt16BE(flight.generation & 0xffff, 0);
      return query;
    },
    receive(flight, bytes, length) {
      const message = bytes.subarray(0, length);
      if (length < 2 || message.readUInt16BE(0) !== (flight.generation & 0xffff)) return MORE;
      return judge(flight, readDnsAnswer(message));
    },
    end: () => MISMATCH,
    goodbye: null,
  };

  function judge(flight: Flight, answer: DnsAnswer | null): number {
    if (answer === null) return MISMATCH;
    flight.text = answer.code === 'NOERROR' ? answer.records.join(', ') : answer.code;
    if (answer.code !== 'NOERROR') return MISMATCH;
    const values = answer.records
      .filter((record) => record.startsWith(`${type} `))
      .map((record) => record.slice(type.length + 1));
    if (expected === null) return values.length > 0 ? OK : MISMATCH;
    if (expected.kind === 'text') return values.includes(expected.text) ? OK : MISMATCH;
    const all = Buffer.from(values.join('\n'));
    return occursIn(expected, all, all.length) ? OK : MISMATCH;
  }
}
