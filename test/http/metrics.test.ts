/** Figures: the two formats to the letter, what is counted, and failovers as one node has seen them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createCounter, createHistogram } from '../../daemon/http/metrics/counted.js';
import { family, formatFor, gauge, stateSet, writeFamilies } from '../../daemon/http/metrics/exposition.js';
import { type CountedFailover, followFailovers, NO_FAILOVERS } from '../../daemon/http/metrics/failovers.js';
import { createEventFigures } from '../../daemon/http/metrics/from-events.js';
import { natureWord } from '../../daemon/http/metrics/monitoring.js';
import { processFamilies } from '../../daemon/http/metrics/processes.js';
import { clusterFamilies } from '../../daemon/http/metrics/resources.js';
import type { NodeReport } from '../../proto/cluster-types.js';
import type { StatusEntry } from '../../proto/control-types.js';
import type { HaEvent } from '../../proto/event-types.js';
import { reportOf, saidOf } from '../cluster/support.js';
import { entryOf } from '../ctl/support.js';

const counter = createCounter('x_things_total', 'Things.');
counter.add({ kind: 'a"b\\c\nd' });
counter.add({ kind: 'a"b\\c\nd' }, 2);
const histogram = createHistogram('x_seconds', 'Times.', [0.5, 1]);
for (const value of [0.5, 0.7, 3]) histogram.observe({}, value);
const families = [
  family('x_build_info', 'info', 'What\nruns, "quoted".', [[{ version: '1' }, 1]]),
  stateSet('x_state', 'A state.', ['on', 'off'], [[{ of: 'y' }, 'off']]),
  gauge('x_none', 'Left out.', []),
  gauge('x_limit', 'No limit.', [[{}, Number.POSITIVE_INFINITY]]),
  counter.family(),
  histogram.family(),
];

test('the text format 0.0.4', () => {
  assert.equal(
    writeFamilies(families, 'text'),
    `# HELP x_build_info What\\nruns, "quoted".
# TYPE x_build_info gauge
x_build_info{version="1"} 1
# HELP x_state A state.
# TYPE x_state gauge
x_state{of="y",x_state="on"} 0
x_state{of="y",x_state="off"} 1
# HELP x_limit No limit.
# TYPE x_limit gauge
x_limit +Inf
# HELP x_things_total Things.
# TYPE x_things_total counter
x_things_total{kind="a\\"b\\\\c\\nd"} 3
# HELP x_seconds Times.
# TYPE x_seconds histogram
x_seconds_bucket{le="0.5"} 1
x_seconds_bucket{le="1.0"} 2
x_seconds_bucket{le="+Inf"} 3
x_seconds_sum 4.2
x_seconds_count 3
`,
  );
});

test('OpenMetrics 1.0', () => {
  const text = writeFamilies(families, 'openmetrics');
  assert.match(text, /^# HELP x_build What\\nruns, \\"quoted\\"\.\n# TYPE x_build info\nx_build_info\{/);
  assert.match(text, /^# TYPE x_state stateset$/m);
  assert.match(text, /^# HELP x_things Things\.\n# TYPE x_things counter\nx_things_total\{/m);
  assert.match(text, /\n# EOF\n$/);
});

test('the format is that which the client rates highest', () => {
  const prometheus =
    'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
  const accepted: [accept: string, format: string][] = [
    ['', 'text'],
    ['*/*', 'text'],
    ['text/html,*/*;q=0.8', 'text'],
    [prometheus, 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version=2.0.0', 'text'],
    ['application/openmetrics-text;q=0', 'text'],
    ['text/plain;q=0.9, application/openmetrics-text;version=1.0.0;q=0.1', 'text'],
  ];
  for (const [accept, format] of accepted) assert.equal(formatFor(accept), format, accept);
});

test('series are bounded, whatever is counted', () => {
  const many = createCounter('x_total', 'Many.');
  for (let index = 0; index < 12_000; index += 1) many.add({ index: String(index) });
  assert.equal(many.family().samples.length, 10_000);
});

test('a nature is one of few words', () => {
  assert.equal(natureWord('http-status 503'), 'http-status');
  assert.equal(natureWord('refused'), 'refused');
  assert.equal(natureWord('EMFILE'), 'other');
  assert.equal(natureWord(''), 'other');
});

test('processes of one kind are one series', () => {
  const one = {
    process: 'spare',
    resource: '',
    cpuSeconds: 1,
    residentBytes: 10,
    descriptors: 3,
    uptimeMs: 1000,
  };
  const all = [
    { ...one, pid: 1 },
    { ...one, pid: 2, descriptors: null },
  ];
  const text = writeFamilies(processFamilies({ processes: all, restarts: { monitor: 2 } }), 'text');
  assert.match(text, /^hastmon_processes\{process="spare",resource=""\} 2$/m);
  assert.match(text, /^hastmon_process_cpu_seconds_total\{process="spare",resource=""\} 2$/m);
  assert.match(text, /^hastmon_process_open_fds\{process="spare",resource=""\} 3$/m);
  assert.match(text, /^hastmon_process_restarts_total\{process="monitor"\} 2$/m);
});

