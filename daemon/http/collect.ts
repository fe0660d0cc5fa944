/** All checks of this node, asked for page by page. */
import type { ChecksPage } from '../../proto/monitor-types.js';
import type { Asker } from './asker.js';

export interface AllChecks extends Omit<ChecksPage, 'next'> {
  ageMs: number;
}

/** More pages than a file can fill. */
const PAGES_MAX = 500;

/** null where the main process does not answer. */
export async function collectChecks(asker: Asker): Promise<AllChecks | null> {
  let all: AllChecks | null = null;
  let from = 0;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const asked = { down: false, host: '', group: '', patterns: [], from };
    const found = await asker.ask({ kind: 'checks', ...asked });
    if (found.kind !== 'answer' || found.reply.monitor?.kind !== 'checks') return null;
    const { kind, next, ...rest } = found.reply.monitor;
    all = all === null ? { ...rest, ageMs: found.ageMs } : joined(all, rest, found.ageMs);
    if (next === 0) return all;
    from = next;
  }
  return all;
}

function joined(all: AllChecks, page: Omit<ChecksPage, 'next'>, ageMs: number): AllChecks {
  return {
    ...page,
    entries: [...all.entries, ...page.entries],
    up: all.up + page.up,
    down: all.down + page.down,
    unknown: all.unknown + page.unknown,
    ageMs: Math.max(all.ageMs, ageMs),
  };
}
