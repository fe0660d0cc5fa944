/** Events as lines for people. Pure. */
import type { HaEvent } from '../proto/event-types.js';
import { plain } from './check-words.js';
import { inBrackets } from './words.js';

const RED = '\x1b[31m';
const GREEN = '\x1b[32m';
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';

const BAD = new Set([
  ...['lease-lost', 'holder-lost', 'attempt-failed', 'gave-up', 'service-failed', 'fencing'],
  ...['handover-failed', 'put-back'],
  ...['events-missed', 'process-ended', 'reload-failed', 'device-problem', 'device-starved'],
  ...['outage', 'flapping', 'alert-failed', 'alert-problem', 'mail-problem'],
  ...['sorry-in', 'table-meddled', 'table-refused', 'table-lost', 'sync-problem', 'balancer-reload-failed'],
]);
const GOOD = new Set([
  'handover-done',
  'lease-acquired',
  'service-answers',
  'recovery',
  'sorry-out',
  'table-kept',
]);

/** A line: when, what about, what happened and who wanted it. */
export function formatEvent(event: HaEvent, colour: boolean): string {
  const { by, check, host, resource, service, text } = event;
  const subject = [resource, check, host, service].filter((name) => name !== undefined).join(' ') || '-';
  const who = by === undefined ? '' : inBrackets(` (${plain(by)})`);
  const what = `${plain(text)}${who}`;
  const when = timeOf(event.at);
  if (!colour) return `${when}  ${plain(subject)}  ${what}\n`;
  const paint = colourOf(event);
  return `${DIM}${when}${PLAIN}  ${plain(subject)}  ${paint}${what}${paint === '' ? '' : PLAIN}\n`;
}

/** The colour of an event's words, '' for none. */
export function colourOf({ data, kind }: HaEvent): string {
  if (BAD.has(kind) || data.ok === false || data.done === false || data.to === 'failed' || data.to === 'down')
    return RED;
  return GOOD.has(kind) || (kind === 'run-changed' && data.to === 'run') ? GREEN : '';
}

/** Local time with milliseconds: 2026-11-28 09:05:24.123. */
export function timeOf(at: number): string {
  const date = new Date(at);
  const two = (value: number, digits = 2): string => String(value).padStart(digits, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${two(date.getMilliseconds(), 3)}`;
}
