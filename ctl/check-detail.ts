/** What `hastmonctl check NAME`, `check run` and `alert test` print. Pure. */
import type { AlertTest, CheckDetail, CheckResult, NodeView, ProbeReport } from '../proto/monitor-types.js';
import { age, bytesShown, latency, plain, shortAge, stateWords } from './check-words.js';
import { layOut, wrap } from './table.js';

/** Lines of history that are shown; --json has all results that are known. */
const RUNS_SHOWN = 15;
const INDENT = '    ';

export function formatDetail(detail: CheckDetail, columns: number): string {
  const { depends, entry, options, results, told, toldBy, views } = detail;
  const [last] = results;
  const said = last === undefined ? '' : saidBy(last);
  const depend = depends.map(({ name, state }) => `${plain(name)} (${state})`).join(', ');
  const lines = [
    `${plain(entry.name)}: ${stateWords(entry)}`,
    `  url: ${plain(entry.url)}`,
    ...(entry.group === '' ? [] : [`  group: ${plain(entry.group)}`]),
    `  seen down by: ${nodes(entry.seenBy.length)} of ${entry.nodes}; it takes ${entry.confirm} to confirm`,
    ...views.map((view) => `${INDENT}${viewLine(view)}`),
    ...(entry.note === '' ? [] : [`  not confirmed: ${plain(entry.note)}`]),
    `  outage: ${detail.outageMs === null ? 'none' : `${plain(detail.edge)}, for ${age(detail.outageMs)}`}`,
    `  told: ${told === '' ? 'nothing' : `${plain(told)}, by ${plain(toldBy)}`}`,
    ...(entry.flapping ? ['  flapping: yes; nothing more is told until it is calm'] : []),
    ...(entry.ackBy === '' ? [] : [`  acknowledged by: ${plain(entry.ackBy)}`]),
    ...(entry.muteMs > 0 ? [`  muted: for another ${age(entry.muteMs)}`] : []),
    ...(depend === '' ? [] : [`  depends: ${depend}`]),
    `  alerts: ${detail.alerts.length === 0 ? 'all' : detail.alerts.map(plain).join(' ')}`,
    '  options:',
    ...wrap(options.map(plain), INDENT, columns),
    `  last answer: ${said === '' ? 'none' : said}`,
    '  history:',
    ...historyLines(results, columns),
  ];
  return `${lines.join('\n')}\n`;
}

function nodes(count: number): string {
  return count === 0 ? 'none' : String(count);
}

function viewLine(view: NodeView): string {
  const { address, goodMs, lastMs, latencyMs, nature, node, note, self, sinceMs, state } = view;
  const who = `${plain(node)}${self ? ' (this node)' : ''}`;
  if (note !== '') return `${who}: ${plain(note)}`;
  const parts = [`${state}${sinceMs === null ? '' : ` for ${age(sinceMs)}`}`];
  if (nature !== '') parts.push(plain(nature), latency(latencyMs));
  if (address !== '') parts.push(`at ${plain(address)}`);
  if (lastMs !== null) parts.push(`${age(lastMs)} ago`);
  if (nature !== 'ok')
    parts.push(goodMs === null ? 'no good answer is known' : `last good answer ${age(goodMs)} ago`);
  return `${who}: ${parts.join(', ')}`;
}

/** What a result says for itself; '' for nothing. */
function saidBy({ excerpt, text }: CheckResult): string {
  if (text !== '' && excerpt !== '') return `${plain(text)}: ${bytesShown(excerpt)}`;
  return text === '' ? (excerpt === '' ? '' : bytesShown(excerpt)) : plain(text);
}

/** Results that follow each other and are alike are one line. */
function historyLines(results: readonly CheckResult[], columns: number): string[] {
  if (results.length === 0) return [`${INDENT}none yet`];
  const runs: { newest: CheckResult; oldest: CheckResult; count: number }[] = [];
  for (const result of results) {
    const run = runs.at(-1);
    if (run === undefined || run.newest.nature !== result.nature)
      runs.push({ newest: result, oldest: result, count: 1 });
    else {
      run.oldest = result;
      run.count += 1;
    }
  }
  const rows = runs
    .slice(0, RUNS_SHOWN)
    .map(({ count, newest, oldest }) => [
      `${shortAge(newest.ageMs)} ago`,
      count === 1 ? '' : `${shortAge(oldest.ageMs)} ago`,
      String(count),
      plain(newest.nature),
      latency(newest.latencyMs),
      newest.ok ? '' : saidBy(newest),
    ]);
  const titles = [
    { title: 'LAST', right: true },
    { title: 'FIRST', right: true },
    { title: 'TIMES', right: true },
    { title: 'RESULT' },
    { title: 'LATENCY', right: true },
    { title: 'ANSWER', least: 1 },
  ];
  const lines = layOut(titles, rows, columns - INDENT.length, (cell) => cell);
  return lines.map((line) => `${INDENT}${line}`);
}

export function formatProbe(probe: ProbeReport): string {
  const { address, name, phases, result, url } = probe;
  let at = 0;
  const rows = phases.map(({ name: phase, reached, tookMs }) => {
    at += tookMs;
    return [phase, latency(tookMs), reached ? latency(at) : 'not reached'];
  });
  const table = layOut(
    [{ title: '' }, { title: 'TOOK', right: true }, { title: 'AT', right: true }],
    [...rows, ['total', latency(result.latencyMs), '']],
    Number.POSITIVE_INFINITY,
    (cell) => cell,
  );
  const { excerpt, text } = result;
  const lines = [
    name === '' ? plain(url) : `${plain(name)}: ${plain(url)}`,
    ...(address === '' ? [] : [`  address: ${plain(address)}`]),
    ...table.map((line) => `  ${line}`),
    `  result: ${plain(result.nature)}`,
    ...(text === '' ? [] : [`  reason: ${plain(text)}`]),
    ...(excerpt === '' ? [] : [`  answer: ${bytesShown(excerpt)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

export function formatAlertTest({ alert, lines, ok }: AlertTest): string {
  const talk = lines.map((line) => `${plain(`  ${line}`)}\n`).join('');
  return `${plain(alert)}:\n${talk}${ok ? 'every way works' : 'not every way works'}\n`;
}
