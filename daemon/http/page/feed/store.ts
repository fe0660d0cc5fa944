/** What the page knows, and who has to be told when it knows more. Questions are asked here; nothing is decided. */
import type { ClusterView } from '../../../../proto/cluster-types.js';
import type { HaEvent } from '../../../../proto/event-types.js';
import type { CheckDetail, ChecksPage } from '../../../../proto/monitor-types.js';
import type { Timeline } from '../../../../proto/timeline-types.js';
import type { Counts } from '../model/alarms.js';
import type { BalancerData } from '../model/balancer.js';
import {
  type CheckChoice,
  type CheckList,
  type ChecksPicture,
  checkListOf,
  isComplete,
  patternOf,
} from '../model/checks.js';
import { type ClusterModel, clusterOf } from '../model/cluster.js';
import { changesTimeline, joined } from '../model/events.js';
import { api, Refused } from './api.js';
import { createClock } from './clock.js';
import { createPoll } from './poll.js';
import { openStream } from './stream.js';

/** The last that was told or answered, and when it came. */
export interface Known<Data> {
  data: Data | null;
  at: number;
  /** Why there is none, or none that is newer; '' for no reason. */
  error: string;
}

export interface State {
  openedAt: number;
  heardAt: number | null;
  trouble: string;
  cluster: ClusterModel | null;
  counts: Counts;
  events: HaEvent[];
  checks: Known<ChecksPicture>;
  /** Those of the filter, where the picture does not have them all. */
  found: Known<ChecksPage>;
  choice: CheckChoice;
  /** Of the checks whose rows are shown. */
  details: Map<string, CheckDetail>;
  /** The check whose row is open, '' for none. */
  open: string;
  balancer: Known<BalancerData>;
  timeline: Known<Timeline>;
  /** Whose timeline is shown, and whether the reader has chosen it. */
  resource: string;
  chosen: boolean;
}

export interface Store {
  readonly state: State;
  now(): number;
  /** What is listed by the present choice, null while nothing has come. */
  checkList(): CheckList | null;
  choose(choice: CheckChoice): void;
  toggle(check: string): void;
  showTimeline(resource: string): void;
  /** Rows of checks are in sight: their history is worth asking for. */
  checksInSight(seen: boolean): void;
}

const nothing = { data: null, at: 0, error: '' };
const DETAILS_AT_ONCE = 4;

export function createStore(changed: () => void): Store {
  const now = createClock();
  const state: State = {
    ...{ openedAt: now(), heardAt: null, trouble: '', cluster: null },
    ...{ counts: { checks: null, balancer: null }, events: [], checks: nothing, found: nothing },
    ...{ choice: { onlyDown: false, filter: '', offset: 0 }, details: new Map(), open: '' },
    ...{ balancer: nothing, timeline: nothing, resource: '', chosen: false },
  };
  let inSight = false;

  const found = createPoll(5000, readFound);
  const details = createPoll(10_000, readDetails);
  const timeline = createPoll(60_000, readTimeline);
  for (const poll of [found, details, timeline]) poll.start(changed);

  async function answered<Data>(asked: Promise<Data>, before: Known<Data>): Promise<Known<Data>> {
    try {
      return { data: await asked, at: now(), error: '' };
    } catch (error) {
      return { ...before, error: (error as Error).message };
    }
  }

  const needsSearch = (): boolean => state.choice.filter !== '' && !isComplete(state.checks.data);

  async function readFound(): Promise<void> {
    const { filter } = state.choice;
    if (!needsSearch()) return;
    const answer = await answered(api.checks(patternOf(filter)), state.found);
    if (filter === state.choice.filter) state.found = answer;
  }

  function checkList(): CheckList | null {
    const { checks, choice } = state;
    const source = needsSearch() ? state.found : checks;
    return source.data === null ? null : checkListOf(source.data, choice, source.at);
  }

  /** A few at a time, those of the rows that are shown. */
  async function readDetails(): Promise<void> {
    const rows = checkList()?.rows;
    if (!inSight || rows === undefined) return;
    const waiting = rows.map(({ name }) => name);
    for (const name of state.details.keys()) if (!waiting.includes(name)) state.details.delete(name);
    const work = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        state.details.set(name, await api.check(name));
        changed();
      }
    };
    await Promise.all(Array.from({ length: DETAILS_AT_ONCE }, work));
  }

  async function readTimeline(): Promise<void> {
    const { resource } = state;
    if (resource === '') return;
    const answer = await answered(api.timeline(resource), state.timeline);
    if (resource === state.resource) state.timeline = answer;
  }

  function follow(resource: string): void {
    if (resource === state.resource) return;
    state.resource = resource;
    state.timeline = nothing;
    timeline.soon();
  }

  function takeCluster(view: ClusterView): void {
    state.heardAt = now();
    state.trouble = '';
    state.cluster = clusterOf(view, state.heardAt);
    const own = view.nodes.find(({ self }) => self)?.said;
    state.counts = { checks: own?.checks ?? null, balancer: own?.balancer ?? null };
    if (state.resource === '') follow(state.cluster.resources[0]?.name ?? '');
    changed();
  }

  function takeEvent(event: HaEvent): void {
    state.events = joined(state.events, [event]);
    if (event.resource !== undefined && changesTimeline(event)) {
      if (!state.chosen) follow(event.resource);
      if (event.resource === state.resource) timeline.soon();
    }
    changed();
  }

  /** Where there is no stream, its view may be had all the same; or the reason why not. */
  function askOnce(): void {
    api.cluster().then(takeCluster, (error: unknown) => {
      if (error instanceof Refused) state.trouble = error.message;
      changed();
    });
  }

  openStream({
    cluster: takeCluster,
    event: takeEvent,
    checks(data) {
      if (state.checks.data === null) details.soon();
      state.checks = { data, at: now(), error: '' };
      changed();
    },
    balancer(data) {
      state.balancer = { data, at: now(), error: '' };
      changed();
    },
    trouble(why) {
      state.trouble = why;
      changed();
    },
    lost: askOnce,
  });

  return {
    ...{ state, now, checkList },
    choose(choice) {
      if (choice.filter !== state.choice.filter) state.found = nothing;
      state.choice = choice;
      found.soon();
      details.soon();
      changed();
    },
    toggle(check) {
      state.open = state.open === check ? '' : check;
      details.soon();
      changed();
    },
    showTimeline(resource) {
      state.chosen = true;
      follow(resource);
      changed();
    },
    checksInSight(seen) {
      inSight = seen;
      if (seen) details.soon();
    },
  };
}
