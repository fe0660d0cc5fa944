/**
 * The safety rules, each with the change of the core's text that takes it out. A rule that is missing here is not proven to
 * matter. Texts must occur exactly once in their file.
 */
import type { Mutation } from '../mutate.js';
import type { Focus } from './profile.js';

/** One edit: a file of daemon/core, a text that occurs in it exactly once, and what stands there instead. */
type Edit = readonly [file: string, from: string, to: string];

function without(rule: string, what: string, focus: Focus, ...edits: readonly Edit[]): Mutation<Focus> {
  return {
    rule,
    what,
    // What explains itself wrongly because of it is not what it is hunted for; nor a move at the end, but where that is said.
    focus: { move: null, ...focus, explained: false },
    edits: edits.map(([file, from, to]) => ({ file: `daemon/core/${file}`, from, to })),
  };
}

/** One that takes hundreds of seeds. */
const rare = (mutation: Mutation<Focus>): Mutation<Focus> => ({ ...mutation, rare: true });

export const MUTATIONS: readonly Mutation<Focus>[] = [
  without('T2', 'the grant does not outlast the lease by the time to stop', {}, [
    'lease.ts',
    'return (terms.leaseMs + terms.stopBudgetMs) * (1',
    'return terms.leaseMs * (1',
  ]),
  without('T3', 'the grant has no term for the drift of clocks', {}, [
    'lease.ts',
    '(1 + terms.driftPpm / 1_000_000)',
    '1',
  ]),
  without('H1', 'a renewal counts from its answer instead of its request', {}, [
    'hold.ts',
    'const end = entry.sentAt + entry.leaseMs;',
    'const end = now + entry.leaseMs;',
  ]),
  without('A2', 'an acquisition counts from its answers instead of its request', {}, [
    'acquire.ts',
    'requestInTurn(state, context, now) : acquired(state);',
    'requestInTurn(state, context, now) : acquired(Object.assign(state, { sentAt: now }));',
  ]),
  without('V3', "a voter grants to a second holder while the first one's grant holds", {}, [
    'voter.ts',
    'if (grant !== null) {\n    return no(',
    'if (grant !== null && grant.restored) {\n    return no(',
  ]),
  without('V4', 'a voter answers before its grant is on disk', {}, [
    'voter.ts',
    '  state.storing = { ...storing.storing, answer: { from, request, grantMs: length } };\n  return [storing.output];',
    "  state.storing = { ...storing.storing, answer: { from, request, grantMs: length } };\n  return [storing.output, answer(state, from, 'request', request, request.epoch, null, now)];",
  ]),
  without('V5', 'an epoch need not be greater than all before it', {}, [
    'voter.ts',
    "if (epoch !== null && epoch <= state.epochMax) return no('stale-epoch');",
    '',
  ]),
  without('V6', 'what its holder has released is renewed', { repeats: true }, [
    'voter.ts',
    "if (epoch !== null && epoch <= releasedEpoch(state, holder)) return no('released');",
    '',
  ]),
  without('V7', 'a voter that restarts does not wait its stored grant out', {}, [
    'voter.ts',
    'record.grant === null ? null : { ...record.grant, until: now + record.grant.grantMs, restored: true }',
    'record.grant === null ? null : { ...record.grant, until: now, restored: true }',
  ]),
  without('M1', 'a voter that restarts has forgotten the epoch', {}, [
    'voter.ts',
    'epochMax: record.epochMax,\n    grant,',
    'epochMax: 0,\n    grant,',
  ]),
  without('M1', 'a voter that restarts has forgotten its grant', {}, [
    'voter.ts',
    'record.grant === null ? null : { ...record.grant,',
    'record !== null ? null : { ...record.grant,',
  ]),
  without(
    'V8',
    'a voter without history does not wait out what it may have granted',
    { faults: ['corruptDisk'], repeats: true },
    ['voter.ts', 'quarantineUntil: now + ownGrantMs,', 'quarantineUntil: now,'],
    [
      'voter-memory.ts',
      'Math.max(state.quarantineUntil, state.startedAt + memory.longestGrantMs)',
      'state.quarantineUntil',
    ],
  ),
  rare(
    without(
      'V8',
      'a voter without history learns, and renews what it learned of, while it waits',
      { faults: ['corruptDisk', 'cutGroup'] },
      ['voter-memory.ts', '  if (now < state.quarantineUntil) return [];\n', ''],
      [
        'voter.ts',
        "  if (!state.history) return no('no-history'",
        "  if (state.grant !== null && epoch !== null && isOf(state.grant, holder, epoch)) return null;\n  if (!state.history) return no('no-history'",
      ],
    ),
  ),
  rare(
    without(
      'V9',
      'a voter without history takes what was said before its wait was over for nothing',
      { faults: ['changeVoters', 'corruptDisk'], careless: true },
      [
        'voter-memory.ts',
        'memory.grant !== null)) state.pastHeard',
        'memory.grant !== null) && now >= state.quarantineUntil) state.pastHeard',
      ],
    ),
  ),
  without(
    'V9',
    'a voter without history grants at once',
    { faults: ['corruptDisk', 'isolate', 'loseMachine'] },
    [
      'voter.ts',
      "if (!state.history) return no('no-history', '', Math.max(0, state.quarantineUntil - now));",
      '',
    ],
  ),
  without(
    'V10',
    "requests need not reckon with the voter's set",
    { faults: ['changeVoters', 'cutGroup', 'isolate'] },
    ['voter.ts', "if (!includesSets(sets, state.sets)) return no('voter-set');", ''],
  ),
  without(
    'V11',
    'the old voter set is dropped at once',
    { faults: ['changeVoters', 'cutGroup', 'isolate'] },
    ['voter-memory.ts', 'state.sets = [[...members], newest];', 'state.sets = [[...members]];'],
  ),
  without(
    'V12',
    'what the old voter set remembers is lost with it',
    { faults: ['changeVoters', 'corruptDisk'] },
    [
      'voter-memory.ts',
      'state.epochMax = Math.max(state.epochMax, ...memories.map(({ epochMax }) => epochMax));',
      '',
    ],
  ),
  without('A3', 'answers to earlier requests count for an acquisition', { faults: ['slowPath', 'isolate'] }, [
    'acquire.ts',
    "|| answer.to !== expected || answer.request !== state.request) return [];\n  if (answer.to === 'request' && answer.epoch !== state.epoch) return [];",
    '|| answer.to !== expected) return [];',
  ]),
  without(
    'A4',
    'the epoch does not increase, and voters do not mind',
    {},
    [
      'acquire.ts',
      'state.epoch = Math.max(state.epochMax, state.epoch) + 1;',
      'state.epoch = Math.max(state.epochMax, state.epoch, 1);',
    ],
    ['voter.ts', "if (epoch !== null && epoch <= state.epochMax) return no('stale-epoch');", ''],
  ),
  without('A7', 'a minority of the voters is enough', {}, [
    'lease.ts',
    'return Math.floor(count / 2) + 1;',
    'return Math.floor(count / 2);',
  ]),
  without('H2', 'any answer of a voter renews the lease from the latest request', {}, [
    'hold.ts',
    'const entry = lease.pending.find((candidate) => candidate.request === answer.request);',
    'const entry = lease.pending.at(-1);',
  ]),
  without(
    'H5',
    'the time to stop is what the file says now, not what the voters granted',
    { faults: ['changeTimes', 'isolate', 'afflictHooks'], backing: 'cgroup' },
    ['hold.ts', 'const share = Math.min(1, granted / (stopTimeoutMs + fenceTimeoutMs));', 'const share = 1;'],
  ),
  without(
    'R2',
    'a start is not bounded by the end of the lease',
    { faults: ['pauseBoth', 'stopService'], protection: 'device', backing: 'cgroup' },
    [
      'primary-hook.ts',
      "action === 'start' && !state.forced ? (state.lease?.until ?? now) - margin(state) : Infinity;",
      'Infinity;',
    ],
  ),
  without(
    'R3',
    'a start under way is not ended when the stop begins',
    { faults: ['afflictHooks', 'isolate'], backing: 'stop-works' },
    [
      'primary-stop.ts',
      "  const { hook } = state;\n  if (hook !== null && hook.signalled !== 'KILL') {\n    hook.signalled = 'KILL';\n    outputs.push({ kind: 'signal', id: hook.id, signal: 'KILL' });\n  }\n}",
      '}',
    ],
  ),
  without(
    'R4',
    'the worker goes on when its lease is over',
    {},
    ['primary.ts', 'if (now >= lostAt(state)) loseLease(state, now, outputs);', ''],
    ['primary.ts', 'times.push(lostAt(state), renewing', 'times.push(renewing'],
  ),
  without('R5', 'the lease is released before the resource is known to be stopped', {}, [
    'primary-stop.ts',
    "  state.phase = 'stopping';\n  state.start = null;",
    "  if (state.lastEpoch > 0) releaseLease(state, '', outputs);\n  state.phase = 'stopping';\n  state.start = null;",
  ]),
  without('R5', 'unknown counts as stopped', { faults: ['afflictHooks', 'isolate'] }, [
    'primary-run.ts',
    'else if (code === 1) stopped(state, now, outputs);',
    'else if (code !== 0) stopped(state, now, outputs);',
  ]),
  without('R8', 'the worker goes on when main is gone', { faults: ['killMainOnly'] }, [
    'primary.ts',
    "askedToStop(state, 'main-gone', '', now, outputs);",
    '',
  ]),
  without(
    'G1',
    'main does not act when the lease of a silent worker passes',
    { faults: ['pauseWorkerOnly', 'isolate'] },
    [
      'node-guard.ts',
      'if (report.mayRun && report.leaseUntil > Number.NEGATIVE_INFINITY) return report.leaseUntil;',
      'if (report.mayRun && report.leaseUntil > Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;',
    ],
  ),
  without(
    'G1',
    'main does not act when a worker does not go on with its stop',
    { faults: ['pauseWorkerOnly', 'afflictHooks', 'isolate'], backing: 'cgroup' },
    ['node-guard.ts', 'return report.actBy + stopMarginMs(settings);', 'return Number.POSITIVE_INFINITY;'],
  ),
  without(
    'G1',
    'a main process that stood still judges its worker by what it knew before',
    { faults: ['pauseMainOnly'] },
    [
      'node-guard.ts',
      'if (worker === null || now < state.guardNotBefore) return;',
      'if (worker === null) return;',
    ],
  ),
  without(
    'G2',
    'main does not stop the resource of a worker that died without a lease',
    { faults: ['killWorkerOnly', 'isolate'] },
    [
      'node-guard.ts',
      "  log(outputs, 'the primary worker ended unexpectedly: stopping the resource');\n  takeOver(state, worker, now, outputs);",
      '  state.worker = null;',
    ],
  ),
  without(
    'G4',
    'a new main process does not stop what an earlier one left',
    { faults: ['killBoth', 'killMainOnly'] },
    [
      'node.ts',
      'if (init.leftRunning !== null) {',
      'if (init.leftRunning !== null && init.record === null) {',
    ],
  ),
  rare(
    without('G5', 'the watchdog device is fed without a lease', { faults: ['afflictHooks', 'pauseBoth'] }, [
      'demand.ts',
      "  if (report.epoch === 0) return 'none';\n  return report.leaseUntil > now ? 'feed' : 'starve';",
      "  if (report.epoch === 0) return 'none';\n  return 'feed';",
    ]),
  ),
  without(
    'P5',
    'a node that does not see what the resource requires asks for the lease',
    { faults: ['missRequired', 'loseMachine'] },
    ['view.ts', "fit: state.unfit === '',", 'fit: true,'],
    ['node-lease.ts', "(state.unfit === '' || state.kept !== null)", 'true'],
  ),
  without(
    'P6',
    'a node without what it needs is chosen to take over',
    { faults: ['giveCommand', 'restartDaemon'] },
    [
      'view.ts',
      'seemsAble(state, node, now) && lacks.length === 0;',
      'seemsAble(state, node, now) && lacks.length >= 0;',
    ],
  ),
  without(
    'P6',
    'a switchover to a named node does not ask what that one lacks',
    { faults: ['giveCommand', 'restartDaemon'] },
    ['plan.ts', "refusal: missing.length === 0 ? '' :", "refusal: missing.length >= 0 ? '' :"],
  ),
  without('P7', 'a failback does not wait', { failback: true }, [
    'failback.ts',
    'Math.max(since + failbackMs, state.failback.notBefore)',
    'Math.max(since, state.failback.notBefore)',
  ]),
  without(
    'P7',
    'a failback comes with failback never',
    {},
    ['failback.ts', 'if (!Number.isFinite(failbackMs)) return null;\n  const better', 'const better'],
    [
      'failback.ts',
      'Math.max(since + failbackMs, state.failback.notBefore)',
      'Math.max(since + (Number.isFinite(failbackMs) ? failbackMs : 0), state.failback.notBefore)',
    ],
  ),
  without('P7', 'a failback goes to any node that is ready', { failback: true }, [
    'failback.ts',
    'isReady(state, other, now) && message.priority < priority;',
    'isReady(state, other, now);',
  ]),
  without(
    'P7',
    'an interruption of readiness does not count',
    { failback: true, faults: ['restartDaemon'] },
    [
      'failback.ts',
      'if (ready === (peer.readySince !== null)) continue;',
      'if (!ready || peer.readySince !== null) continue;',
    ],
  ),
  without('P8', 'who has handed over does not take it again', { move: 'lost-at-start' }, [
    'view.ts',
    "return handover?.phase === 'putting-back';",
    "return handover?.phase === 'putting-back' && handover.epoch === 0;",
  ]),
  without('P8', 'a successor that cannot start it takes all its attempts', { move: 'cannot-start' }, [
    'primary-run.ts',
    'if (state.attempts >= attempts || state.giveBack) {',
    'if (state.attempts >= attempts) {',
  ]),
  without('P1', 'a secondary is promoted without a lease', { faults: ['isolate'] }, [
    'node-lease.ts',
    '    else logRefusal(state, now, outputs);',
    "    else if (state.role === 'secondary') {\n      const until = now + 2 * state.settings.leaseMs;\n      const epoch = state.acquisition.epoch + 1;\n      acquired(state, { epoch, until, grantedUntil: until, sets: state.voter.sets, granted: [] }, now, outputs);\n    }",
  ]),
  without('L1', 'a grant in maintenance runs out for others', { faults: ['maintain'] }, [
    'voter.ts',
    "if (kept?.mark.on && kept.holder.node !== holder.node) return no('maintenance', kept.holder.node);",
    '',
  ]),
  without('L2', 'the resource is left alone before a majority has that on disk', { faults: ['maintain'] }, [
    'primary-maintenance.ts',
    'lease === null || !isMarked(lease, mark)',
    'lease === null',
  ]),
  without('L3', 'a release ends what is kept', { faults: ['maintain'] }, [
    'voter.ts',
    'if (state.grant.mark.on) {',
    'if (state.grant.mark.on && now < 0) {',
  ]),
];
