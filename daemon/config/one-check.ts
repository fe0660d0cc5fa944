/** One check by itself, as a person writes it on a command line: a URL, and statements of hastmon.conf(5). */
import type { CheckSpec } from '../checks/spec.js';
import { formatDiagnostics } from './diagnostic.js';
import { quoted } from './dump-words.js';
import { parseConfig } from './load.js';

/** `notes`: warnings about what was written. */
export type OneCheck = { ok: true; spec: CheckSpec; notes: string } | { ok: false; problem: string };

/** The lines of the text below that the URL and the first statement stand in. */
const URL_LINE = 2;
const OPTION_LINE = 4;

/** Reads a check with the defaults of this version. The problem is in the words of the configuration's own errors. */
export function parseOneCheck(url: string, statements: readonly string[]): OneCheck {
  if (statements.some((text) => /[\n\r]/.test(text)))
    return { ok: false, problem: 'an option is one statement of a check, on one line' };
  const text = ['check probe', quoted(url), '{', ...statements, '}', ''].join('\n');
  const alone = { ok: false as const, reason: 'there is no file that it could belong to' };
  const { config, diagnostics } = parseConfig(text, 'check', () => alone, { hostname: 'here' });
  const shown = diagnostics
    .filter(({ line }) => line >= URL_LINE)
    .map((diagnostic) => {
      const inUrl = diagnostic.line < OPTION_LINE;
      const line = inUrl ? 1 : diagnostic.line - OPTION_LINE + 1;
      return { ...diagnostic, line, file: inUrl ? 'URL' : 'option' };
    });
  const problem = formatDiagnostics(shown).trimEnd();
  const checks = config?.monitor?.checks ?? [];
  const [spec] = checks;
  if (spec === undefined) return { ok: false, problem: problem || 'this is no check' };
  if (checks.length > 1) return { ok: false, problem: "one check at a time: 'hosts' makes several of it" };
  return { ok: true, spec, notes: problem };
}
