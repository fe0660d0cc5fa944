/** Checks as the page lists them. Pure; times are in milliseconds. */
import type {
  CheckDetail,
  CheckEntry,
  CheckResult,
  ChecksPage,
  NodeView,
} from '../../../../proto/monitor-types.js';
import type { Tone } from './tone.js';
import { age, count, figure, latency, list, shortAge } from './words.js';

/** So many rows are in the page at a time, however many checks there are. */
export const ROWS = 20;

export interface CheckRow {
  name: string;
  url: string;
  group: string;
  tone: Tone;
  /** up, down (confirmed), down here only, unknown. */
  word: string;
  /** What went wrong, '' where nothing did. */
  nature: string;
  latency: string;
  since: string;
  /** `nodeA and nodeB`; `nodeB, 2 are needed` where more nodes have to see it. */
  seenBy: string;
  /** muted, acknowledged, flapping, behind another one, and why an outage is not confirmed. */
  notes: string[];
}

/** What the node tells by itself: all of its checks, or, of very many, those that one looks for first. */
export interface ChecksPicture extends Omit<ChecksPage, 'next'> {
  /** Those that are not in it. */
  more: number;
}

/** What the reader wants to see. */
export interface CheckChoice {
  onlyDown: boolean;
  /** A part of the name, or a pattern with `*` and `?`; '' for all. */
  filter: string;
  /** The first row shown. */
  offset: number;
}

export interface CheckList {
  /** When it came, by the reader's clock. */
  at: number;
  summary: string;
  rows: CheckRow[];
  /** `1 to 20 of 134`. */
  range: string;
  earlier: boolean;
  later: boolean;
  note: string;
}

/** The worst first; ROWS of them. */
export function checkListOf(page: ChecksPicture | ChecksPage, choice: CheckChoice, at: number): CheckList {
  const { filter, offset, onlyDown } = choice;
  const wanted = matcher(filter);
  const chosen = page.entries
    .filter((entry) => wanted(entry.name) && (!onlyDown || entry.state === 'down' || entry.outage))
    .sort((one, other) => rankOf(one) - rankOf(other));
  const rows = chosen.slice(offset, offset + ROWS);
  const all = `${figure(chosen.length)}${'next' in page && page.next !== 0 ? ' or more' : ''}`;
  return {
    at,
    summary: `${figure(page.up)} up, ${figure(page.down)} down, ${figure(page.unknown)} unknown`,
    rows: rows.map(rowOf),
    range: rows.length === 0 ? 'none' : `${figure(offset + 1)} to ${figure(offset + rows.length)} of ${all}`,
    ...{ earlier: offset > 0, later: offset + ROWS < chosen.length },
    note: [page.note, leftOut(page, filter)].filter((text) => text !== '').join('; '),
  };
}

function leftOut(page: ChecksPicture | ChecksPage, filter: string): string {
  if ('more' in page && page.more > 0 && filter === '')
    return `${figure(page.more)} more are found by their name`;
  return 'next' in page && page.next !== 0 ? 'more are found by more of their name' : '';
}

/** Whether a filter finds everything in it. */
export function isComplete(picture: ChecksPicture | null): boolean {
  return picture === null || picture.more === 0;
}

/** As hastmond wants it. */
export function patternOf(filter: string): string {
  return /[*?]/.test(filter) ? filter : `*${filter}*`;
}

