/**
 * The statements of hastmon.conf: their names, where each may stand, and what follows it. A table, and the lookups
 * over it and over that of monitoring; reading the values is settings.ts, what they mean together is checks.ts.
 */
import { BALANCER_RULES } from './grammar-balancer.js';
import { HTTP_RULES } from './grammar-http.js';
import { MONITOR_RULES } from './grammar-monitor.js';

/** Kinds of section; `node` is `on` outside of a resource, `resource-node` is `on` inside one. */
export type SectionKind =
  | 'global'
  | 'node'
  | 'resource'
  | 'resource-node'
  | 'key'
  | 'log'
  | 'monitor'
  | 'check'
  | 'template'
  | 'group'
  | 'alert'
  | 'balancer'
  | 'http';

/** What follows a statement's name. */
export type ArgumentKind =
  | 'duration'
  | 'count'
  | 'percent'
  | 'mode'
  | 'path'
  | 'word'
  | 'secret'
  | 'addresses'
  /** `key { ... }` */
  | 'block'
  /** `on NAME { … }`, `resource NAME { … }` */
  | 'named-block'
  /** `log PATH` or `log { … }` */
  | 'path-or-block'
  /** `http ADDRESS` or `http { … }` */
  | 'address-or-block'
  /** Words up to the next statement, at least one. */
  | 'list'
  /** Nothing. */
  | 'flag'
  /** `check NAME URL`, and a block where one follows. */
  | 'check'
  /** A string. */
  | 'text'
  /** A string in which any byte can be written. */
  | 'bytes'
  /** `"Name: value"`, `USER PASSWORD` and a URL: what they hold may be secret. */
  | 'header'
  | 'login'
  /** `address NODE ADDRESS`. */
  | 'node-address'
  | 'webhook'
  /** `while primary RESOURCE`. */
  | 'condition'
  /** `failback never` and `failback after DURATION`. */
  | 'failback';

export interface Rule {
  name: string;
  argument: ArgumentKind;
  sections: readonly SectionKind[];
  /** True for the ancestor's own words, which are reserved everywhere and end a list of addresses. */
  ancestor: boolean;
  /** What is expected after the name, for messages. */
  expected: string;
  /** What a further bare word of a list looks like; another one is a statement, if only a mistyped one. */
  words?: RegExp;
}

const GLOBAL = ['global', 'node'] as const;
const RESOURCE = ['global', 'resource', 'resource-node'] as const;
const EVERYWHERE = ['global', 'node', 'resource', 'resource-node'] as const;

const DURATION = 'a duration such as 500ms, 10s or 5m';
const NUMBER = 'a whole number';

