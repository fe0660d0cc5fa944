/**
 * Who may ask: the token, presented with each request or once for a session, and what a browser sends of where it thinks it is. Tokens
 * and sessions are compared in a time that says nothing of them.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isLoopback } from '../config/http-address.js';
import type { HttpSettings } from './settings.js';

export interface Access {
  /** True where no token is needed, or this request has it or a session. */
  allowed(headers: AccessHeaders): boolean;
  /** True where the request can be meant for this server: a page of another name that leads here is not (DNS rebinding). */
  meant(headers: AccessHeaders): boolean;
  /** Begins a session where that is the token: its cookie. Else null, or `'busy'`: too many wrong ones have come lately. */
  logIn(token: string): string | null | 'busy';
  /** The token is another one: sessions are over where it has changed. */
  apply(settings: HttpSettings): void;
  readonly needsToken: boolean;
  readonly healthIsOpen: boolean;
}

export interface AccessHeaders {
  host?: string | undefined;
  authorization?: string | undefined;
  cookie?: string | undefined;
}

const COOKIE = 'hastmon-session';
const SESSIONS_MAX = 256;
export const SESSION_MS = 12 * 3_600_000;
/** Wrong tokens within FAILURES_MS that are answered as such. */
const FAILURES_MAX = 20;
const FAILURES_MS = 10_000;

/** `clock`: milliseconds, never going back. */
export function createAccess(initial: HttpSettings, clock: () => number): Access {
  let settings = initial;
  /** By the digest of what the cookie says: until when. The oldest is first. */
  const sessions = new Map<string, number>();
  let failures: number[] = [];

  function isToken(given: string): boolean {
    return settings.token !== null && timingSafeEqual(digest(given), digest(settings.token));
  }

  function hasSession(cookie: string | undefined): boolean {
    const value = cookieOf(cookie);
    const until = value === '' ? undefined : sessions.get(digest(value).toString('hex'));
    return until !== undefined && clock() < until;
  }

  function hasToken(authorization: string | undefined): boolean {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    return given !== undefined && isToken(given);
  }

  return {
    allowed: ({ authorization, cookie }) =>
      settings.token === null || hasToken(authorization) || hasSession(cookie),
    meant({ host }) {
      // No page of another name has a token, or a session that belongs to this one.
      if (settings.token !== null || !isLoopback(settings.address)) return true;
      // HTTP/1.0 has none; every browser sends one.
      return host === undefined || isOwnName(host, settings.address);
    },
    logIn(token) {
      const now = clock();
      // The right one is always taken: else whoever sends wrong ones locks all others out.
      if (!isToken(token)) {
        failures = failures.filter((at) => now - at < FAILURES_MS);
        if (failures.length >= FAILURES_MAX) return 'busy';
        failures.push(now);
        return null;
      }
      for (const [id, until] of sessions)
        if (until <= now || sessions.size >= SESSIONS_MAX) sessions.delete(id);
      const value = randomBytes(32).toString('base64url');
      sessions.set(digest(value).toString('hex'), now + SESSION_MS);
      return `${COOKIE}=${value}; Path=/; Max-Age=${SESSION_MS / 1000}; HttpOnly; SameSite=Strict`;
    },
    apply(next) {
      if (next.token !== settings.token) sessions.clear();
      settings = next;
    },
    get needsToken() {
      return settings.token !== null;
    },
    get healthIsOpen() {
      return settings.token === null || settings.health === 'open';
    },
  };
}

/** Of the same length, whatever is given. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function cookieOf(header: string | undefined): string {
  for (const part of (header ?? '').split(';')) {
    const [name = '', value = ''] = part.trim().split('=');
    if (name === COOKIE) return value;
  }
  return '';
}

/** The port is not looked at: it may be forwarded from another one. */
function isOwnName(host: string, address: string): boolean {
  const name = host.toLowerCase().replace(/:[0-9]+$/, '');
  return ['localhost', '127.0.0.1', '[::1]', address, `[${address}]`].includes(name);
}
