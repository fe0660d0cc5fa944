/** An event as a line of the journal, and back. Anybody may have damaged it: what is no event is none. */
import type { EventData, HaEvent } from '../../proto/event-types.js';

const TEXTS = ['node', 'boot', 'kind', 'text'] as const;
const NUMBERS = ['number', 'at', 'bootMs'] as const;
const MAY_BE = ['resource', 'check', 'host', 'service', 'by'] as const;

/** Characters of one text: what programs and files say may be long. */
const TEXT_MAX = 2000;
/** No line that was written here is longer. */
const LINE_MAX = 64 * 1024;
/** Far from where a number would no longer rise. */
const NUMBER_MAX = 2 ** 50;

/** With its texts cut to what is kept of them. */
export function bounded(event: HaEvent): HaEvent {
  const short = (text: string): string => (text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text);
  const data: Record<string, EventData[string]> = {};
  for (const [name, value] of Object.entries(event.data))
    data[name] = typeof value === 'string' ? short(value) : value;
  return { ...event, text: short(event.text), data };
}

/** The event of a line of JSON, null where it is none. */
export function eventOf(line: string): HaEvent | null {
  if (line === '' || line.length > LINE_MAX) return null;
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
    NUMBERS.every((name) => isWithin(record[name])) &&
    Number.isInteger(record.number) &&
    MAY_BE.every((name) => record[name] === undefined || typeof record[name] === 'string') &&
    isData(record.data);
  return whole ? (record as unknown as HaEvent) : null;
}

function isWithin(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= NUMBER_MAX;
}

function isData(data: unknown): boolean {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return false;
  return Object.values(data).every((value) => ['string', 'number', 'boolean'].includes(typeof value));
}
