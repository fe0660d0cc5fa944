/**
 * The safety rules, each with the change of the core's text that takes it out. A rule that is missing here is not proven to
 * matter. Texts must occur exactly once in their file.
 */
import type { FaultName, Focus } from './profile.js';

export interface Mutation {
  /** The rule of docs/protocol.md that is taken out. */
  rule: string;
  what: string;
  edits: readonly { file: string; from: string; to: string }[];
  /** What brings it to light soonest. */
  focus: Focus;
}

function one(
  rule: string,
  what: string,
  file: string,
  from: string,
  to: string,
  ...faults: FaultName[]
): Mutation {
  return { rule, what, edits: [{ file: `daemon/core/${file}`, from, to }], focus: { faults } };
}

export const MUTATIONS: readonly Mutation[] = [
  one(
    'T2',
    'the grant does not outlast the lease by the time to stop',
    'lease.ts',
    'return (terms.leaseMs + terms.stopBudgetMs) * (1',
    'return terms.leaseMs * (1',
  ),
  one(
    'T3',
    'the grant has no term for the drift of clocks',
    'lease.ts',
    '(1 + terms.driftPpm / 1_000_000)',
    '1',
  ),
  one(
    'H1',
    'a renewal counts from its answer instead of its request',
    'hold.ts',
    'const end = entry.sentAt + entry.leaseMs;',
    'const end = now + entry.leaseMs;',
  ),
  one(
    'A2',
    'an acquisition counts from its answers instead of its request',
    'acquire.ts',
    'requestInTurn(state, context, now) : acquired(state);',
    'requestInTurn(state, context, now) : acquired(Object.assign(state, { sentAt: now }));',
  ),
  one(
    'V3',
    "a voter grants to a second holder while the first one's grant holds",
    'voter.ts',
    'if (grant !== null) {\n    return no(',
    'if (grant !== null && grant.restored) {\n    return no(',
  ),
  one(
    'V4',
    'a voter answers before its grant is on disk',
    'voter.ts',
    '  state.storing = { ...storing.storing, answer: { from, request, grantMs: length } };\n  return [storing.output];',
    "  state.storing = { ...storing.storing, answer: { from, request, grantMs: length } };\n  return [storing.output, answer(state, from, 'request', request, request.epoch, null, now)];",
  ),
  one(
    'V5',
    'an epoch need not be greater than all before it',
    'voter.ts',
    "if (epoch !== null && epoch <= state.epochMax) return no('stale-epoch');",
    '',
  ),
  {
    rule: 'V6',
    what: 'what its holder has released is renewed',
    edits: [
      {
        file: 'daemon/core/voter.ts',
        from: "if (epoch !== null && epoch <= releasedEpoch(state, holder)) return no('released');",
        to: '',
      },
    ],
    focus: { repeats: true },
  },
  one(
    'V7',
    'a voter that restarts does not wait its stored grant out',
    'voter.ts',
    'record.grant === null ? null : { ...record.grant, until: now + record.grant.grantMs, restored: true }',
    'record.grant === null ? null : { ...record.grant, until: now, restored: true }',
  ),
  one(
    'M1',
    'a voter that restarts has forgotten the epoch',
    'voter.ts',
    'epochMax: record.epochMax,\n    grant,',
    'epochMax: 0,\n    grant,',
  ),
  one(
    'M1',
    'a voter that restarts has forgotten its grant',
    'voter.ts',
    'record.grant === null ? null : { ...record.grant,',
    'record !== null ? null : { ...record.grant,',
  ),
  {
    rule: 'V8',
    what: 'a voter without history does not wait out what it may have granted',
    edits: [
      {
        file: 'daemon/core/voter.ts',
        from: 'quarantineUntil: now + ownGrantMs,',
        to: 'quarantineUntil: now,',
      },
      {
        file: 'daemon/core/voter-memory.ts',
        from: 'Math.max(state.quarantineUntil, state.startedAt + memory.longestGrantMs)',
        to: 'state.quarantineUntil',
      },
    ],
    focus: { faults: ['corruptDisk'], repeats: true },
  },
  {
    rule: 'V8',
    what: 'a voter without history learns, and renews what it learned of, while it waits',
    edits: [
      {
        file: 'daemon/core/voter-memory.ts',
        from: '  if (now < state.quarantineUntil) return [];\n',
        to: '',
      },
      {
        file: 'daemon/core/voter.ts',
        from: "  if (!state.history) return no('no-history'",
        to: "  if (state.grant !== null && epoch !== null && isOf(state.grant, holder, epoch)) return null;\n  if (!state.history) return no('no-history'",
      },
    ],
    focus: { faults: ['corruptDisk', 'cutGroup'] },
  },
  one(
    'V9',
    'a voter without history grants at once',
    'voter.ts',
    "if (!state.history) return no('no-history', '', Math.max(0, state.quarantineUntil - now));",
    '',
    'corruptDisk',
    'isolate',
    'loseMachine',
  ),
  one(
    'V10',
    "requests need not reckon with the voter's set",
    'voter.ts',
    "if (!includesSets(sets, state.sets)) return no('voter-set');",
    '',
    'changeVoters',
    'cutGroup',
    'isolate',
  ),
  one(
    'V11',
    'the old voter set is dropped at once',
    'voter-memory.ts',
    'state.sets = [[...members], newest];',
    'state.sets = [[...members]];',
    'changeVoters',
    'cutGroup',
    'isolate',
  ),
  one(
    'V12',
    'what the old voter set remembers is lost with it',
    'voter-memory.ts',
    'state.epochMax = Math.max(state.epochMax, ...memories.map(({ epochMax }) => epochMax));',
    '',
    'changeVoters',
    'corruptDisk',
  ),
  one(
    'A3',
    'answers to earlier requests count for an acquisition',
    'acquire.ts',
    "|| answer.to !== expected || answer.request !== state.request) return [];\n  if (answer.to === 'request' && answer.epoch !== state.epoch) return [];",
    '|| answer.to !== expected) return [];',
    'slowPath',
    'isolate',
  ),
  {
    rule: 'A4',
    what: 'the epoch does not increase, and voters do not mind',
    edits: [
      {
        file: 'daemon/core/acquire.ts',
        from: 'state.epoch = Math.max(state.epochMax, state.epoch) + 1;',
        to: 'state.epoch = Math.max(state.epochMax, state.epoch, 1);',
      },
      {
        file: 'daemon/core/voter.ts',
        from: "if (epoch !== null && epoch <= state.epochMax) return no('stale-epoch');",
        to: '',
      },
    ],
    focus: {},
  },
  one(
    'A7',
    'a minority of the voters is enough',
    'lease.ts',
    'return Math.floor(count / 2) + 1;',
    'return Math.floor(count / 2);',
  ),
  one(
    'H2',
    'any answer of a voter renews the lease from the latest request',
    'hold.ts',
    'const entry = lease.pending.find((candidate) => candidate.request === answer.request);',
    'const entry = lease.pending.at(-1);',
  ),
  {
    rule: 'H5',
    what: 'the time to stop is what the file says now, not what the voters granted',
    edits: [
      {
        file: 'daemon/core/hold.ts',
        from: 'const share = Math.min(1, granted / (stopTimeoutMs + fenceTimeoutMs));',
        to: 'const share = granted > 0 ? 1 : 1;',
      },
    ],
    focus: { faults: ['changeTimes', 'isolate', 'afflictHooks'], backing: 'cgroup' },
  },
  {
    rule: 'R2',
    what: 'a start is not bounded by the end of the lease',
    edits: [
      {
        file: 'daemon/core/primary-hook.ts',
        from: "action === 'start' && !state.forced ? (state.lease?.until ?? now) - margin(state) : Infinity;",
        to: 'Infinity;',
      },
    ],
    focus: { faults: ['pauseBoth', 'stopService'], protection: 'device', backing: 'cgroup' },
  },
  {
    rule: 'R3',
    what: 'a start under way is not ended when the stop begins',
    edits: [
      {
        file: 'daemon/core/primary-stop.ts',
        from: "  const { hook } = state;\n  if (hook !== null && hook.signalled !== 'KILL') {\n    hook.signalled = 'KILL';\n    outputs.push({ kind: 'signal', id: hook.id, signal: 'KILL' });\n  }\n}",
        to: '}',
      },
    ],
    focus: { faults: ['afflictHooks', 'isolate'], backing: 'stop-works' },
  },
  {
    rule: 'R4',
    what: 'the worker goes on when its lease is over',
    edits: [
      {
        file: 'daemon/core/primary.ts',
        from: 'if (state.lease !== null && now >= state.lease.until - margin(state)) loseLease(state, now, outputs);',
        to: '',
      },
      {
        file: 'daemon/core/primary.ts',
        from: 'times.push(state.lease.until - margin(state), renewing',
        to: 'times.push(renewing',
      },
    ],
    focus: {},
  },
  one(
    'R5',
    'the lease is released before the resource is known to be stopped',
    'primary-stop.ts',
    "  state.phase = 'stopping';\n  state.start = null;",
    "  if (state.lastEpoch > 0) releaseLease(state, '', outputs);\n  state.phase = 'stopping';\n  state.start = null;",
  ),
  one(
    'R5',
    'unknown counts as stopped',
    'primary-run.ts',
    'else if (code === 1) stopped(state, now, outputs);',
    'else if (code !== 0) stopped(state, now, outputs);',
    'afflictHooks',
    'isolate',
  ),
  one(
    'R8',
    'the worker goes on when main is gone',
    'primary.ts',
    "askedToStop(state, 'main-gone', '', now, outputs);",
    '',
    'killMainOnly',
  ),
  one(
    'G1',
    'main does not act when the lease of a silent worker passes',
    'node-guard.ts',
    'if (report.mayRun && report.leaseUntil > Number.NEGATIVE_INFINITY) return report.leaseUntil;',
    'if (report.mayRun && report.leaseUntil > Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;',
    'pauseWorkerOnly',
    'isolate',
  ),
  {
    rule: 'G1',
    what: 'main does not act when a worker does not go on with its stop',
    edits: [
      {
        file: 'daemon/core/node-guard.ts',
        from: 'return report.actBy + stopMarginMs(settings);',
        to: 'return Number.POSITIVE_INFINITY;',
      },
    ],
    focus: { faults: ['pauseWorkerOnly', 'afflictHooks', 'isolate'], backing: 'cgroup' },
  },
  {
    rule: 'G1',
    what: 'a main process that stood still judges its worker by what it knew before',
    edits: [
      {
        file: 'daemon/core/node-guard.ts',
        from: 'if (worker === null || now < state.guardNotBefore) return;',
        to: 'if (worker === null) return;',
      },
    ],
    focus: { faults: ['pauseMainOnly', 'afflictHooks'], backing: 'stop-works' },
  },
  one(
    'G2',
    'main does not stop the resource of a worker that died without a lease',
    'node-guard.ts',
    "  log(outputs, 'the primary worker ended unexpectedly: stopping the resource');\n  takeOver(state, worker, now, outputs);",
    '  state.worker = null;',
    'killWorkerOnly',
    'isolate',
  ),
  one(
    'G4',
    'a new main process does not stop what an earlier one left',
    'node.ts',
    'if (init.leftRunning !== null) {',
    'if (init.leftRunning !== null && init.record === null) {',
    'killBoth',
    'killMainOnly',
  ),
  one(
    'G5',
    'the watchdog device is fed without a lease',
    'demand.ts',
    "  if (report.epoch === 0) return 'none';\n  return report.leaseUntil > now ? 'feed' : 'starve';",
    "  if (report.epoch === 0) return 'none';\n  return 'feed';",
    'afflictHooks',
    'pauseBoth',
  ),
  one(
    'P1',
    'a secondary is promoted without a lease',
    'node-lease.ts',
    '    else logRefusal(state, now, outputs);',
    "    else if (state.role === 'secondary') {\n      const until = now + 2 * state.settings.leaseMs;\n      const epoch = state.acquisition.epoch + 1;\n      acquired(state, { epoch, until, grantedUntil: until, sets: state.voter.sets, granted: [] }, now, outputs);\n    }",
    'isolate',
  ),
];
