/** Names and lengths of time in sentences for people. */
import type { DurationMs } from './types.js';

/** `a`, `a and b`, `a, b and c`. */
export function listOf(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** As every node and terminal can read it: a space for each control character, for bytes that were no character, and for the half of one that
 * a cut has left. */
export function legible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this replaces
  return text.replace(/[\u0000-\u001f\u007f\ufffd\ud800-\udfff]/gu, ' ');
}

/** `12 ms`, `1.2 s`, `48 s`, and from two minutes on as `lengthOf`. */
export function shortLengthOf(ms: DurationMs): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return ms < 120_000 ? `${Number((ms / 1000).toFixed(1))} s` : lengthOf(ms);
}

/** `48 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function lengthOf(ms: DurationMs): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
