/**
 * Bytes <-> the messages between nodes (daemon/core/types.ts). Rules N10… of docs/protocol-wire.md. What leaves
 * decodePeerMessage has known words and numbers within their ranges; whether it makes sense is the core's business.
 */
import type { ConfirmMessage } from '../daemon/confirm/types.js';
import type {
  Holder,
  LeaseTerms,
  MaintenanceMark,
  PeerMessage,
  Readiness,
  VoterMemory,
  VoterSets,
} from '../daemon/core/types.js';
import { UNMARKED } from '../daemon/core/types.js';
import { legible } from '../daemon/core/words.js';
import * as check from './check.js';

import { confirmFromWire, confirmToWire } from './confirm-codec.js';
import { hastmon } from './gen/peer.js';
import { type InquiryMessage, inquiryFromWire, type ReplyMessage, replyFromWire } from './inquiry-codec.js';
import { type ShareMessage, shareFromWire, shareToWire } from './share-codec.js';
import { answerKinds, roles, runStates, verdicts } from './words.js';

const { PeerFrame } = hastmon;

/** What a check of a resource with actions said at the sender; lengths of time in milliseconds. */
export interface Report {
  check: string;
  state: string;
  ageMs: number;
  forMs: number;
}

/**
 * What travels between nodes: about a resource, its actions' checks, a check that several nodes monitor, from one balancer to another, or
 * what people ask of several nodes at once.
 */
export type LinkMessage =
  | PeerMessage
  | { kind: 'confirm'; message: ConfirmMessage }
  | { kind: 'reports'; reports: readonly Report[] }
  | { kind: 'share'; message: ShareMessage }
  | InquiryMessage
  | ReplyMessage;

/** Reports in one message, at most. */
export const REPORTS_MAX = 64;
/** What a node may say that it lacks to take over, at most. */
const lacksMax = 32;
/** And how it puts it; what is longer is cut. */
const valueLengthMax = 255;
const REPORT_MS_MAX = 1e14;

export type DecodedPeerMessage =
  | { kind: 'message'; message: LinkMessage }
  /** Says only that the connection works. */
  | { kind: 'probe' }
  /** A kind of message that this version does not know: to be ignored. */
  | { kind: 'unknown' }
  /** Readable, but a value is missing or out of range: to be ignored like a lost message. */
  | { kind: 'invalid'; reason: string }
  /** Not a message at all: the sender cannot be believed any longer. */
  | { kind: 'malformed'; reason: string };

/** The bytes of a message, without frame. The message must keep to the ranges of docs/protocol-wire.md. */
export function encodePeerMessage(message: LinkMessage): Uint8Array {
  return PeerFrame.encode(toWire(message)).finish();
}

/** The bytes of a message that says only that the connection works. */
export function encodeProbe(): Uint8Array {
  return PeerFrame.encode({ probe: {} }).finish();
}

export function decodePeerMessage(bytes: Uint8Array): DecodedPeerMessage {
  let frame: hastmon.PeerFrame;
  try {
    frame = PeerFrame.decode(bytes);
  } catch (error) {
    return { kind: 'malformed', reason: error instanceof Error ? error.message : String(error) };
  }
  try {
    const message = fromWire(frame);
    if (message !== null) return { kind: 'message', message };
    return frame.probe ? { kind: 'probe' } : { kind: 'unknown' };
  } catch (error) {
    if (error instanceof check.Invalid) return { kind: 'invalid', reason: error.message };
    throw error;
  }
}

function toWire(message: LinkMessage): hastmon.PeerFrame.$Properties {
  switch (message.kind) {
    case 'state':
      return {
        state: {
          ...message,
          role: roles.number(message.role),
          roleSet: roles.number(message.roleSet),
          run: runStates.number(message.run),
          memory: memoryToWire(message.memory),
          readiness: readinessToWire(message.readiness),
        },
      };
    case 'ask':
      return { ask: { holder: message.holder, request: message.request, set: setsToWire(message.sets) } };
    case 'request':
      return { request: { ...message, set: setsToWire(message.sets), mark: markToWire(message.mark) } };
    case 'answer':
      return {
        answer: {
          ...message,
          to: answerKinds.number(message.to),
          verdict: verdicts.number(message.refusal ?? 'granted'),
          memory: memoryToWire(message.memory),
        },
      };
    case 'release':
      return { release: message };
    case 'complaint':
      return { complaint: message };
    case 'handover':
      return { handover: message };
    case 'confirm':
      return { confirm: confirmToWire(message.message) };
    case 'reports':
      return { reports: { report: [...message.reports] } };
    case 'share':
      return { share: shareToWire(message.message) };
    case 'inquiry':
      return { inquiry: message };
    case 'reply':
      return { reply: message };
  }
}

