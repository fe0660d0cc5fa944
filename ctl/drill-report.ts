/** The report of a drill for real, in Markdown: what was done, what it took, what was expected, and of what cluster. Pure. */
import type { HaEvent } from '../proto/event-types.js';
import type { Failover } from '../proto/timeline-types.js';
import { plain } from './check-words.js';
import { formatDrill } from './drill.js';
import type { RealTask } from './drill-arguments.js';
import type { Expected } from './drill-expected.js';
import type { Drilled } from './drill-facts.js';
import { timeOf } from './events.js';
import { awayMs, type Leg, type RealResult } from './for-real.js';
import { duration, inBrackets } from './words.js';

export interface RealReport {
  task: RealTask;
  /** As of before. */
  drilled: Drilled;
  expected: Expected;
  result: RealResult;
  /** Of this node, about the resource, while it lasted. */
  events: readonly HaEvent[];
  /** The moves as all nodes saw them; none where that could not be put together. */
  failovers: readonly Failover[];
  /** The operator has ended the collecting of both before all was there. */
  cut: boolean;
  versions: { hastmonctl: string; hastmond: string };
  began: Date;
  ended: Date;
}

/** Neither a cell nor a line of Markdown ends in the middle of what a program said. */
const cell = (text: string): string => plain(text).replaceAll('|', '\\|');
const time = (ms: number | null): string => (ms === null ? '-' : duration(ms));

