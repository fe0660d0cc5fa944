/** What a reload changes about monitoring, and which checks may go on where they are. Names, never values. */
import { isDeepStrictEqual } from 'node:util';
import type { CheckOptions, CheckSpec, MonitorConfig } from '../checks/spec.js';

export type MonitorField = Exclude<keyof MonitorConfig, 'checks' | 'alerts'>;

export interface CheckChange {
  name: string;
  /** `retold`: whom to tell has changed, or what group it is of; what is checked and how it is judged has not. */
  change: 'added' | 'removed' | 'changed' | 'retold';
}

export interface MonitorDiff {
  /** The fields of the section itself that differ. */
  fields: MonitorField[];
  /** The checks that differ, in the order of the new configuration; removed ones at the end. */
  checks: CheckChange[];
  /** The names of the alerts that differ, are new or are gone. */
  alerts: string[];
}

const FIELDS: readonly MonitorField[] = [
  'active',
  'nodes',
  'addresses',
  'key',
  'users',
  'chroot',
  'flights',
  'plugins',
  'resolveMs',
  'dmonitor',
];

/** True where a check is made and judged as before: then its state and its phase stay valid. Its name is its identity. */
export function sameCheck(a: CheckSpec, b: CheckSpec): boolean {
  if (a === b) return true;
  return a.name === b.name && urlText(a) === urlText(b) && (a.options === b.options || probe(a) === probe(b));
}

/** Compares monitoring before and after; null is a file that says nothing of it. */
export function diffMonitor(before: MonitorConfig | null, after: MonitorConfig | null): MonitorDiff {
  const earlier = new Map(before?.checks.map((check) => [check.name, check]));
  const checks: CheckChange[] = [];
  for (const check of after?.checks ?? []) {
    const old = earlier.get(check.name);
    earlier.delete(check.name);
    const change = old === undefined ? 'added' : changeOf(old, check);
    if (change !== null) checks.push({ name: check.name, change });
  }
  for (const name of earlier.keys()) checks.push({ name, change: 'removed' });
  const one = (before === null) !== (after === null);
  const fields = FIELDS.filter((field) => one || !isDeepStrictEqual(before?.[field], after?.[field]));
  const alerts = new Map(before?.alerts.map((alert) => [alert.name, alert]));
  const changed = (after?.alerts ?? []).filter((alert) => {
    const old = alerts.get(alert.name);
    alerts.delete(alert.name);
    return !isDeepStrictEqual(old, alert);
  });
  return { fields, checks, alerts: [...changed.map(({ name }) => name), ...alerts.keys()] };
}

function changeOf(before: CheckSpec, after: CheckSpec): 'changed' | 'retold' | null {
  if (!sameCheck(before, after)) return 'changed';
  const same =
    before.group === after.group && (before.options === after.options || told(before) === told(after));
  return same ? null : 'retold';
}

/** Shared options are written once: a hundred thousand checks may have the same. */
const probes = new WeakMap<CheckOptions, string>();

/** Everything of the options that says how a check is made and judged. */
function probe({ options }: CheckSpec): string {
  const known = probes.get(options);
  if (known !== undefined) return known;
  const { alerts: _alerts, depends: _depends, confirm: _confirm, ...rest } = options;
  const text = JSON.stringify(rest);
  probes.set(options, text);
  return text;
}

/** What says who is told, and when. */
function told({ options: { alerts, depends, confirm } }: CheckSpec): string {
  return JSON.stringify([alerts, depends, confirm]);
}

function urlText({ url }: CheckSpec): string {
  return JSON.stringify(url);
}
