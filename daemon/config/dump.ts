/**
 * The effective configuration as text, in the grammar of hastmon.conf: everything that holds for this node, the
 * defaults written out. Secrets are shown as `***`; but for them it parses again to the same configuration, once a token is written in where one
 * is not shown: everybody knows the stars, and no daemon is to take them for a token.
 */
import type { BalancerSettings } from '../balancer/settings.js';
import type { HttpSettings } from '../http/settings.js';
import { monitorWord, printable, SECRET_SHOWN, word } from './dump-words.js';
import { formatDuration, formatPercent } from './duration.js';
import { addressText } from './http-address.js';
import { dumpMonitor } from './monitor-dump.js';
import type { ActionsConfig, Address, Config, ResourceConfig } from './types.js';

export { SECRET_SHOWN };

/**
 * Writes a configuration down, or only the named resources of it, with monitoring, which they may name. The other
 * nodes' own settings are not known to this node: their sections are there because they vote or monitor, and empty.
 */
export function dumpConfig(config: Config, resourceNames?: readonly string[]): string {
  const wanted = config.resources.filter(({ name }) => resourceNames?.includes(name) ?? true);
  return [
    dumpGlobals(config),
    ...(config.monitor === null ? [] : [dumpMonitor(config.monitor)]),
    ...(config.balancer === null ? [] : [dumpBalancer(config.balancer)]),
    ...wanted.map((resource) => dumpResource(config.node, resource)),
  ].join('\n');
}

function dumpGlobals(config: Config): string {
  const { control, log, watchdogDevice } = config;
  const lines = [
    `# The effective configuration of ${printable(config.node)}, from ${printable(config.file)}`,
    `control ${word(control.path)}`,
    `control_mode 0${control.mode.toString(8).padStart(3, '0')}`,
    ...(control.owner === undefined ? [] : [`control_owner ${word(control.owner)}`]),
    ...(control.group === undefined ? [] : [`control_group ${word(control.group)}`]),
    `listen ${addresses(config.listen)}`,
    `state_dir ${word(config.stateDir)}`,
  ];
  if (watchdogDevice === null) {
    lines.push('watchdog_device none');
  } else {
    lines.push(`watchdog_device ${word(watchdogDevice.path)}`);
    lines.push(`watchdog_timeout ${formatDuration(watchdogDevice.timeoutMs)}`);
  }
  lines.push('log {');
  if (log.file !== undefined) lines.push(`\tfile ${word(log.file)}`);
  lines.push(`\tlevel ${log.level}`, `\tfacility ${log.facility}`, '}');
  if (config.http !== null) lines.push(...dumpHttp(config.http));
  const others = (config.monitor?.nodes ?? []).filter((node) => node !== config.node);
  for (const node of [config.node, ...others]) lines.push(`on ${word(node)} {`, '}');
  lines.push('');
  return lines.join('\n');
}

function dumpHttp(http: HttpSettings): string[] {
  const lines = [
    `listen ${word(addressText(http))}`,
    ...(http.tokenFile !== '' ? [`token_file ${word(http.tokenFile)}`] : []),
    ...(http.tokenFile === '' && http.token !== null ? [`token ${word(SECRET_SHOWN)}`] : []),
    `user ${http.users.map(monitorWord).join(' ')}`,
    `health ${http.health}`,
  ];
  return ['http {', ...lines.map((line) => `\t${line}`), '}'];
}

function dumpBalancer(balancer: BalancerSettings): string {
  const { console, sync, whilePrimary } = balancer;
  const lines = [
    `config ${word(balancer.file)}`,
    ...(whilePrimary === '' ? [] : [`while primary ${word(whilePrimary)}`]),
    `adopt ${balancer.adopt ? 'yes' : 'no'}`,
    `foreign ${balancer.foreign}`,
    `sync_interface ${sync === null ? 'none' : word(sync.interface)}`,
    ...(sync === null ? [] : [`sync_id ${sync.id}`]),
    ...(console === 'file' ? [] : [`console ${console === null ? 'none' : word(consoleText(console))}`]),
  ];
  return ['balancer {', ...lines.map((line) => `\t${line}`), '}', ''].join('\n');
}

function consoleText({ address, port }: { address: string; port: number }): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function dumpResource(node: string, resource: ResourceConfig): string {
  const { key } = resource;
  const lines = [
    ...(resource.actions === null ? [`exec ${word(resource.exec)}`] : dumpActions(resource.actions)),
    `timeout ${formatDuration(resource.timeoutMs)}`,
    `attempts ${resource.attempts}`,
    `heartbeat_interval ${formatDuration(resource.heartbeatIntervalMs)}`,
    `complaint_count ${resource.complaintCount}`,
    `complaint_interval ${formatDuration(resource.complaintIntervalMs)}`,
    `lease_timeout ${formatDuration(resource.leaseTimeoutMs)}`,
    `start_timeout ${formatDuration(resource.startTimeoutMs)}`,
    `stop_timeout ${formatDuration(resource.stopTimeoutMs)}`,
    `status_timeout ${formatDuration(resource.statusTimeoutMs)}`,
    `status_interval ${formatDuration(resource.statusIntervalMs)}`,
    `switchover_timeout ${formatDuration(resource.switchoverTimeoutMs)}`,
    `failback ${Number.isFinite(resource.failbackMs) ? `after ${formatDuration(resource.failbackMs)}` : 'never'}`,
    `drift ${formatPercent(resource.driftPpm)}`,
    `fence ${resource.fence === null ? 'none' : word(resource.fence)}`,
    ...(resource.fence === null ? [] : [`fence_timeout ${formatDuration(resource.fenceTimeoutMs)}`]),
    `role_on_start ${resource.roleOnStart}`,
    ...(key === null
      ? []
      : ['key {', `\talgorithm ${key.algorithm.toUpperCase()}`, `\tsecret ${word(SECRET_SHOWN)}`, '}']),
    ...(resource.checks.length === 0 ? [] : [`check ${resource.checks.map(word).join(' ')}`]),
    ...(resource.requires.length === 0 ? [] : [`require ${resource.requires.map(word).join(' ')}`]),
    ...resource.voters.flatMap((voter) =>
      voter === node ? dumpOwn(node, resource) : [`on ${word(voter)} {`, '}'],
    ),
  ];
  return [`resource ${word(resource.name)} {`, ...lines.map((line) => `\t${line}`), '}', ''].join('\n');
}

function dumpActions({ file, checksFile, directory, timeoutMs, intervalMs }: ActionsConfig): string[] {
  return [
    `actions ${word(file)}`,
    ...(checksFile === '' ? [] : [`action_checks ${checksFile === null ? 'none' : word(checksFile)}`]),
    `action_directory ${word(directory)}`,
    `action_timeout ${formatDuration(timeoutMs)}`,
    `action_interval ${formatDuration(intervalMs)}`,
  ];
}

function dumpOwn(node: string, resource: ResourceConfig): string[] {
  return [
    `on ${word(node)} {`,
    ...(resource.friends.length === 0 ? [] : [`\tfriends ${addresses(resource.friends)}`]),
    `\tremote ${resource.remote.length === 0 ? 'none' : addresses(resource.remote)}`,
    `\tpriority ${resource.priority}`,
    '}',
  ];
}

function addresses(list: readonly Address[]): string {
  return list.map(({ text }) => word(text)).join(' ');
}
