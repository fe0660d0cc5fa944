/** Servers in their services: what the kernel refuses or would not do, and checks that two services share. */
import { isDeepStrictEqual } from 'node:util';
import { quote, type Reporter } from '../../config/diagnostic.js';
import type { Word } from '../../config/tree.js';
import type { BalancerOptions, HostConfig, ServiceConfig } from '../types.js';
import type { ReadCheck } from './check.js';
import { serviceIn, weightIn } from './host.js';
import type { Drafts } from './relations.js';
import type { ServiceDraft } from './service.js';
import { endpointText, familyOf } from './values.js';

/** Servers of services in all: a bound for what one file may ask of this machine. */
export const PAIRS_MAX = 1_000_000;

/** One service, and its servers so far: their addresses to their tags, and the sum of their weights. */
interface Filled {
  draft: ServiceDraft;
  servers: Map<string, string>;
  sum: number;
}

/** Reports what is wrong with single servers of services, and with all of a service. */
export function checkServers(
  { services, hosts }: Drafts,
  byTag: ReadonlyMap<string, HostConfig>,
  options: BalancerOptions,
  reporter: Reporter,
): void {
  const known = new Map<string, Filled>();
  for (const draft of services) known.set(draft.tag.text, { draft, servers: new Map(), sum: 0 });
  const share = createShare(reporter);
  let pairs = 0;
  for (const { hosts: configs, weights, address } of hosts) {
    pairs += configs.length * weights.size;
    if (pairs > PAIRS_MAX) {
      reporter.error(address, `more than ${PAIRS_MAX} servers of services in all`);
      return;
    }
    for (const [name, place] of weights) {
      const filled = known.get(name);
      if (filled === undefined) continue;
      for (const config of configs) {
        if (reporter.full) return;
        const fits = addServer(filled, config, place, reporter);
        share(filled.draft, config);
        // What is wrong with one of a range is wrong with all of them.
        if (!fits) break;
      }
    }
  }
  const { sorryDefault, sorryFallback: instead } = options;
  const fallback = instead === null ? null : { tag: instead.title, host: instead.address, port: 0 };
  const sorry: SorryOf = (config) => byTag.get(config.sorry || sorryDefault) ?? fallback;
  for (const filled of known.values()) checkWhole(filled, sorry, reporter);
}

/** The sorry server of a service, null for none. */
type SorryOf = (config: ServiceConfig) => Pick<HostConfig, 'tag' | 'host' | 'port'> | null;

/** False where its path is wrong. */
function addServer(filled: Filled, host: HostConfig, word: Word, reporter: Reporter): boolean {
  const { config, check, address } = filled.draft;
  filled.sum += host.weights.get(config.tag) ?? 0;
  const fits = checkPath(filled.draft, host, word, false, reporter);
  const server = endpointText(host.host, config.protocol === 'fwmark' ? 0 : host.port || config.realPort);
  const key = server.toLowerCase();
  const earlier = filled.servers.get(key);
  if (earlier === undefined) filled.servers.set(key, host.tag);
  else if (earlier !== host.tag)
    reporter.error(
      weightIn(word),
      `${quote(host.tag)} and ${quote(earlier)} are one server of ${quote(config.tag)}, ${server}`,
      'the kernel has a server once in a service',
    );
  if (check !== null && checkPort(check.read, host, config) === 0 && check.read.kind !== 'ping')
    reporter.error(
      address,
      'no port to check its servers at',
      `fwmark:${config.port}:PORT, or check_port=PORT`,
    );
  return fits;
}

function checkPort(read: ReadCheck, host: HostConfig, config: ServiceConfig): number {
  return read.kind === 'ping' ? 0 : read.port || host.port || config.realPort;
}

