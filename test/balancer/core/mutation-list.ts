/**
 * The rules of docs/balancer.md, each with the change of the core's text that takes it out. Texts must occur exactly once in their file.
 */
import type { Mutation } from '../../mutate.js';
import type { Focus } from './profile.js';

type Edit = readonly [file: string, from: string, to: string];

function without(rule: string, what: string, focus: Focus, ...edits: readonly Edit[]): Mutation<Focus> {
  return {
    ...{ rule, what, focus },
    edits: edits.map(([file, from, to]) => ({ file: `daemon/balancer/core/${file}`, from, to })),
  };
}

export const MUTATIONS: readonly Mutation<Focus>[] = [
  without('B1', 'a host that is off as a whole has weight', {}, [
    'weights.ts',
    'return host.off !== null || ',
    'return ',
  ]),
  without('B1', 'a disabled server has weight', {}, [
    'weights.ts',
    '!isDisabled(pair) && !pair.memory.foundZero',
    '!pair.memory.foundZero',
  ]),
  without('B2', 'who is enabled need not pass again', {}, [
    'commands.ts',
    '      memory.awaitSince = draft.now;\n',
    '',
  ]),
  without('B2', 'any pass is fresh', {}, ['weights.ts', 'check.passAt > awaitSince', 'check.passAt > 0']),
  without('B2', 'a pass that began before it was seen down counts', {}, [
    'checks.ts',
    'begunAt > check.since',
    'begunAt > 0',
  ]),
  without('B2', 'another server behind the same tags has weight', { reload: 12 }, [
    'configure.ts',
    'return known.real === real && !comes ? known',
    'return !comes ? known',
  ]),
  without('B3', 'one reason that is taken back takes all', {}, [
    'commands.ts',
    "reasons.includes('*') ? [...memory.reasons.keys()] : reasons",
    '[...memory.reasons.keys()]',
  ]),
  without('B3', 'the whole host takes the reasons back', {}, [
    'commands.ts',
    '    host.off = null;\n',
    '    host.off = null;\n    for (const { memory } of host.pairs) memory.reasons.clear();\n',
  ]),
  without('B4', 'nobody comes back gradually by itself', {}, [
    'settle.ts',
    'const usual = long ?',
    'const usual = !long && long ?',
  ]),
  without('B4', 'a failure does not end what was asked for before', {}, [
    'settle.ts',
    'zeroSince: now, ramp: null, kept: null',
    'zeroSince: now, rampAskedMs: memory.ramp?.durationMs ?? null, ramp: null, kept: null',
  ]),
  without('B4', 'a weight that comes back is rounded down', {}, [
    'weights.ts',
    'Math.ceil(full / (left + 1))',
    'Math.floor(full / (left + 1))',
  ]),
  without('B5', 'the quorum does not matter', {}, [
    'settle.ts',
    'return sorryAt === null ? alive < quorum - hysteresis : alive < quorum + hysteresis;',
    'return alive + quorum + hysteresis < 0 && sorryAt === null;',
  ]),
  without('B5', 'the sorry server is never in', {}, [
    'wanted.ts',
    'if (sorry !== null) servers',
    'if (sorry === undefined) servers',
  ]),
  without('B6', 'what exists is changed', { strange: 8 }, [
    'kernel.ts',
    'if (!state.owned.has(key)) {\n      dirty.delete(key);\n      continue;\n    }',
    '',
  ]),
  without('B7', 'a service is made before there are results', {}, [
    'settle.ts',
    'if (!service.warm && !(failing && service.pairs.some(isUndecided)))',
    'if (!service.warm)',
  ]),
  without('B8', 'what is refused is not tried again', { refuse: 10 }, [
    'kernel.ts',
    'refusal.until > now && ',
    '',
  ]),
  without('B10', 'a restart forgets who waits for a pass', { restart: 10 }, [
    'store.ts',
    'const memory = { ...rest, reasons',
    'const memory = { ...rest, awaitSince: null, reasons',
  ]),
  without('B10', 'a restart forgets its services', { restart: 10 }, [
    'store.ts',
    'owned: [...state.owned],',
    'owned: [],',
  ]),
  without('B10', 'a weight that was asked for is forgotten', { restart: 10, weight: 8 }, [
    'store.ts',
    'const memory = { ...rest, reasons',
    'const memory = { ...rest, override: null, reasons',
  ]),
  without('B11', 'weight that was found is not believed', { restart: 10 }, [
    'settle.ts',
    '    if (weight > 0) {\n',
    '    if (weight > 1e9) {\n',
  ]),
  without('B12', 'who is not the director keeps its services', { failover: 8 }, [
    'wanted.ts',
    'if (state.active !== true || service',
    'if (service',
  ]),
  without('B12', 'a change is not told to those that may follow', { failover: 8 }, [
    'state.ts',
    '  draft.changed.pairs.add(pair);\n',
    '',
  ]),
  without('B12', 'a pass that the old director saw is fresh', { failover: 12 }, [
    'balancer.ts',
    'if (pair.memory.awaitSince !== null) pair.memory.awaitSince = now;',
    'pair.memory.awaitSince = null;',
  ]),
];
