/**
 * What a file means for one node: the innermost setting counts, in the order global, `on` the node (global),
 * resource, `on` the node in the resource; then the defaults. It checks nothing.
 */
import path from 'node:path';
import { parseAddress } from './address.js';
import {
  ACTION_STATUS_INTERVAL_MS,
  DEFAULT_ACTION_INTERVAL_MS,
  DEFAULT_ACTION_TIMEOUT_MS,
  DEFAULT_ATTEMPTS,
  DEFAULT_COMPLAINT_COUNT,
  DEFAULT_CONTROL,
  DEFAULT_LISTEN,
  DEFAULT_LOG,
  DEFAULT_PRIORITY,
  DEFAULT_STATE_DIR,
  DEFAULT_TIMES,
  DEFAULT_WATCHDOG_TIMEOUT_MS,
  defaultLeaseMs,
  defaultSwitchoverMs,
} from './defaults.js';
import type { Model, ResourceScope } from './model.js';
import type { Scope, Setting } from './settings.js';
import type {
  ActionsConfig,
  Address,
  Config,
  ControlConfig,
  LogConfig,
  ResourceConfig,
  ResourceTimes,
} from './types.js';
import type { Values } from './values.js';

/** The part of a Config that does not belong to a resource. */
export type Globals = Omit<Config, 'resources' | 'monitor' | 'balancer' | 'http' | 'file' | 'includes'>;

/** The innermost setting of one name; scopes go from the outermost to the innermost. */
export function innermost<Name extends keyof Values>(
  scopes: readonly Scope[],
  name: Name,
): Setting<Values[Name]> | undefined {
  for (let index = scopes.length - 1; index >= 0; index -= 1) {
    const setting = scopes[index]?.settings[name];
    if (setting !== undefined) return setting;
  }
  return undefined;
}

/** The scopes that make up a resource on a node, from the outermost to the innermost. */
export function scopesOf(model: Model, node: string, resource?: ResourceScope): Scope[] {
  const scopes: (Scope | undefined)[] = [
    model.global,
    model.nodes.get(node),
    resource,
    resource?.nodes.get(node),
  ];
  return scopes.filter((scope) => scope !== undefined);
}

/** What is set for a node outside of its resources. */
export function inheritGlobals(model: Model, node: string): Globals {
  const scopes = scopesOf(model, node);
  const get = <Name extends keyof Values>(name: Name) => innermost(scopes, name)?.value;
  const control: ControlConfig = {
    path: get('control') ?? DEFAULT_CONTROL.path,
    mode: get('control_mode') ?? DEFAULT_CONTROL.mode,
  };
  const owner = get('control_owner');
  const group = get('control_group');
  if (owner !== undefined) control.owner = owner;
  if (group !== undefined) control.group = group;
  const log: LogConfig = {
    level: get('log_level') ?? DEFAULT_LOG.level,
    facility: get('log_facility') ?? DEFAULT_LOG.facility,
  };
  const file = get('log_file');
  if (file !== undefined) log.file = file;
  const device = get('watchdog_device') ?? null;
  return {
    node,
    control,
    listen: get('listen') ?? [defaultListen()],
    stateDir: get('state_dir') ?? DEFAULT_STATE_DIR,
    watchdogDevice:
      device === null
        ? null
        : { path: device, timeoutMs: get('watchdog_timeout') ?? DEFAULT_WATCHDOG_TIMEOUT_MS },
    log,
  };
}

