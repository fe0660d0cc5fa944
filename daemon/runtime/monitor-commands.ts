/** Carries out what hastmonctl asks about monitoring: finds the checks, asks those who know, words the answer. */
import type { ControlReply } from '../../proto/control-types.js';
import type { CheckEntry, ChecksPage, MonitorRequest } from '../../proto/monitor-types.js';
import type { CheckSpec, MonitorConfig } from '../checks/spec.js';
import { parseOneCheck } from '../config/one-check.js';
import { nearest } from '../config/suggest.js';
import type { Config } from '../config/types.js';
import type { ConfirmState, Instant } from '../confirm/types.js';
import { lengthOf, listOf } from '../confirm/words.js';
import { messageOf } from '../sys/errors.js';
import { type CheckFacts, detailOf, entryOf, probeOf } from './check-status.js';
import type { MonitorHost, NamedView } from './monitor-host.js';

export interface MonitorCommandOptions {
  config: () => Config;
  monitor: MonitorHost;
  /** null where nothing is confirmed. */
  confirm: () => ConfirmState | null;
  /** '' or why not. */
  ack: (check: string, by: string) => string;
  mute: (check: string, forMs: number) => string;
  /** Rejects where it cannot be tried. */
  testAlert: (alert: string) => Promise<{ ok: boolean; lines: readonly string[] }>;
  now: () => Instant;
}

export type MonitorHandler = (request: MonitorRequest) => Promise<Partial<ControlReply>>;

const EX_USAGE = 64;
const EX_NOHOST = 68;
const EX_UNAVAILABLE = 69;
const EX_TEMPFAIL = 75;

/** A page holds so many checks, and so many characters: a frame holds a megabyte. */
const PAGE_CHECKS = 2000;
const PAGE_CHARACTERS = 150_000;
/** More names are not compared with a wrong one. */
const COMPARED_MAX = 2000;
const NAMED_MAX = 20;

export function createMonitorCommands(options: MonitorCommandOptions): MonitorHandler {
  return async (request) => {
    switch (request.kind) {
      case 'checks':
        return checks(options, request);
      case 'check':
        return detail(options, request.name);
      case 'run-check':
        return runCheck(options, request.target, request.options);
      case 'ack':
        return onEach(options, request.names, (name) => ({
          problem: options.ack(name, request.by),
          text: `acknowledged by ${request.by}`,
        }));
      case 'mute':
        return onEach(options, request.names, (name) => ({
          problem: options.mute(name, request.forMs),
          text: request.forMs === 0 ? 'not muted any more' : `muted for ${lengthOf(request.forMs)}`,
        }));
      case 'test-alert':
        return testAlert(options, request.name);
      default:
        return request satisfies never;
    }
  };
}

type ChecksRequest = Extract<MonitorRequest, { kind: 'checks' }>;

async function checks(
  options: MonitorCommandOptions,
  request: ChecksRequest,
): Promise<Partial<ControlReply>> {
  const { monitor: host } = options;
  const { monitor, node } = options.config();
  const beat = host.beat();
  const page: ChecksPage = {
    ...{ entries: [], up: 0, down: 0, unknown: 0, next: 0, note: '' },
    lateMs: beat === null ? null : beat.worst,
    skipped: beat?.skipped ?? 0,
  };
  if (monitor === null || monitor.checks.length === 0) page.note = `node ${node} has no checks`;
  else if (!monitor.active) page.note = `node ${node} does not monitor: ${listOf(monitor.nodes)} do`;
  if (monitor === null || page.note !== '') return { monitor: { kind: 'checks', ...page } };
  const chosen = choose(monitor, request);
  if (typeof chosen === 'string') return refusal(EX_NOHOST, chosen);
  const { end, specs } = cutPage(chosen, request.from);
  const views = await look(host, specs, page);
  const now = options.now();
  const confirm = options.confirm();
  for (const spec of specs) {
    const view = views.get(spec.name) ?? null;
    const entry = entryOf({ ...{ spec, monitor, node, confirm, now }, view });
    page[entry.state] += 1;
    if (!request.down || entry.state === 'down' || entry.outage) page.entries.push(entry);
  }
  page.next = end < chosen.length ? end : 0;
  return { monitor: { kind: 'checks', ...page } };
}