function setsToWire(sets: VoterSets): hastmon.VoterSet.$Properties[] {
  return sets.map((node) => ({ node: [...node] }));
}

/** What nearly all requests have to say is left out. */
function markToWire(mark: MaintenanceMark): hastmon.Mark.$Properties | null {
  return mark.on || mark.revision > 0 ? mark : null;
}

function memoryToWire(memory: VoterMemory): hastmon.Memory.$Properties {
  return {
    history: memory.history,
    epochMax: memory.epochMax,
    set: setsToWire(memory.sets),
    grant: memory.grant === null ? null : { ...memory.grant, mark: markToWire(memory.grant.mark) },
    longestGrantMs: memory.longestGrantMs,
  };
}

function readinessToWire(readiness: Readiness | null): hastmon.Readiness.$Properties | null {
  if (readiness === null) return null;
  const { failbackMs, lacks } = readiness;
  return { lack: [...lacks], ...(Number.isFinite(failbackMs) ? { failbackMs } : {}) };
}

function readinessFromWire(wire: hastmon.Readiness.$Properties | null | undefined): Readiness | null {
  if (wire == null) return null;
  const lacks = wire.lack ?? [];
  if (lacks.length > lacksMax) throw new check.Invalid(`state.readiness has ${lacks.length} lacks`);
  return {
    lacks: lacks.map(({ name, value }) => ({
      name: check.name('state.readiness.lack.name', name),
      // What a program has printed may be in it: no reason to lose the whole heartbeat.
      value: legible((value ?? '').slice(0, valueLengthMax)),
    })),
    failbackMs:
      wire.failbackMs == null
        ? Number.POSITIVE_INFINITY
        : check.duration('state.readiness.failback_ms', wire.failbackMs),
  };
}

function fromWire(frame: hastmon.PeerFrame): LinkMessage | null {
  if (frame.state) return stateFromWire(frame.state);
  if (frame.ask) return askFromWire(frame.ask);
  if (frame.request) return requestFromWire(frame.request);
  if (frame.answer) return answerFromWire(frame.answer);
  if (frame.release) return releaseFromWire(frame.release);
  if (frame.complaint) return complaintFromWire(frame.complaint);
  if (frame.handover) return handoverFromWire(frame.handover);
  if (frame.confirm) {
    const message = confirmFromWire(frame.confirm);
    return message === null ? null : { kind: 'confirm', message };
  }
  if (frame.reports) return { kind: 'reports', reports: reportsFromWire(frame.reports.report ?? []) };
  if (frame.share) return { kind: 'share', message: shareFromWire(frame.share) };
  if (frame.inquiry) return inquiryFromWire(frame.inquiry);
  if (frame.reply) return replyFromWire(frame.reply);
  return null;
}

function stateFromWire(wire: hastmon.State.$Properties): PeerMessage {
  return {
    kind: 'state',
    incarnation: check.counter('state.incarnation', wire.incarnation, 1),
    sequence: check.counter('state.sequence', wire.sequence),
    role: check.word('state.role', roles, wire.role),
    roleSet: check.word('state.role_set', roles, wire.roleSet),
    run: check.word('state.run', runStates, wire.run),
    priority: wire.priority ?? 0,
    able: wire.able ?? false,
    holdingEpoch: check.counter('state.holding_epoch', wire.holdingEpoch),
    forced: wire.forced ?? false,
    readiness: readinessFromWire(wire.readiness),
    memory: memoryFromWire('state.memory', wire.memory),
  };
}

function askFromWire(wire: hastmon.Ask.$Properties): PeerMessage {
  return {
    kind: 'ask',
    holder: holderFromWire('ask.holder', wire.holder),
    request: check.counter('ask.request', wire.request),
    sets: check.voterSets('ask.set', wire.set, 1),
  };
}

function requestFromWire(wire: hastmon.Request.$Properties): PeerMessage {
  return {
    kind: 'request',
    holder: holderFromWire('request.holder', wire.holder),
    epoch: check.counter('request.epoch', wire.epoch),
    request: check.counter('request.request', wire.request),
    terms: termsFromWire(wire.terms),
    sets: check.voterSets('request.set', wire.set, 1),
    mark: markFromWire('request.mark', wire.mark),
  };
}

