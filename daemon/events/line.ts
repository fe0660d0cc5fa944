/** A line of the journal, read back. Anybody may have damaged it: what is no event is none. */
import type { HaEvent } from '../../proto/event-types.js';

const TEXTS = ['node', 'boot', 'kind', 'text'] as const;
const NUMBERS = ['number', 'at', 'bootMs'] as const;
const MAY_BE = ['resource', 'check', 'host', 'service', 'by'] as const;

/** The event of a line of JSON, null where it is none. */
export function eventOf(line: string): HaEvent | null {
  if (line === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const record = value as Record<string, unknown>;
  const whole =
    TEXTS.every((name) => typeof record[name] === 'string') &&
    NUMBERS.every((name) => Number.isFinite(record[name])) &&
    MAY_BE.every((name) => record[name] === undefined || typeof record[name] === 'string') &&
    isData(record.data);
  return whole ? (record as unknown as HaEvent) : null;
}

function isData(data: unknown): boolean {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return false;
  return Object.values(data).every((value) => ['string', 'number', 'boolean'].includes(typeof value));
}
