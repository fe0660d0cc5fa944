/** A bar of characters that every terminal has. Pure. */

/** `[######----]`: this share of the width; from 0 to 1, what is beyond counts as the nearest. Something is never shown as nothing. */
export function bar(share: number, width: number): string {
  const within = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  const full = within > 0 ? Math.max(1, Math.round(within * width)) : 0;
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]`;
}
