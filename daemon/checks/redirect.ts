/**
 * Where the redirects of an HTTP check lead: each hop is a request of its own, over a connection of its own. Pure.
 * Source: RFC 9110 sections 10.2.2 and 15.4; the WHATWG URL standard for how a Location is read.
 */
import { type HttpSpec, httpDialogue } from './http.js';
import { codeOfNature, type Nature } from './natures.js';
import type { Hop } from './plan.js';
import type { TlsSpec } from './wire-tls.js';

/** Why a redirect is not followed. */
export interface DeadEnd {
  verdict: number;
  text: string;
}

/** What an answer with this status and Location leads to. */
export type Follow = (status: number, location: string) => Hop | DeadEnd;

export interface Redirects {
  /** The first URL, absolute. */
  url: string;
  /** How many are followed in all. */
  most: number;
  /** How TLS is checked wherever it is met. */
  tls: TlsSpec;
}

const USUAL_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
/** What was meant for the first server alone: nobody else is told. */
const PRIVATE = new Set(['authorization', 'cookie', 'host', 'proxy-authorization']);
/** A URL that somebody else made up may be of any length. */
const SHOWN_MAX = 100;

/** The check that follows up to `most` redirects. */
export function followingDialogue(spec: HttpSpec, redirects: Redirects): ReturnType<typeof httpDialogue> {
  return httpDialogue({ ...spec, follow: followFrom(spec, redirects.url, 0, redirects) });
}

function followFrom(spec: HttpSpec, from: string, done: number, redirects: Redirects): Follow {
  return (status, location) => {
    const to = target(location, from);
    if (to === null) {
      const text = location === '' ? `${status} without a Location` : `no URL: ${shown(location)}`;
      return end('redirect-broken', text);
    }
    if (!(to.protocol in USUAL_PORTS)) return end('redirect-scheme', `redirected to ${shown(to.href)}`);
    if (done >= redirects.most) {
      const followed = `only ${redirects.most} redirect${redirects.most === 1 ? ' is' : 's are'} followed`;
      return end('redirect-limit', `${followed}; the next leads to ${shown(to.href)}`);
    }
    return hopTo(spec, status, new URL(from), to, done + 1, redirects);
  };
}

function end(nature: Nature, text: string): DeadEnd {
  return { verdict: codeOfNature(nature), text };
}

/** The URL that a Location means, without what is for the client alone; null where it is none. */
function target(location: string, from: string): URL | null {
  if (location === '') return null;
  try {
    // Fields come as bytes; who writes letters beyond ASCII there writes UTF-8.
    const to = new URL(Buffer.from(location, 'latin1').toString('utf8'), from);
    if (to.protocol in USUAL_PORTS && to.port === '0') return null;
    to.hash = '';
    to.username = '';
    to.password = '';
    return to;
  } catch {
    return null;
  }
}

function hopTo(spec: HttpSpec, status: number, from: URL, to: URL, done: number, all: Redirects): Hop {
  const stays = from.origin === to.origin;
  // 303 asks for another method; of 301 and 302 it is what every client does with POST.
  const gets = status === 303 ? spec.method !== 'HEAD' : status <= 302 && spec.method === 'POST';
  const next: HttpSpec = {
    ...spec,
    method: gets ? 'GET' : spec.method,
    target: `${to.pathname}${to.search}`,
    host: stays ? spec.host : to.host,
    headers: stays ? spec.headers : spec.headers.filter(([name]) => !PRIVATE.has(name.toLowerCase())),
  };
  const host = to.hostname.replace(/^\[(.*)\]$/, '$1');
  const secure = to.protocol === 'https:';
  return {
    wire: secure ? 'tls' : 'tcp',
    dialogue: httpDialogue({ ...next, follow: followFrom(next, to.href, done, all) }),
    extra: secure ? { ...all.tls, serverName: stays ? all.tls.serverName : host } : null,
    host,
    port: Number(to.port) || (USUAL_PORTS[to.protocol] ?? 0),
    url: shown(to.href),
  };
}

function shown(url: string): string {
  const text = url.replaceAll(/[^\x20-\x7e]/g, '?');
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text;
}
