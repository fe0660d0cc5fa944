/**
 * The one notation for a check: a URL. Parsing only, with a message a person can act on; what a check does with it is decided
 * elsewhere.
 */

export const CHECK_KINDS = [
  'tcp',
  'tls',
  'http',
  'https',
  'banner',
  'smtp',
  'imap',
  'pop3',
  'ftp',
  'ssh',
  'redis',
  'postgres',
  'mysql',
  'dns',
  'ping',
  'udp',
  'exec',
] as const;
export type CheckKind = (typeof CHECK_KINDS)[number];

/** Ports that go without saying (IANA); what is not here has to say its port. */
const PORTS: Partial<Record<CheckKind, number>> = {
  http: 80,
  https: 443,
  smtp: 25,
  imap: 143,
  pop3: 110,
  ftp: 21,
  ssh: 22,
  redis: 6379,
  postgres: 5432,
  mysql: 3306,
  dns: 53,
};
const WITHOUT_PORT: ReadonlySet<CheckKind> = new Set(['ping', 'exec']);
const WITH_PATH: ReadonlySet<CheckKind> = new Set(['http', 'https', 'banner', 'dns', 'exec']);

export interface CheckUrl {
  kind: CheckKind;
  /** A name, or a numeric address without brackets; '' for exec. */
  host: string;
  /** 0 for kinds that have none. */
  port: number;
  /** True where the URL says the port and it is not the kind's own. */
  portGiven: boolean;
  /** As it stands, with the leading slash; '' where there is none. */
  path: string;
  /** Names and values, decoded, in order; for http and https the query belongs to `path`. */
  parameters: readonly (readonly [name: string, value: string])[];
  user: string;
  password: string;
}

/** Thrown for what is no check URL. `at`: where in the text. */
export class UrlError extends Error {
  readonly at: number;
  readonly help: string;
  constructor(message: string, at: number, help = '') {
    super(message);
    this.at = at;
    this.help = help;
  }
}

const KIND_OF: ReadonlyMap<string, CheckKind> = new Map([
  ...CHECK_KINDS.map((kind) => [kind, kind] as const),
  ['postgresql', 'postgres'],
  ['mariadb', 'mysql'],
  ['icmp', 'ping'],
]);

/** Throws a UrlError. `exec:/path` may go without slashes before the path. */
export function parseCheckUrl(text: string): CheckUrl {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1];
  if (scheme === undefined)
    throw new UrlError('a check is a URL', 0, 'such as http://www.example.com/ or tcp://db1:5432');
  const kind = KIND_OF.get(scheme.toLowerCase());
  if (kind === undefined)
    throw new UrlError(`unknown kind of check '${scheme}'`, 0, `known: ${CHECK_KINDS.join(', ')}`);
  const rest = text.slice(scheme.length + 1);
  if (kind === 'exec') return execUrl(rest, scheme.length + 1);
  if (!rest.startsWith('//')) throw new UrlError(`'//' is missing after '${scheme}:'`, scheme.length + 1);
  return hostUrl(kind, rest.slice(2), scheme.length + 3);
}

function execUrl(rest: string, at: number): CheckUrl {
  const [path = '', query = ''] = splitOnce(rest.replace(/^\/\/(?=\/)/, ''), '?');
  if (!path.startsWith('/'))
    throw new UrlError(
      'a plugin is named by its absolute path',
      at,
      'exec:/usr/lib/nagios/plugins/check_load',
    );
  const bare = { kind: 'exec', host: '', port: 0, portGiven: false, user: '', password: '' } as const;
  return { ...bare, path: decode(path, at), parameters: parametersOf(query, at + path.length + 1) };
}

function hostUrl(kind: CheckKind, rest: string, at: number): CheckUrl {
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const after = end < 0 ? '' : rest.slice(end);
  const afterAt = at + authority.length;
  if (after.includes('#')) throw new UrlError("'#' has no meaning in a check", at + rest.indexOf('#'));
  const userEnd = authority.lastIndexOf('@');
  const [user = '', password = ''] = splitOnce(userEnd < 0 ? '' : authority.slice(0, userEnd), ':');
  const { host, port } = hostAndPort(authority.slice(userEnd + 1), at + userEnd + 1);
  const usual = PORTS[kind] ?? 0;
  if (port === null && usual === 0 && !WITHOUT_PORT.has(kind))
    throw new UrlError(`${kind} needs a port`, afterAt, `${kind}://${host}:PORT`);
  if (port !== null && WITHOUT_PORT.has(kind)) throw new UrlError(`${kind} has no port`, at);
  const web = kind === 'http' || kind === 'https';
  const [path = '', query = ''] = web ? [after.startsWith('?') ? `/${after}` : after] : splitOnce(after, '?');
  if (path !== '' && path !== '/' && !WITH_PATH.has(kind))
    throw new UrlError(`${kind} has no path`, afterAt, `${kind}://${authority}`);
  if (/[^\x21-\x7e]/.test(after))
    throw new UrlError('blanks and letters beyond ASCII are written as %XX', afterAt);
  return {
    kind,
    host,
    port: port ?? usual,
    portGiven: port !== null && port !== usual,
    path: web ? path : decode(path, afterAt),
    parameters: parametersOf(query, afterAt + path.length + 1),
    user: decode(user, at),
    password: decode(password, at),
  };
}

/** `[::1]:80`, `name:80`, `10.0.0.1`. */
function hostAndPort(text: string, at: number): { host: string; port: number | null } {
  const parts = /^(?:\[([0-9A-Fa-f:.]+(?:%[^\]]+)?)\]|([^[\]:]*))(?::([0-9]*))?$/.exec(text);
  if (parts === null) {
    const bare = text.split(':').length > 2 && !text.includes('[');
    throw new UrlError('no host and port', at, bare ? `an IPv6 address stands in brackets: [${text}]` : '');
  }
  const host = parts[1] ?? parts[2] ?? '';
  if (host === '') throw new UrlError('the host is missing', at);
  if (parts[1] === undefined && !/^[A-Za-z0-9._-]+$/.test(host))
    throw new UrlError(`no host name: '${host}'`, at);
  if (parts[3] === undefined || parts[3] === '') return { host, port: null };
  const port = Number(parts[3]);
  if (port < 1 || port > 65_535)
    throw new UrlError(`no port: ${parts[3]}`, at + text.length - parts[3].length, '1 to 65535');
  return { host, port };
}

function parametersOf(query: string, at: number): [string, string][] {
  if (query === '') return [];
  return query.split('&').map((pair) => {
    const [name = '', value = ''] = splitOnce(pair, '=');
    return [decode(name, at), decode(value, at)];
  });
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string, at: number): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UrlError(`'%' is followed by two hexadecimal digits`, at, '%25 is the sign itself');
  }
}
