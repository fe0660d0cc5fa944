/** Where the time of a run went, by what a flight noted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flight } from '../../daemon/checks/flight.js';
import type { Nature } from '../../daemon/checks/natures.js';
import { phasesOf } from '../../daemon/checks/phases.js';
import type { Plan } from '../../daemon/checks/plan.js';
import { planOf, silent } from './engine-support.js';

/** A flight that begins at 100 and ends at 200. */
function shown(change: Partial<Plan>, noted: Partial<Flight>, nature: Nature): string {
  const flight = new Flight(0, Buffer.alloc(0), Buffer.alloc(0));
  flight.begin(0, planOf(change), 100);
  Object.assign(flight, noted);
  return phasesOf(flight, 200, nature)
    .map(({ name, reached, tookMs }) => `${name} ${tookMs}${reached ? '' : '!'}`)
    .join(', ');
}

const spoken: Partial<Plan> = { dialogue: silent };
const upTo = (...ends: number[]): Partial<Flight> => ({
  ...{ resolvedAt: ends[0] ?? 0, connectedAt: ends[1] ?? 0, sentAt: ends[2] ?? 0, firstByteAt: ends[3] ?? 0 },
});

const cases: [string, Partial<Plan>, Partial<Flight>, Nature, string][] = [
  ['a plain connection', {}, upTo(110, 130), 'ok', 'resolve 10, connect 20'],
  ['one that is refused', {}, upTo(110), 'refused', 'resolve 10, connect 90!'],
  ['no address', {}, upTo(), 'dns', 'resolve 100!'],
  [
    ...(['a question and an answer', spoken, upTo(110, 130, 131, 170), 'ok'] as const),
    'resolve 10, connect 20, query 1, first byte 39, last byte 30',
  ],
  [
    ...(['the other side speaks first', spoken, upTo(110, 130, 0, 170), 'banner-mismatch'] as const),
    'resolve 10, connect 20, first byte 40, last byte 30',
  ],
  [
    'no answer',
    spoken,
    upTo(110, 130, 131),
    'timeout-receive',
    'resolve 10, connect 20, query 1, first byte 69!',
  ],
  [
    ...(['an answer that breaks off', spoken, upTo(110, 130, 131, 170), 'closed-early'] as const),
    'resolve 10, connect 20, query 1, first byte 39, last byte 30!',
  ],
  [
    ...([
      'a handshake that fails',
      { ...spoken, wire: 'tls' },
      { ...upTo(110), transportAt: 120 },
      'tls-name',
    ] as const),
    'resolve 10, connect 10, tls 80!',
  ],
  [
    ...([
      'encrypted',
      { ...spoken, wire: 'tls' },
      { ...upTo(110, 150, 150, 170), transportAt: 120 },
      'ok',
    ] as const),
    'resolve 10, connect 10, tls 30, query 0, first byte 20, last byte 30',
  ],
  ['an echo', { ...spoken, wire: 'ping' }, upTo(110, 110, 0, 200), 'ok', 'resolve 10, echo 90'],
  [
    'a plugin',
    { ...spoken, wire: 'exec' },
    upTo(100, 110, 0, 170),
    'ok',
    'start 10, first output 60, exit 30',
  ],
  ['one that says nothing', { ...spoken, wire: 'exec' }, upTo(100, 110), 'ok', 'start 10, exit 90'],
  [
    'one that is ended',
    { ...spoken, wire: 'exec' },
    upTo(100, 110),
    'plugin-timeout',
    'start 10, first output 90!',
  ],
];
for (const [what, plan, noted, nature, expected] of cases)
  test(what, () => assert.equal(shown(plan, noted, nature), expected));
