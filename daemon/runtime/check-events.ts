/** What happens to checks, and to the alerts about them, as events. */
import type { NewEvent, RecordEvent } from '../../proto/event-types.js';
import type { ResultView } from '../checks/ipc.js';
import { describeNature, type Nature } from '../checks/natures.js';
import { edgeId } from '../confirm/ledger.js';
import type { LedgerObservation } from '../confirm/observe.js';
import type { NamedView } from './monitor-host.js';

export interface CheckRecorder {
  /** A check has changed as seen from this node. */
  edge(to: 'up' | 'down', view: NamedView, last: ResultView): void;
  /** Something has become of it in the cluster. */
  confirmed(check: string, seen: LedgerObservation): void;
  /** This node could tell nobody of an edge. */
  notTold(check: string, edge: number, why: string): void;
  /** What the desk says of a delivery. */
  delivery(level: 'info' | 'warn' | 'error', alert: string, text: string): void;
}

const KINDS = { down: 'outage', up: 'recovery', flapping: 'flapping', calm: 'calm' } as const;

export function recordChecks(record: RecordEvent): CheckRecorder {
  /** The last failure that was recorded of each check: it is tried again and again, perhaps for hours. */
  const failures = new Map<string, string>();
  return {
    edge(to, { name: check }, last) {
      const nature = describeNature(last.nature as Nature, last.detail);
      const latencyMs = Math.round(last.latencyMs * 10) / 10;
      const text =
        to === 'up' ? `up, as seen from here, in ${latencyMs} ms` : `down, as seen from here: ${nature}`;
      record({ kind: 'check-edge', check, text, data: { to, nature, latencyMs } });
    },
    confirmed(check, seen) {
      if (seen.kind === 'told') failures.delete(check);
      record(confirmedEvent(check, seen));
    },
    notTold(check, edge, why) {
      const failure = `${edge} ${why}`;
      if (failures.get(check) === failure) return;
      failures.set(check, failure);
      const text = `this node could not tell people of ${edgeId(check, edge)}: ${why}`;
      record({ kind: 'alert-failed', check, text, data: { edge, why } });
    },
    delivery(level, alert, text) {
      record({ kind: level === 'info' ? 'alert-delivered' : 'alert-problem', text, data: { alert } });
    },
  };
}

function confirmedEvent(check: string, seen: LedgerObservation): NewEvent {
  if (seen.kind === 'told') {
    const { edge, node } = seen;
    const text = `people were told of ${edgeId(check, edge)} by ${node}`;
    return { kind: 'people-told', check, text, data: { edge, node } };
  }
  const { downBy, edge, lastedMs, text, upBy } = seen;
  const data = { edge, downBy: downBy.join(', '), upBy: upBy.join(', '), lastedMs: Math.round(lastedMs) };
  return { kind: KINDS[seen.kind], check, text, data };
}