/** The checks that are meant, in the order of the file; or why there are none. */
function choose(monitor: MonitorConfig, request: ChecksRequest): readonly CheckSpec[] | string {
  const { host, group, patterns } = request;
  let chosen: readonly CheckSpec[] = monitor.checks;
  if (group !== '') {
    chosen = chosen.filter((spec) => spec.group === group);
    if (chosen.length === 0)
      return unknown('group', group, [...new Set(monitor.checks.map((spec) => spec.group))]);
  }
  if (host !== '') {
    const isHost = matcher(host.toLowerCase());
    const hostsOf = (spec: CheckSpec): string[] => [spec.url.host, spec.name.replace(/^[^@]*@?/, '')];
    const before = chosen;
    chosen = chosen.filter((spec) => hostsOf(spec).some((name) => isHost(name.toLowerCase())));
    if (chosen.length === 0) return unknown('check of host', host, [...new Set(before.flatMap(hostsOf))]);
  }
  if (patterns.length === 0) return chosen;
  const wanted = new Set<CheckSpec>();
  for (const pattern of patterns) {
    const found = named(chosen, pattern);
    if (found.length === 0) return unknownCheck(pattern, chosen);
    for (const spec of found) wanted.add(spec);
  }
  return chosen.filter((spec) => wanted.has(spec));
}

/** The checks of this name, of the block of this name for several hosts, or of this pattern. */
export function named(specs: readonly CheckSpec[], pattern: string): CheckSpec[] {
  const exact = specs.filter(({ name }) => name === pattern);
  if (exact.length > 0) return exact;
  const isMeant = matcher(pattern);
  return specs.filter(({ name }) => name.startsWith(`${pattern}@`) || isMeant(name));
}

/** `*` stands for anything, `?` for a character. */
function matcher(pattern: string): (name: string) => boolean {
  return /[*?]/.test(pattern) ? (name) => matches(pattern, name) : (name) => name === pattern;
}

/** In a time that names and patterns of any kind cannot make long: of several stars only the last one is ever tried again. */
function matches(pattern: string, name: string): boolean {
  let [at, from] = [0, 0];
  let [star, resume] = [-1, 0];
  while (from < name.length) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at;
      resume = from;
      at += 1;
    } else if (wanted === '?' || wanted === name[from]) {
      at += 1;
      from += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      from = resume;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}

function cutPage(chosen: readonly CheckSpec[], from: number): { specs: CheckSpec[]; end: number } {
  const specs: CheckSpec[] = [];
  let characters = 0;
  let end = from;
  for (; end < chosen.length && specs.length < PAGE_CHECKS && characters < PAGE_CHARACTERS; end += 1) {
    const spec = chosen[end];
    if (spec === undefined) break;
    characters += spec.name.length + spec.shownUrl.length + spec.group.length;
    specs.push(spec);
  }
  return { specs, end };
}

async function look(
  host: MonitorHost,
  specs: readonly CheckSpec[],
  page: ChecksPage,
): Promise<Map<string, NamedView>> {
  try {
    const views = await host.look(specs.map(({ name }) => name));
    return new Map(views.map((view) => [view.name, view]));
  } catch (error) {
    page.note = messageOf(error);
    return new Map();
  }
}

async function detail(options: MonitorCommandOptions, name: string): Promise<Partial<ControlReply>> {
  const { monitor: host } = options;
  const { monitor, node } = options.config();
  const all = monitor?.checks ?? [];
  const spec = all.find((candidate) => candidate.name === name);
  if (monitor === null || spec === undefined) return refusal(EX_NOHOST, unknownCheck(name, all));
  if (!monitor.active)
    return refusal(EX_UNAVAILABLE, `node ${node} does not monitor: ${listOf(monitor.nodes)} do`);
  const names = [name, ...spec.options.depends];
  const views = new Map<string, NamedView>();
  let results: Awaited<ReturnType<MonitorHost['history']>> = [];
  try {
    for (const view of await host.look(names)) views.set(view.name, view);
    results = await host.history(name);
  } catch {
    // What the nodes have agreed upon is worth showing without it; the view says that nothing is known.
  }
  const facts: CheckFacts = {
    ...{ spec, monitor, node, confirm: options.confirm(), now: options.now() },
    view: views.get(name) ?? null,
  };
  const depends = spec.options.depends.map((other) => ({
    name: other,
    state: views.get(other)?.state ?? ('unknown' as const),
  }));
  return { monitor: { kind: 'check', ...detailOf(facts, depends, results) } };
}

