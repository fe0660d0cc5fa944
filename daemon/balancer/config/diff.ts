/** What a reload changes, in words: one line for each option, service and host that differs. Passwords are not shown. */
import { isDeepStrictEqual } from 'node:util';
import type { CheckSpec } from '../../checks/spec.js';
import { formatDuration } from '../../config/duration.js';
import { DEFAULT_PLUGIN_TIMEOUT_MS, DEFAULT_TIMEOUT_MS } from '../../config/monitor-defaults.js';
import type { BalancerConfig, BalancerOptions, HostConfig, ServiceConfig } from '../types.js';
import { CHECK_DEFAULTS } from './check.js';
import { endpointText } from './values.js';

/** Names to values, as they are shown; '' for what is not said. */
type Facts = readonly (readonly [name: string, value: string])[];

/**
 * Compares two configurations: `+` for what is new, `-` for what is gone, `~` for what is another; empty where nothing is. The order of
 * lines in a file means nothing.
 */
export function diffBalancer(before: BalancerConfig, after: BalancerConfig): string[] {
  const options = changesOf(optionFacts(before.options), optionFacts(after.options));
  return [
    ...options.map((change) => `~ ${change}`),
    ...diffNamed(before.services, after.services, 'service', describeService, serviceChanges),
    ...diffNamed(before.hosts, after.hosts, 'host', describeHost, hostChanges),
  ];
}

function diffNamed<T extends { tag: string }>(
  before: readonly T[],
  after: readonly T[],
  what: string,
  describe: (one: T) => string,
  changes: (before: T, after: T) => string[],
): string[] {
  const earlier = new Map(before.map((one) => [one.tag, one]));
  const lines: string[] = [];
  for (const one of after) {
    const old = earlier.get(one.tag);
    earlier.delete(one.tag);
    if (old === undefined) lines.push(`+ ${what} ${one.tag} ${describe(one)}`);
    else {
      const changed = changes(old, one);
      if (changed.length > 0) lines.push(`~ ${what} ${one.tag}: ${changed.join(', ')}`);
    }
  }
  for (const one of earlier.values()) lines.push(`- ${what} ${one.tag} ${describe(one)}`);
  return lines;
}

