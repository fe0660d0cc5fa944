/** A message in the forms that its ways need. Pure. */
import { lengthOf } from '../confirm/words.js';
import type { Content, Told } from './outbox-types.js';
import { inOrder, natureOf, type Setting, subjectOf, textOf } from './text.js';
import { printable } from './words.js';

/** Edges that programs, web services and the system's log are given one by one. */
const EDGES_MAX = 500;
const LOG_LINES_MAX = 100;
const PRIORITIES = { down: 'err', flapping: 'warning', calm: 'notice', up: 'notice' } as const;

/** Writes a message down, from one edge or more. */
export function contentOf(alert: string, all: readonly Told[], setting: Setting): Content {
  const told = inOrder(all);
  const subject = subjectOf(told);
  const text = textOf(told, setting);
  const writtenAt = Math.min(...told.map(({ wall }) => wall));
  return {
    ...{ subject, text, writtenAt },
    json: `${JSON.stringify({
      ...{ alert, node: setting.node, writtenAt: iso(writtenAt), subject, text, count: told.length },
      edges: told.slice(0, EDGES_MAX).map(edgeOf),
    })}\n`,
    env: environmentOf(alert, told, setting.node),
    lines: linesOf(told),
    messageId: told[0]?.notice.messageId ?? '',
    references: told.flatMap(({ notice }) => outageOf(notice)).slice(0, 20),
    ids: told.map(({ notice }) => notice.id),
  };
}

/** What is sent to see whether an alert works. */
export function testContent(alert: string, wall: number, node: string): Content {
  const subject = `[TEST] alert ${alert}`;
  const text = `This is a test of alert ${alert}, sent by hand from ${node}.\nNothing is wrong.\n\n-- \nhastmon on ${node}\n`;
  const id = `test.${wall}`;
  return {
    ...{ subject, text, writtenAt: wall },
    json: `${JSON.stringify({ alert, node, writtenAt: iso(wall), subject, text, count: 0, edges: [] })}\n`,
    env: {
      ...{ HASTMON_ALERT: alert, HASTMON_NODE: node, HASTMON_EVENT: 'test', HASTMON_CHECK: 'test' },
      ...{ HASTMON_EDGES: '0', HASTMON_SUBJECT: subject, HASTMON_SENTENCE: 'a test' },
    },
    lines: [{ priority: 'notice', text: `test of alert ${alert}` }],
    messageId: `<hastmon.${id}@${node.replaceAll(/[^A-Za-z0-9.-]/g, '-')}>`,
    references: [],
    ids: [id],
  };
}

const iso = (wall: number): string => new Date(wall).toISOString();

function edgeOf(told: Told): Record<string, unknown> {
  const { notice, wall } = told;
  const { check, group, url, id, messageId, facts, answer } = notice;
  return {
    ...{ check, group, url, event: facts.what, edge: id, messageId },
    since: iso(wall - facts.sinceMs),
    at: iso(wall - facts.agoMs),
    lastedSeconds: facts.lastedMs === null ? null : Math.round(facts.lastedMs / 1000),
    nature: natureOf(told),
    witnesses: facts.witnesses.map(({ node, view }) => ({
      ...{ node, sight: view.sight, nature: view.nature, address: view.address },
      ...{ latencyMs: Math.round(view.latencyMs * 10) / 10, checked: iso(wall - view.resultAgeMs) },
      lastGood: view.goodAgoMs === null ? null : iso(wall - view.goodAgoMs),
    })),
    ...{ silent: facts.silent, acknowledgedBy: facts.ackBy, sentence: facts.sentence },
    answer: { text: answer.text, excerpt: Buffer.from(answer.excerpt, 'latin1').toString('utf8') },
  };
}

/** The worst edge; all of them are on stdin. */
function environmentOf(alert: string, told: readonly Told[], node: string): Record<string, string> {
  const [first] = told;
  if (first === undefined) return {};
  const { notice, wall } = first;
  const { facts } = notice;
  const by = (sight: string): string =>
    facts.witnesses.flatMap((one) => (one.view.sight === sight ? one.node : [])).join(' ');
  const values = {
    ...{ ALERT: alert, NODE: node, CHECK: notice.check, GROUP: notice.group, URL: notice.url },
    ...{ EVENT: facts.what, EDGE: notice.id, EDGES: String(told.length), SUBJECT: subjectOf(told) },
    ...{ SINCE: iso(wall - facts.sinceMs), NATURE: natureOf(first), SENTENCE: facts.sentence },
    LASTED: facts.lastedMs === null ? '' : String(Math.round(facts.lastedMs / 1000)),
    ...{ WITNESSES: by('down'), WITNESSES_UP: by('up'), ACKNOWLEDGED: facts.ackBy },
  };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`HASTMON_${name}`, printable(value)]),
  );
}

function linesOf(told: readonly Told[]): Content['lines'] {
  const lines: Content['lines'][number][] = told.slice(0, LOG_LINES_MAX).map(({ notice }) => {
    const { facts } = notice;
    const since = facts.what === 'down' ? `, since ${lengthOf(facts.sinceMs)}` : '';
    const text = `${notice.check} ${facts.sentence}${since} (${notice.url}, ${notice.id})`;
    return { priority: PRIORITIES[facts.what], text: printable(text) };
  });
  if (told.length > LOG_LINES_MAX)
    lines.push({ priority: 'err', text: `… and ${told.length - LOG_LINES_MAX} more` });
  return lines;
}

/** The Message-ID of the outage that a recovery ends: the edge before it (E1). */
function outageOf({ facts, edge, messageId }: Told['notice']): string[] {
  const end = `.${edge}@`;
  const at = messageId.lastIndexOf(end);
  if (facts.what !== 'up' || at < 0) return [];
  return [`${messageId.slice(0, at)}.${edge - 1}@${messageId.slice(at + end.length)}`];
}
