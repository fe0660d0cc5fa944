/** From what the configuration says of a check to what the engine runs. Pure; texts of certificates come from outside. */
import { bannerDialogue, NAMED_BANNERS } from './banner.js';
import { dnsDialogue } from './dns.js';
import { exchangeDialogue, mysqlDialogue, postgresDialogue, redisDialogue, type Step } from './exchange.js';
import { type Encoding, type Expectation, expectPattern, expectText } from './expectation.js';
import { type HttpSpec, httpDialogue } from './http.js';
import type { Dialogue, Plan, WireName } from './plan.js';
import { pluginDialogue } from './plugin.js';
import { followingDialogue } from './redirect.js';
import type { CheckSpec, PatternOption } from './spec.js';
import type { CheckUrl } from './url.js';
import type { ExecSpec } from './wire-exec.js';
import { pingDialogue } from './wire-ping.js';
import type { TlsSpec } from './wire-tls.js';

/** `readCa`: the text of a file of certificates. */
export function compileCheck(spec: CheckSpec, readCa: (file: string) => string): Plan {
  const { options } = spec;
  return {
    wire: wireOf(spec.url),
    dialogue: dialogueOf(spec, readCa),
    timing: {
      intervalMs: options.intervalMs,
      retryMs: options.retryIntervalMs,
      connectMs: Math.min(options.connectTimeoutMs, options.timeoutMs),
      receiveMs: Math.min(options.receiveTimeoutMs, options.timeoutMs),
      totalMs: options.timeoutMs,
    },
    judging: { rise: options.rise, fall: options.fall, downAfterMs: options.downAfterMs },
    addresses: options.addresses,
    source: options.source,
    extra: extraOf(spec, readCa),
  };
}

/** The host whose addresses are resolved; a plugin resolves for itself. */
export function hostOf({ kind, host }: CheckUrl): string {
  return kind === 'exec' ? '127.0.0.1' : host;
}

/**
 * What the check says or expects depends on what its host is called. A plain HTTP request has a place for that, which is filled in
 * when it is sent.
 */
export function isHostSaid({ url: { kind }, options: { http } }: CheckSpec): boolean {
  return kind === 'https' || kind === 'tls' || (kind === 'http' && http.redirects > 0);
}

function wireOf({ kind }: CheckUrl): WireName {
  switch (kind) {
    case 'https':
    case 'tls':
      return 'tls';
    case 'udp':
    case 'dns':
      return 'udp';
    case 'ping':
    case 'exec':
      return kind;
    default:
      return 'tcp';
  }
}

function expectationOf(option: PatternOption, encoding: Encoding = 'utf8'): Expectation {
  return option.kind === 'text'
    ? expectText(option.text, encoding)
    : expectPattern(option.text, 'm', encoding);
}

function dialogueOf(spec: CheckSpec, readCa: (file: string) => string): Dialogue | null {
  const { url, options } = spec;
  const parameter = (name: string): string => url.parameters.find(([key]) => key === name)?.[1] ?? '';
  switch (url.kind) {
    case 'http':
    case 'https':
      return httpOf(spec, readCa);
    case 'banner':
      return bannerDialogue(bannerOf(url.path), '');
    case 'smtp':
    case 'imap':
    case 'pop3':
    case 'ftp':
    case 'ssh': {
      const { expected, goodbye, mark } = NAMED_BANNERS[url.kind];
      return bannerDialogue(expected, goodbye, mark);
    }
    case 'redis':
      return redisDialogue(url.password);
    case 'postgres':
      return postgresDialogue(url.user || 'hastmon', options.database || url.user || 'hastmon');
    case 'mysql':
      return mysqlDialogue(url.user || 'hastmon');
    case 'dns': {
      const expected = parameter('expect');
      const type = (parameter('type') || 'A').toUpperCase();
      return dnsDialogue(url.path.slice(1), type, expected === '' ? null : expectText(expected));
    }
    case 'ping':
      return pingDialogue;
    case 'exec':
      return pluginDialogue(options.warningFails);
    case 'tcp':
    case 'tls':
    case 'udp':
      return options.steps.length === 0 ? null : exchangeDialogue(stepsOf(spec), Buffer.alloc(0));
    default:
      return url.kind satisfies never;
  }
}

/** `/SSH-2.0` is a text; `/^SSH-2/` between slashes is a pattern. */
function bannerOf(path: string): Expectation {
  const pattern = /^\/\/(.+)\/$/.exec(path)?.[1];
  return pattern === undefined ? expectText(path.slice(1)) : expectPattern(pattern, 'm');
}

function httpOf(spec: CheckSpec, readCa: (file: string) => string): Dialogue {
  const { url, options } = spec;
  const { http } = options;
  const bracketed = url.host.includes(':') ? `[${url.host}]` : url.host;
  const authority = url.portGiven ? `${bracketed}:${url.port}` : bracketed;
  const target = url.path === '' ? '/' : url.path;
  const asked: HttpSpec = {
    method: http.method,
    target,
    host: http.host || (isHostSaid(spec) ? authority : { port: url.portGiven }),
    version: http.version,
    headers: credentials(url, http.headers),
    statuses: http.statuses,
    body: http.body === null ? null : expectationOf(http.body),
    bodyMax: http.bodyBytesMax,
  };
  if (http.redirects === 0) return httpDialogue(asked);
  const first = `${url.kind}://${authority}${target}`;
  return followingDialogue(asked, { url: first, most: http.redirects, tls: tlsOf(spec, readCa) });
}

/** A user in the URL is sent as RFC 7617 has it. */
function credentials(
  { user, password }: CheckUrl,
  headers: readonly (readonly [string, string])[],
): readonly (readonly [string, string])[] {
  if (user === '') return headers;
  const token = Buffer.from(`${user}:${password}`).toString('base64');
  return [['Authorization', `Basic ${token}`], ...headers];
}

/** What is sent and what is then expected are one step. */
function stepsOf({ options }: CheckSpec): Step[] {
  const steps: Step[] = [];
  for (const option of options.steps) {
    const last = steps.at(-1);
    if (option.send !== undefined) steps.push({ send: Buffer.from(option.send, 'latin1'), expect: null });
    else if (last !== undefined && last.expect === null) last.expect = expectationOf(option.expect, 'latin1');
    else steps.push({ send: null, expect: expectationOf(option.expect, 'latin1') });
  }
  return steps;
}

function extraOf(spec: CheckSpec, readCa: (file: string) => string): unknown {
  const { url } = spec;
  if (url.kind === 'exec')
    return {
      program: url.path,
      args: url.parameters.filter(([name]) => name === 'arg').map(([, value]) => value),
    } satisfies ExecSpec;
  return url.kind === 'https' || url.kind === 'tls' ? tlsOf(spec, readCa) : null;
}

function tlsOf({ url, options }: CheckSpec, readCa: (file: string) => string): TlsSpec {
  const { verify, ca, serverName, days } = options.tls;
  return {
    serverName: serverName || url.host,
    verify,
    days,
    ...(ca === '' ? {} : { ca: readCa(ca) }),
  };
}
