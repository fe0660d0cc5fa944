/** What a reload changes, in the words of the file: for the log and for who asked for it. */
import type { ConfigDiff } from './diff.js';
import type { MonitorDiff } from './monitor-diff.js';
import type { Config } from './types.js';

/** Where the statement is not just the field's name. */
const STATEMENTS: Readonly<Record<string, string>> = {
  driftPpm: 'drift',
  voters: "the nodes ('on' sections)",
  checks: 'check',
  requires: 'require',
  resolveMs: 'resolve_time',
  users: 'user',
  addresses: 'address',
};

/** Names of checks that a line shows. */
const NAMES_MAX = 5;

/** The statement that a field comes from: `heartbeatIntervalMs` is `heartbeat_interval`. */
export function statementOf(field: string): string {
  const known = STATEMENTS[field];
  if (known !== undefined) return known;
  return field.replace(/Ms$/, '').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export interface ChangeLine {
  /** The resource that it is about, '' for what is outside of all. */
  resource: string;
  text: string;
}

/** One line for each thing that differs; none where nothing does. */
export function describeChanges(diff: ConfigDiff, before: Config, after: Config): ChangeLine[] {
  const globals = diff.globals.map((field) => ({ resource: '', text: `${statementOf(field)} changed` }));
  const resources = diff.resources.flatMap(({ name, change, fields }) => {
    if (change === 'unchanged') return [];
    if (change !== 'changed') return [{ resource: name, text: change }];
    const words = fields.map((field) =>
      field === 'voters'
        ? `the nodes (${votersOf(before, name)} -> ${votersOf(after, name)})`
        : statementOf(field),
    );
    return [{ resource: name, text: `${words.join(', ')} changed` }];
  });
  const balancer = diff.balancer ? [{ resource: '', text: 'balancer changed' }] : [];
  const http = diff.http ? [{ resource: '', text: 'http changed' }] : [];
  return [...globals, ...monitorLines(diff.monitor), ...balancer, ...http, ...resources];
}

function monitorLines({ fields, checks, alerts }: MonitorDiff): ChangeLine[] {
  const lines: string[] = [];
  const own = fields.filter((field) => field !== 'active').map(statementOf);
  if (own.length > 0) lines.push(`monitor: ${own.join(', ')} changed`);
  for (const kind of ['added', 'changed', 'retold', 'removed'] as const) {
    const names = checks.filter(({ change }) => change === kind).map(({ name }) => name);
    const what = kind === 'retold' ? 'changed as to who is told' : kind;
    if (names.length > 0) lines.push(`${listed('check', names)} ${what}`);
  }
  if (alerts.length > 0) lines.push(`${listed('alert', alerts)} changed`);
  return lines.map((text) => ({ resource: '', text }));
}

function listed(what: string, names: readonly string[]): string {
  const shown = names.slice(0, NAMES_MAX).join(', ');
  const rest = names.length - NAMES_MAX;
  return `${what}${names.length === 1 ? '' : 's'} ${shown}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function votersOf(config: Config, name: string): string {
  return config.resources.find((resource) => resource.name === name)?.voters.join(' ') ?? '';
}
