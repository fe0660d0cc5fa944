/**
 * The check of a virtual service: a URL in which the real server stands where the host is written. What the check of one server is, is
 * made from a template; its options are those of monitoring with defaults of their own.
 */
import type { CheckOptions, CheckSpec } from '../../checks/spec.js';
import { type CheckKind, type CheckUrl, parseCheckUrl } from '../../checks/url.js';
import { quote, type Reporter } from '../../config/diagnostic.js';
import { checkOptions, layersOf, optionsOf } from '../../config/monitor-options.js';
import type { MonitorScope, MonitorSettings } from '../../config/monitor-settings.js';
import { hidePassword, readUrlAs } from '../../config/monitor-urls.js';
import type { Word } from '../../config/tree.js';
import type { ServiceCheck } from '../types.js';
import { partOf } from './lines.js';
import { endpointText } from './values.js';

/** A check, and what has to be the same where two services share the check of a server. */
export interface ReadCheck {
  check: ServiceCheck;
  kind: CheckKind;
  /** The URL, however it was written: with the server's address and port it names the check. */
  identity: string;
  /** Instead of the server's own, 0 for that. */
  port: number;
  options: CheckOptions;
  password: string;
}

/** What is asked of a server whose file says nothing else. One success or failure decides, and 200 alone is one, as in ipvs-weightman. */
export const CHECK_DEFAULTS = { intervalMs: 3000, rise: 1, fall: 1, status: 200 } as const;

const NOWHERE: Word = {
  file: { name: '', text: '', masks: new Map() },
  ...{ line: 0, column: 1, length: 1, text: '', quoted: false },
};
const usual = <T>(value: T) => ({ value, name: NOWHERE, place: NOWHERE });
const DEFAULTS: MonitorScope = {
  settings: {
    interval: usual(CHECK_DEFAULTS.intervalMs),
    rise: usual(CHECK_DEFAULTS.rise),
    fall: usual(CHECK_DEFAULTS.fall),
    status: usual([[CHECK_DEFAULTS.status, CHECK_DEFAULTS.status]]),
    // Servers have the certificate of the site, or one of their own; and one that has run out has done so on all of them at once.
    verify: usual(false),
  },
  broken: false,
};

/** Kinds for which the host of the URL is the name that is asked for. */
const NAMED: ReadonlySet<CheckKind> = new Set(['http', 'https', 'tls']);
const WEB: ReadonlySet<CheckKind> = new Set(['http', 'https']);

/** Reads the check of a service, which is not `-`. `port`: where it asks, 0 for where the server serves. */
export function readCheck(
  word: Word,
  settings: MonitorSettings,
  port: number,
  reporter: Reporter,
): ReadCheck | undefined {
  if (!/^(?:[A-Za-z][A-Za-z0-9+.-]*:|[A-Za-z0-9]+$|\/)/.test(word.text)) {
    const help = "such as http://www.example.com/, tcp or ssh; '-' stands for none";
    reporter.error(word, `${quote(word.text)} is no check`, help);
    return undefined;
  }
  const layers = layersOf(DEFAULTS, null, { settings, broken: false }, () => null);
  const written = /^exec:/i.test(word.text) ? execOf(word.text) : templateOf(word.text);
  const read = readUrlAs(written.text, word, written.original, withoutStandIn(reporter));
  if (read === undefined) return undefined;
  const { url } = read;
  checkOptions(layers, url.kind, word, reporter);
  warnOfHost(word, written.host, url.kind, port, reporter);
  const options = optionsOf(layers.effective, url.kind, [], []);
  const named = written.host.name === '' || !NAMED.has(url.kind) ? null : url;
  if (named !== null && WEB.has(url.kind)) {
    const host = endpointText(url.host, url.portGiven ? url.port : 0);
    options.http = { ...options.http, host };
  }
  if (named !== null && url.kind !== 'http') options.tls = { ...options.tls, serverName: url.host };
  const identity = identityOf(word.text, written, url, named);
  return {
    check: {
      shown: hidePassword(word.text, url),
      of: maker(url, { identity, port, options, text: word.text }),
    },
    ...{ kind: url.kind, identity, port, options, password: url.password },
  };
}

/** How a URL is read, and where something of it stands in the word. */
interface Written {
  text: string;
  original(at: number): number;
  /** The name and port that it says, '' for none. */
  host: { name: string; port: string; at: number };
  /** What comes after the host. */
  after: string;
}

const NO_HOST = { name: '', port: '', at: 0 };

