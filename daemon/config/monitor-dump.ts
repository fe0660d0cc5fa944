/**
 * The effective configuration of monitoring as text: every check by itself, groups, templates and blocks for many
 * hosts resolved. The defaults are written out once, and of a check what differs from them.
 */
import type {
  AlertSpec,
  CheckOptions,
  CheckSpec,
  MonitorConfig,
  PatternOption,
  StepOption,
} from '../checks/spec.js';
import type { CheckKind } from '../checks/url.js';
import { SECRET_HEADER } from './arguments.js';
import { bytes, printable, quoted, SECRET_SHOWN, urlWord, monitorWord as word } from './dump-words.js';
import { formatDuration } from './duration.js';
import { kindsOf } from './monitor-kinds.js';
import { optionsOf } from './monitor-options.js';

/** Writes monitoring down. What was read from a directory of dmonitor's is written as if it stood in the file. */
export function dumpMonitor(monitor: MonitorConfig): string {
  const parts = [dumpSection(monitor), ...monitor.alerts.map(dumpAlert)];
  let group = '';
  for (const check of monitor.checks) {
    // The checks of a group follow each other: it is one block.
    if (check.group !== group && group !== '') parts.push('}');
    if (check.group !== group && check.group !== '') parts.push(`group ${word(check.group)} {`);
    group = check.group;
    parts.push(group === '' ? dumpCheck(check) : indent(dumpCheck(check)));
  }
  if (group !== '') parts.push('}');
  return `${parts.join('\n')}\n`;
}

function dumpSection(monitor: MonitorConfig): string {
  const { intervalMs, rise, fall, downAfterMs, addresses } = DEFAULTS;
  const lines = [
    `user ${monitor.users.map(word).join(' ')}`,
    `chroot ${monitor.chroot === '' ? 'none' : word(monitor.chroot)}`,
    `nodes ${monitor.nodes.map(word).join(' ')}`,
    ...monitor.addresses.map(({ node, address }) => `address ${word(node)} ${word(address.text)}`),
    ...(monitor.key === null
      ? []
      : [`key {\n\talgorithm ${monitor.key.algorithm.toUpperCase()}\n\tsecret ${word(SECRET_SHOWN)}\n}`]),
    `flights ${monitor.flights}`,
    `plugins ${monitor.plugins}`,
    `resolve_time ${formatDuration(monitor.resolveMs)}`,
    `interval ${formatDuration(intervalMs)}`,
    `rise ${rise}`,
    `fall ${fall}`,
    `down_after ${formatDuration(downAfterMs)}`,
    `addresses ${addresses}`,
  ];
  const from = monitor.dmonitor === '' ? [] : [`# with the checks of ${printable(monitor.dmonitor)}`];
  return [...from, 'monitor {', ...lines.map(indent), '}'].join('\n');
}

function dumpAlert({ name, mail, program, webhook, syslog, gatherMs, recovery }: AlertSpec): string {
  const lines: string[] = [];
  if (mail !== null) {
    const { to, from, server, tls, user } = mail;
    lines.push(
      `mail ${to.map(word).join(' ')}`,
      `from ${word(from)}`,
      `server ${word(server)}`,
      `tls ${tls}`,
    );
    if (user !== '' || mail.password !== '') lines.push(`login ${word(user)} ${word(SECRET_SHOWN)}`);
  }
  if (program !== '') lines.push(`program ${word(program)}`);
  if (webhook !== '') lines.push(`webhook ${word(hideWebhook(webhook))}`);
  if (syslog) lines.push('syslog');
  lines.push(`gather ${formatDuration(gatherMs)}`, `recovery ${recovery ? 'yes' : 'no'}`);
  return [`alert ${word(name)} {`, ...lines.map(indent), '}'].join('\n');
}