function matcher(filter: string): (name: string) => boolean {
  if (!/[*?]/.test(filter)) return (name) => name.includes(filter);
  const words = filter.split(/(\*+|\?)/).map((word) => {
    if (word === '?') return '.';
    return word.startsWith('*') ? '.*' : word.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  const pattern = new RegExp(`^${words.join('')}$`, 's');
  return (name) => pattern.test(name);
}

/** Outages first, then what is down here, what nothing is known of, what begins to fail, what is well. */
function rankOf({ nature, outage, state }: CheckEntry): number {
  if (outage) return 0;
  if (state !== 'up') return state === 'down' ? 1 : 2;
  return nature === 'ok' ? 4 : 3;
}

/** A row in which only what does not change is known. */
export function forgottenRow({ group, name, url }: CheckRow): CheckRow {
  const nothing = { nature: '', latency: '', since: '', seenBy: '', notes: [] };
  return { ...{ name, url, group, tone: 'unknown', word: 'unknown' }, ...nothing };
}

function rowOf(entry: CheckEntry): CheckRow {
  const { confirm, group, latencyMs, name, nature, seenBy, sinceMs, state, url } = entry;
  return {
    ...{ name, url, group, tone: toneOf(entry), word: wordOf(entry) },
    nature: nature === 'ok' ? '' : nature,
    latency: state === 'unknown' ? '' : latency(latencyMs),
    since: sinceMs === null ? '' : shortAge(sinceMs),
    seenBy: `${list(seenBy)}${seenBy.length === 0 || seenBy.length >= confirm ? '' : `, ${confirm} are needed`}`,
    notes: notesOf(entry),
  };
}

function toneOf({ nature, outage, state }: CheckEntry): Tone {
  if (outage) return 'bad';
  if (state === 'unknown') return 'unknown';
  return state === 'down' || nature !== 'ok' ? 'warn' : 'good';
}

function wordOf({ confirm, outage, state }: CheckEntry): string {
  if (outage) return state === 'down' ? 'down' : `${state} here, down for others`;
  return state === 'down' && confirm > 1 ? 'down here only' : state;
}

function notesOf({ ackBy, behind, flapping, muteMs, note }: CheckEntry): string[] {
  return [
    ...(flapping ? ['flapping'] : []),
    ...(behind.length > 0 ? [`behind ${list(behind)}`] : []),
    ...(ackBy === '' ? [] : [`acknowledged by ${ackBy}`]),
    ...(muteMs > 0 ? [`muted for ${age(muteMs)}`] : []),
    ...(note === '' ? [] : [note]),
  ];
}

export interface CheckView {
  views: {
    node: string;
    self: boolean;
    tone: Tone;
    word: string;
    nature: string;
    latency: string;
    last: string;
    since: string;
    note: string;
  }[];
  facts: { name: string; value: string }[];
  series: Series;
}

/** Who sees what, and how it was lately. */
export function checkViewOf(detail: CheckDetail): CheckView {
  const { depends, entry, options, outageMs, told, toldBy } = detail;
  const facts = [
    { name: 'URL', value: entry.url },
    { name: 'Outage', value: outageMs === null ? '' : `for ${age(outageMs)}` },
    {
      name: 'People were told of',
      value: told === '' ? '' : `${told}${toldBy === '' ? '' : `, by ${toldBy}`}`,
    },
    { name: 'Depends on', value: depends.map(({ name, state }) => `${name} (${state})`).join(', ') },
    { name: 'Confirmed by', value: `${entry.confirm} of ${count(entry.nodes, 'node')}` },
    { name: 'Statements', value: options.join('; ') },
  ];
  return {
    views: detail.views.map(viewOf),
    facts: facts.filter(({ value }) => value !== ''),
    series: seriesOf(detail.results),
  };
}

function viewOf(view: NodeView): CheckView['views'][number] {
  const { address, lastMs, latencyMs, nature, node, note, self, sinceMs, state } = view;
  const failing = state === 'up' && nature !== '' && nature !== 'ok';
  const tone = failing ? 'warn' : state === 'up' ? 'good' : state === 'down' ? 'bad' : 'unknown';
  const known = state !== 'unknown';
  return {
    ...{ node, self, tone, word: failing ? 'up, failing' : state, note },
    nature: nature === '' ? '' : `${nature}${address === '' ? '' : ` at ${address}`}`,
    latency: known ? latency(latencyMs) : '',
    last: lastMs === null ? 'never' : `${age(lastMs)} ago`,
    since: sinceMs === null ? '' : shortAge(sinceMs),
  };
}

/** For a chart: seconds before now (negative, rising), and milliseconds; null where it failed. */
export interface Series {
  at: number[];
  latencyMs: (number | null)[];
  failed: number;
  /** The same in words. */
  text: string;
}

const RESULTS_SHOWN = 60;

export function seriesOf(results: readonly CheckResult[]): Series {
  const shown = results.slice(0, RESULTS_SHOWN).reverse();
  const latencyMs = shown.map((result) => (result.ok ? result.latencyMs : null));
  const good = latencyMs.filter((value) => value !== null);
  return {
    at: shown.map(({ ageMs }) => -ageMs / 1000),
    latencyMs,
    failed: shown.length - good.length,
    text: wordsOf(good, shown.length - good.length),
  };
}

function wordsOf(good: readonly number[], failed: number): string {
  const all = good.length + failed;
  if (all === 0) return 'no results yet';
  const parts = [
    ...(good.length === 0 ? [] : [`${latency(Math.min(...good))} to ${latency(Math.max(...good))}`]),
    ...(failed === 0 ? [] : [`${failed === all ? 'all' : failed} failed`]),
  ];
  return `last ${count(all, 'result')}: ${parts.join(', ')}`;
}
