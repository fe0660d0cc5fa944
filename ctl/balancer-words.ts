/** How servers and services of the balancer stand, in words for people. Pure. */
import type { PairView, ServiceView } from '../daemon/balancer/types.js';
import { plain, shortAge, type Weight } from './check-words.js';

/** `off: deploy (root, 14 min)`, `coming back, 7 s left`, `up; kernel has 0`. */
export function pairWords(pair: PairView): string {
  if (pair.unknownMs !== null) return unknownSince(pair.unknownMs);
  const words = [standing(pair)];
  if (pair.sorry) words.push('sorry server');
  if (pair.overridden) words.push('weight by hand');
  if (pair.real === '') words.push('its name does not resolve');
  else if (pair.procWeight === null) words.push('not in the kernel');
  else if (pair.procWeight !== pair.stateWeight) words.push(`kernel has ${pair.procWeight}`);
  return words.join('; ');
}

function standing(pair: PairView): string {
  const { check, ramp, reasons, status } = pair;
  switch (status) {
    case '0-DISABLED':
      return `off: ${reasons.map(reasonWords).join(', ')}`;
    case '1-AWAITPASS':
      return check.state === 'down' ? 'down' : 'waits for a pass';
    case '1-RAMPING':
      return `coming back${ramp === null ? '' : `, ${Math.ceil(ramp.leftMs / 1000)} s left`}`;
    case '0-ENABLED':
      return enabled(pair);
    case '?-UNKNOWN':
      return 'unknown';
  }
}

/** Nobody has switched it off, and nobody waits for it. */
function enabled({ check, desiredWeight, procWeight, stateWeight, weight }: PairView): string {
  if (check.state === 'down') return 'down';
  if (stateWeight > 0) return 'up';
  if (weight === 0) return 'its weight is 0';
  // Elsewhere than on the director it is not in the table at all.
  return (desiredWeight ?? 0) > 0 && procWeight !== null
    ? 'no weight: its service is below its quorum'
    : 'no weight';
}

function reasonWords({ age, by, name }: PairView['reasons'][number]): string {
  const who = by === '' ? '' : `${plain(by)}, `;
  return `${name === '' ? 'the whole host' : plain(name)} (${who}${shortAge(age)})`;
}

/** What the director says of it does not count any more: never what it said last. */
function unknownSince(ms: number): string {
  return `unknown since ${shortAge(ms)}`;
}

export function pairWeightOf({ check, status, stateWeight }: PairView): Weight {
  if (status === '1-AWAITPASS' || (status === '0-ENABLED' && check.state === 'down')) return 'bad';
  return status !== '0-ENABLED' || stateWeight === 0 ? 'odd' : 'calm';
}

/** How its check is: `up`, `down, http-status 503`, `-` where it has none. */
export function checkWords({ check }: PairView): string {
  if (check.name === '') return '-';
  return check.state === 'down' && check.nature !== '' ? `down, ${plain(check.nature)}` : check.state;
}

/** What is to be known about a service; `up` for nothing. */
export function serviceWords({ alive, owned, problem, sorry, sorryAge, unknownMs }: ServiceView): string {
  if (unknownMs !== null) return unknownSince(unknownMs);
  const words: string[] = [];
  if (sorry !== '')
    words.push(`sorry server ${plain(sorry)}${sorryAge === null ? '' : ` for ${shortAge(sorryAge)}`}`);
  else if (alive === 0) words.push('no server');
  if (!owned) words.push('not in the table');
  if (problem !== '') words.push(plain(problem));
  return words.length === 0 ? 'up' : words.join('; ');
}
