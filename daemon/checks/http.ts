/** The HTTP check: one request, and an answer whose status, and where asked for whose body, is as expected. */
import { type Expectation, occursIn } from './expectation.js';
import { copyBytes, type Flight } from './flight.js';
import { Body, type Head, headEnd, isRedirect, readHead, statusOf } from './http-answer.js';
import { codeOfNature, OK } from './natures.js';
import { type Dialogue, HOP, MORE } from './plan.js';
import type { Follow } from './redirect.js';

export interface HttpSpec {
  method: string;
  /** Path and query, as they stand in the request line. */
  target: string;
  /** The Host field, with the port where that is not the scheme's own; or that of the flight, with or without its port. */
  host: string | { port: boolean };
  version: '1.0' | '1.1';
  headers: readonly (readonly [name: string, value: string])[];
  /** Accepted statuses, in ranges with both ends. */
  statuses: readonly (readonly [from: number, to: number])[];
  body: Expectation | null;
  /** Bytes of a body that are looked at. */
  bodyMax: number;
  /** Says where a redirect leads; absent: a redirect is an answer. */
  follow?: Follow;
}

const STATUS = codeOfNature('http-status');
const MALFORMED = codeOfNature('http-malformed');
const BODY = codeOfNature('body-mismatch');
const CLOSED_EARLY = codeOfNature('closed-early');
const TOO_LONG = codeOfNature('too-long');

/** A header section that goes on beyond this is an attack or a mistake. */
const HEAD_BYTES_MAX = 32_768;

/** Stands for the host in a request, where no other byte can be it. */
const PLACE = '\u0001';
/** A name of 253 characters, brackets, a port. */
const HOST_BYTES_MAX = 270;
/** Answers before the answer proper. */
const INFORMED_MAX = 16;

/** What is sent. Source: RFC 9112 section 3, RFC 9110 section 10.1. */
export function requestOf(spec: HttpSpec): Buffer {
  const given = new Set(spec.headers.map(([name]) => name.toLowerCase()));
  const fields: [string, string][] = [['Host', typeof spec.host === 'string' ? spec.host : PLACE]];
  if (spec.version === '1.1') fields.push(['Connection', 'close']);
  fields.push(['User-Agent', 'hastmon'], ['Accept', '*/*']);
  const all = [...fields.filter(([name]) => !given.has(name.toLowerCase())), ...spec.headers];
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`${spec.method} ${spec.target} HTTP/${spec.version}\r\n${lines}\r\n`);
}

/** The request for a flight. Where its host has to be filled in, all share one buffer: it is good until the next one. */
function openingOf(spec: HttpSpec): (flight: Flight) => Uint8Array {
  const request = requestOf(spec);
  const { host } = spec;
  const place = typeof host === 'string' ? -1 : request.indexOf(PLACE);
  if (typeof host === 'string' || place < 0) return () => request;
  const after = request.subarray(place + PLACE.length);
  const room = Buffer.alloc(request.length + HOST_BYTES_MAX);
  room.set(request.subarray(0, place));
  // By length, made once each.
  const views: Uint8Array[] = [];
  return (flight) => {
    const end = flight.writeAuthority(room, place, host.port);
    copyBytes(after, room, end, after.length);
    const length = end + after.length;
    views[length] ??= room.subarray(0, length);
    return views[length];
  };
}

export function httpDialogue(spec: HttpSpec): Dialogue {
  const statusAlone = spec.body === null && spec.follow === undefined;

  function accepted(status: number): boolean {
    for (const [from, to] of spec.statuses) if (status >= from && status <= to) return true;
    return false;
  }

  function head(flight: Flight, bytes: Buffer, length: number): number {
    const verdict = statusAlone ? plain(flight, bytes, length) : MORE;
    if (verdict !== MORE) return verdict;
    const outcome = readHead(bytes, length, spec.method);
    if (outcome === 'malformed') return MALFORMED;
    if (outcome === 'more') return MORE;
    if (outcome.status < 200) return informed(flight, outcome, bytes, length);
    flight.detail = outcome.status;
    if (spec.follow !== undefined && isRedirect(outcome.status)) return follow(flight, spec.follow, outcome);
    if (!accepted(outcome.status)) return STATUS;
    if (spec.body === null) return OK;
    const body = new Body(outcome, spec.bodyMax);
    flight.talk = body;
    flight.kept = null;
    flight.keptLength = 0;
    return readBody(body, bytes.subarray(outcome.length, length));
  }

  function follow(flight: Flight, ask: Follow, { status, location }: Head): number {
    const next = ask(status, location);
    if ('wire' in next) {
      flight.hop = next;
      return HOP;
    }
    flight.text = next.text;
    return next.verdict;
  }

  /** 100 Continue and its like come before the answer proper. */
  function informed(flight: Flight, { length: used }: Head, bytes: Buffer, length: number): number {
    const rest = Buffer.from(bytes.subarray(used, length));
    flight.kept = null;
    flight.keptLength = 0;
    flight.step += 1;
    if (flight.step > INFORMED_MAX) return TOO_LONG;
    if (rest.length === 0) return MORE;
    flight.keep(rest, rest.length, HEAD_BYTES_MAX);
    return head(flight, rest, rest.length);
  }

  function readBody(body: Body, bytes: Buffer): number {
    body.feed(bytes);
    if (spec.body !== null && occursIn(spec.body, body.kept, body.kept.length)) return OK;
    if (body.complete || body.full) return BODY;
    return body.malformed ? MALFORMED : MORE;
  }

  /** The plain case: a whole header section, and no body wanted. Allocates nothing. */
  function plain(flight: Flight, bytes: Buffer, length: number): number {
    const status = statusOf(bytes, length);
    if (status < 0) return MALFORMED;
    if (status < 200 || headEnd(bytes, length) === 0) return MORE;
    flight.detail = status;
    return accepted(status) ? OK : STATUS;
  }

  return {
    speaksFirst: true,
    opening: openingOf(spec),
    receive(flight, bytes, length) {
      // All in one piece is the rule, and then nothing has to be kept.
      if (statusAlone && flight.kept === null) {
        const verdict = plain(flight, bytes, Math.min(length, HEAD_BYTES_MAX));
        if (verdict !== MORE) return verdict;
      }
      for (let at = 0; at < length; ) {
        if (flight.talk !== null) return readBody(flight.talk as Body, bytes.subarray(at, length));
        const room = Math.min(length - at, HEAD_BYTES_MAX - flight.keptLength);
        if (room === 0) return TOO_LONG;
        flight.keep(at === 0 ? bytes : bytes.subarray(at), room, HEAD_BYTES_MAX);
        at += room;
        const verdict = head(flight, flight.kept as unknown as Buffer, flight.keptLength);
        if (verdict !== MORE) return verdict;
      }
      return MORE;
    },
    end(flight) {
      return flight.talk !== null && (flight.talk as Body).end() ? BODY : CLOSED_EARLY;
    },
    goodbye: null,
  };
}
