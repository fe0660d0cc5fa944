/**
 * The options of one check: the innermost setting counts, in the order `monitor`, the group's templates, the group,
 * the check's templates, the check itself; then the defaults. And what of them does not fit together.
 */
import type { CheckOptions, HttpOptions, StepOption, TlsOptions } from '../checks/spec.js';
import type { CheckKind } from '../checks/url.js';
import { quote, type Reporter } from './diagnostic.js';
import { formatDuration } from './duration.js';
import {
  DEFAULT_BODY_BYTES,
  DEFAULT_FALL,
  DEFAULT_INTERVAL_MS,
  DEFAULT_METHOD,
  DEFAULT_PHASE_TIMEOUT_MS,
  DEFAULT_PLUGIN_TIMEOUT_MS,
  DEFAULT_RETRY_MS,
  DEFAULT_RISE,
  DEFAULT_STATUSES,
  DEFAULT_TIMEOUT_MS,
} from './monitor-defaults.js';
import { kindsOf } from './monitor-kinds.js';
import type { NamedScope } from './monitor-model.js';
import type { MonitorScope, MonitorSetting, MonitorSettings, MonitorValues } from './monitor-settings.js';
import type { Word } from './tree.js';

/** One of the sections that make up a check, from the outermost to the innermost. */
export interface Layer {
  settings: MonitorSettings;
  /** Where a template is named; null for a section that is not one. */
  template: Word | null;
  /** True where an option that the kind of check does not have is a mistake, and not a default for other checks. */
  exact: boolean;
}

/** A setting and how far inside it stands. */
interface Found<T> extends MonitorSetting<T> {
  depth: number;
}

/** The innermost setting of each name. */
export type Effective = { [Name in keyof MonitorValues]?: Found<MonitorValues[Name]> };

export interface Layers {
  layers: readonly Layer[];
  effective: Effective;
}

/** The layers of a check; `templates` finds one by its word, reporting where there is none. */
export function layersOf(
  defaults: MonitorScope,
  group: NamedScope | null,
  check: MonitorScope,
  templates: (word: Word) => MonitorScope | null,
): Layers {
  const layers: Layer[] = [{ settings: defaults.settings, template: null, exact: false }];
  for (const scope of [group, check]) {
    if (scope === null) continue;
    for (const word of scope.settings.template?.value ?? []) {
      const template = templates(word);
      if (template !== null) layers.push({ settings: template.settings, template: word, exact: true });
    }
    layers.push({ settings: scope.settings, template: null, exact: scope === check });
  }
  const effective: Record<string, Found<unknown>> = {};
  for (const [depth, { settings }] of layers.entries()) {
    for (const [key, { value, name, place }] of Object.entries(settings))
      effective[key] = { value, name, place, depth };
  }
  return { layers, effective: effective as Effective };
}

/** The options of a check of this kind; `alerts` and `depends` are names that somebody else has looked up. */
export function optionsOf(
  effective: Effective,
  kind: CheckKind,
  alerts: readonly string[],
  depends: readonly string[],
): CheckOptions {
  const get = <Name extends keyof MonitorValues>(name: Name) => effective[name]?.value;
  const intervalMs = get('interval') ?? DEFAULT_INTERVAL_MS;
  const timeoutMs = timeoutOf(effective, kind);
  return {
    intervalMs,
    retryIntervalMs: retryOf(effective, intervalMs),
    timeoutMs,
    // A default of many checks may be longer than what one of them has in all.
    connectTimeoutMs: Math.min(get('connect_timeout') ?? DEFAULT_PHASE_TIMEOUT_MS, timeoutMs),
    receiveTimeoutMs: Math.min(get('receive_timeout') ?? DEFAULT_PHASE_TIMEOUT_MS, timeoutMs),
    rise: get('rise') ?? DEFAULT_RISE,
    fall: get('fall') ?? DEFAULT_FALL,
    downAfterMs: get('down_after') ?? 0,
    addresses: get('addresses') ?? 'first',
    source: get('source') ?? '',
    confirm: get('confirm') ?? 0,
    alerts,
    depends,
    http: HTTP_NAMES.some((name) => effective[name] !== undefined) ? httpOf(effective) : USUAL_HTTP,
    tls: TLS_NAMES.some((name) => effective[name] !== undefined) ? tlsOf(effective) : USUAL_TLS,
    steps: get('steps') ?? [],
    warningFails: get('warning') === 'fail',
    database: get('database') ?? '',
  };
}

/** A check that is made more often than others is so while it fails too, unless it says otherwise itself. */
function retryOf(effective: Effective, intervalMs: number): number {
  const retry = effective.retry_interval;
  const depth = effective.interval?.depth ?? -1;
  if (retry !== undefined && retry.depth >= depth) return retry.value;
  return Math.min(retry?.value ?? DEFAULT_RETRY_MS, intervalMs);
}

function timeoutOf(effective: Effective, kind: CheckKind): number {
  const usual = kind === 'exec' ? DEFAULT_PLUGIN_TIMEOUT_MS : DEFAULT_TIMEOUT_MS;
  return effective.timeout?.value ?? usual;
}