async function runCheck(
  options: MonitorCommandOptions,
  target: string,
  statements: readonly string[],
): Promise<Partial<ControlReply>> {
  const { monitor } = options.config();
  const all = monitor?.checks ?? [];
  const spec = all.find(({ name }) => name === target);
  if (spec !== undefined && statements.length > 0)
    return refusal(EX_USAGE, `${target} is a check of the configuration: options are for a URL`);
  if (spec !== undefined && monitor?.active) return probe(options, spec, target);
  if (spec !== undefined) return probe(options, spec, '');
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(target)) return refusal(EX_NOHOST, unknownCheck(target, all));
  const parsed = parseOneCheck(target, statements);
  return parsed.ok ? probe(options, parsed.spec, '') : refusal(EX_USAGE, parsed.problem);
}

/** `name` is '' for what the monitor process does not have. */
async function probe(
  { monitor }: MonitorCommandOptions,
  spec: CheckSpec,
  name: string,
): Promise<Partial<ControlReply>> {
  try {
    const view = await monitor.probe(name === '' ? spec : name);
    return { monitor: { kind: 'probe', ...probeOf(spec, name, view) } };
  } catch (error) {
    return refusal(EX_UNAVAILABLE, `${spec.shownUrl} was not run: ${messageOf(error)}`);
  }
}

function onEach(
  options: MonitorCommandOptions,
  names: readonly string[],
  act: (name: string) => { problem: string; text: string },
): Partial<ControlReply> {
  const { monitor, node } = options.config();
  const all = monitor?.checks ?? [];
  const meant: string[] = [];
  for (const name of names) {
    const found = named(all, name);
    if (found.length === 0) return refusal(EX_NOHOST, unknownCheck(name, all));
    meant.push(...found.map((spec) => spec.name));
  }
  if (monitor?.active === false)
    return refusal(EX_UNAVAILABLE, `node ${node} does not monitor: ${listOf(monitor.nodes)} do`);
  const failures: string[] = [];
  let text = '';
  for (const name of new Set(meant)) {
    const outcome = act(name);
    if (outcome.problem === '') text += `${name}: ${outcome.text}\n`;
    else failures.push(`${name}: ${outcome.problem}`);
  }
  return failures.length === 0
    ? { text }
    : { text, error: { code: EX_TEMPFAIL, message: failures.join('\n') } };
}

async function testAlert(options: MonitorCommandOptions, name: string): Promise<Partial<ControlReply>> {
  const alerts = (options.config().monitor?.alerts ?? []).map((alert) => alert.name);
  if (!alerts.includes(name)) return refusal(EX_NOHOST, unknown('alert', name, alerts));
  try {
    const { ok, lines } = await options.testAlert(name);
    return { monitor: { kind: 'test', alert: name, ok, lines: [...lines] } };
  } catch (error) {
    return refusal(EX_UNAVAILABLE, messageOf(error));
  }
}

function refusal(code: number, message: string): Partial<ControlReply> {
  return { error: { code, message } };
}

function unknownCheck(name: string, specs: readonly Pick<CheckEntry, 'name'>[]): string {
  const blocks = specs.flatMap((spec) => (spec.name.includes('@') ? [spec.name.replace(/@.*$/s, '')] : []));
  return unknown('check', name, [...new Set([...specs.map((spec) => spec.name), ...blocks])]);
}

/** That there is no such thing, and what was probably meant. */
function unknown(what: string, name: string, all: readonly string[]): string {
  const names = all.filter((other) => other !== '');
  const closest = names.length > COMPARED_MAX ? '' : nearest(name, names);
  const known =
    names.length > NAMED_MAX ? '' : names.length === 0 ? 'there is none' : `there are: ${names.join(', ')}`;
  const help = closest !== '' ? `did you mean '${closest}'?` : known;
  return `there is no ${what} '${name}'${help === '' ? '' : `; ${help}`}`;
}