function answerFromWire(wire: hastmon.Answer.$Properties): PeerMessage {
  const verdict = check.word('answer.verdict', verdicts, wire.verdict);
  return {
    kind: 'answer',
    to: check.word('answer.to', answerKinds, wire.to),
    holder: holderFromWire('answer.holder', wire.holder),
    epoch: check.counter('answer.epoch', wire.epoch),
    request: check.counter('answer.request', wire.request),
    refusal: verdict === 'granted' ? null : verdict,
    by: check.nameOrNone('answer.by', wire.by),
    leftMs: check.duration('answer.left_ms', wire.leftMs),
    memory: memoryFromWire('answer.memory', wire.memory),
  };
}

function releaseFromWire(wire: hastmon.Release.$Properties): PeerMessage {
  return {
    kind: 'release',
    holder: holderFromWire('release.holder', wire.holder),
    epoch: check.counter('release.epoch', wire.epoch),
    successor: check.nameOrNone('release.successor', wire.successor),
    reservationMs: check.duration('release.reservation_ms', wire.reservationMs),
  };
}

function complaintFromWire(wire: hastmon.Complaint.$Properties): PeerMessage {
  return {
    kind: 'complaint',
    incarnation: check.counter('complaint.incarnation', wire.incarnation, 1),
    sequence: check.counter('complaint.sequence', wire.sequence),
  };
}

function handoverFromWire(wire: hastmon.Handover.$Properties): PeerMessage {
  return {
    kind: 'handover',
    holder: holderFromWire('handover.holder', wire.holder),
    epoch: check.counter('handover.epoch', wire.epoch),
  };
}

function holderFromWire(field: string, wire: hastmon.Holder.$Properties | null | undefined): Holder {
  const holder = check.present(field, wire);
  return {
    node: check.name(`${field}.node`, holder.node),
    incarnation: check.counter(`${field}.incarnation`, holder.incarnation, 1),
  };
}

function termsFromWire(wire: hastmon.Terms.$Properties | null | undefined): LeaseTerms {
  const terms = check.present('request.terms', wire);
  const leaseMs = check.duration('request.terms.lease_ms', terms.leaseMs);
  if (leaseMs === 0) throw new check.Invalid('request.terms.lease_ms is missing');
  return {
    leaseMs,
    stopBudgetMs: check.duration('request.terms.stop_budget_ms', terms.stopBudgetMs),
    driftPpm: check.numberWithin('request.terms.drift_ppm', terms.driftPpm, 0, 1_000_000),
  };
}

function memoryFromWire(field: string, wire: hastmon.Memory.$Properties | null | undefined): VoterMemory {
  const memory = check.present(field, wire);
  const { grant } = memory;
  return {
    history: memory.history ?? false,
    epochMax: check.counter(`${field}.epoch_max`, memory.epochMax),
    sets: check.voterSets(`${field}.set`, memory.set, memory.history ? 1 : 0),
    longestGrantMs: check.duration(`${field}.longest_grant_ms`, memory.longestGrantMs),
    grant: grant
      ? {
          holder: holderFromWire(`${field}.grant.holder`, grant.holder),
          epoch: check.counter(`${field}.grant.epoch`, grant.epoch),
          leftMs: check.duration(`${field}.grant.left_ms`, grant.leftMs),
          mark: markFromWire(`${field}.grant.mark`, grant.mark),
        }
      : null,
  };
}

function markFromWire(field: string, wire: hastmon.Mark.$Properties | null | undefined): MaintenanceMark {
  if (!wire) return UNMARKED;
  return {
    on: wire.on ?? false,
    reason: check.nameOrNone(`${field}.reason`, wire.reason),
    by: check.nameOrNone(`${field}.by`, wire.by),
    revision: check.counter(`${field}.revision`, wire.revision),
  };
}

function reportsFromWire(wire: readonly hastmon.Report.$Properties[]): Report[] {
  if (wire.length > REPORTS_MAX) throw new check.Invalid(`reports has ${wire.length} entries`);
  return wire.map((report) => ({
    check: check.name('reports.check', report.check),
    state: check.name('reports.state', report.state),
    ageMs: check.numberWithin('reports.age_ms', report.ageMs, 0, REPORT_MS_MAX),
    forMs: check.numberWithin('reports.for_ms', report.forMs, 0, REPORT_MS_MAX),
  }));
}
