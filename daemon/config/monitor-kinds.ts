/**
 * What each kind of check has: its options, and what its URL says beyond the notation. It knows one check at a time.
 */
import { CHECK_KINDS, type CheckKind, type CheckUrl } from '../checks/url.js';
import type { MonitorValues } from './monitor-settings.js';
import { patternProblem } from './monitor-values.js';

const HTTP: readonly CheckKind[] = ['http', 'https'];
const TLS: readonly CheckKind[] = ['https', 'tls'];
const STEPS: readonly CheckKind[] = ['tcp', 'tls', 'udp'];
const DATABASE: readonly CheckKind[] = ['postgres', 'mysql'];
/** A plugin connects to what it likes. */
const NETWORK = CHECK_KINDS.filter((kind) => kind !== 'exec');
const CONNECTED = NETWORK.filter((kind) => !['ping', 'udp', 'dns'].includes(kind));

/** The options that only some kinds have. */
const KINDS_OF: Partial<Record<keyof MonitorValues, readonly CheckKind[]>> = {
  addresses: NETWORK,
  source: NETWORK,
  receive_timeout: NETWORK,
  connect_timeout: CONNECTED,
  method: HTTP,
  version: HTTP,
  host: HTTP,
  header: HTTP,
  status: HTTP,
  body: HTTP,
  size: HTTP,
  redirects: HTTP,
  verify: TLS,
  ca: TLS,
  servername: TLS,
  days: TLS,
  steps: STEPS,
  warning: ['exec'],
  database: DATABASE,
};

/** The kinds that have an option; null for one that all have. */
export function kindsOf(option: keyof MonitorValues): readonly CheckKind[] | null {
  return KINDS_OF[option] ?? null;
}

/** What of a URL is wrong for its kind. `at`: where in the text. */
export interface UrlProblem {
  severity: 'error' | 'warning';
  message: string;
  help: string;
  at: number;
}

/** The types that a DNS check can ask for. */
export const DNS_TYPE_NAMES: readonly string[] = [
  'A',
  'NS',
  'CNAME',
  'SOA',
  'PTR',
  'MX',
  'TXT',
  'AAAA',
  'SRV',
];

const PARAMETERS: Partial<Record<CheckKind, readonly string[]>> = { dns: ['type', 'expect'], exec: ['arg'] };
const WITH_PASSWORD: ReadonlySet<CheckKind> = new Set(['http', 'https', 'redis']);
const WITH_USER: ReadonlySet<CheckKind> = new Set(['http', 'https', 'postgres', 'mysql']);

/** Looks at a URL that is one by its notation. `text` is the URL itself. */
export function urlProblems(url: CheckUrl, text: string): UrlProblem[] {
  return [...userProblems(url, text), ...parameterProblems(url, text), ...pathProblems(url, text)];
}

function userProblems({ kind, user, password }: CheckUrl, text: string): UrlProblem[] {
  const at = text.indexOf('//') + 2;
  if (user !== '' && !WITH_USER.has(kind)) {
    const help = kind === 'redis' ? 'a password alone: redis://:PASSWORD@HOST' : '';
    return [{ severity: 'error', message: `a ${kind} check has no user`, help, at }];
  }
  if (password === '' || WITH_PASSWORD.has(kind)) return [];
  if (!WITH_USER.has(kind))
    return [{ severity: 'error', message: `a ${kind} check has no password`, help: '', at }];
  const message = 'the password is not used: no login is made';
  return [
    { severity: 'warning', message, help: 'the answer to a user alone shows that the server works', at },
  ];
}

function parameterProblems({ kind, parameters }: CheckUrl, text: string): UrlProblem[] {
  const known = PARAMETERS[kind] ?? [];
  const at = text.indexOf('?') + 1;
  const problems: UrlProblem[] = [];
  const seen = new Set<string>();
  for (const [name, value] of parameters) {
    const help = known.length === 0 ? `${kind} has no parameters` : `known: ${known.join(', ')}`;
    if (!known.includes(name))
      problems.push({ severity: 'error', message: `unknown parameter '${name}'`, help, at });
    else if (kind === 'dns' && seen.has(name))
      problems.push({ severity: 'error', message: `'${name}' is there twice`, help: '', at });
    else if (kind === 'dns' && name === 'type' && !DNS_TYPE_NAMES.includes(value.toUpperCase()))
      problems.push({
        severity: 'error',
        message: `unknown type '${value}'`,
        help: `known: ${DNS_TYPE_NAMES.join(' ')}`,
        at,
      });
    seen.add(name);
  }
  return problems;
}

function pathProblems({ kind, path }: CheckUrl, text: string): UrlProblem[] {
  const at = pathAt(text);
  if (kind === 'banner') {
    if (path === '' || path === '/') {
      const message = 'the banner that is expected is missing';
      return [{ severity: 'error', message, help: 'such as banner://host:22/SSH-2.0', at }];
    }
    const pattern = /^\/\/(.+)\/$/.exec(path)?.[1];
    const problem = pattern === undefined ? '' : patternProblem(pattern, 'm');
    if (problem === '') return [];
    return [{ severity: 'error', message: `no regular expression: ${problem}`, help: '', at }];
  }
  if (kind === 'dns') {
    const labels = path.slice(1).replace(/\.$/, '').split('.');
    if (path.length > 1 && path.length < 256 && labels.every((label) => label !== '' && label.length < 64))
      return [];
    const message = path.length > 1 ? 'this is no domain name' : 'the name to ask for is missing';
    return [{ severity: 'error', message, help: 'such as dns://10.0.0.53/www.example.com?type=AAAA', at }];
  }
  if (kind !== 'exec' || path !== '/') return [];
  return [{ severity: 'error', message: 'a plugin is a program, not a directory', help: '', at: 5 }];
}

function pathAt(text: string): number {
  const start = text.indexOf('//') + 2;
  const path = text.slice(start).search(/[/?]/);
  return path < 0 ? text.length : start + path;
}
