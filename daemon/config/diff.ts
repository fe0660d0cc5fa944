/** What a reload changes: the difference between two effective configurations. Names of fields, never values. */
import { isDeepStrictEqual } from 'node:util';
import { diffMonitor, type MonitorDiff } from './monitor-diff.js';
import type { Config, ResourceConfig } from './types.js';

export type GlobalField = Exclude<
  keyof Config,
  'resources' | 'monitor' | 'balancer' | 'http' | 'file' | 'includes'
>;
export type ResourceField = keyof ResourceConfig;

export interface ResourceChange {
  name: string;
  change: 'unchanged' | 'added' | 'removed' | 'changed';
  /** The fields that differ; empty unless `changed`. */
  fields: ResourceField[];
}

export interface ConfigDiff {
  /** The fields outside of resources that differ. */
  globals: GlobalField[];
  /** In the order of the new configuration; removed ones at the end. */
  resources: ResourceChange[];
  monitor: MonitorDiff;
  /** True where what this file says of the balancer differs; its own file is compared by itself. */
  balancer: boolean;
  http: boolean;
  /** True where nothing differs. */
  unchanged: boolean;
}

/**
 * Compares two configurations of one node. Resources are matched by name; their order in the file means nothing,
 * neither does which file they come from. A resource depends on the globals too: what follows from a changed
 * `watchdogDevice` or `listen` is the caller's to know.
 */
export function diffConfig(before: Config, after: Config): ConfigDiff {
  const fields: GlobalField[] = ['node', 'control', 'listen', 'stateDir', 'watchdogDevice', 'log'];
  const globals = fields.filter((field) => !isDeepStrictEqual(before[field], after[field]));
  const earlier = new Map(before.resources.map((resource) => [resource.name, resource]));
  const later = new Set(after.resources.map(({ name }) => name));
  const resources: ResourceChange[] = [
    ...after.resources.map((resource) => compare(earlier.get(resource.name), resource)),
    ...before.resources
      .filter(({ name }) => !later.has(name))
      .map(({ name }): ResourceChange => ({ name, change: 'removed', fields: [] })),
  ];
  const monitor = diffMonitor(before.monitor, after.monitor);
  const balancer = !isDeepStrictEqual(before.balancer, after.balancer);
  const http = !isDeepStrictEqual(before.http, after.http);
  const unchanged =
    !balancer &&
    !http &&
    globals.length === 0 &&
    resources.every(({ change }) => change === 'unchanged') &&
    [monitor.fields, monitor.checks, monitor.alerts].every((changes) => changes.length === 0);
  return { globals, resources, monitor, balancer, http, unchanged };
}

function compare(before: ResourceConfig | undefined, after: ResourceConfig): ResourceChange {
  const { name } = after;
  if (before === undefined) return { name, change: 'added', fields: [] };
  const names = Object.keys(after).filter((key): key is ResourceField => Object.hasOwn(before, key));
  const fields = names.filter((field) => !isDeepStrictEqual(before[field], after[field]));
  return { name, change: fields.length === 0 ? 'unchanged' : 'changed', fields };
}
