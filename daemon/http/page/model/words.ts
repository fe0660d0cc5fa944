/** Numbers and times for people. Pure. */

/** A length of time at a glance: 340 ms, 2.4 s, 1 min 15 s, 2 h 5 min, 3 d. Negative ones are 0. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${Math.round(ms / 100) / 10} s`;
  const whole = Math.round(ms / 1000);
  if (whole < 3600) return parts(whole, 60, 'min', 's');
  if (whole < 48 * 3600) return parts(Math.round(whole / 60), 60, 'h', 'min');
  return `${Math.floor(whole / 86_400)} d`;
}

function parts(count: number, each: number, great: string, small: string): string {
  const rest = count % each;
  return `${Math.floor(count / each)} ${great}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

/** How long ago, in whole seconds or more: what changes with every look is not read. */
export function age(ms: number): string {
  return ms < 59_500 ? `${Math.max(0, Math.round(ms / 1000))} s` : duration(ms);
}

/** The same in one unit, for a column: 75 s, 12 min, 3 h, 2 d. */
export function shortAge(ms: number): string {
  if (ms < 119_500) return `${Math.max(0, Math.round(ms / 1000))} s`;
  if (ms < 120 * 60_000) return `${Math.floor(ms / 60_000)} min`;
  return ms < 48 * 3_600_000 ? `${Math.floor(ms / 3_600_000)} h` : `${Math.floor(ms / 86_400_000)} d`;
}

/** A latency with the digits that matter: 0.04 ms, 1.2 ms, 340 ms, 2.4 s. */
export function latency(ms: number): string {
  if (ms < 0.1) return `${ms.toFixed(2)} ms`;
  return ms < 99.95 ? `${ms.toFixed(1)} ms` : duration(ms);
}

/** `1 node`, `3 nodes`, `10,000 checks`. */
export function count(number: number, noun: string): string {
  return `${figure(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** With commas between thousands. */
export function figure(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `a`, `a and b`, `a, b and c`; of more than four `a, b, c and 3 more`. */
export function list(words: readonly string[]): string {
  const shown = words.length > 4 ? [...words.slice(0, 3), `${words.length - 3} more`] : words;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** The time of day in the reader's zone, 14:03:07; with the date where it is another day than `now`. */
export function clock(at: number, now: number): string {
  const date = new Date(at);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
  if (date.toDateString() === new Date(now).toDateString()) return time;
  const day = [date.getFullYear(), twoDigits(date.getMonth() + 1), twoDigits(date.getDate())].join('-');
  return `${day} ${time}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
