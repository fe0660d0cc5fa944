/** Whether people are told of a check, and what holds that back; part of explain.ts. */
import type { Condition } from '../core/conditions.js';
import { isDownHere } from './depends.js';
import type { CheckQuestion } from './explain.js';
import { recentEdges } from './flapping.js';
import { isOutage } from './ledger.js';
import { nextToSettle } from './notify.js';
import type { ConfirmState, Instant, Ledger } from './types.js';
import { lengthOf } from './words.js';

type Draft = Omit<Condition, 'topic' | 'oneOf' | 'enough'>;

/** null where there is nothing to tell. */
export function toldVerdict(state: ConfirmState, check: string): boolean | null {
  const ledger = state.ledgers[check];
  if (ledger === undefined || (!isOutage(ledger.edge) && nextToSettle(ledger) === null)) return null;
  return ledger.said >= ledger.edge;
}

/** What is to be known about that, behind how it stands. */
export function toldWords(state: ConfirmState, check: string, now: Instant): string[] {
  const ledger = state.ledgers[check];
  if (ledger === undefined) return [];
  const outage = isOutage(ledger.edge);
  const parts: string[] = [];
  const held = outage && ledger.said < ledger.edge ? behind(state, check) : [];
  if (outage && ledger.said >= ledger.edge) parts.push(`people were told by ${ledger.saidBy}`);
  else if (held.length > 0) parts.push(`not told: behind ${held.join(' and ')}, which is down`);
  if (outage && ledger.ack === ledger.edge) parts.push(`acknowledged by ${ledger.ackBy}`);
  if (ledger.flap !== 0) parts.push('flapping');
  if (ledger.mute.until > now) parts.push(`muted for another ${lengthOf(ledger.mute.until - now)}`);
  return parts;
}

function behind(state: ConfirmState, check: string): string[] {
  return (state.config.checks[check]?.depends ?? []).filter((name) => isDownHere(state, name));
}

export function explainTold(state: ConfirmState, { check, node, now }: CheckQuestion): Draft[] {
  const ledger = state.ledgers[check];
  const left = (ledger?.mute.until ?? now) - now;
  const muted = left > 0;
  const { depends = [], leftAlone } = state.config.checks[check] ?? {};
  return [
    {
      ...{ name: 'mute', what: 'it is not muted', needed: 'not muted', source: 'operator', ageMs: null },
      ...{ value: muted ? `muted for another ${lengthOf(left)}` : 'not muted', holds: !muted },
      change: muted ? `hastmonctl unmute ${check}` : '',
    },
    ...(leftAlone === undefined ? [] : [maintenance(leftAlone, node)]),
    ...depends.map((name): Draft => {
      const down = isDownHere(state, name);
      const confirmed = isOutage(state.ledgers[name]?.edge ?? 0);
      return {
        ...{ name: 'depends', what: `${name}, on which it depends, is not down`, needed: 'not down' },
        ...{ value: confirmed ? 'confirmed down' : down ? 'down here' : 'not down', ageMs: null },
        ...{
          source: node,
          holds: !down,
          change: down ? `${name} has to be up: hastmonctl explain ${name}` : '',
        },
      };
    }),
    flapping(state, check, node, now),
    ...(ledger === undefined || toldVerdict(state, check) === null ? [] : [said(state, ledger, check, node)]),
  ];
}

function maintenance(resource: string, node: string): Draft {
  return {
    ...{
      name: 'maintenance',
      what: 'no resource that it judges is in maintenance',
      source: node,
      ageMs: null,
    },
    ...{ value: `${resource} is in maintenance`, needed: 'none is', holds: false },
    change: `hastmonctl maintenance off ${resource}`,
  };
}

function flapping(state: ConfirmState, check: string, node: string, now: Instant): Draft {
  const { calmMs, flapEdges, flapWindowMs } = state.config.limits;
  const flaps = (state.ledgers[check]?.flap ?? 0) !== 0;
  const trouble = state.troubles[check];
  const count = trouble === undefined ? 0 : recentEdges(trouble, now, state.config.limits);
  return {
    ...{ name: 'calm', what: 'it does not flap: go down and up again and again', source: node, ageMs: null },
    ...{ value: `${flaps ? 'it flaps; ' : ''}${count} ${count === 1 ? 'change' : 'changes'} lately` },
    needed: flapEdges === 0 ? 'any' : `fewer than ${flapEdges} in ${lengthOf(flapWindowMs)}`,
    ...{ holds: !flaps, change: flaps ? `it has to be calm for ${lengthOf(calmMs)}` : '' },
  };
}

function said(state: ConfirmState, ledger: Ledger, check: string, node: string): Draft {
  const { edge, said: last, saidBy, stored } = ledger;
  const holds = last >= edge;
  const what = isOutage(edge) ? 'people were told of the outage' : 'people were told that it is over';
  const ack = ledger.ack >= edge && ledger.ackBy !== '' ? `; acknowledged by ${ledger.ackBy}` : '';
  const turn = state.troubles[check]?.turn;
  const granted = state.troubles[check]?.granted;
  const value = holds
    ? `by ${saidBy}`
    : turn?.phase === 'sending'
      ? `${node} tells them now`
      : granted
        ? `${granted.to} is about to`
        : stored < edge
          ? 'not yet: it is being written down here'
          : 'not yet';
  return {
    ...{ name: 'said', what, value: `${value}${ack}`, needed: 'told once, by one node', ageMs: null },
    ...{ source: holds ? saidBy : node, holds },
    change: holds ? '' : 'it is told by itself, as soon as nothing above holds it back',
  };
}
