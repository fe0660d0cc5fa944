/**
 * The statements of hastmon.conf: their names, where each may stand, and what follows it. A table; reading the
 * values is settings.ts, what they mean together is meaning.ts.
 */

/** Kinds of section; `node` is `on` outside of a resource, `resource-node` is `on` inside one. */
export type SectionKind = 'global' | 'node' | 'resource' | 'resource-node' | 'key' | 'log';

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
  | 'path-or-block';

export interface Rule {
  name: string;
  argument: ArgumentKind;
  sections: readonly SectionKind[];
  /** True for the ancestor's own words, which are reserved everywhere and end a list of addresses. */
  ancestor: boolean;
  /** What is expected after the name, for messages. */
  expected: string;
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
  rule('control_mode', 'mode', GLOBAL, 'a file mode such as 0600'),
  rule('control_owner', 'word', GLOBAL, "a user's name or number"),
  rule('control_group', 'word', GLOBAL, "a group's name or number"),
  rule('include', 'path', EVERYWHERE, 'the path of a file'),
];

/** Every statement by its name. */
export const RULES: ReadonlyMap<string, Rule> = new Map(ALL.map((entry) => [entry.name, entry]));

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
};

/** A kind of section in words. */
export function sectionTitle(kind: SectionKind): string {
  return TITLES[kind];
}

/** The statements that may stand in a section. */
export function allowedIn(kind: SectionKind): string[] {
  return ALL.filter((entry) => entry.sections.includes(kind)).map((entry) => entry.name);
}

/** True where a token could be what follows this statement; decides whether a word in a list is a statement. */
export function couldFollow(entry: Rule, next: { kind: string; text: string }): boolean {
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
