/** How a check stands, in words and numbers for people. Pure. */
import type { CheckEntry, CheckState } from '../proto/monitor-types.js';
import { duration } from './words.js';

/** What is worth a colour on a terminal: nothing, something to know, an outage. */
export type Weight = 'calm' | 'odd' | 'bad';

/** How a check stands, for this node and for all: `up`, `down, confirmed`, `down here only, muted`. */
export function stateWords(entry: CheckEntry): string {
  const { ackBy, behind, confirm, flapping, muteMs, outage, state } = entry;
  const words = [standing(state, outage, confirm)];
  if (flapping) words.push('flapping');
  if (ackBy !== '') words.push('acknowledged');
  if (muteMs > 0) words.push('muted');
  if (behind.length > 0 && state !== 'up') words.push(`behind ${behind.join(' ')}`);
  return words.join(', ');
}

function standing(state: CheckState, outage: boolean, confirm: number): string {
  if (outage) return state === 'down' ? 'down, confirmed' : `${state} here, down for others`;
  return state === 'down' && confirm > 1 ? 'down here only' : state;
}

export function weightOf({ nature, outage, state }: CheckEntry): Weight {
  if (outage) return 'bad';
  return state === 'down' || (state === 'up' && nature !== 'ok') ? 'odd' : 'calm';
}

/** Outages first, then what is down here, what nothing is known of, what begins to fail, what is well. */
export function rankOf({ nature, outage, state }: CheckEntry): number {
  if (outage) return 0;
  if (state !== 'up') return state === 'down' ? 1 : 2;
  return nature === 'ok' ? 4 : 3;
}

/** `2/2: a b`: how many nodes see it down, of how many that must, and which; '' for none. */
export function confirmations({ confirm, seenBy }: Pick<CheckEntry, 'confirm' | 'seenBy'>): string {
  return seenBy.length === 0 ? '' : `${seenBy.length}/${confirm}: ${seenBy.join(' ')}`;
}

/** A latency with the digits that matter: 0 ms, 0.04 ms, 1.2 ms, 340 ms, 2.4 s. */
export function latency(ms: number): string {
  if (ms < 0.005) return '0 ms';
  if (ms < 0.1) return `${ms.toFixed(2)} ms`;
  return ms < 99.95 ? `${ms.toFixed(1)} ms` : duration(ms);
}

/** How long ago, or for how long: whole seconds, then minutes, hours, days. */
export function age(ms: number): string {
  if (ms < 59_500) return `${Math.round(ms / 1000)} s`;
  const hours = Math.round(ms / 3_600_000);
  if (hours < 48) return duration(ms);
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The same in one unit, for a column: 75 s, 12 min, 3 h, 2 d. */
export function shortAge(ms: number): string {
  if (ms < 119_500) return `${Math.round(ms / 1000)} s`;
  if (ms < 120 * 60_000) return `${Math.floor(ms / 60_000)} min`;
  return ms < 48 * 3_600_000 ? `${Math.floor(ms / 3_600_000)} h` : `${Math.floor(ms / 86_400_000)} d`;
}

/** What a service said; each character is a byte. */
export function bytesShown(text: string): string {
  const escapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' };
  const shown = [...text].map((character) => {
    const code = character.charCodeAt(0);
    const plain = code >= 0x20 && code < 0x7f;
    return escapes[character] ?? (plain ? character : `\\x${code.toString(16).padStart(2, '0')}`);
  });
  return `"${shown.join('')}"`;
}

/** What came from elsewhere goes to a terminal: without controls, on one line. */
export function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trimEnd();
}