/** Most checks say nothing of HTTP or TLS: what they have in common is there once. */
const HTTP_NAMES = ['method', 'version', 'host', 'header', 'status', 'body', 'size', 'redirects'] as const;
const TLS_NAMES = ['verify', 'ca', 'servername', 'days'] as const;
/** How the certificates of other servers are checked; the name that they have to be for is in the redirect. */
const AFTER_REDIRECTS: ReadonlySet<string> = new Set(['verify', 'ca', 'days']);
const USUAL_HTTP = httpOf({});
const USUAL_TLS = tlsOf({});

function httpOf(effective: Effective): HttpOptions {
  const get = <Name extends keyof MonitorValues>(name: Name) => effective[name]?.value;
  return {
    method: get('method') ?? DEFAULT_METHOD,
    version: get('version') ?? '1.1',
    host: get('host') ?? '',
    headers: get('header') ?? [],
    statuses: get('status') ?? DEFAULT_STATUSES,
    body: get('body') ?? null,
    bodyBytesMax: get('size') ?? DEFAULT_BODY_BYTES,
    redirects: get('redirects') ?? 0,
  };
}

function tlsOf(effective: Effective): TlsOptions {
  const get = <Name extends keyof MonitorValues>(name: Name) => effective[name]?.value;
  return {
    verify: get('verify') ?? true,
    ca: get('ca') ?? '',
    serverName: get('servername') ?? '',
    days: get('days') ?? 0,
  };
}

/** Reports options that the kind of check does not have, and options that contradict each other. */
export function checkOptions(
  { layers, effective }: Layers,
  kind: CheckKind,
  place: Word,
  reporter: Reporter,
): void {
  const leads = (effective.redirects?.value ?? 0) > 0;
  for (const layer of layers) if (layer.exact) checkKinds(layer, kind, leads, reporter);
  checkTimes(effective, kind, reporter);
  checkHttp(effective, reporter);
  checkSteps(effective.steps, kind, place, reporter);
  const verify = effective.verify;
  const ca = effective.ca;
  if (verify?.value === false && ca !== undefined && ca.depth >= verify.depth)
    reporter.warning(ca.name, "'ca' means nothing with 'verify no'");
}

/** `leads`: it follows redirects, which may lead to TLS. */
function checkKinds(
  { settings, template }: Layer,
  kind: CheckKind,
  leads: boolean,
  reporter: Reporter,
): void {
  for (const [key, setting] of Object.entries(settings)) {
    const kinds = kindsOf(key as keyof MonitorValues);
    if (kinds === null || kinds.includes(kind)) continue;
    if (kind === 'http' && leads && AFTER_REDIRECTS.has(key)) continue;
    const { name } = setting;
    const help = `for ${kinds.join(', ')}`;
    if (template === null) reporter.error(name, `${quote(name.text)} is not for ${kind} checks`, help);
    else
      reporter.error(
        template,
        `template ${quote(template.text)} has ${quote(name.text)}, which is not for ${kind} checks`,
        help,
      );
  }
}

function checkTimes(effective: Effective, kind: CheckKind, reporter: Reporter): void {
  const timeout = timeoutOf(effective, kind);
  const depth = effective.timeout?.depth ?? -1;
  for (const name of ['connect_timeout', 'receive_timeout'] as const) {
    const setting = effective[name];
    if (setting === undefined || setting.value <= timeout || setting.depth < depth) continue;
    const message = `${quote(name)} is longer than the timeout of the whole check, ${formatDuration(timeout)}`;
    reporter.error(setting.place, message, 'timeout is the limit of everything together');
  }
  const interval = effective.interval?.value ?? DEFAULT_INTERVAL_MS;
  const downAfter = effective.down_after;
  if (downAfter !== undefined && downAfter.value > 0 && downAfter.value < interval) {
    const message = `'down_after' is shorter than the interval, ${formatDuration(interval)}`;
    reporter.error(downAfter.place, message, 'between two successes it would already have passed');
  }
  const retry = effective.retry_interval;
  if (retry !== undefined && retryOf(effective, interval) > interval) {
    const message = `'retry_interval' is longer than the interval, ${formatDuration(interval)}`;
    reporter.warning(retry.place, message, 'what fails is then looked at less often than what works');
  }
}

function checkHttp(effective: Effective, reporter: Reporter): void {
  const method = effective.method;
  const body = effective.body;
  if (method?.value !== 'HEAD' || body === undefined) return;
  const last = body.depth > method.depth ? body : method;
  reporter.error(last.name, `${quote(body.name.text)} with the method HEAD`, 'its answers have no body');
}

/** `place` is the check's URL. */
function checkSteps(
  steps: MonitorSetting<StepOption[]> | undefined,
  kind: CheckKind,
  place: Word,
  reporter: Reporter,
): void {
  if (kind !== 'udp') return;
  const help = 'udp has no connections: only an answer shows that somebody is there';
  const [first] = steps?.value ?? [];
  if (steps === undefined || first === undefined)
    reporter.error(place, "udp needs 'send' and 'expect'", help);
  else if (first.send === undefined) reporter.error(steps.name, "udp begins with 'send'", help);
  else if (steps.value.every(({ send }) => send !== undefined))
    reporter.error(steps.name, "udp needs 'expect' after 'send'", help);
}