function eventOf(bootMs: number, kind: string, data: HaEvent['data'] = {}, resource = 'db'): HaEvent {
  return { number: bootMs, node: 'b', at: bootMs, boot: 'x', bootMs, kind, resource, text: '', data };
}

function failoversOf(events: readonly HaEvent[]): CountedFailover[] {
  let state = NO_FAILOVERS;
  return events.flatMap((event) => {
    const after = followFailovers(state, event);
    state = after.state;
    return after.ended === null ? [] : [after.ended];
  });
}

const run = (bootMs: number) =>
  eventOf(bootMs, 'run-changed', { from: 'starting', to: 'run', epoch: 8, error: '' });

describe('a failover', () => {
  test('of a machine that is lost has all phases', () => {
    const found = failoversOf([
      eventOf(11_000, 'holder-lost', { peer: 'a', epoch: 7, why: 'silent', lastHeardMs: 1000 }),
      eventOf(11_200, 'complaint', { count: 1 }),
      eventOf(12_000, 'complaint', { count: 4 }),
      eventOf(18_000, 'lease-acquired', { epoch: 8 }),
      run(18_700),
    ]);
    const phases = { unnoticed: 1000, complaints: 1000, lease: 6000, start: 700 };
    assert.deepEqual(found, [{ resource: 'db', kind: 'lost', tookMs: 8700, phases }]);
  });

  test('that was asked for is a handover, without complaints', () => {
    const released = eventOf(1000, 'holder-lost', { peer: 'a', epoch: 7, why: 'released', lastHeardMs: 0 });
    const found = failoversOf([released, eventOf(1100, 'lease-acquired', { epoch: 8 }), run(1500)]);
    assert.deepEqual(found, [
      { resource: 'db', kind: 'handover', tookMs: 500, phases: { lease: 100, start: 400 } },
    ]);
    const given = [released, eventOf(1050, 'complaint', {}), eventOf(1100, 'lease-acquired', {}), run(1500)];
    assert.equal(failoversOf(given)[0]?.kind, 'failed');
  });

  test('of a service that fails on the node that holds the lease ends there', () => {
    const failed = eventOf(1000, 'run-changed', {
      from: 'run',
      to: 'failed',
      epoch: 7,
      error: 'status: stopped',
    });
    assert.deepEqual(failoversOf([failed, run(1600)]), [
      { resource: 'db', kind: 'failed', tookMs: 600, phases: { start: 600 } },
    ]);
  });

  test('of a service that dies, and is started again on its node under the same lease', () => {
    const died = [
      eventOf(900, 'attempt-failed', { attempts: 1, limit: 5, error: 'the resource has stopped by itself' }),
      eventOf(900, 'run-changed', { from: 'run', to: 'starting', epoch: 7, error: '' }),
    ];
    const phases = { start: 700 };
    assert.deepEqual(failoversOf([...died, run(1600)]), [
      { resource: 'db', kind: 'failed', tookMs: 700, phases },
    ]);
    const inMaintenance = [
      eventOf(900, 'run-changed', { from: 'run', to: 'stopped', epoch: 7, error: '' }),
      eventOf(1400, 'attempt-failed', { attempts: 1, limit: 5, error: 'the resource has stopped by itself' }),
      eventOf(1400, 'run-changed', { from: 'stopped', to: 'starting', epoch: 7, error: '' }),
    ];
    assert.deepEqual(failoversOf([...inMaintenance, run(1600)]), [
      { resource: 'db', kind: 'failed', tookMs: 700, phases },
    ]);
  });

  test('is none where it ran all the while: a moment of silence, a worker or a lease that was replaced', () => {
    const changed = (bootMs: number, from: string, to: string) =>
      eventOf(bootMs, 'run-changed', { from, to, epoch: 7, error: '' });
    const replaced = [changed(1000, 'run', 'unknown'), changed(1100, 'unknown', 'run')];
    assert.deepEqual(failoversOf(replaced), []);
    const [gone, back] = replaced as [HaEvent, HaEvent];
    const lapsed = [
      eventOf(1000, 'lease-lost', { epoch: 7 }),
      gone,
      eventOf(1050, 'lease-acquired', { epoch: 8 }),
      back,
    ];
    assert.deepEqual(failoversOf(lapsed), []);
    const released = eventOf(9000, 'holder-lost', { peer: 'a', epoch: 7, why: 'released', lastHeardMs: 0 });
    const silent = [
      eventOf(1000, 'holder-lost', { peer: 'a', epoch: 7, why: 'silent', lastHeardMs: 2600 }),
      eventOf(1060, 'holder-heard', { peer: 'a', epoch: 7 }),
      ...[released, eventOf(9050, 'lease-acquired', { epoch: 8 }), run(9300)],
    ];
    assert.deepEqual(
      failoversOf(silent).map(({ kind, tookMs }) => [kind, tookMs]),
      [['handover', 300]],
    );
    const given = [changed(1000, 'run', 'stopping'), eventOf(1090, 'lease-released', { epoch: 7 })];
    assert.deepEqual(failoversOf([...given, eventOf(5000, 'lease-acquired', { epoch: 9 }), run(5300)]), []);
  });

  test('is none where another node takes over, where it starts for the first time, or where it was given back', () => {
    const lost = eventOf(1000, 'holder-lost', { peer: 'a', epoch: 7, why: 'silent', lastHeardMs: 0 });
    assert.deepEqual(
      failoversOf([
        lost,
        eventOf(1100, 'holder-heard', { peer: 'c', epoch: 8 }),
        eventOf(1900, 'lease-acquired', {}),
        run(2000),
      ]),
      [],
    );
    assert.deepEqual(failoversOf([eventOf(1000, 'lease-acquired', { epoch: 1 }), run(1200)]), []);
    assert.deepEqual(failoversOf([eventOf(1000, 'lease-released', { epoch: 1 }), run(1200)]), []);
  });

  test('of one resource is none of another', () => {
    const lost = eventOf(1000, 'holder-lost', { peer: 'a', epoch: 7, why: 'silent', lastHeardMs: 0 });
    const other = { ...run(2000), resource: 'web' };
    assert.deepEqual(failoversOf([lost, eventOf(1100, 'lease-acquired', {}), other]), []);
  });
});

