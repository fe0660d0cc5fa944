/** What the tests of monitoring share: files of it that are valid, and their checks by name. */
import type { AlertSpec, CheckSpec, MonitorConfig } from '../../daemon/checks/spec.js';
import { parse } from './support.js';

/** Two nodes, and somebody to tell, so that nothing is missing. */
export const NODES = 'on a { } on b { }\nalert ops { mail ops@example.com }\n';

/** The monitoring of a text that must be without a word of complaint; NODES stand before it. */
export function monitorOf(text: string): MonitorConfig {
  const { config, diagnostics } = parse(NODES + text);
  if (config?.monitor == null || diagnostics.length > 0)
    throw new Error(`not as it should be: ${JSON.stringify(diagnostics, null, 2)}`);
  return config.monitor;
}

/** The check of a name, from a text. */
export function checkOf(text: string, name = 'c'): CheckSpec {
  const found = monitorOf(text).checks.find((check) => check.name === name);
  if (found === undefined) throw new Error(`no check ${name}`);
  return found;
}

export function namesOf({ checks }: MonitorConfig): string[] {
  return checks.map(({ name }) => name);
}

/** The alert of a name, from a text. */
export function alertOf(text: string, name = 'x'): AlertSpec {
  const found = monitorOf(text).alerts.find((alert) => alert.name === name);
  if (found === undefined) throw new Error(`no alert ${name}`);
  return found;
}

/** What is said of a text: `line:column message`; NODES stand before it, in lines that do not count. */
export function messagesOf(text: string, severity: 'error' | 'warning' = 'error'): string[] {
  const before = NODES.split('\n').length - 1;
  return parse(NODES + text)
    .diagnostics.filter((diagnostic) => diagnostic.severity === severity)
    .map(({ line, column, message }) => `${line === 0 ? 0 : line - before}:${column} ${message}`);
}