/** Who knows the path of a webhook may use it. */
export function hideWebhook(url: string): string {
  return url.replace(/^([a-z]+:\/\/)(?:[^/?#]*@)?([^/?#]*)[/?#].+$/i, `$1$2/${SECRET_SHOWN}`);
}

const DEFAULTS = optionsOf({}, 'tcp', [], []);

function dumpCheck({ name, url, shownUrl, options }: CheckSpec): string {
  const head = `check ${word(name)} ${urlWord(shownUrl)}`;
  const lines = optionLines(options, url.kind);
  return lines.length === 0 ? head : [`${head} {`, ...lines.map(indent), '}'].join('\n');
}

/** The statements that hold for a check: how often and how long it is checked and how it is judged, and else what is not usual. */
export function statementsOf({ url, options }: CheckSpec): string[] {
  const { intervalMs, retryIntervalMs, timeoutMs, rise, fall } = options;
  const always = [
    `interval ${formatDuration(intervalMs)}`,
    `retry_interval ${formatDuration(retryIntervalMs)}`,
    `timeout ${formatDuration(timeoutMs)}`,
    `rise ${rise}`,
    `fall ${fall}`,
  ];
  return [...new Set([...always, ...optionLines(options, url.kind)])];
}

/** The lines of what differs from the defaults of a kind. */
function optionLines(options: CheckOptions, kind: CheckKind): string[] {
  const usual = optionsOf({}, kind, [], []);
  const lines: string[] = [];
  const put = (differs: boolean, name: string, value: string): void => {
    if (differs) lines.push(`${name} ${value}`);
  };
  const time = (name: string, ms: number, usualMs: number) => put(ms !== usualMs, name, formatDuration(ms));
  const number = (name: string, value: number, other: number) => put(value !== other, name, String(value));
  // What is shortened with the timeout needs no word, unless it is shorter still.
  const phase = (ms: number) => Math.min(ms, options.timeoutMs);
  time('interval', options.intervalMs, usual.intervalMs);
  time('retry_interval', options.retryIntervalMs, Math.min(usual.retryIntervalMs, options.intervalMs));
  time('timeout', options.timeoutMs, usual.timeoutMs);
  if (kindsOf('connect_timeout')?.includes(kind) === true)
    time('connect_timeout', options.connectTimeoutMs, phase(usual.connectTimeoutMs));
  if (kind !== 'exec') time('receive_timeout', options.receiveTimeoutMs, phase(usual.receiveTimeoutMs));
  number('rise', options.rise, usual.rise);
  number('fall', options.fall, usual.fall);
  time('down_after', options.downAfterMs, usual.downAfterMs);
  number('confirm', options.confirm, usual.confirm);
  if (kind !== 'exec') {
    put(options.addresses !== usual.addresses, 'addresses', options.addresses);
    put(options.source !== '', 'source', word(options.source));
  }
  put(options.alerts.length > 0, 'alerts', options.alerts.map(word).join(' '));
  put(options.depends.length > 0, 'depends', options.depends.map(word).join(' '));
  if (kind === 'http' || kind === 'https') lines.push(...httpLines(options, usual));
  if (kind === 'https' || kind === 'tls') lines.push(...tlsLines(options));
  if (kind === 'tcp' || kind === 'tls' || kind === 'udp') lines.push(...options.steps.map(stepLine));
  put(kind === 'exec' && options.warningFails, 'warning', 'fail');
  put(
    options.database !== '' && kindsOf('database')?.includes(kind) === true,
    'database',
    word(options.database),
  );
  return lines;
}

function httpLines({ http }: CheckOptions, { http: usual }: CheckOptions): string[] {
  const statuses = (list: typeof http.statuses) =>
    list.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(' ');
  return [
    ...(http.method === usual.method ? [] : [`method ${http.method}`]),
    ...(http.version === usual.version ? [] : [`version ${http.version}`]),
    ...(http.host === '' ? [] : [`host ${word(http.host)}`]),
    ...http.headers.map(([name, value]) => `header ${quoted(shownHeader(name, value))}`),
    ...(statuses(http.statuses) === statuses(usual.statuses) ? [] : [`status ${statuses(http.statuses)}`]),
    ...(http.body === null ? [] : [patternLine('body', 'match', http.body, quoted)]),
    ...(http.bodyBytesMax === usual.bodyBytesMax ? [] : [`size ${http.bodyBytesMax}`]),
    ...(http.redirects === usual.redirects ? [] : [`redirects ${http.redirects}`]),
  ];
}

function shownHeader(name: string, value: string): string {
  return `${name}: ${SECRET_HEADER.test(`${name}:`) ? SECRET_SHOWN : value}`;
}

function tlsLines({ tls }: CheckOptions): string[] {
  return [
    ...(tls.verify ? [] : ['verify no']),
    ...(tls.ca === '' ? [] : [`ca ${word(tls.ca)}`]),
    ...(tls.serverName === '' ? [] : [`servername ${word(tls.serverName)}`]),
    ...(tls.days === 0 ? [] : [`days ${tls.days}`]),
  ];
}

function stepLine(step: StepOption): string {
  if (step.send !== undefined) return `send ${bytes(step.send)}`;
  return patternLine('expect', 'expect_match', step.expect, bytes);
}

function patternLine(
  text: string,
  pattern: string,
  option: PatternOption,
  write: (text: string) => string,
): string {
  return `${option.kind === 'text' ? text : pattern} ${write(option.text)}`;
}

function indent(text: string): string {
  return text.replace(/^/gm, '\t');
}
