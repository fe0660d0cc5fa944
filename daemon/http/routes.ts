/** Paths to answers. It knows what there is, who may have it, and with which methods; it does not know sockets. */
import type { IncomingMessage } from 'node:http';
import type { Access } from './access.js';
import { HTML_TYPE, type HttpAnswered, problem, seeOther } from './answers.js';
import { type ApiContext, answerApi, decoded } from './api.js';
import { answerHealth, answerReady, answerResource } from './health.js';
import { answerLogin, loginForm } from './login.js';
import type { Page } from './page.js';
import { readQuery } from './query.js';
import { REPLAY_MAX } from './stream.js';

export interface RouteOptions {
  access: Access;
  context: ApiContext;
  page: Page | null;
  /** The figures for Prometheus, in the format that the client takes. */
  metrics: (accept: string) => Promise<HttpAnswered>;
}

/** What is to be sent; `stream`: events, with so many of those that were before. */
export type Routed = HttpAnswered | { stream: number };

const READ = 'GET, HEAD, OPTIONS';
const LOGIN = 'GET, HEAD, OPTIONS, POST';
const API = '/api/v1/';
/** Events that a new viewer is shown where it does not say how many. */
const STREAMED = 20;

const RESOURCE = /^\/resource\/([^/]+)\/(primary|secondary)$/;

/** Answers a request; never rejects but for a fault of its own. */
export async function route(options: RouteOptions, request: IncomingMessage): Promise<Routed> {
  const { access } = options;
  const { headers, method = '', url = '' } = request;
  const [path = '', ...search] = url.split('?');
  if (!path.startsWith('/') || /[^\x21-\x7e]/.test(url))
    return problem(400, 'expected a path that begins with /');
  if (!access.meant(headers)) {
    const detail = `this server is not '${(headers.host ?? '').slice(0, 100)}': use the address that it listens on`;
    return problem(421, detail);
  }
  const methods = path === '/login' ? LOGIN : READ;
  if (!methods.split(', ').includes(method))
    return problem(405, `${method.slice(0, 20)} is not for ${path.slice(0, 100)}`, {}, { Allow: methods });
  if (method === 'POST') return answerLogin(access, request);
  if (hasBody(request)) return problem(413, 'a request here has no body', {}, { Connection: 'close' });
  if (method === 'OPTIONS') return { status: 204, type: '', body: '', headers: { Allow: methods } };
  if (path === '/login') return access.needsToken ? loginForm() : seeOther('/');
  if (!access.allowed(headers) && !(access.healthIsOpen && isHealth(path))) return denied(path);
  return find(options, path, new URLSearchParams(search.join('?')), headers.accept ?? '');
}

async function find(
  { context, metrics, page }: RouteOptions,
  path: string,
  search: URLSearchParams,
  accept: string,
): Promise<Routed> {
  if (path.startsWith(API)) {
    const rest = path.slice(API.length);
    if (rest === 'stream') return streamed(search);
    return (await answerApi(context, rest, search)) ?? missing(path);
  }
  switch (path) {
    case '/':
      return pageOf(page);
    case '/metrics':
      return metrics(accept);
    case '/health':
      return answerHealth(context);
    case '/ready':
      return answerReady(context);
  }
  const [, encoded = '', wanted] = RESOURCE.exec(path) ?? [];
  if (wanted !== 'primary' && wanted !== 'secondary') return missing(path);
  const name = decoded(encoded);
  return name === null ? problem(400, 'the name is not well encoded') : answerResource(context, name, wanted);
}

function streamed(search: URLSearchParams): Routed {
  const query = readQuery(search, { last: 'count' });
  if (typeof query === 'string') return problem(400, query);
  return { stream: Math.min(query.count('last') ?? STREAMED, REPLAY_MAX) };
}

function pageOf(page: Page | null): HttpAnswered {
  if (page === null)
    return problem(404, 'the page was not built into this hastmond; what else there is: docs/http.md');
  const headers = { 'Content-Security-Policy': page.policy };
  return { status: 200, type: HTML_TYPE, body: page.html, headers };
}

function missing(path: string): HttpAnswered {
  return problem(404, `there is nothing at ${path.slice(0, 100)}; what there is: docs/http.md`);
}

/** A browser is led to the form. */
function denied(path: string): HttpAnswered {
  if (path === '/') return seeOther('/login');
  return problem(
    401,
    'expected Authorization: Bearer TOKEN, or a session',
    {},
    { 'WWW-Authenticate': 'Bearer' },
  );
}

function isHealth(path: string): boolean {
  return path === '/health' || path === '/ready' || RESOURCE.test(path);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}
