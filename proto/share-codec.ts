/**
 * What the balancer of the director tells the others (daemon/balancer/core/types.ts) <-> its part of a frame. Rule N19 of
 * docs/protocol-wire.md. Names of checks are URLs, and longer than other names.
 */
import type { ShareEntry } from '../daemon/balancer/core/types.js';
import { WEIGHT_MAX } from '../daemon/balancer/types.js';
import * as check from './check.js';
import { hastmon } from './gen/peer.js';
import { sights } from './words.js';

export interface ShareMessage {
  /** The first part of all that there is: what is not in it, and not in the parts that follow, is not so. */
  full: boolean;
  /** Another part of the same follows. */
  more: boolean;
  entries: readonly ShareEntry[];
}

/** Leaves room for the rest of the frame and its seal. */
const PART_BYTES_MAX = 40_000;
/** More than anybody needs; so many fit into one frame. */
const REASONS_MAX = 64;
const TEXT_MAX = 250;
const CHECK_NAME_MAX = 4096;
/** Three thousand years. */
const LENGTH_MS_MAX = 1e14;

type Reason = Extract<ShareEntry, { kind: 'pair' }>['reasons'][number];

/** The same in messages that fit into frames. */
export function partsOf({ entries, full, more }: ShareMessage): ShareMessage[] {
  const parts: ShareEntry[][] = [[]];
  let bytes = 0;
  for (const entry of entries) {
    const size = hastmon.Share.encode(shareToWire({ full, more: false, entries: [entry] })).finish().length;
    if (bytes + size > PART_BYTES_MAX && bytes > 0) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(entry);
    bytes += size;
  }
  return parts.map((part, index) => ({
    full: full && index === 0,
    more: more || index < parts.length - 1,
    entries: part,
  }));
}

export function shareToWire({ full, more, entries }: ShareMessage): hastmon.Share.$Properties {
  const wire = {
    full,
    more,
    check: [] as hastmon.ShareCheck.$Properties[],
    host: [] as hastmon.ShareHost.$Properties[],
    pair: [] as hastmon.SharePair.$Properties[],
    service: [] as hastmon.ShareService.$Properties[],
  };
  for (const entry of entries) {
    switch (entry.kind) {
      case 'check': {
        const { name, nature, passAge, sinceAge, state } = entry;
        // No node believes it: the next director finds out for itself.
        if (name.length > CHECK_NAME_MAX) break;
        const passAgo = lengthOrNone(passAge);
        wire.check.push({
          name,
          state: sights.number(state),
          nature: text(nature),
          sinceMs: length(sinceAge),
          passAgo,
        });
        break;
      }
      case 'host':
        wire.host.push({
          host: entry.host,
          off: entry.off === null ? null : reasonToWire({ name: '', ...entry.off }),
        });
        break;
      case 'service':
        wire.service.push({ service: entry.service, sorryAgo: lengthOrNone(entry.sorryAge) });
        break;
      case 'pair':
        wire.pair.push(pairToWire(entry));
        break;
      default:
        entry satisfies never;
    }
  }
  return wire;
}

function pairToWire(entry: Extract<ShareEntry, { kind: 'pair' }>): hastmon.SharePair.$Properties {
  const { host, override, ramp, real, reasons, service } = entry;
  return {
    host,
    service,
    real,
    reason: reasons.slice(0, REASONS_MAX).map(reasonToWire),
    zeroAgo: lengthOrNone(entry.zeroAge),
    awaitAgo: lengthOrNone(entry.awaitAge),
    ramp: ramp === null ? null : { durationMs: length(ramp.durationMs), leftMs: length(ramp.leftMs) },
    rampAsked: lengthOrNone(entry.rampAskedMs),
    override,
  };
}

function reasonToWire({ name, by, age }: Reason): hastmon.ShareReason.$Properties {
  return { name: text(name), by: text(by), ageMs: length(age) };
}

/** Throws check.Invalid where a value is missing or out of range. */
export function shareFromWire(wire: hastmon.Share.$Properties): ShareMessage {
  const entries: ShareEntry[] = [
    ...(wire.check ?? []).map(checkFromWire),
    ...(wire.host ?? []).map(({ host, off }): ShareEntry => {
      const reason = off ? reasonFromWire(off) : null;
      return {
        kind: 'host',
        host: check.name('share.host', host),
        off: reason === null ? null : { by: reason.by, age: reason.age },
      };
    }),
    ...(wire.service ?? []).map(
      ({ service, sorryAgo }): ShareEntry => ({
        kind: 'service',
        service: check.name('share.service', service),
        sorryAge: sorryAgo ? lengthFromWire('share.service.sorry_ago', sorryAgo.ms) : null,
      }),
    ),
    ...(wire.pair ?? []).map(pairFromWire),
  ];
  return { full: wire.full ?? false, more: wire.more ?? false, entries };
}

function checkFromWire(wire: hastmon.ShareCheck.$Properties): ShareEntry {
  const name = wire.name ?? '';
  if (name === '' || name.length > CHECK_NAME_MAX) throw new check.Invalid('share.check is out of range');
  const state = check.word('share.check.state', sights, wire.state);
  if (state === 'unknown') throw new check.Invalid('share.check.state says nothing');
  return {
    ...{ kind: 'check', name, state, nature: check.nameOrNone('share.check.nature', wire.nature) },
    sinceAge: lengthFromWire('share.check.since_ms', wire.sinceMs),
    passAge: wire.passAgo ? lengthFromWire('share.check.pass_ago', wire.passAgo.ms) : null,
  };
}

function pairFromWire(wire: hastmon.SharePair.$Properties): ShareEntry {
  const ago = (field: string, value: { ms?: number | null } | null | undefined): number | null =>
    value ? lengthFromWire(`share.pair.${field}`, value.ms) : null;
  const { override, ramp, reason = [] } = wire;
  if ((reason?.length ?? 0) > REASONS_MAX) throw new check.Invalid('share.pair.reason has too many');
  return {
    kind: 'pair',
    host: check.name('share.pair.host', wire.host),
    service: check.name('share.pair.service', wire.service),
    real: check.nameOrNone('share.pair.real', wire.real),
    reasons: (reason ?? []).map(reasonFromWire),
    zeroAge: ago('zero_ago', wire.zeroAgo),
    awaitAge: ago('await_ago', wire.awaitAgo),
    ramp: ramp
      ? {
          durationMs: lengthFromWire('share.pair.ramp.duration_ms', ramp.durationMs),
          leftMs: lengthFromWire('share.pair.ramp.left_ms', ramp.leftMs),
        }
      : null,
    rampAskedMs: ago('ramp_asked', wire.rampAsked),
    override:
      override === null || override === undefined
        ? null
        : check.numberWithin('share.pair.override', override, 0, WEIGHT_MAX),
  };
}

function reasonFromWire(wire: hastmon.ShareReason.$Properties): Reason {
  return {
    name: check.nameOrNone('share.reason.name', wire.name),
    by: check.nameOrNone('share.reason.by', wire.by),
    age: lengthFromWire('share.reason.age_ms', wire.ageMs),
  };
}

const text = (value: string): string => value.slice(0, TEXT_MAX);
const length = (ms: number): number => Math.min(Math.max(0, ms), LENGTH_MS_MAX);
const lengthOrNone = (ms: number | null): { ms: number } | null => (ms === null ? null : { ms: length(ms) });

function lengthFromWire(field: string, value: number | null | undefined): number {
  return check.numberWithin(field, value, 0, LENGTH_MS_MAX);
}