/** A resource as a node has it, but for its checks; `exec` is '' where none is set. */
export function inheritResource(model: Model, resource: ResourceScope, node: string): ResourceConfig {
  const scopes = scopesOf(model, node, resource);
  const get = <Name extends keyof Values>(name: Name) => innermost(scopes, name)?.value;
  const complaintCount = get('complaint_count') ?? DEFAULT_COMPLAINT_COUNT;
  const actions = inheritActions(scopes);
  return {
    name: resource.word.text,
    exec: actions === null ? (get('exec') ?? '') : '',
    actions,
    attempts: get('attempts') ?? DEFAULT_ATTEMPTS,
    complaintCount,
    priority: get('priority') ?? DEFAULT_PRIORITY,
    roleOnStart: get('role_on_start') ?? 'init',
    friends: distinct(scopes.flatMap(({ friends }) => friends)),
    remote: distinct(resource.nodes.get(node)?.remote ?? []),
    key: get('key') ?? null,
    fence: get('fence') ?? null,
    voters: [...resource.nodes.keys()],
    checks: [],
    requires: [],
    ...inheritTimes(scopes, complaintCount),
  };
}

/** What runs the resource: the innermost section that names either decides. */
export function runnerPlace(scopes: readonly Scope[]): { name: 'exec' | 'actions'; scope: Scope } | null {
  for (let index = scopes.length - 1; index >= 0; index -= 1) {
    const scope = scopes[index];
    if (scope?.settings.actions !== undefined) return { name: 'actions', scope };
    if (scope?.settings.exec !== undefined) return { name: 'exec', scope };
  }
  return null;
}

function inheritActions(scopes: readonly Scope[]): ActionsConfig | null {
  const get = <Name extends keyof Values>(name: Name) => innermost(scopes, name)?.value;
  const file = get('actions');
  if (file === undefined || runnerPlace(scopes)?.name !== 'actions') return null;
  const checksFile = get('action_checks');
  return {
    file,
    checksFile: checksFile === undefined ? '' : checksFile,
    directory: get('action_directory') ?? path.dirname(file),
    timeoutMs: get('action_timeout') ?? DEFAULT_ACTION_TIMEOUT_MS,
    intervalMs: get('action_interval') ?? DEFAULT_ACTION_INTERVAL_MS,
    plan: null,
  };
}

function inheritTimes(scopes: readonly Scope[], complaintCount: number): ResourceTimes {
  const get = <Name extends keyof Values>(name: Name) => innermost(scopes, name)?.value;
  const heartbeatIntervalMs = get('heartbeat_interval') ?? DEFAULT_TIMES.heartbeatIntervalMs;
  const stopTimeoutMs = get('stop_timeout') ?? DEFAULT_TIMES.stopTimeoutMs;
  const askedMs = runnerPlace(scopes)?.name === 'actions' ? ACTION_STATUS_INTERVAL_MS : 0;
  const fenced = (get('fence') ?? null) !== null;
  return {
    timeoutMs: get('timeout') ?? DEFAULT_TIMES.timeoutMs,
    heartbeatIntervalMs,
    complaintIntervalMs: get('complaint_interval') ?? DEFAULT_TIMES.complaintIntervalMs,
    leaseTimeoutMs: get('lease_timeout') ?? defaultLeaseMs(complaintCount, heartbeatIntervalMs),
    startTimeoutMs: get('start_timeout') ?? DEFAULT_TIMES.startTimeoutMs,
    stopTimeoutMs,
    statusTimeoutMs: get('status_timeout') ?? DEFAULT_TIMES.statusTimeoutMs,
    statusIntervalMs: get('status_interval') ?? Math.max(heartbeatIntervalMs, askedMs),
    switchoverTimeoutMs: get('switchover_timeout') ?? defaultSwitchoverMs(stopTimeoutMs),
    fenceTimeoutMs: fenced ? (get('fence_timeout') ?? DEFAULT_TIMES.fenceTimeoutMs) : 0,
    driftPpm: get('drift') ?? DEFAULT_TIMES.driftPpm,
    failbackMs: get('failback') ?? DEFAULT_TIMES.failbackMs,
  };
}

function distinct(settings: readonly Setting<Address>[]): Address[] {
  return [...new Map(settings.map(({ value }) => [value.text, value])).values()];
}

function defaultListen(): Address {
  const parsed = parseAddress(DEFAULT_LISTEN);
  if (!parsed.ok) throw new Error(`the default address ${parsed.reason}`);
  return parsed.value;
}