const ALL: readonly Rule[] = [
  rule('control', 'path', GLOBAL, 'the path of the control socket', true),
  rule('listen', 'addresses', GLOBAL, 'an address such as tcp4://0.0.0.0:8458', true),
  rule('timeout', 'duration', RESOURCE, DURATION, true),
  rule('attempts', 'count', EVERYWHERE, NUMBER, true),
  rule('heartbeat_interval', 'duration', EVERYWHERE, DURATION, true),
  rule('complaint_count', 'count', EVERYWHERE, NUMBER, true),
  rule('complaint_interval', 'duration', EVERYWHERE, DURATION, true),
  rule('exec', 'path', RESOURCE, 'the path of a program', true),
  rule('role_on_start', 'word', EVERYWHERE, 'init, primary, secondary or watchdog', true),
  rule('friends', 'addresses', EVERYWHERE, 'addresses such as tcp4://10.0.0.4', true),
  rule('remote', 'addresses', ['resource-node'], 'addresses such as tcp4://10.0.0.4, or none', true),
  rule('priority', 'count', ['node', 'resource-node'], NUMBER, true),
  rule('key', 'block', ['global', 'resource'], '{ algorithm NAME secret STRING }', true),
  rule('algorithm', 'word', ['key'], 'a digest such as SHA256', true),
  rule('secret', 'secret', ['key'], 'a string', true),
  rule('on', 'named-block', ['global', 'resource'], "a node's name", true),
  rule('resource', 'named-block', ['global'], "the resource's name", true),
  rule('lease_timeout', 'duration', EVERYWHERE, DURATION),
  rule('start_timeout', 'duration', EVERYWHERE, DURATION),
  rule('stop_timeout', 'duration', EVERYWHERE, DURATION),
  rule('status_timeout', 'duration', EVERYWHERE, DURATION),
  rule('status_interval', 'duration', EVERYWHERE, DURATION),
  rule('switchover_timeout', 'duration', EVERYWHERE, DURATION),
  rule('failback', 'failback', ['global', 'resource'], 'never, or after and a duration such as 10m'),
  rule('fence', 'path', EVERYWHERE, 'the path of a program, or none'),
  rule('fence_timeout', 'duration', EVERYWHERE, DURATION),
  rule('drift', 'percent', EVERYWHERE, 'a percentage such as 1%'),
  rule('state_dir', 'path', GLOBAL, 'the path of a directory'),
  rule('watchdog_device', 'path', GLOBAL, 'the path of a watchdog device, or none'),
  rule('watchdog_timeout', 'duration', GLOBAL, 'a duration in whole seconds such as 10s'),
  rule('log', 'path-or-block', GLOBAL, 'the path of a file, or { file PATH level WORD facility WORD }'),
  rule('file', 'path', ['log'], 'the path of a file'),
  rule('level', 'word', ['log'], 'error, warn, info, debug or trace'),
  rule('facility', 'word', ['log'], 'a syslog facility such as daemon or local0'),
  rule(
    'http',
    'address-or-block',
    GLOBAL,
    'an address such as 127.0.0.1:8480, none, or { listen ADDRESS … }',
  ),
  rule('control_mode', 'mode', GLOBAL, 'a file mode such as 0600'),
  rule('control_owner', 'word', GLOBAL, "a user's name or number"),
  rule('control_group', 'word', GLOBAL, "a group's name or number"),
  rule('actions', 'path', RESOURCE, 'the path of a file'),
  rule('action_checks', 'path', RESOURCE, 'the path of a file, or none'),
  rule('action_directory', 'path', RESOURCE, 'the path of a directory'),
  rule('action_timeout', 'duration', RESOURCE, DURATION),
  rule('action_interval', 'duration', RESOURCE, DURATION),
  rule('include', 'path', EVERYWHERE, 'the path of a file'),
];

/** What stands in sections whose statements are words only there. */
const OTHERS: readonly Rule[] = [...MONITOR_RULES, ...BALANCER_RULES, ...HTTP_RULES];

/** Every statement by its name, but for those of monitoring, of the balancer and of HTTP. */
export const RULES: ReadonlyMap<string, Rule> = new Map(ALL.map((entry) => [entry.name, entry]));

/** Those by section and name. */
const OWN: ReadonlyMap<SectionKind, ReadonlyMap<string, Rule>> = bySection(OTHERS);

/** Those by name; of those that have one name, the one that opens a section. */
const MONITORING: ReadonlyMap<string, Rule> = new Map(
  [...OTHERS].reverse().map((entry) => [entry.name, entry]),
);

const MONITORING_SECTIONS: ReadonlySet<SectionKind> = new Set([
  'monitor',
  'check',
  'template',
  'group',
  'alert',
  'balancer',
  'http',
]);
/** What begins one of these sections, and so cannot be inside a section where it is not allowed. */
const OPENERS: ReadonlySet<string> = new Set(['monitor', 'check', 'template', 'group', 'alert', 'balancer']);

/** True for a section of monitoring, of the balancer or of HTTP: there its own statements are reserved words. */
export function isMonitoring(kind: SectionKind): boolean {
  return MONITORING_SECTIONS.has(kind);
}

/** The statement of this name as a section knows it, allowed there or not; the words of monitoring are none outside. */
export function findRule(kind: SectionKind, name: string): Rule | undefined {
  const found = OWN.get(kind)?.get(name) ?? RULES.get(name);
  if (found !== undefined) return found;
  const known = isMonitoring(kind) || (OPENERS.has(name) && kind !== 'key' && kind !== 'log');
  return known ? MONITORING.get(name) : undefined;
}

