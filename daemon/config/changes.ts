/** What a reload changes, in the words of the file: for the log and for who asked for it. */
import type { ConfigDiff } from './diff.js';
import type { Config } from './types.js';

/** Where the statement is not just the field's name. */
const STATEMENTS: Readonly<Record<string, string>> = {
  driftPpm: 'drift',
  voters: "the nodes ('on' sections)",
  checks: 'check',
  requires: 'require',
};

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
  return [...globals, ...resources];
}

function votersOf(config: Config, name: string): string {
  return config.resources.find((resource) => resource.name === name)?.voters.join(' ') ?? '';
}
