/** The whole page: what is said first, then a section for each part of it. */
import type { JSX } from 'preact';
import type { Store } from '../feed/store.js';
import { type Alarm, alarmsOf, type Headline, headlineOf } from '../model/alarms.js';
import { forgotten } from '../model/cluster.js';
import { CHECKS_OLD_MS, type Freshness, freshness } from '../model/freshness.js';
import { age } from '../model/words.js';
import { Announcer } from './announcer.js';
import { Balancer } from './balancer.js';
import { Checks } from './checks.js';
import { Cluster } from './cluster.js';
import { Events } from './events.js';
import { Mark } from './parts.js';
import { isWide, Resources } from './resources.js';
import { TimelineSection } from './timeline.js';

export function App({ store }: { store: Store }): JSX.Element {
  const { state } = store;
  const now = store.now();
  const fresh = freshness(state.heardAt, state.openedAt, now, state.trouble);
  const old = fresh.kind === 'old';
  // What is old is not shown in its last colours: all that is left of it are names.
  const cluster = state.cluster !== null && old ? forgotten(state.cluster) : state.cluster;
  const alarms = cluster === null || old ? [] : alarmsOf(cluster, state.counts, outagesOf(state, now));
  const headline = headlineOf(cluster, fresh, alarms, state.counts);
  document.title = titleOf(headline, state.cluster?.self ?? '');
  return (
    <div class={old ? 'page old' : 'page'}>
      <a class="skip" href="#main">
        Skip to the cluster
      </a>
      <Header headline={headline} self={state.cluster?.self ?? ''} fresh={fresh} />
      <Announcer said={{ cluster: state.cluster, alarms, old }} />
      <main id="main" tabIndex={-1}>
        {fresh.kind === 'old' && <Old text={fresh.text} />}
        <Alarms alarms={alarms} />
        <div class={isWide(cluster) ? 'sections many' : 'sections'}>
          <div class="column">
            <Cluster cluster={cluster} now={store.now} />
            <TimelineSection store={store} resources={cluster?.resources ?? []} old={old} />
          </div>
          <div class="column">
            <Resources cluster={cluster} now={store.now} />
            <Events
              events={state.events}
              old={old}
              beside={(state.timeline.data?.failovers.length ?? 0) > 0}
            />
          </div>
          <Checks store={store} old={old} />
          <Balancer known={state.balancer} counts={state.counts.balancer} now={now} old={old} />
        </div>
      </main>
      <footer>
        This page only looks. Changes are made with <code>hastmonctl</code>; figures for other programs are at{' '}
        <a href="metrics">/metrics</a> and in the API.
      </footer>
    </div>
  );
}

/** By name, while the list is shown as what is so. */
function outagesOf({ checks }: Store['state'], now: number): string[] {
  if (checks.data === null || now - checks.at > CHECKS_OLD_MS) return [];
  return checks.data.entries.filter(({ outage }) => outage).map(({ name }) => name);
}

function titleOf({ text, tone }: Headline, self: string): string {
  const where = self === '' ? 'hastmon' : `hastmon on ${self}`;
  return tone === 'good' ? where : `${text} – ${where}`;
}

function Header({
  fresh,
  headline,
  self,
}: {
  headline: Headline;
  self: string;
  fresh: Freshness;
}): JSX.Element {
  return (
    <header>
      <h1>hastmon{self !== '' && <span class="self"> as {self} sees it</span>}</h1>
      <p class={`headline ${headline.tone}`}>
        <Mark tone={headline.tone} />
        {headline.text}
      </p>
      <p class={`freshness ${fresh.kind}`}>{freshnessText(fresh)}</p>
    </header>
  );
}

function freshnessText(fresh: Freshness): string {
  if (fresh.kind === 'waiting') return 'connecting';
  if (fresh.kind === 'old') return `old: ${age(fresh.ageMs)}`;
  return fresh.ageMs < 1500 ? 'live' : `${age(fresh.ageMs)} ago`;
}

/** Loud, and at the top. What is read aloud is the announcer's. */
function Old({ text }: { text: string }): JSX.Element {
  return (
    <div class="banner">
      <strong>Old data.</strong> {text}
    </div>
  );
}

function Alarms({ alarms }: { alarms: readonly Alarm[] }): JSX.Element | null {
  if (alarms.length === 0) return null;
  const shown = alarms.slice(0, 8);
  return (
    <section class="alarms" aria-labelledby="alarms-title">
      <h2 id="alarms-title" class="hidden">
        To look at
      </h2>
      <ul>
        {shown.map(({ id, text, tone }) => (
          <li key={id} class={tone}>
            <Mark tone={tone} />
            {text}
          </li>
        ))}
        {alarms.length > shown.length && <li class="more">and {alarms.length - shown.length} more</li>}
      </ul>
    </section>
  );
}
