/** The text of a message: what a person can act on at three in the morning. Pure. */
import type { Witness } from '../confirm/types.js';
import { lengthOf, listOf } from '../confirm/words.js';
import type { Told } from './outbox-types.js';
import { clockTime, excerptLines, printable, sayNature, shorten } from './words.js';

export interface Setting {
  /** This node. */
  node: string;
  /** The time zone that is shown, undefined for the machine's. */
  zone: string | undefined;
}

/** Told in full, and by a line each. */
const DETAILS_MAX = 20;
const LINES_MAX = 500;
const SUBJECT_NAMES = 5;
const SUBJECT_COLUMNS = 120;
const COLUMNS = 77;

const WORDS = { down: 'DOWN', flapping: 'FLAPPING', calm: 'CALM', up: 'UP' } as const;
const ORDER = ['down', 'flapping', 'calm', 'up'] as const;

/** The worst first, else as they came. */
export function inOrder(told: readonly Told[]): Told[] {
  const place = ({ notice }: Told): number => ORDER.indexOf(notice.facts.what);
  return [...told].sort((a, b) => place(a) - place(b));
}

/** `[DOWN] web (http://www.example.com/)`, `[UP] web after 12 min`, `[DOWN] 7 checks: web, db, …`, `[DOWN 2, UP 1] db, …`. */
export function subjectOf(told: readonly Told[]): string {
  const [first, ...others] = told;
  if (first === undefined) return '';
  if (others.length === 0)
    return shorten(`[${WORDS[first.notice.facts.what]}] ${summary(first)}`, SUBJECT_COLUMNS);
  const names = told.map(({ notice }) => printable(notice.check));
  const shown = names.slice(0, SUBJECT_NAMES).join(', ') + (names.length > SUBJECT_NAMES ? ', …' : '');
  const counts = ORDER.flatMap((what) => {
    const count = told.filter(({ notice }) => notice.facts.what === what).length;
    return count === 0 ? [] : [{ what: WORDS[what], count }];
  });
  const [only] = counts;
  if (counts.length === 1 && only !== undefined)
    return shorten(`[${only.what}] ${only.count} checks: ${shown}`, SUBJECT_COLUMNS);
  return shorten(
    `[${counts.map(({ what, count }) => `${what} ${count}`).join(', ')}] ${shown}`,
    SUBJECT_COLUMNS,
  );
}

function summary({ notice }: Told): string {
  const { facts } = notice;
  const name = printable(notice.check);
  if (facts.what === 'flapping') return name;
  if (facts.what === 'calm') return `${name} is ${facts.lastedMs === null ? 'down' : 'up'}`;
  if (facts.what === 'up')
    return facts.lastedMs === null ? name : `${name} after ${lengthOf(facts.lastedMs)}`;
  return `${name} (${printable(notice.url)})`;
}

/** The whole text, told from `setting.node`. */
export function textOf(told: readonly Told[], setting: Setting): string {
  const lines: string[] = [];
  if (told.length > 1) {
    for (const one of told.slice(0, LINES_MAX))
      lines.push(`${WORDS[one.notice.facts.what].padEnd(9)} ${line(one)}`);
    if (told.length > LINES_MAX)
      lines.push(`… and ${told.length - LINES_MAX} more`, 'See all: hastmonctl checks --down');
    lines.push('');
  }
  for (const one of told.slice(0, DETAILS_MAX)) {
    if (told.length > 1) lines.push('-'.repeat(72), '');
    lines.push(...detailsOf(one, setting), '');
  }
  if (told.length > DETAILS_MAX)
    lines.push(`The first ${DETAILS_MAX} of ${told.length} are described here.`, '');
  const ids = told.slice(0, DETAILS_MAX).map(({ notice }) => printable(notice.id));
  lines.push('-- ', `hastmon on ${setting.node}, ${ids.length === 1 ? 'edge' : 'edges'} ${ids.join(', ')}`);
  return `${lines.flatMap(fold).join('\n')}\n`;
}

function line(one: Told): string {
  const { notice } = one;
  return notice.facts.what === 'down'
    ? `${printable(notice.check)}: ${natureOf(one)}, ${printable(notice.url)}`
    : summary(one);
}

/** The nature that most of those name who saw it down; of equal ones the first. */
export function natureOf({ notice }: Told): string {
  const natures = notice.facts.witnesses
    .filter(({ view }) => view.sight === 'down')
    .map(({ view }) => view.nature);
  const count = (nature: string): number => natures.filter((other) => other === nature).length;
  const [first = ''] = natures;
  return natures.reduce((best, nature) => (count(nature) > count(best) ? nature : best), first);
}

