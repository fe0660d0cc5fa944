/** Numbers for people, as hastmonctl prints them. */

/** Seconds as the ancestor prints them, fractions where there are any: 10, 0.1, 0.05. */
export function seconds(ms: number): string {
  return String(Math.round(ms) / 1000);
}

/** A length of time at a glance: 340 ms, 2.4 s, 3 s, 1 min 15 s, 2 h 5 min. Negative ones keep their sign. */
export function duration(ms: number): string {
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${tenths / 10} s`;
  const whole = Math.round(ms / 1000);
  if (whole < 3600) return parts(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.round(whole / 60);
  return parts(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

function parts(great: number, greatUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${great} ${greatUnit}` : `${great} ${greatUnit} ${small} ${smallUnit}`;
}

/**
 * A sentence of hastmond behind the name of what it is about, without that name where the sentence begins with it: `web: web is held by b` is
 * `web is held by b`; and without brackets in brackets at its end.
 */
export function namedOnce(text: string): string {
  return inBrackets(text.replace(/(^|[\s(])([^\s:()]+): (?=\2 (?:is|has|holds|was|cannot)\b)/gm, '$1'));
}

/** Who did something, `root (uid 0)`, inside of brackets: `(root, uid 0)`. */
export function inBrackets(text: string): string {
  return text.replace(/ \(uid (\d+)\)\)/g, ', uid $1)');
}
