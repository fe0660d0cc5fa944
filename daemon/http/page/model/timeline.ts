/** The last failover as a chart: a bar for each phase, a lane of marks for each node. Pure; times are in milliseconds. */
import type { Failover, Timeline } from '../../../../proto/timeline-types.js';
import { clock, duration, list } from './words.js';

export interface TimelineModel {
  resource: string;
  /** One sentence, the whole of it in words. */
  title: string;
  /** When, from where to where, how long. */
  facts: { name: string; value: string }[];
  phases: PhaseBar[];
  lanes: { node: string; marks: Mark[] }[];
  /** Marks along the axis, the last one at or below the end. */
  ticks: { at: number; text: string }[];
  /** Nodes whose events are missing, as a sentence; '' for none. */
  missing: string;
}

export interface PhaseBar {
  name: string;
  /** Where it begins and how long it is, in parts of the whole (0 to 1). */
  begin: number;
  length: number;
  took: string;
  /** Its part of the whole, 34 %. */
  share: string;
  node: string;
  text: string;
  /** `lease_timeout 3 s`, '' where no setting rules it. */
  setting: string;
  longest: boolean;
}

export interface Mark {
  at: number;
  after: string;
  text: string;
  number: number;
}

const MARKS_EACH = 40;

/** Of the newest failover; null where there was none. */
export function timelineOf(timeline: Timeline, now: number): TimelineModel | null {
  const failover = timeline.failovers.at(-1);
  if (failover === undefined) return null;
  const wholeMs = wholeOf(failover);
  const longestMs = Math.max(...failover.phases.map(({ tookMs }) => tookMs));
  return {
    resource: timeline.resource,
    title: failover.text,
    facts: factsOf(failover, now),
    phases: failover.phases.map(({ beginMs, name, node, setting, settingMs, text, tookMs }) => ({
      ...{ name, node, text, took: duration(tookMs), longest: tookMs === longestMs },
      ...{ begin: part(beginMs, wholeMs), length: part(tookMs, wholeMs) },
      share: `${Math.round(part(tookMs, wholeMs) * 100)} %`,
      setting: setting === '' ? '' : `${setting}${settingMs === null ? '' : ` ${duration(settingMs)}`}`,
    })),
    lanes: lanesOf(failover, wholeMs),
    ticks: ticksOf(wholeMs),
    missing: missingOf(timeline),
  };
}

function wholeOf({ marks, phases, tookMs }: Failover): number {
  const ends = phases.map((phase) => phase.beginMs + phase.tookMs);
  return Math.max(1, tookMs ?? Math.max(0, ...ends, ...marks.map(({ afterMs }) => afterMs)), ...ends);
}

function part(ms: number, wholeMs: number): number {
  return Math.min(1, Math.max(0, ms / wholeMs));
}

function factsOf({ at, epoch, from, to, tookMs }: Failover, now: number): TimelineModel['facts'] {
  return [
    { name: 'Began', value: clock(at, now) },
    { name: 'From', value: from === '' ? 'not known' : from },
    { name: 'To', value: to === '' ? 'nowhere yet' : to },
    { name: 'Took', value: tookMs === null ? 'not over' : duration(tookMs) },
    ...(epoch === 0 ? [] : [{ name: 'Epoch', value: String(epoch) }]),
  ];
}

function lanesOf({ marks }: Failover, wholeMs: number): TimelineModel['lanes'] {
  const nodes = [...new Set(marks.map(({ node }) => node))];
  return nodes.map((node) => ({
    node,
    marks: marks
      .filter((mark) => mark.node === node)
      .slice(0, MARKS_EACH)
      .map(({ afterMs, number, text }) => ({
        at: part(afterMs, wholeMs),
        after: duration(afterMs),
        text,
        number,
      })),
  }));
}

/** Round steps, four to eight of them. */
function ticksOf(wholeMs: number): TimelineModel['ticks'] {
  const least = wholeMs / 7;
  const decade = 10 ** Math.floor(Math.log10(least));
  const step = ([1, 2, 5, 10].find((factor) => factor * decade >= least) ?? 10) * decade;
  const steps = Math.floor(wholeMs / step + 1e-9);
  return Array.from({ length: steps + 1 }, (_, index) => ({
    at: (index * step) / wholeMs,
    text: index === 0 ? '0' : duration(index * step),
  }));
}

function missingOf({ missing }: Timeline): string {
  if (missing.length === 0) return '';
  return `Without the events of ${list(missing.map(({ node, why }) => (why === '' ? node : `${node} (${why})`)))}`;
}