export function reportText(report: RealReport): string {
  const { began, drilled, ended, events, result, task, versions } = report;
  const { asked: facts } = drilled.known;
  const outcome =
    result.problem === ''
      ? 'It went there and came back.'
      : `**It did not go as planned:** ${plain(result.problem)}.`;
  const sections = [
    `# Drill of ${plain(task.resource)}`,
    `${outcome} At the end: ${plain(result.end)}.${result.interrupted ? ' The operator interrupted it.' : ''}`,
    [
      `- begun ${timeOf(began.getTime())}, ended ${timeOf(ended.getTime())}, local time of ${plain(facts.node)}, ${offsetOf(began)}`,
      `- hastmonctl ${plain(versions.hastmonctl)}, hastmond ${plain(versions.hastmond)} on ${plain(facts.node)}`,
      `- it was to stay there for ${duration(task.holdMs)}`,
      ...(task.back.length === 0
        ? []
        : [`- switched back by \`${plain(task.back.join(' ')).replaceAll('`', "'")}\``]),
      ...(result.role === '' ? [] : [`- ${plain(result.role)}`]),
    ].join('\n'),
    '## Times',
    times(report),
    ...compared(report),
    'Measured by what this node knew: of what the other node does, it knows when that is heard. Expected is what the rules give with the times of hooks measured before.',
    ...phases(report.failovers),
    '## The cluster before',
    cluster(report),
    '## What has happened, as this node saw it',
    ...(report.cut ? ['Collecting this was interrupted: there may be more on record.'] : []),
    eventTable(events),
    '## What would follow from failures, computed before',
    `\`\`\`\n${formatDrill(drilled, { columns: Number.POSITIVE_INFINITY, colour: false }).replaceAll('```', "'''")}\`\`\``,
  ];
  return `${sections.join('\n\n')}\n`;
}

function times({ expected, result: { back, there } }: RealReport): string {
  const title = (leg: Leg | null, word: string): string =>
    leg === null ? `${word} (not begun)` : `${word}: ${cell(leg.from)} to ${cell(leg.to)}`;
  const between = (leg: Leg | null, from: keyof Leg, to: keyof Leg): string => {
    const [begin, end] = [leg?.[from] ?? null, leg?.[to] ?? null];
    return typeof begin === 'number' && typeof end === 'number' ? time(Math.max(0, end - begin)) : '-';
  };
  const row = (name: string, from: keyof Leg, to: keyof Leg): string =>
    `| ${name} | ${between(there, from, to)} | ${between(back, from, to)} |`;
  return [
    `| | ${title(there, 'there')} | ${title(back, 'back')} |`,
    '|---|---|---|',
    `| **without the service, expected** | ${time(expected.thereMs)} | ${time(expected.backMs)} |`,
    `| **without the service, measured** | ${measured(there)} | ${measured(back)} |`,
    row('until the stop began', 'askedAt', 'stopsAt'),
    row('stop, and the lease to the other node', 'stopsAt', 'heldAt'),
    row('start', 'heldAt', 'runsAt'),
    row('all together', 'askedAt', 'runsAt'),
  ].join('\n');
}

function measured(leg: Leg | null): string {
  const ms = leg === null ? null : awayMs(leg);
  return `${time(ms)}${ms !== null && leg?.runsAt === null ? ', put back' : ''}`;
}

/** What differs less is told as the same: a look is taken every few milliseconds, and a machine is never quite the same. */
const SAME_MS = 100;
const SAME_SHARE = 0.1;

/** In a sentence for each way how what was measured differs from what was expected. */
function compared({ expected, result }: RealReport): string[] {
  const { back, there } = result;
  const ways: [string, Leg | null, number | null][] = [
    ['On the way there', there, expected.thereMs],
    ['On the way back', back, expected.backMs],
  ];
  const sentences = ways.flatMap(([way, leg, expectedMs]) => {
    const ms = leg === null ? null : awayMs(leg);
    if (ms === null) return [];
    const begun = `${way} it was away for ${duration(ms)}`;
    if (leg?.runsAt === null)
      return [
        `${begun}, and was put back${expectedMs === null ? '' : `: to move it, ${duration(expectedMs)} were expected`}.`,
      ];
    if (expectedMs === null) return [`${begun}; what was to be expected is not known.`];
    const over = ms - expectedMs;
    if (Math.abs(over) <= SAME_MS + SAME_SHARE * expectedMs) return [`${begun}, about as long as expected.`];
    return [`${begun}, ${duration(Math.abs(over))} ${over > 0 ? 'longer' : 'less'} than expected.`];
  });
  return sentences.length === 0 ? [] : [sentences.join(' ')];
}

/** How far local time is from UTC then: `UTC+01:00`. */
export function offsetOf(when: Date): string {
  const minutes = -when.getTimezoneOffset();
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `UTC${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

function phases(failovers: readonly Failover[]): string[] {
  if (failovers.length === 0) return [];
  const tables = failovers.map(({ from, phases: each, text, to, tookMs }) => {
    const rows = each.map(({ name, node, setting, settingMs, text: what, tookMs: ms }) => {
      const rule = setting === '' ? '' : `${setting}${settingMs === null ? '' : ` ${duration(settingMs)}`}`;
      return `| ${cell(name)} | ${duration(ms)} | ${cell(node)} | ${cell(what)} | ${cell(rule)} |`;
    });
    const head = `${cell(from)} to ${cell(to)}, ${time(tookMs)}: ${plain(text)}`;
    return [
      head,
      '',
      '| phase | took | seen by | ended with | ruled by |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return ['## Phases, as all nodes saw them', ...tables];
}

function cluster({ drilled }: RealReport): string {
  const { asked: facts } = drilled.known;
  const { heartbeatMs, leaseMs, startTimeoutMs, stopTimeoutMs, switchoverTimeoutMs } = facts.settings;
  const rows = facts.nodes.map(
    ({ node, priority, role, roleSet, run }) =>
      `| ${cell(node)} | ${role ?? '-'} | ${roleSet ?? '-'} | ${run ?? '-'} | ${priority} |`,
  );
  const settings = {
    heartbeat_interval: heartbeatMs,
    lease_timeout: leaseMs,
    start_timeout: startTimeoutMs,
    stop_timeout: stopTimeoutMs,
    switchover_timeout: switchoverTimeoutMs,
  };
  return [
    '| node | role | role set | state | priority |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    `${Object.entries(settings)
      .map(([name, ms]) => `${name} ${duration(ms)}`)
      .join(', ')}.`,
  ].join('\n');
}

function eventTable(events: readonly HaEvent[]): string {
  if (events.length === 0) return 'No event is on record.';
  return [
    '| when | what |',
    '|---|---|',
    ...events.map(
      ({ at, by, text }) =>
        `| ${timeOf(at)} | ${cell(text)}${by === undefined ? '' : inBrackets(` (${cell(by)})`)} |`,
    ),
  ].join('\n');
}
