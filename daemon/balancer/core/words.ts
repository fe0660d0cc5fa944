/** What people are told: in logs, in mails, in answers. */
import { diffService } from '../ipvs/diff.js';
import type { Change, ServiceKey, TableService } from '../types.js';
import { addressOf, shownService } from './keys.js';
import type { BalancerState, Given, Pair, Service } from './state.js';
import { fullWeight, isDisabled } from './weights.js';

/** How much of a difference is told. */
const WORDS_MAX = 6;

/** `12.3s`, as ipvs-weightman writes it. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)}s`;
}

/** ` for 12.3s`; nothing for what has just begun. */
function lasted(ms: number): string {
  return ms < 100 ? '' : ` for ${seconds(ms)}`;
}

/** Why a server of a service has no weight. */
export function whyZero(pair: Pair, now: number): string {
  const { check, memory, host } = pair;
  if (pair.real === '')
    return host.address === ''
      ? `its name ${host.config.host} does not resolve`
      : 'another host of this service has its address';
  if (isDisabled(pair)) return `disabled: ${whyDisabled(pair, now)}`;
  if (fullWeight(pair) === 0) return memory.override === null ? 'weight 0 in the file' : 'weight 0 was set';
  if (check !== null && check.state === 'down')
    return `down${lasted(now - (check.since ?? now))}: ${check.nature}`;
  if (check !== null && check.state === 'unknown') return 'no result of its check yet';
  if (memory.awaitSince !== null) return 'it has not passed a check yet since it was enabled or defined';
  return 'too little weight is alive in its service';
}

/** Who has disabled it, why and how long ago. */
export function whyDisabled({ host, memory }: Pair, now: number): string {
  const said = ({ by, at }: Given): string => `by ${by}${lasted(now - at)}`;
  const whole = host.off === null ? [] : [`the whole host ${said(host.off)}`];
  return [...whole, ...[...memory.reasons].map(([name, given]) => `${name} ${said(given)}`)].join(', ');
}

/** `www (1.2.3.4:80)`. */
export function nameOf(state: BalancerState, { config }: Service): string {
  const virtual = shownService(config, addressOf(state, config.host));
  return `${config.tag} (${virtual === '' ? config.host : virtual})`;
}

/** What is to be done where it is somebody else's. */
export function adoptHint({ config }: Service): string {
  return `"hastmonctl balancer adopt ${config.tag}" takes it over`;
}

/** The text of a mail about a service whose last server has lost its weight, or whose first one has it again. */
export function mailText(
  state: BalancerState,
  service: Service,
  edge: { sorry: string | null; failedMs: number | null },
  now: number,
): string {
  const { sorry, failedMs } = edge;
  const head =
    failedMs === null
      ? `Virtual service ${nameOf(state, service)}: no server has weight, since now.`
      : `Virtual service ${nameOf(state, service)}: servers have weight again, after ${seconds(failedMs)}.`;
  const stand =
    failedMs !== null
      ? 'The sorry server is out.'
      : sorry === null
        ? 'There is no sorry server: nobody answers.'
        : `The sorry server ${sorry} is in.`;
  const lines = service.pairs.map((pair) => {
    const state = pair.memory.zeroSince === null ? 'has weight' : whyZero(pair, now);
    return `  ${pair.host.config.tag} (${pair.real === '' ? pair.host.config.host : pair.real}): ${state}`;
  });
  const servers = lines.length === 0 ? ['  none in the file'] : lines;
  return [head, stand, 'Servers:', ...servers, ''].join('\n');
}

/** What somebody else has changed, as text. */
export function differenceWords(
  key: ServiceKey,
  before: TableService | undefined,
  after: TableService | undefined,
): string {
  if (after === undefined) return 'it is gone';
  if (before === undefined) return 'it is there';
  const words = diffService(key, before, after).map((change) => changeWords(change, before));
  const more = words.length - WORDS_MAX;
  return [...words.slice(0, WORDS_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

function changeWords(change: Change, before: TableService): string {
  switch (change.kind) {
    case 'add-service':
    case 'edit-service': {
      const { scheduler, persistenceSeconds } = change;
      return scheduler !== before.scheduler
        ? `scheduler ${before.scheduler} -> ${scheduler}`
        : `persistence ${before.persistenceSeconds} s -> ${persistenceSeconds} s`;
    }
    case 'delete-service':
      return 'it is gone';
    case 'add-server':
      return `server ${change.server} came with weight ${change.weight}`;
    case 'edit-server': {
      const server = before.servers.get(change.server);
      return server?.method === change.method
        ? `server ${change.server} weight ${server.weight} -> ${change.weight}`
        : `server ${change.server} ${server?.method ?? ''} -> ${change.method}`;
    }
    case 'delete-server':
      return `server ${change.server} is gone`;
    default:
      return change satisfies never;
  }
}
