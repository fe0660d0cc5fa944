/** Where the time of one check went, for whoever runs one to look at it. Pure. */
import type { Flight } from './flight.js';
import type { Nature } from './natures.js';
import type { WireName } from './plan.js';

/** `reached` is false for the one in which the check ended: it was never over. */
export interface PhaseView {
  name: string;
  tookMs: number;
  reached: boolean;
}

/** What phases are called, in their order; '' for one that a wire does not have. */
const NAMES: Record<WireName, readonly [string, string, string, string, string, string]> = {
  tcp: ['resolve', 'connect', '', 'query', 'first byte', 'last byte'],
  tls: ['resolve', 'connect', 'tls', 'query', 'first byte', 'last byte'],
  udp: ['resolve', '', '', 'query', 'first byte', 'last byte'],
  ping: ['resolve', '', '', '', 'echo', ''],
  exec: ['', 'start', '', '', 'first output', 'exit'],
};

/** The place of the query among them. */
const SENT = 3;

/** With one of these an answer that has begun was not heard to its end. */
const BROKEN_OFF: ReadonlySet<Nature> = new Set([
  'timeout',
  'timeout-receive',
  'reset',
  'closed-early',
  'plugin-timeout',
]);

/** The phases of a flight that ends at `now` with this nature, for its last address. */
export function phasesOf(flight: Flight, now: number, nature: Nature): PhaseView[] {
  const ok = nature === 'ok';
  const wire = flight.plan?.wire ?? 'tcp';
  const quiet = flight.plan?.dialogue === null;
  const judged = flight.firstByteAt > 0 && !BROKEN_OFF.has(nature);
  const ends = [
    flight.resolvedAt,
    wire === 'tls' ? flight.transportAt : flight.connectedAt,
    flight.connectedAt,
    flight.sentAt,
    flight.firstByteAt,
    ok || judged ? now : 0,
  ];
  const phases: PhaseView[] = [];
  let before = flight.begunAt;
  for (const [index, end] of ends.entries()) {
    const name = NAMES[wire][index] ?? '';
    if (quiet && index >= SENT) break;
    // A plugin may say nothing and mean well; and often it is the other side that speaks first.
    if (end === 0 && (ok || (index === SENT && flight.connectedAt > 0))) continue;
    if (name !== '') phases.push({ name, tookMs: Math.max(0, (end || now) - before), reached: end > 0 });
    if (end === 0) break;
    before = end;
  }
  return phases;
}
