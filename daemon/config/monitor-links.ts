/**
 * How the nodes that monitor reach each other: an address for each of them, and the key. The same file is used on all nodes, and each
 * must come to the same.
 */
import { isIP } from 'node:net';
import type { MonitorConfig } from '../checks/spec.js';
import { DEFAULT_PORT, parseAddress } from './address.js';
import { quote, type Reporter } from './diagnostic.js';
import { inheritGlobals } from './inherit.js';
import type { Model } from './model.js';
import type { MonitorModel } from './monitor-model.js';
import type { NodeAddress } from './monitor-settings.js';
import { nearest } from './suggest.js';
import type { Word } from './tree.js';
import type { Address } from './types.js';

export type MonitorLinks = Pick<MonitorConfig, 'addresses' | 'key'>;

/** `nodes`: those that monitor; `words`: where the file names them, as far as it does. */
export function readLinks(
  monitor: MonitorModel,
  model: Model,
  nodes: readonly string[],
  words: readonly Word[],
  reporter: Reporter,
): MonitorLinks {
  const { settings, broken } = monitor.defaults;
  const said = saidAddresses(settings.address?.value ?? [], model, nodes, reporter);
  const addresses = nodes.flatMap((node) => {
    const address = said.get(node)?.address ?? usualAddress(model, node);
    if (address !== null) return [{ node, address }];
    const place = words.find(({ text }) => model.table.nameOf(text) === node) ?? monitor.place;
    if (nodes.length > 1)
      reporter.warning(
        place,
        `nobody knows where ${quote(node)} is reached`,
        `address ${node} ADDRESS says it`,
      );
    return [];
  });
  checkOwn(said, addresses, model, reporter);
  const key = settings.key?.value ?? model.global.settings.key?.value ?? null;
  if (key === null && nodes.length > 1 && !broken && !monitor.lost) warnOfKey(monitor, model, reporter);
  return { addresses, key };
}

function saidAddresses(
  list: readonly NodeAddress[],
  { table }: Model,
  nodes: readonly string[],
  reporter: Reporter,
): Map<string, NodeAddress> {
  const said = new Map<string, NodeAddress>();
  for (const entry of list) {
    const { node, address, place } = entry;
    const name = table.find(node.text) ?? node.text;
    if (!nodes.includes(name)) {
      const closest = nearest(node.text, nodes);
      const known = table.find(node.text) !== null;
      const message = known ? `${quote(node.text)} does not monitor` : `there is no node ${quote(node.text)}`;
      const help =
        closest === '' || known ? `these do: ${nodes.join(' ')}` : `did you mean ${quote(closest)}?`;
      reporter.error(node, message, help);
    } else if (said.has(name)) {
      reporter.error(node, `${quote(node.text)} has an address already`, 'one for each node');
    } else if (isNowhere(address)) {
      reporter.error(place, `no node is reached at ${quote(place.text)}`, 'expected an address of its own');
    } else {
      said.set(name, entry);
    }
  }
  return said;
}

/** Two nodes at one address: one of them would connect to itself. */
function checkOwn(
  said: ReadonlyMap<string, NodeAddress>,
  addresses: MonitorLinks['addresses'],
  model: Model,
  reporter: Reporter,
): void {
  for (const [name, { address, place }] of said) {
    const there = addresses.find(
      ({ node, address: { text } }) =>
        node !== name &&
        (text === address.text || listensOf(model, node).some((listen) => listen.text === address.text)),
    );
    if (there === undefined) continue;
    const what = `${quote(place.text)} is where ${quote(there.node)} is reached`;
    reporter.error(place, what, `expected the address of ${quote(name)}`);
  }
}

/** Where it listens, if that is an address of its own; else its name, with its port. */
function usualAddress(model: Model, node: string): Address | null {
  const own = listensOf(model, node).find((address) => !isNowhere(address));
  if (own !== undefined) return own;
  const ports = inheritGlobals(model, node).listen.flatMap((address) =>
    address.scheme === 'unix' ? [] : [address.port],
  );
  const host = node.includes(':') ? `[${node}]` : node;
  const parsed = parseAddress(`tcp://${host}:${ports[0] ?? DEFAULT_PORT}`);
  return parsed.ok ? parsed.value : null;
}

/** What the node's own global section says. */
function listensOf(model: Model, node: string): readonly Address[] {
  return model.nodes.get(node)?.settings.listen?.value ?? [];
}

function isNowhere(address: Address): boolean {
  if (address.scheme === 'unix') return false;
  const { host } = address;
  return isIP(host) !== 0 && /^[0.:]+$/.test(host);
}

function warnOfKey(monitor: MonitorModel, model: Model, reporter: Reporter): void {
  const keyed = model.resources.find(({ settings }) => settings.key !== undefined);
  if (keyed === undefined) return;
  reporter.warning(
    monitor.place,
    `monitoring has no key, though resource ${quote(keyed.word.text)} has one`,
    'whoever connects from an address of a node is believed; monitor { key { secret STRING } }',
  );
}
