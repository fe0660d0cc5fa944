/** Lengths of time and percentages as the configuration writes them. */

export type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string };

const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['', 1000],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/**
 * Reads `500ms`, `10s`, `0.5s`, `5m`, `1h`; a bare number is seconds, as in the ancestor. The value is in whole
 * milliseconds; anything finer is refused.
 */
export function parseDuration(text: string): Parsed<number> {
  const match = /^([0-9]{1,40}(?:\.[0-9]{1,40})?)([a-z]*)$/i.exec(text);
  if (match === null) return { ok: false, reason: 'is not a duration' };
  const unit = UNITS_MS.get(match[2] ?? '');
  if (unit === undefined)
    return { ok: false, reason: `has no unit that is known: ${match[2]} is none of ms, s, m, h` };
  return scaled(match[1] ?? '', unit, 'is finer than a millisecond');
}

/** Writes a duration so that parseDuration reads the same value: `250ms`, `8.08s`, `60s`, `5m`, `1h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000 && ms !== 0) return `${ms}ms`;
  if (ms % 3_600_000 === 0 && ms !== 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0 && ms > 60_000) return `${ms / 60_000}m`;
  const whole = Math.floor(ms / 1000);
  const rest = String(ms % 1000)
    .padStart(3, '0')
    .replace(/0+$/, '');
  return rest === '' ? `${whole}s` : `${whole}.${rest}s`;
}

/** Reads `1%` or `0.05%` as parts per million. */
export function parsePercent(text: string): Parsed<number> {
  const match = /^([0-9]{1,40}(?:\.[0-9]{1,40})?)%$/.exec(text);
  if (match === null) return { ok: false, reason: 'is not a percentage' };
  return scaled(match[1] ?? '', 10_000, 'is finer than 0.0001%');
}

/** Writes parts per million so that parsePercent reads the same value. */
export function formatPercent(ppm: number): string {
  const whole = Math.floor(ppm / 10_000);
  const rest = String(ppm % 10_000)
    .padStart(4, '0')
    .replace(/0+$/, '');
  return rest === '' ? `${whole}%` : `${whole}.${rest}%`;
}

/** A decimal number times a whole unit, exactly. */
function scaled(decimal: string, unit: number, tooFine: string): Parsed<number> {
  // Almost every number is small and whole.
  if (decimal.length < 9 && !decimal.includes('.')) return { ok: true, value: Number(decimal) * unit };
  const [whole = '', fraction = ''] = decimal.split('.');
  const scale = 10n ** BigInt(fraction.length);
  const units = BigInt(whole + fraction) * BigInt(unit);
  if (units % scale !== 0n) return { ok: false, reason: tooFine };
  const value = units / scale;
  // Far above every limit there is; the range check names the limit.
  return { ok: true, value: Number(value > 10n ** 15n ? 10n ** 15n : value) };
}
