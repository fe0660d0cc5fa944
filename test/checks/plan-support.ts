/** Checks as hastmon.conf says them, run once on an engine of the real thing. */
import assert from 'node:assert/strict';
import { compileCheck } from '../../daemon/checks/compile.js';
import type { Plan } from '../../daemon/checks/plan.js';
import { parseConfig } from '../../daemon/config/load.js';

/** Longer than any test: a check runs when it is told to. */
const NEVER_MS = 3_600_000;

/** The only check of a text; `ca`: the certificates that it names. */
export function planFrom(text: string, ca = ''): Plan & { host: string; port: number } {
  const options = { hostname: 'a' };
  const { config, diagnostics } = parseConfig(text, '/c', () => ({ ok: false, reason: 'none' }), options);
  const [spec] = config?.monitor?.checks ?? [];
  assert.ok(spec, JSON.stringify(diagnostics));
  const plan = compileCheck(spec, () => ca);
  const timing = { ...plan.timing, intervalMs: NEVER_MS, retryMs: NEVER_MS };
  return { ...plan, timing, host: spec.url.host || '127.0.0.1', port: spec.url.port };
}
