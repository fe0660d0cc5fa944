/** What the daemon tells by itself, as server-sent events; connected again, by itself, as long as the page is open. */
import type { ClusterView } from '../../../../proto/cluster-types.js';
import type { HaEvent } from '../../../../proto/event-types.js';
import type { BalancerData } from '../model/balancer.js';
import type { ChecksPicture } from '../model/checks.js';
import { EVENTS_KEPT } from '../model/events.js';
import { age } from '../model/words.js';

export interface StreamTaker {
  cluster(view: ClusterView): void;
  checks(picture: ChecksPicture): void;
  balancer(data: BalancerData): void;
  event(event: HaEvent): void;
  /** Why nothing comes. */
  trouble(why: string): void;
  /** There is no connection; another one will be tried. */
  lost(): void;
}

const AGAIN_MS = 1000;
/** So long without a word, and the connection is given up for a new one: a network that drops packets says nothing. */
const SILENT_MS = 10_000;

export function openStream(take: StreamTaker): void {
  let source: EventSource | null = null;
  let watch: ReturnType<typeof setTimeout> | undefined;

  function reconnect(why: string): void {
    source?.close();
    clearTimeout(watch);
    watch = setTimeout(connect, AGAIN_MS);
    take.trouble(why);
    take.lost();
  }

  function heard(): void {
    clearTimeout(watch);
    watch = setTimeout(() => reconnect('nothing comes over the connection'), SILENT_MS);
  }

  function on<Data>(name: string, handle: (data: Data) => void): void {
    source?.addEventListener(name, (message: MessageEvent<string>) => {
      heard();
      handle(JSON.parse(message.data) as Data);
    });
  }

  function connect(): void {
    source = new EventSource(`api/v1/stream?last=${EVENTS_KEPT}`);
    heard();
    source.onerror = () => reconnect('no connection to the daemon');
    on('cluster', take.cluster);
    on('checks', take.checks);
    on('balancer', take.balancer);
    on('event', take.event);
    on('silent', ({ ageMs }: { ageMs: number | null }) =>
      take.trouble(`hastmond ${ageMs === null ? 'does not answer' : `has not answered for ${age(ageMs)}`}`),
    );
  }

  connect();
}