function detailsOf(told: Told, { node, zone }: Setting): string[] {
  const { notice, wall } = told;
  const { facts } = notice;
  const since = wall - facts.sinceMs;
  const lines = [headline(told), ''];
  lines.push(
    `What:    ${printable(notice.check)}${notice.group === '' ? '' : `, group ${printable(notice.group)}`}`,
  );
  lines.push(`Where:   ${printable(notice.url)}`);
  lines.push(`Since:   ${clockTime(since, zone)} (${agoOf(facts.sinceMs)})`);
  if (facts.lastedMs !== null && facts.what !== 'flapping')
    lines.push(`Until:   ${clockTime(since + facts.lastedMs, zone)}, it lasted ${lengthOf(facts.lastedMs)}`);
  const nature = natureOf(told);
  if (nature !== '') lines.push(`Why:     ${sayNature(nature)}`);
  if (facts.ackBy !== '') lines.push(`Taken:   by ${printable(facts.ackBy)}`);
  lines.push('', ...witnessLines(told, zone));
  const { text, excerpt } = notice.answer;
  const said = excerptLines(excerpt);
  if (text !== '') lines.push('', `The check says (on ${node}): ${shorten(printable(text), 300)}`);
  if (said.length > 0) lines.push('', `The service said (to ${node}):`, ...said.map((one) => `  | ${one}`));
  lines.push('', `Look further:   hastmonctl check ${word(notice.check)}`);
  if ((facts.what === 'down' || facts.what === 'flapping') && facts.ackBy === '')
    lines.push(`I take care:    hastmonctl check ack ${word(notice.check)}`);
  return lines;
}

function headline({ notice: { check, facts } }: Told): string {
  const name = printable(check);
  switch (facts.what) {
    case 'down':
      return `${name} is down.`;
    case 'up':
      return `${name} is up again${facts.lastedMs === null ? '' : ` after ${lengthOf(facts.lastedMs)}`}.`;
    case 'flapping':
      return `${name} goes down and up again and again. Nothing more is told until it is calm.`;
    case 'calm':
      return `${name} is calm again: it is ${facts.lastedMs === null ? 'down' : 'up'}.`;
  }
}

function witnessLines({ notice: { facts }, wall }: Told, zone: string | undefined): string[] {
  const by = (sight: string): Witness[] => facts.witnesses.filter(({ view }) => view.sight === sight);
  const [down, up] = [by('down'), by('up')];
  const lines: string[] = [];
  if (down.length > 0) lines.push('Seen down by:', ...down.map(seenDown));
  if (up.length > 0) lines.push('Seen up by:', ...up.map(seenUp));
  const silent = [...by('unknown').map(({ node }) => node), ...facts.silent];
  if (silent.length > 0) lines.push(`No answer in time from: ${listOf(silent)}`);
  const good = facts.witnesses.flatMap(({ view }) => view.goodAgoMs ?? []);
  // What is up again has just answered.
  if (facts.what === 'up') return lines;
  if (good.length > 0) {
    const ago = Math.min(...good);
    lines.push(`Last good answer: ${clockTime(wall - ago, zone)} (${agoOf(ago)})`);
  } else if (down.length > 0) lines.push('Last good answer: none is known');
  return lines;
}

function seenDown({ node, view }: Witness): string {
  const where = view.address === '' ? '' : ` at ${printable(view.address)}`;
  return `  ${node}: ${printable(view.nature)}${where} after ${latency(view.latencyMs)}, checked ${agoOf(view.resultAgeMs)}`;
}

function seenUp({ node, view }: Witness): string {
  const where = view.address === '' ? '' : ` from ${printable(view.address)}`;
  return `  ${node}: answered${where} in ${latency(view.latencyMs)}, checked ${agoOf(view.resultAgeMs)}`;
}

function agoOf(ms: number): string {
  return ms < 1000 ? 'just now' : `${lengthOf(ms)} ago`;
}

function latency(ms: number): string {
  return ms < 10_000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : lengthOf(ms);
}

/** As a shell takes it. */
function word(name: string): string {
  const text = printable(name);
  return /^[\w./:@+%-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Lines that are too long go on at a space, indented; words without one stay whole. */
function fold(text: string): string[] {
  const lines: string[] = [];
  const margin = `${/^ */.exec(text)?.[0] ?? ''}    `;
  let rest = text;
  while (rest.length > COLUMNS) {
    const at = rest.lastIndexOf(' ', COLUMNS);
    if (at <= margin.length) break;
    lines.push(rest.slice(0, at));
    rest = margin + rest.slice(at + 1);
  }
  return [...lines, rest];
}
