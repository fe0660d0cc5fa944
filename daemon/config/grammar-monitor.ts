/**
 * The statements of monitoring: their names, where each may stand, and what follows it. A table; the lookups over it
 * and over the trunk's table are in grammar.ts. Unlike there, a name may mean different things in different sections.
 */
import type { Rule, SectionKind } from './grammar.js';

const DURATION = 'a duration such as 500ms, 10s or 5m';
const NUMBER = 'a whole number';
const YES_NO = 'yes or no';
const NAMES = 'names of checks';
const TEXT = 'a quoted text';
const PATTERN = 'a quoted regular expression';

/** What every kind of check has; elsewhere the defaults of the checks inside. */
const TIMED = ['monitor', 'group', 'template', 'check'] as const;
/** What some kinds of check have. */
const OPTION = ['template', 'check'] as const;
const MONITOR = ['monitor'] as const;
const ALERT = ['alert'] as const;
/** Where checks, templates, groups and alerts may be defined. */
const TOP = ['global', 'monitor'] as const;

/** Statements of one name stand in different sections, so that a section and a name give one rule at most. */
export const MONITOR_RULES: readonly Rule[] = [
  rule('monitor', 'block', ['global'], '{ … }'),
  rule('check', 'check', [...TOP, 'group'], 'a name and a URL such as http://www.example.com/'),
  rule('template', 'named-block', TOP, "the template's name"),
  rule('group', 'named-block', TOP, "the group's name"),
  rule('alert', 'named-block', TOP, "the alert's name"),
  rule('include', 'path', ['monitor', 'group'], 'the path of a file'),

  rule('check', 'list', ['resource'], NAMES),
  rule('require', 'list', ['resource'], NAMES),

  rule('user', 'list', MONITOR, 'names of users, of which the first that exists counts'),
  rule('chroot', 'path', MONITOR, 'the path of a directory, or none'),
  rule('nodes', 'list', MONITOR, 'names of nodes'),
  rule('address', 'node-address', MONITOR, 'a node and its address such as tcp4://10.0.0.4'),
  rule('key', 'block', MONITOR, '{ algorithm NAME secret STRING }'),
  rule('flights', 'count', MONITOR, NUMBER),
  rule('plugins', 'count', MONITOR, NUMBER),
  rule('resolve_time', 'duration', MONITOR, DURATION),
  rule('dmonitor', 'path', MONITOR, 'the path of a directory'),

  rule('interval', 'duration', TIMED, DURATION),
  rule('retry_interval', 'duration', TIMED, DURATION),
  rule('timeout', 'duration', TIMED, DURATION),
  rule('connect_timeout', 'duration', TIMED, DURATION),
  rule('receive_timeout', 'duration', TIMED, DURATION),
  rule('rise', 'count', TIMED, NUMBER),
  rule('fall', 'count', TIMED, NUMBER),
  rule('down_after', 'duration', TIMED, DURATION),
  rule('confirm', 'count', TIMED, NUMBER),
  rule('addresses', 'word', TIMED, 'first, any or all'),
  rule('source', 'word', TIMED, 'a numeric address'),
  rule('alerts', 'list', TIMED, 'names of alerts, or all'),
  rule('depends', 'list', TIMED, `${NAMES}, or none`),
  rule('template', 'list', ['group', 'check'], 'names of templates'),
  rule('hosts', 'list', ['check'], "hosts' names or addresses, for %h in the URL"),

  rule('method', 'word', OPTION, 'a method such as GET or HEAD'),
  rule('version', 'word', OPTION, '1.0 or 1.1'),
  rule('host', 'word', OPTION, 'a host, or host:port'),
  rule('header', 'header', OPTION, '"Name: value"'),
  rule('status', 'list', OPTION, 'statuses such as 200 or 200-299', /^[0-9]/),
  rule('body', 'text', OPTION, TEXT),
  rule('match', 'text', OPTION, PATTERN),
  rule('size', 'word', OPTION, 'a number of bytes such as 500, 64KB or 1MB'),
  rule('redirects', 'count', OPTION, NUMBER),
  rule('verify', 'word', OPTION, YES_NO),
  rule('ca', 'path', OPTION, 'the path of a file of certificates'),
  rule('servername', 'word', OPTION, "a host's name"),
  rule('days', 'count', OPTION, NUMBER),
  rule('send', 'bytes', OPTION, TEXT),
  rule('expect', 'bytes', OPTION, TEXT),
  rule('expect_match', 'bytes', OPTION, PATTERN),
  rule('warning', 'word', OPTION, 'ok or fail'),
  rule('database', 'word', OPTION, "a database's name"),

  rule('mail', 'list', ALERT, 'e-mail addresses', /@/),
  rule('from', 'word', ALERT, 'an e-mail address'),
  rule('server', 'word', ALERT, 'a mail server, host or host:port'),
  rule('tls', 'word', ALERT, 'none, starttls or tls'),
  rule('login', 'login', ALERT, 'a user and a password'),
  rule('program', 'path', ALERT, 'the path of a program'),
  rule('webhook', 'webhook', ALERT, 'a URL such as "https://chat.example.com/hook"'),
  rule('syslog', 'flag', ALERT, 'nothing after it'),
  rule('gather', 'duration', ALERT, DURATION),
  rule('recovery', 'word', ALERT, YES_NO),
];

function rule(
  name: string,
  argument: Rule['argument'],
  sections: readonly SectionKind[],
  expected: string,
  words?: RegExp,
): Rule {
  return { name, argument, sections, ancestor: false, expected, ...(words === undefined ? {} : { words }) };
}
