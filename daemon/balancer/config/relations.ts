/** What the lines of a file say of each other: tags and addresses that are there twice, and names that nobody has. */
import { type Place, quote, type Reporter, whereIs } from '../../config/diagnostic.js';
import { suggestName } from '../../config/suggest.js';
import type { Word } from '../../config/tree.js';
import type { BalancerOptions, HostConfig } from '../types.js';
import { type HostLine, serviceIn } from './host.js';
import type { OptionsDraft } from './options.js';
import { checkServers } from './servers.js';
import type { ServiceDraft } from './service.js';
import { endpointText } from './values.js';

/** What was read of a file. */
export interface Drafts {
  services: ServiceDraft[];
  hosts: HostLine[];
  options: OptionsDraft;
  /** Tags of services and hosts whose lines are wrong: they are not missing. */
  lost: { services: Set<string>; hosts: Set<string> };
}

/** Among lost tags: of a range, whose tags nobody knows. */
export const ANY = '*';

/** Reports all that does not fit together. `options`: with their defaults. */
export function checkRelations(drafts: Drafts, options: BalancerOptions, reporter: Reporter): void {
  checkServices(drafts, reporter);
  const hosts = checkHosts(drafts, reporter);
  checkNames(drafts, reporter);
  checkSorry(drafts, hosts, options, reporter);
  checkServers(drafts, hosts, options, reporter);
}

/** Takes a key for a tag, once; reports whoever has it a second time, and says whether it was the first. */
type Take = (key: string, what: string, place: Place, tag: string) => boolean;

function createTake(reporter: Reporter): Take {
  const known = new Map<string, { place: Place; tag: string }>();
  return (key, what, place, tag) => {
    const earlier = known.get(key);
    if (earlier === undefined) {
      known.set(key, { place, tag });
      return true;
    }
    const whose = earlier.tag === tag ? '' : `, of ${quote(earlier.tag)}`;
    const where = earlier.place.line === place.line ? 'this line too' : whereIs(earlier.place, place);
    reporter.error(place, `${what} is there twice`, `the first is in ${where}${whose}`);
    return false;
  };
}

function checkServices({ services }: Drafts, reporter: Reporter): void {
  const take = createTake(reporter);
  for (const { tag, address, config } of services) {
    take(`tag ${tag.text}`, `service ${quote(tag.text)}`, tag, tag.text);
    const { protocol, host, port } = config;
    const mark = protocol === 'fwmark';
    const shown = mark ? `fwmark ${port}` : endpointText(host, port);
    const over = mark || protocol === 'tcp' ? '' : ` over ${protocol}`;
    take(`${protocol} ${host.toLowerCase()} ${port}`, `the address ${shown}${over}`, address, tag.text);
  }
}

/** The hosts by their tags. */
function checkHosts({ hosts }: Drafts, reporter: Reporter): Map<string, HostConfig> {
  const take = createTake(reporter);
  const known = new Map<string, HostConfig>();
  for (const line of hosts) {
    for (const config of line.hosts) {
      if (reporter.full) return known;
      const { tag, host, port } = config;
      if (take(`tag ${tag}`, `host ${quote(tag)}`, line.tag, tag)) known.set(tag, config);
      take(`${host.toLowerCase()} ${port}`, `the address ${endpointText(host, port)}`, line.address, tag);
    }
  }
  return known;
}

/** Weights for services that there are not. */
function checkNames({ services, hosts, lost }: Drafts, reporter: Reporter): void {
  const known = new Set(services.map(({ tag }) => tag.text));
  for (const { weights } of hosts) {
    for (const [service, word] of weights) {
      if (reporter.full) return;
      if (known.has(service) || lost.services.has(service)) continue;
      const help = suggestName(service, [...known]);
      reporter.error(serviceIn(word), `there is no service ${quote(service)}`, help);
    }
  }
}

/** Sorry servers that there are not. Where there is a fallback it takes their place. */
function checkSorry(
  { services, options: { places }, lost }: Drafts,
  hosts: ReadonlyMap<string, HostConfig>,
  options: BalancerOptions,
  reporter: Reporter,
): void {
  const check = (word: Word, name: string, instead: string): boolean => {
    if (name === '' || hosts.has(name) || lost.hosts.has(name) || lost.hosts.has(ANY)) return true;
    const known = [...hosts.keys()];
    const message = `there is no host ${quote(name)} to be the sorry server`;
    const { sorryFallback } = options;
    if (sorryFallback === null) reporter.error(word, message, suggestName(name, known));
    else reporter.warning(word, message, `${instead} takes its place`);
    return false;
  };
  const given = places.get('SorryServer.Default');
  if (given !== undefined && !check(given.value, options.sorryDefault, 'the fallback'))
    options.sorryDefault = '';
  for (const { config, options } of services) {
    const word = options.places.get('sorry_server');
    if (word === undefined) continue;
    if (!check(word, config.sorry, 'the default one, else the fallback,')) config.sorry = '';
    else if ((hosts.get(config.sorry)?.weights.get(config.tag) ?? 0) > 0)
      reporter.warning(
        word,
        `${quote(config.sorry)} is a server of ${quote(config.tag)} as well`,
        'it has failed, or is off, by the time that it is needed',
      );
  }
}
