/** Messages between nodes in one line each, for timelines and golden files. */
import type { PeerMessage, VoterSets } from '../../daemon/core/types.js';

export function describeMessage(message: PeerMessage): string {
  switch (message.kind) {
    case 'state': {
      const { role, run, holdingEpoch, able } = message;
      const holds = holdingEpoch > 0 ? `, holds epoch ${holdingEpoch}` : '';
      return `heartbeat: ${role}, ${run}${holds}${able ? ', able' : ''}${message.forced ? ', FORCED' : ''}`;
    }
    case 'ask':
      return `ask: would you grant?${sets(message.sets)}`;
    case 'request':
      return `request: epoch ${message.epoch}${sets(message.sets)}`;
    case 'answer': {
      const what = message.to === 'ask' ? 'ask' : `epoch ${message.epoch}`;
      if (message.refusal === null) return `answer to ${what}: yes`;
      const by = message.by === '' ? '' : ` by ${message.by}`;
      const left = message.leftMs > 0 ? `, ${Math.round(message.leftMs)} ms left` : '';
      return `answer to ${what}: no, ${message.refusal}${by}${left}`;
    }
    case 'release':
      return `release: epoch ${message.epoch}${message.successor === '' ? '' : `, reserved for ${message.successor}`}`;
    case 'complaint':
      return 'complaint: nobody runs the resource';
    case 'handover':
      return `handover: epoch ${message.epoch} is released, take over`;
    default:
      return message satisfies never;
  }
}

function sets(list: VoterSets): string {
  return list.length < 2 ? '' : ` (voters ${list.map((set) => set.join(' ')).join(' and ')})`;
}
