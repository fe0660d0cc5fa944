/**
 * The rules of docs/confirmation.md that the simulator can see broken, each with the change of the core's text that takes it out.
 * Texts must occur exactly once in their file.
 */
import type { Mutation } from '../mutate.js';
import type { Focus } from './profile.js';

type Edit = readonly [file: string, from: string, to: string];

function without(rule: string, what: string, focus: Focus, ...edits: readonly Edit[]): Mutation<Focus> {
  return {
    rule,
    what,
    focus,
    edits: edits.map(([file, from, to]) => ({ file: `daemon/confirm/${file}`, from, to })),
  };
}

export const MUTATIONS: readonly Mutation<Focus>[] = [
  without('K1', 'peers are not asked', {}, ['asking.ts', '|| now < trouble.askAt)', '|| now < 1e15)']),
  without('K2', 'an old result is a view', { hang: 6, partial: 8, confirm: 2 }, [
    'views.ts',
    'now - own.resultAt <= fresh &&',
    '',
  ]),
  without('K3', 'one node is enough', {}, [
    'views.ts',
    'Math.min(rule.confirm === 0 ? 2 : rule.confirm, rule.nodes.length)',
    '1',
  ]),
  without('K4', 'what was seen before the last edge counts again', { partial: 8, outage: 8 }, [
    'views.ts',
    '|| askedAt <= trouble.edgeAt ',
    '',
  ]),
  without('K6', 'peers are asked but once', {}, [
    'asking.ts',
    'mine.askAt = now + state.config.limits.askMs;',
    'mine.askAt = now + 1e12;',
  ]),
  without('K7', 'it is over as soon as one sees it up', { partial: 8 }, [
    'views.ts',
    'if (down >= need) return false;',
    '',
  ]),
  without('K7', 'who is alone may end an outage', { split: 8, partial: 4, nodes: 4, confirm: 2 }, [
    'views.ts',
    'return spans.length >= need || down + unheard < need;',
    'return unheard >= 0;',
  ]),
  without(
    'K8',
    'a node that falls silent does not see it down any more',
    { partial: 8, crash: 4, nodes: 3 },
    [
      'views.ts',
      'return last !== null && now - Math.max(last, state.connectedAt) < holdMs;',
      'return last === null && holdMs < 0;',
    ],
  ),
  without('E2', 'who connects is not told the ledgers', { cut: 4, crash: 4 }, [
    'confirm.ts',
    'if (ledger.edge > state.floor || ledger.mute.revision > 0) sendLedger(draft, check, peer);',
    '',
  ]),
  without('E2', 'what changes is told to nobody', {}, [
    'ledger.ts',
    'if (peer !== from) sendLedger(draft, check, peer);',
    'if (peer === from) sendLedger(draft, check, peer);',
  ]),
  without('E4', 'nobody is asked for leave to tell', { nodes: 4 }, [
    'notify.ts',
    'const asked = reachable(state, rule);',
    'const asked: NodeName[] = [];',
  ]),
  without(
    'E4',
    'leave is given to two',
    {},
    [
      'notify.ts',
      'if (granted !== null && granted.to !== from && now < granted.until && state.connected.includes(granted.to))\n    return granted.to;',
      '',
    ],
    ['notify.ts', "if (turn?.phase === 'sending') return state.self;", ''],
  ),
  without('E5', 'that it was told is not told', {}, [
    'notify.ts',
    '  trouble.turnFrom = draft.now;\n  changed(draft, check, null);',
    '  trouble.turnFrom = draft.now;',
  ]),
  without('E5', 'recoveries are told of what nobody was told', { router: 8 }, [
    'notify.ts',
    'if (!isOutage(next)) return { edge: next, say: isOutage(said) };',
    'if (!isOutage(next)) return { edge: next, say: true };',
  ]),
  without(
    'E6',
    'leave that was given never lapses',
    { ambush: 4, outage: 8, crash: 0, mail: 0, partial: 0, nodes: 3 },
    [
      'notify.ts',
      'if (!settled && now < granted.until && state.connected.includes(granted.to)) return;',
      'if (!settled) return;',
    ],
  ),
  without('E6', 'who could not send tries no more, and lets nobody else', { mail: 8 }, [
    'notify.ts',
    "if (turn?.phase !== 'sending' || turn.edge !== edge || rule === undefined) return;\n  const trouble",
    "if (turn?.phase !== 'claiming' || turn.edge !== edge || rule === undefined) return;\n  const trouble",
  ]),
  without('E7', 'a restart forgets what was told', { crash: 8 }, [
    'ledger.ts',
    '...{ edge, told, said, saidBy, flap, held, ack, ackBy, stored: edge },',
    '...{ edge, told: edge - 1, said: 0, saidBy, flap, held, ack, ackBy, stored: edge },',
  ]),
  without('E7', 'an edge is told before it is on disk', {}, [
    'notify.ts',
    'if (next === null || ledger.stored < ledger.edge) return;',
    'if (next === null) return;',
  ]),
  without(
    'E8',
    'what flaps is told again and again',
    { flapping: true, outage: 20, partial: 0, quiet: 0, cut: 0, split: 0, 'one-way': 0, mail: 0, crash: 0 },
    ['notify.ts', 'if (flap !== 0 && next > flap) return { edge: next, say: false };', ''],
  ),
  without('E8', 'what flapped is never calm', { flapping: true, outage: 8 }, [
    'flapping.ts',
    'return now - Math.max(trouble.edgeAt, trouble.startedAt) >= limits.calmMs;',
    'return now < trouble.startedAt + limits.calmMs - limits.calmMs;',
  ]),
  without('E9', 'what lies behind a dead router is told', { router: 8 }, [
    'depends.ts',
    "behind === undefined ? '' :",
    "behind !== null ? '' :",
  ]),
  without('E9', 'the router need not have been looked at', { router: 8 }, [
    'notify.ts',
    'if (isOutage(next.edge) && !dependenciesKnown(draft, check)) return;',
    'dependenciesKnown(draft, check);',
  ]),
];
