/** What the log says of a check whose state has changed, in one line. */
import type { ResultView } from '../checks/ipc.js';
import { describeNature, type Nature } from '../checks/natures.js';
import type { NetLog } from '../net/log.js';
import type { NamedView } from './monitor-host.js';

/** Bytes of an answer that a line shows. */
const SHOWN = 80;

export function logEdge(log: NetLog, edge: 'up' | 'down', view: NamedView, last: ResultView): void {
  const { text, excerpt, latencyMs } = last;
  const fields = { check: view.name, nature: last.nature, latencyMs: Math.round(latencyMs * 10) / 10 };
  if (edge === 'up') {
    log.info(fields, `check ${view.name} is up, as seen from here: answered in ${fields.latencyMs} ms`);
    return;
  }
  const why = describeNature(last.nature as Nature, last.detail);
  const [first = ''] = excerpt.split(/\r?\n/, 1);
  const said =
    text !== '' ? `: ${text}` : first === '' ? '' : `: it said ${JSON.stringify(first.slice(0, SHOWN))}`;
  const good = Number.isFinite(view.okAge)
    ? `; the last good answer was ${(view.okAge / 1000).toFixed(1)} s ago`
    : '; it was never seen up';
  log.warn(fields, `check ${view.name} is down, as seen from here: ${why}${said}${good}`);
}