/** A host that is not said is `x`: as long as the `*` that may stand for it. */
function templateOf(text: string): Written {
  const full = text.startsWith('/') ? `http://*${text}` : /^[A-Za-z0-9]+$/.test(text) ? `${text}://*` : text;
  const before = text.startsWith('/') ? full.length - text.length : 0;
  const original = (at: number) => Math.min(Math.max(0, at - before), Math.max(0, text.length - 1));
  const match = /^([A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/s.exec(full);
  if (match === null) return { text: full, original, host: NO_HOST, after: '' };
  const [, start = '', authority = '', after = ''] = match;
  const [, said = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority) ?? [];
  const name = said === '*' ? '' : said;
  const kind = start.slice(0, start.indexOf(':')).toLowerCase();
  const web = kind === 'http' || kind === 'https';
  // Whatever it is: the port is the server's. A ping has none.
  const added = port !== '' || web || kind === 'ping' || kind === 'icmp' ? '' : ':1';
  const rest = authority.slice(said.length);
  return {
    text: `${start}${name || 'x'}${rest}${added}${after}`,
    original(at) {
      const end = start.length + (name || 'x').length + rest.length;
      return original(at <= end ? at : Math.max(end, at - added.length));
    },
    host: { name, port, at: start.length - before },
    after,
  };
}

/** Nobody wrote the `x` that a help may show. */
function withoutStandIn(reporter: Reporter): Reporter {
  return {
    ...reporter,
    error: (place, message, help = '') => reporter.error(place, message, help.replace('://x:1', '://*')),
  };
}

function execOf(text: string): Written {
  return {
    text: pluginFor(text, '127.0.0.1', 1),
    original: (at) => Math.min(at, text.length - 1),
    host: NO_HOST,
    after: '',
  };
}

/** The URL of a plugin with a server in its arguments. */
function pluginFor(text: string, address: string, port: number): string {
  const query = text.indexOf('?');
  if (query < 0) return text;
  const args = text.slice(query).replaceAll('%h', encodeURIComponent(address)).replaceAll('%p', String(port));
  return text.slice(0, query) + args;
}

/** What is written and means nothing: it may be meant to be asked. */
function warnOfHost(
  word: Word,
  host: Written['host'],
  kind: CheckKind,
  port: number,
  reporter: Reporter,
): void {
  const { name, port: said, at } = host;
  const named = NAMED.has(kind);
  const text = `${named ? '' : name}${said === '' ? '' : `:${said}`}`;
  if (text === '' || (WEB.has(kind) && name !== '')) return;
  const start = at + (named ? Math.max(1, name.length) : 0);
  const shown = named && name !== '' ? `${kind}://${name}` : `${kind}://*`;
  const other = said === '' || port !== 0 ? '' : `; check_port=${said} for another port`;
  reporter.warning(
    partOf(word, start, text),
    `${quote(text)} means nothing: every server is asked at its own address and port`,
    `${shown} is enough${other}`,
  );
}

function identityOf(text: string, { host, after }: Written, url: CheckUrl, named: CheckUrl | null): string {
  if (url.kind === 'exec') return text.replace(/^exec:(?:\/\/(?=\/))?/i, 'exec:');
  const user = url.password === '' ? url.user : `${url.user}:***`;
  const port = WEB.has(url.kind) && named !== null && host.port !== '' ? `:${host.port}` : '';
  return `${url.kind}://${user === '' ? '' : `${user}@`}${host.name !== '' && named !== null ? host.name : '*'}${port}${after}`;
}

interface Template {
  identity: string;
  port: number;
  options: CheckOptions;
  text: string;
}

function maker(template: CheckUrl, { identity, port, options, text }: Template): ServiceCheck['of'] {
  const make = (name: string, url: CheckUrl): CheckSpec => ({
    ...{ name, group: '', url, shownUrl: identity, options },
  });
  switch (template.kind) {
    case 'exec':
      return (address, own) => {
        const asked = port || own;
        return make(
          `${identity}@${endpointText(address, asked)}`,
          parseCheckUrl(pluginFor(text, address, asked)),
        );
      };
    case 'ping':
      return (address) => make(`${identity}@${endpointText(address, 0)}`, { ...template, host: address });
    default: {
      // Only HTTP says its port where it is not the usual one.
      const common = template.kind === 'https' ? 443 : 80;
      return (address, own) => {
        const asked = port || own;
        const url = { ...template, host: address, port: asked, portGiven: asked !== common };
        return make(`${identity}@${endpointText(address, asked)}`, url);
      };
    }
  }
}
