/** The sentences: what is logged, and the one line that an alert begins with. */
import { lengthOf, listOf } from '../core/words.js';
import type { CheckRule, ConfirmState, DurationMs, EdgeKind, NodeName, Trouble, Witness } from './types.js';
import { needed } from './views.js';

export { lengthOf, listOf } from '../core/words.js';

/** How this node stands with a check that it sees down while the cluster does not (K5). */
export function localSentence(state: ConfirmState, rule: CheckRule, trouble: Trouble): string {
  const peers = rule.nodes.filter((node) => node !== state.self);
  if (peers.length === 0) return 'seen here, and only this node monitors it';
  const here = peers.filter((node) => state.connected.includes(node));
  const missing = needed(rule) > 1 && here.length === 0;
  if (missing) return `seen here only: 0 of ${peers.length} peer${peers.length === 1 ? '' : 's'} reachable`;
  const by = (test: (node: NodeName) => boolean): NodeName[] => here.filter(test);
  const up = by((node) => trouble.heard[node]?.view?.sight === 'up');
  const down = by((node) => trouble.heard[node]?.view?.sight === 'down');
  const without = by((node) => trouble.heard[node]?.view === null);
  const waiting = here.filter((node) => ![...up, ...down, ...without].includes(node));
  const parts: string[] = [];
  if (up.length > 0) parts.push(`${listOf(up)} see${up.length === 1 ? 's' : ''} it up`);
  if (without.length > 0)
    parts.push(`${listOf(without)} ${without.length === 1 ? 'has' : 'have'} no such check`);
  if (waiting.length > 0) parts.push(`no answer from ${listOf(waiting)} yet`);
  if (here.length < peers.length) parts.push(`${here.length} of ${peers.length} peers reachable`);
  if (parts.length === 0) parts.push('not surely at the same moment yet');
  const seen = down.length === 0 ? 'seen here only' : `seen here and by ${listOf(down)}`;
  return `${seen}, ${needed(rule)} are needed: ${parts.join('; ')}`;
}

/** What people are told first. */
export function edgeSentence(
  what: EdgeKind,
  witnesses: readonly Witness[],
  silent: readonly NodeName[],
  lastedMs: DurationMs | null,
): string {
  const by = (sight: string): Witness[] => witnesses.filter(({ view }) => view.sight === sight);
  const parts: string[] = [];
  const down = by('down').map(({ node, view }) => `${node} (${view.nature})`);
  const up = by('up').map(({ node }) => node);
  if (down.length > 0) parts.push(`seen down by ${listOf(down)}`);
  if (up.length > 0) parts.push(`seen up by ${listOf(up)}`);
  if (silent.length > 0) parts.push(`nothing heard from ${listOf(silent)}`);
  const tail = parts.length === 0 ? '' : `: ${parts.join('; ')}`;
  const lasted = lastedMs === null ? '' : ` after ${lengthOf(lastedMs)}`;
  switch (what) {
    case 'down':
      return `down${tail}`;
    case 'up':
      return `up again${lasted}${tail}`;
    case 'flapping':
      return `flapping: it goes down and up again and again; nothing more is told until it is calm${tail}`;
    case 'calm':
      return `calm again, it is ${lastedMs === null ? 'down' : 'up'}${tail}`;
  }
}

/** What is not known any more, by how long ago it was last heard of: never what was said then. */
export function unknownSince(ms: DurationMs): string {
  return `unknown since ${lengthOf(ms)}`;
}