/** `name old -> new` for each fact that differs; the names are those of either. */
function changesOf(before: Facts, after: Facts): string[] {
  const [old, now] = [new Map(before), new Map(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => {
    const [from = '', to = ''] = [old.get(name), now.get(name)];
    return from === to ? [] : [`${name} ${from || 'none'} -> ${to || 'none'}`];
  });
}

function optionFacts(options: BalancerOptions): Facts {
  const { email, log, console: socket, sorryFallback } = options;
  return [
    ['Email.SMTP', email?.server ?? ''],
    ['Email.Headers.From', email?.from ?? ''],
    ['Email.Headers.Reply-To', email?.replyTo ?? ''],
    ['Email.Headers.To', email?.to.join(',') ?? ''],
    ['Ramping.TriggerTime', formatDuration(options.rampTriggerMs)],
    ['Ramping.Duration', formatDuration(options.rampMs)],
    ['Config.AutoCheck', yesNo(options.autoCheck)],
    ['Config.CheckPeriod', formatDuration(options.checkPeriodMs)],
    ['Log.Path', log.path],
    ['Log.SysLog', yesNo(log.syslog)],
    ['Log.StdErr', yesNo(log.stderr)],
    ['Log.Level', String(log.level)],
    ['DB', options.database],
    ['IPVSADM', options.ipvsadm],
    ['Management.Socket', socket === null ? '' : endpointText(socket.address, socket.port)],
    ['Management.Fifo.Path', options.fifo],
    ['SorryServer.Default', options.sorryDefault],
    ['SorryServer.Fallback.Host', sorryFallback?.host ?? ''],
    ['SorryServer.Fallback.Title', sorryFallback?.title ?? ''],
    ['SorryServer.Fallback.IP', sorryFallback?.address ?? ''],
  ];
}

/** A service as its line would say it, without what is usual. */
function describeService(service: ServiceConfig): string {
  const [, check = ''] = serviceFacts(service)[1] ?? [];
  const usual = new Map(usualFacts(service));
  const options = [...serviceFacts(service).slice(2), ...checkFacts(service)].filter(
    ([name, value]) => value !== '' && value !== (usual.get(name) ?? ''),
  );
  const shown = options.map(([name, value]) => `${name}=${value}`).join(',');
  return `${addressOf(service)} ${check || '-'}${shown === '' ? '' : ` ${shown}`}`;
}

const USUAL: ServiceConfig = {
  ...{ tag: '', protocol: 'tcp', host: '', port: 1, realPort: 1, scheduler: 'wrr', method: 'masq' },
  ...{ persistenceSeconds: 0, check: null, email: false, sorry: '', quorum: 1, hysteresis: 0 },
  ...{ curve: 'weightman', rampTriggerMs: null, rampMs: null, adopt: false, line: 0 },
};

function usualFacts({ check }: ServiceConfig): Facts {
  const plugin = check !== null && /^exec:/i.test(check.shown);
  return [
    ...serviceFacts(USUAL),
    ['interval', formatDuration(CHECK_DEFAULTS.intervalMs)],
    ['timeout', formatDuration(plugin ? DEFAULT_PLUGIN_TIMEOUT_MS : DEFAULT_TIMEOUT_MS)],
    ['rise', String(CHECK_DEFAULTS.rise)],
    ['fall', String(CHECK_DEFAULTS.fall)],
    ['status', String(CHECK_DEFAULTS.status)],
  ];
}

function serviceChanges(before: ServiceConfig, after: ServiceConfig): string[] {
  const changes = changesOf(serviceFacts(before), serviceFacts(after));
  // Of another check all the rest may be other, too.
  if (before.check === null || after.check === null || before.check.shown !== after.check.shown)
    return changes;
  changes.push(...changesOf(checkFacts(before), checkFacts(after)));
  const [old, now] = [exampleOf(before), exampleOf(after)];
  if (old?.url.password !== now?.url.password) changes.push('the password of the check');
  return changes;
}

function serviceFacts(service: ServiceConfig): Facts {
  const { protocol, method, persistenceSeconds, quorum, hysteresis, rampMs, rampTriggerMs } = service;
  return [
    ['address', addressOf(service)],
    ['check', service.check?.shown ?? ''],
    ['protocol', protocol === 'fwmark' ? '' : protocol],
    ['family', protocol === 'fwmark' && service.host !== '' ? 'ipv6' : ''],
    ['scheduler', service.scheduler],
    ['method', method],
    ['persistence', persistenceSeconds === 0 ? '' : formatDuration(persistenceSeconds * 1000)],
    ['email', service.email ? 'yes' : ''],
    ['sorry_server', service.sorry],
    ['quorum', String(quorum)],
    ['hysteresis', String(hysteresis)],
    ['curve', service.curve],
    ['ramp', rampMs === null ? '' : formatDuration(rampMs)],
    ['ramp_trigger', rampTriggerMs === null ? '' : formatDuration(rampTriggerMs)],
    ['adopt', service.adopt ? 'yes' : ''],
  ];
}

/** How the check of a server is made, whichever server it is. */
function checkFacts(service: ServiceConfig): Facts {
  const spec = exampleOf(service);
  if (spec === null) return [];
  const { url, options } = spec;
  const real = service.realPort || EXAMPLE_PORT;
  return [
    ['interval', formatDuration(options.intervalMs)],
    ['timeout', formatDuration(options.timeoutMs)],
    ['rise', String(options.rise)],
    ['fall', String(options.fall)],
    ['status', options.http.statuses.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(' ')],
    ['verify', options.tls.verify ? 'yes' : ''],
    ['check_port', url.port === 0 || url.port === real ? '' : String(url.port)],
    ['send', textOf(options.steps.find(({ send }) => send !== undefined)?.send)],
    ['expect', textOf(options.steps.find(({ expect }) => expect !== undefined)?.expect?.text)],
  ];
}

const EXAMPLE_PORT = 1;

function exampleOf({ check, realPort }: ServiceConfig): CheckSpec | null {
  return check?.of('192.0.2.1', realPort || EXAMPLE_PORT) ?? null;
}

/** Bytes as the file writes them. */
function textOf(text = ''): string {
  return text.replace(
    /[^\x21-\x7e]|[%,#;]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function addressOf({ protocol, host, port, realPort }: ServiceConfig): string {
  const base = protocol === 'fwmark' ? `fwmark:${port}` : endpointText(host, port);
  const usual = protocol === 'fwmark' ? 0 : port;
  return realPort === usual ? base : `${base}:${realPort}`;
}

function describeHost({ host, port, weights }: HostConfig): string {
  const shown = [...weights].map(([service, weight]) => ` ${service}=${weight}`).join('');
  return `${endpointText(host, port)}${shown}`;
}

function hostChanges(before: HostConfig, after: HostConfig): string[] {
  const [from, to] = [before, after].map(({ host, port }) => endpointText(host, port));
  const changes = from === to ? [] : [`address ${from} -> ${to}`];
  if (before.weights === after.weights || isDeepStrictEqual(before.weights, after.weights)) return changes;
  return [...changes, ...changesOf(weightFacts(before), weightFacts(after))];
}

function weightFacts({ weights }: HostConfig): Facts {
  return [...weights].map(([service, weight]) => [service, String(weight)]);
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