/** How the kernel hands packets on to a server; `place`: its weight, or its name where it is the sorry server. */
function checkPath(
  { config, address }: ServiceDraft,
  host: Pick<HostConfig, 'tag' | 'host' | 'port'>,
  place: Word,
  sorry: boolean,
  reporter: Reporter,
): boolean {
  const port = host.port || config.realPort;
  const [family, its] = [serviceFamily(config), familyOf(host.host)];
  const moved = config.method !== 'masq' && config.protocol !== 'fwmark' && port !== config.port;
  const mixed = config.method !== 'ipip' && family !== 0 && its !== 0 && family !== its;
  if (!moved && !mixed) return true;
  const at = sorry ? place : serviceIn(place);
  const name = `${quote(host.tag)}${sorry ? ', its sorry server,' : ''}`;
  const other = sorry ? '; sorry_server=TAG names another' : '';
  if (moved) {
    const leads = `method=${config.method} cannot lead ${quote(config.tag)} to`;
    const help = `only method=masq changes the port${host.port === 0 ? '' : other}`;
    if (host.port === 0) reporter.error(address, `${leads} another port, ${port}`, help);
    else reporter.error(at, `${leads} port ${port}: ${name} has it`, help);
  }
  if (mixed)
    reporter.error(
      at,
      `${quote(config.tag)} is IPv${family}, and ${name} is IPv${its}`,
      `only method=ipip leads from one to the other${other}`,
    );
  return false;
}

function checkWhole({ draft, servers, sum }: Filled, sorry: SorryOf, reporter: Reporter): void {
  const { config, options, check, address } = draft;
  const its = sorry(config);
  if (its !== null) checkPath(draft, its, options.places.get('sorry_server') ?? address, true, reporter);
  const [quorum, hysteresis] = [options.places.get('quorum'), options.places.get('hysteresis')];
  const enough = config.quorum + config.hysteresis;
  if (config.hysteresis >= config.quorum)
    reporter.error(
      hysteresis ?? quorum ?? address,
      `a hysteresis of ${config.hysteresis} is not less than the quorum, ${config.quorum}`,
      'with so much of it the service would never count as down',
    );
  else if (quorum !== undefined && servers.size > 0 && sum < enough)
    reporter.warning(
      quorum,
      `the weights of ${quote(config.tag)} add up to ${sum}, which never makes ${enough}`,
      'once it is down it stays so',
    );
  if (check !== null) warnOfPort(check.word, check.read, config.realPort, reporter);
}

/** ipvs-weightman asked at port 80, whatever the port of the service was. */
function warnOfPort(word: Word, { kind, port }: ReadCheck, realPort: number, reporter: Reporter): void {
  if (kind !== 'http' || port !== 0 || realPort === 0 || realPort === 80 || realPort >= 1024) return;
  reporter.warning(
    word,
    `HTTP is asked at the servers' own port, ${realPort}`,
    'ipvs-weightman always asked port 80: check_port=80 does',
  );
}

function serviceFamily({ protocol, host }: ServiceConfig): 0 | 4 | 6 {
  return protocol === 'fwmark' && host === '' ? 4 : familyOf(host);
}

/** One server is checked once with one URL: two services that share that check have to want the same of it. */
function createShare(reporter: Reporter): (draft: ServiceDraft, host: HostConfig) => void {
  const known = new Map<string, { draft: ServiceDraft; read: ReadCheck }>();
  const reported = new Set<string>();
  return (draft, host) => {
    if (draft.check === null) return;
    const { read, word } = draft.check;
    const server = endpointText(host.host, checkPort(read, host, draft.config));
    const key = `${read.identity}@${server.toLowerCase()}`;
    const earlier = known.get(key);
    if (earlier === undefined) known.set(key, { draft, read });
    if (earlier === undefined || earlier.draft === draft) return;
    const [mine, others] = [quote(draft.tag.text), quote(earlier.draft.tag.text)];
    if (reported.has(`${others} ${mine}`)) return;
    const names = differences(earlier.read, read);
    if (names.length === 0) return;
    reported.add(`${others} ${mine}`);
    reporter.error(
      word,
      `${mine} and ${others} have one check of ${server}, and do not agree on ${names.join(', ')}`,
      `the other service is in line ${earlier.draft.tag.line}`,
    );
  };
}

/** The options in which two checks of one URL differ. */
function differences(a: ReadCheck, b: ReadCheck): string[] {
  const [x, y] = [a.options, b.options];
  const compared: readonly [string, unknown, unknown][] = [
    ['interval', x.intervalMs, y.intervalMs],
    ['timeout', x.timeoutMs, y.timeoutMs],
    ['rise', x.rise, y.rise],
    ['fall', x.fall, y.fall],
    ['status', x.http.statuses, y.http.statuses],
    ['verify', x.tls.verify, y.tls.verify],
    ['send and expect', x.steps, y.steps],
    ['the password', a.password, b.password],
  ];
  return compared.filter(([, one, other]) => !isDeepStrictEqual(one, other)).map(([name]) => name);
}