test('what happens is counted under bounded labels', () => {
  const figures = createEventFigures();
  figures.count(eventOf(1, 'hook', { action: 'start', ok: false, outcome: 'exit', code: 1, ms: 700 }));
  figures.count(eventOf(2, 'events-missed', { count: 5 }));
  figures.count({
    ...eventOf(3, 'check-edge', { to: 'down', nature: 'http-status 503', latencyMs: 1 }),
    check: 'web',
  });
  const text = writeFamilies(figures.families(['db']), 'text');
  assert.match(text, /^hastmon_events_total\{kind="hook"\} 1$/m);
  assert.match(text, /^hastmon_events_missed_total 5$/m);
  assert.match(text, /^hastmon_alert_failures_total 0$/m);
  assert.match(text, /^hastmon_failovers_total\{resource="db",kind="lost"\} 0$/m);
  assert.match(
    text,
    /^hastmon_hook_duration_seconds_sum\{resource="db",action="start",result="failed"\} 0\.7$/m,
  );
  assert.match(text, /^hastmon_check_edges_total\{check="web",to="down"\} 1$/m);
});

describe('primaries seen', () => {
  const runs = (of: Partial<StatusEntry> = {}): StatusEntry =>
    entryOf({ role: 'primary', state: 'run', ...of });
  const waits = (of: Partial<StatusEntry> = {}): StatusEntry =>
    entryOf({ role: 'secondary', state: 'stopped', remotes: [], ...of });
  const seen = (nodes: readonly NodeReport[], entry: StatusEntry, double: readonly string[] = []): number => {
    const twice = double.length === 0 ? [] : [{ resource: entry.resource, nodes: [...double] }];
    const view = { node: 'a', at: 1, nodes: [...nodes], double: twice };
    return clusterFamilies(view, [entry])[0]?.samples[0]?.value ?? Number.NaN;
  };
  const own = (entry: StatusEntry): NodeReport => reportOf('a', saidOf(entry), { self: true });

  test('are those that say so, again when they are asked again', () => {
    const both = [own(runs()), reportOf('b', saidOf(runs()))];
    assert.equal(seen([own(runs()), reportOf('b', saidOf(waits()))], runs()), 1);
    assert.equal(seen([own(waits()), reportOf('b', saidOf(waits()))], waits()), 0);
    // It moved between the one answer and the other.
    assert.equal(seen(both, runs()), 1);
    assert.equal(seen(both, runs(), ['a', 'b']), 2);
  });

  test('with those that are heard of, as of the moment of the own word', () => {
    const [remote] = entryOf().remotes;
    assert.ok(remote !== undefined);
    const heard = [{ ...remote, node: 'b', role: 'primary' as const, state: 'run' as const }];
    const nodes = [own(waits({ remotes: heard })), reportOf('b', null)];
    // Asked for a moment before, when it ran here.
    assert.equal(seen(nodes, runs({ remotes: [] })), 1);
    assert.equal(seen([own(runs({ remotes: heard })), reportOf('b', null)], waits()), 2);
  });
});