/** True for a word that is a statement of this section of monitoring. */
export function isOwn(kind: SectionKind, name: string): boolean {
  return OWN.get(kind)?.has(name) === true;
}

/** True for a section whose statements hold what nobody may see. */
export function holdsSecrets(kind: SectionKind): boolean {
  return kind === 'key' || kind === 'http';
}

/** True for a word that begins a section somewhere else than in this one: a '}' was forgotten. */
export function opensElsewhere(kind: SectionKind, name: string): boolean {
  const opener = OPENERS.has(name) || name === 'resource' || name === 'on';
  return opener && !isOwn(kind, name) && RULES.get(name)?.sections.includes(kind) !== true;
}

/** True for a word that is quoted where it is meant as a word: in sections of monitoring, or outside of them. */
export function isReserved(name: string, inMonitoring: boolean): boolean {
  return RULES.has(name) || OPENERS.has(name) || (inMonitoring && MONITORING.has(name));
}

/** Every name of a statement, for suggestions; `kind` is where it was looked for. */
export function namesFor(kind: SectionKind): Iterable<string> {
  return isMonitoring(kind) ? [...MONITORING.keys(), ...RULES.keys()] : RULES.keys();
}

function bySection(rules: readonly Rule[]): Map<SectionKind, Map<string, Rule>> {
  const sections = new Map<SectionKind, Map<string, Rule>>();
  for (const entry of rules) {
    for (const kind of entry.sections) {
      const own = sections.get(kind) ?? new Map<string, Rule>();
      sections.set(kind, own.set(entry.name, entry));
    }
  }
  return sections;
}

/** Statements that somebody may know from elsewhere, with what to write instead. */
export const HINTS: ReadonlyMap<string, string> = new Map([
  ['port', 'the port is part of the address: listen tcp4://0.0.0.0:8458'],
  ['rc', 'the program is named by exec'],
  ['host', 'a node is named by on'],
  ['node', 'a node is named by on'],
]);

const TITLES: Readonly<Record<SectionKind, string>> = {
  global: 'the global section',
  node: "a global 'on' section",
  resource: "a 'resource' section",
  'resource-node': "an 'on' section of a resource",
  key: "a 'key' section",
  log: "a 'log' section",
  monitor: "a 'monitor' section",
  check: "a 'check' section",
  template: "a 'template' section",
  group: "a 'group' section",
  alert: "an 'alert' section",
  balancer: "the 'balancer' section",
  http: "an 'http' section",
};

/** A kind of section in words. */
export function sectionTitle(kind: SectionKind): string {
  return TITLES[kind];
}

/** The statements that may stand in a section. */
export function allowedIn(kind: SectionKind): string[] {
  return [...ALL, ...OTHERS].filter((entry) => entry.sections.includes(kind)).map((entry) => entry.name);
}

/**
 * True where a token, and the one after it, could be what follows this statement; decides whether a word in a list
 * is a statement.
 */
export function couldFollow(
  entry: Rule,
  next: { kind: string; text: string },
  afterNext: { kind: string; text: string },
): boolean {
  const pathLike = next.kind === 'string' || (next.kind === 'word' && next.text.startsWith('/'));
  switch (entry.argument) {
    case 'duration':
    case 'count':
    case 'percent':
    case 'mode':
      return next.kind === 'word' && /^[0-9]/.test(next.text);
    case 'path':
      return pathLike;
    case 'path-or-block':
      return pathLike || next.kind === 'open';
    case 'address-or-block':
      return next.kind === 'open' || (next.kind === 'word' && /[0-9\]]:[0-9]+$/.test(next.text));
    case 'block':
      return next.kind === 'open';
    case 'named-block':
      return afterNext.kind === 'open';
    case 'failback':
      return next.text === 'never' || next.text === 'after';
    case 'check':
      return afterNext.text.includes(':');
    default:
      return false;
  }
}

function rule(
  name: string,
  argument: ArgumentKind,
  sections: readonly SectionKind[],
  expected: string,
  ancestor = false,
): Rule {
  return { name, argument, sections, ancestor, expected };
}
