/**
 * The nature of a check's result: `ok`, or why not. One byte in the engine, a word everywhere else.
 */

/** Position is the byte. New ones go to the end: nodes of different versions tell each other the words. */
export const NATURES = [
  'none',
  'ok',
  'refused',
  'unreachable',
  'timeout-connect',
  'timeout-receive',
  'timeout',
  'reset',
  'closed-early',
  'dns',
  'http-status',
  'http-malformed',
  'body-mismatch',
  'banner-mismatch',
  'answer-mismatch',
  'too-long',
  'tls-handshake',
  'tls-expired',
  'tls-expires-soon',
  'tls-untrusted',
  'tls-name',
  'plugin-fail',
  'plugin-timeout',
  'plugin-signal',
  'plugin-missing',
  'local',
  'redirect-limit',
  'redirect-broken',
  'redirect-scheme',
] as const;

export type Nature = (typeof NATURES)[number];

const CODES: ReadonlyMap<string, number> = new Map<string, number>(
  NATURES.map((nature, code) => [nature, code]),
);

/** The byte of a nature. */
export function codeOfNature(nature: Nature): number {
  return CODES.get(nature) ?? 0;
}

/** The byte of a word that is a nature, undefined for others (errnos are in capitals). */
export function codeOfWord(word: string): number | undefined {
  return CODES.get(word);
}

export const NONE = codeOfNature('none');
export const OK = codeOfNature('ok');
/**
 * The fault is this machine's own (no descriptor, no memory, no such source address): it says nothing about the service, and is
 * neither a success nor a failure of it.
 */
export const LOCAL = codeOfNature('local');

/** By the errno's name, for a call on a socket (connect(2), recv(2), ip(7)); `connected`: the connection stood. */
export function natureOfErrno(errno: string, connected: boolean): Nature {
  switch (errno) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'ECONNRESET':
    case 'ECONNABORTED':
    case 'EPIPE':
      return 'reset';
    case 'ETIMEDOUT':
      return connected ? 'timeout-receive' : 'timeout-connect';
    case 'EADDRNOTAVAIL':
    case 'EADDRINUSE':
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
    case 'EAFNOSUPPORT':
      return 'local';
    default:
      // EHOSTUNREACH, ENETUNREACH, EACCES and EPERM (a firewall's word), ENETDOWN, …
      return 'unreachable';
  }
}

/** A nature for people: `http-status 503`, `plugin-signal 9`, `refused`. */
export function describeNature(nature: Nature, detail: number): string {
  switch (nature) {
    case 'http-status':
    case 'plugin-fail':
    case 'plugin-signal':
      return `${nature} ${detail}`;
    case 'tls-expires-soon':
      return `${nature} (in ${detail} day${detail === 1 ? '' : 's'})`;
    default:
      return nature;
  }
}
