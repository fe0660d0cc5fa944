/**
 * The content of a state file: one line of JSON with the format's number, the name and the value, and one line with its
 * SHA-256. Pure; it does not know files.
 */
import { createHash } from 'node:crypto';

export const stateFormat = 1;

export type Stored =
  | { kind: 'none' }
  | { kind: 'valid'; value: unknown }
  /** Torn, changed, of another format, or unreadable; the reason is for the log. */
  | { kind: 'corrupt'; reason: string };

/** The bytes of a state file. The name is part of them, so that files cannot be mistaken for one another. */
export function encodeState(name: string, value: unknown): string {
  if (value === undefined) throw new TypeError(`state ${name}: undefined cannot be stored`);
  const line = `${JSON.stringify({ format: stateFormat, name, value })}\n`;
  return `${line}sha256 ${digestOf(line)}\n`;
}

/** What the bytes say: exactly what was encoded under that name, or corrupt. */
export function decodeState(name: string, bytes: Buffer): Stored {
  const corrupt = (reason: string): Stored => ({ kind: 'corrupt', reason });
  if (bytes.length === 0) return corrupt('it is empty');
  const end = bytes.indexOf('\n') + 1;
  if (end === 0) return corrupt('it ends within its first line');
  const line = bytes.subarray(0, end);
  const checksum = Buffer.from(`sha256 ${digestOf(line)}\n`);
  // Bytes are compared, not text: decoding could map two different files to the same text.
  if (!bytes.subarray(end).equals(checksum)) {
    return corrupt(
      bytes.length < end + checksum.length ? 'it ends within its checksum' : 'its checksum does not fit',
    );
  }
  const record = parse(line.toString());
  if (record === null) return corrupt('its first line is no record');
  if (record.format !== stateFormat) {
    return corrupt(`its format is ${JSON.stringify(record.format)}, this hastmon reads ${stateFormat}`);
  }
  if (record.name !== name)
    return corrupt(`it is the record of ${JSON.stringify(record.name)}, not of ${name}`);
  return { kind: 'valid', value: record.value };
}

function digestOf(line: string | Buffer): string {
  return createHash('sha256').update(line).digest('hex');
}

function parse(line: string): { format?: unknown; name?: unknown; value?: unknown } | null {
  try {
    const record: unknown = JSON.parse(line);
    return typeof record === 'object' && record !== null && 'value' in record ? record : null;
  } catch {
    return null;
  }
}
