/**
 * The daemon as a whole: puts configuration, state, network, control socket, workers and resources together, reloads
 * and ends. Each part knows its own business; this one knows the order.
 */
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describeChanges, statementOf } from '../config/changes.js';
import { formatDiagnostics } from '../config/diagnostic.js';
import { type ConfigDiff, diffConfig } from '../config/diff.js';
import type { Config, ResourceConfig } from '../config/types.js';
import { type ControlServer, createControlServer } from '../control/server.js';
import { type Demand, demandOf } from '../core/demand.js';
import { changeVoters, copyVoter } from '../core/voter.js';
import { createEventGate } from '../events/gate.js';
import { type Journal, openJournal } from '../events/journal.js';
import { processEnded } from '../events/process.js';
import { warmHooks } from '../hooks/warm.js';
import { MONITORING } from '../net/group.js';
import { withRole } from '../net/log.js';
import { createPeerNetwork, type PeerNetwork } from '../net/peer-network.js';
import { version } from '../process/version.js';
import { openStore, type Store } from '../state/store.js';
import { bootId, bootTime } from '../sys/clock.js';
import { createActionsHost } from './actions-host.js';
import { createBalancing } from './balancing.js';
import { type Clustering, createClustering } from './clustering.js';
import { createCommandRecorder } from './command-events.js';
import { createControlHandler, type Reloaded } from './commands.js';
import { type Daemon, DaemonFailure, type DaemonOptions } from './daemon-types.js';
import { createDeviceKeeper, type DeviceKeeper } from './device.js';
import { createDrillHandler } from './drill-facts.js';
import { createEventsHandler } from './event-commands.js';
import { createExplainHandler } from './explain-commands.js';
import { createHttpHost, httpFacts } from './http-host.js';
import { createKeptElsewhere } from './kept-elsewhere.js';
import { actedUpon, checksLeftAlone, removedInMaintenance } from './left-alone.js';
import { createMonitorCommands } from './monitor-commands.js';
import { createMonitoring } from './monitoring.js';
import { daemonFigures } from './process-figures.js';
import { createProcessRecords } from './process-record.js';
import { type ResourceRuntime, startResource } from './resource.js';
import { watched } from './service-status.js';
import { settingsOf } from './settings-of.js';
import { createStatuses } from './statuses.js';
import { createPlanHandler } from './switchover-plan.js';
import { createWorkerPool, endRecordedWorkers, sparesFor, type WorkerPool } from './worker-pool.js';

/** A resource may be called `a/b` or `..`; its directory may not. */
function directoryName(resource: string): string {
  return encodeURIComponent(resource).replaceAll('.', '%2E');
}

const EX_UNAVAILABLE = 69;
const EX_CANTCREAT = 73;

/** Starts everything; resolves when the sockets are open. Rejects with a DaemonFailure, having closed what it opened. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { log } = options;
  let { config, texts } = options;
  const resources = new Map<string, ResourceRuntime>();
  /** Removed from the configuration, and not known to be stopped. */
  const notStopped = new Set<string>();
  const incarnation = randomInt(1, 2 ** 48 - 1);
  const journal: Journal = openJournal({
    ...{ directory: path.join(config.stateDir, 'events'), node: config.node, bootId: bootId() },
    ...{ wall: Date.now, clock: bootTime, problem: (text: string) => log.error({}, text) },
  });
  const commands = createCommandRecorder(journal.record);
  const { record } = commands;
  /** For what may happen to thousands at once. */
  const gate = createEventGate({ pass: record });
  const workerStore = store('workers');
  const ended = await endRecordedWorkers(workerStore);
  if (ended > 0) log.warn({}, `ended ${ended} worker(s) that an earlier hastmond left behind`);
  /** Of supervised processes, by kind. */
  const restarts = new Map<string, number>();
  const pool: WorkerPool = createWorkerPool({
    script: options.workerScript,
    args: options.workerArgs,
    spares: () => sparesFor([...resources.values()].map((runtime) => runtime.state().role)),
    store: workerStore,
    ...{ log, record },
  });
  const monitoring = createMonitoring({
    ...{ node: config.node, script: options.workerScript, log, network: () => network, changed: judge },
    record: gate.record,
    records: createProcessRecords(workerStore, log, restarts),
    store: store('confirm'),
    alertStore: store('alerts'),
    directoryChanged: () => void reload(true),
  });
  const actions = createActionsHost({
    ...{ script: options.workerScript, log, network: () => network, record: gate.record },
    records: createProcessRecords(workerStore, log, restarts),
    changed: (resource, change) => actedUpon(resources, resource)?.stateChanged(change),
  });
  const ask: Clustering['ask'] = (...asked) => clustering.ask(...asked);
  const elsewhere = createKeptElsewhere({ ask, clock: bootTime, changed: leaveAlone });
  const balancing = createBalancing({
    ...{ node: config.node, script: options.workerScript, log, network: () => network, clock: bootTime },
    records: createProcessRecords(workerStore, log, restarts),
    ...{ logged: options.logged, record },
    state: (resource) => resources.get(resource)?.state(),
    wall: Date.now,
  });
  const network: PeerNetwork = createPeerNetwork({
    node: config.node,
    incarnation,
    clock: bootTime,
    log: withRole(log, (resource) => resources.get(resource)?.state().role),
    onMessage(group, node, message) {
      if (clustering.message(group, node, message)) return;
      if (group === MONITORING) monitoring.message(node, message);
      else if (message.kind === 'reports') actions.heard(group, node, message.reports);
      else if (message.kind === 'share') balancing.message(group, node, message.message);
      else if (message.kind !== 'confirm') resources.get(group)?.peerMessage(node, message);
    },
    onLink(group, node, up, reason) {
      clustering.link(group, node, up, reason);
      if (group === MONITORING) {
        monitoring.link(node, up);
        elsewhere.link(node, up);
      } else {
        resources.get(group)?.link(node, up);
        actions.link(group, node, up);
        balancing.link(group, node, up);
      }
    },
  });
  let keeper: DeviceKeeper | null = null;
  let startupMs = 0;
  let reloading: Promise<Reloaded> | null = null;

  function store(...names: string[]): Store {
    const opened = openStore(path.join(config.stateDir, ...names));
    if (opened.store === null) throw new DaemonFailure(EX_CANTCREAT, opened.reason);
    return opened.store;
  }

  function start(resource: ResourceConfig): void {
    // It finds on disk that it may be running.
    notStopped.delete(resource.name);
    const runtime = startResource({
      config,
      resource,
      incarnation,
      store: store('resources', directoryName(resource.name)),
      hookDirectory: path.join(config.stateDir, 'resources', directoryName(resource.name), 'hooks'),
      script: options.workerScript,
      pool,
      network: () => network,
      log,
      record,
      changed() {
        keeper?.look();
        pool.adjust();
        balancing.look();
        leaveAlone();
      },
    });
    resources.set(resource.name, runtime);
    judge();
  }

  /** Nothing is told of the checks that judge what is in maintenance, here or on nodes that have it alone. */
  function leaveAlone(): void {
    monitoring.leaveAlone(new Map([...elsewhere.checks(), ...checksLeftAlone(resources)]));
  }

  /** Resources are told what the checks that they name say now. */
  function judge(): void {
    for (const runtime of resources.values()) {
      const { failed, unfit } = monitoring.verdict(runtime.config());
      runtime.judge(failed, unfit);
    }
  }

  const statuses = createStatuses({
    ...{ resources, network: () => network, actions, startupMs: () => startupMs },
    device: () => (keeper === null ? null : keeper.problem()),
  });
  const monitorCommands = createMonitorCommands({
    config: () => config,
    monitor: monitoring.host,
    confirm: () => monitoring.confirm.state(),
    ack: monitoring.confirm.ack,
    mute: monitoring.confirm.mute,
    testAlert: monitoring.alerts.test,
    now: bootTime,
  });
  const handle = createControlHandler({
    ...{ config: () => config, resources, statuses, reload: () => reload() },
    ...{ monitoring: monitorCommands, balancer: balancing.ask, report: actions.report },
    events: createEventsHandler(journal, Date.now),
    plan: createPlanHandler({ resources, journal, now: bootTime }),
    explain: createExplainHandler({
      ...{ config: () => config, resources, monitor: monitoring.host, servers: balancing.explain },
      ...{ confirm: () => monitoring.confirm.state(), now: bootTime },
    }),
    cluster: (request) => clustering.handle(request),
    drill: createDrillHandler({
      resources,
      journal,
      ask,
      now: bootTime,
    }),
    whyNoMaintenance: () => keeper?.cannotClose() ?? '',
    commanded: commands.given,
  });
  const http = createHttpHost({
    ...{ script: options.workerScript, log, subscribe: journal.subscribe },
    records: createProcessRecords(workerStore, log, restarts),
    ask: (request, reply, signal) => handle(request, reply, signal, 'HTTP'),
    figures: () => daemonFigures(restarts),
    ended: (restartMs) => record(processEnded('the process for HTTP', 'http', restartMs)),
  });
  const clustering: Clustering = createClustering({
    ...{ config: () => config, network: () => network, handle, statuses, log, startedAt: options.startedAt },
    ...{ sight: monitoring.host.sight, confirm: monitoring.confirm.state, balancer: balancing.ask },
    ...{ clock: bootTime, wall: Date.now },
  });
  const control: ControlServer = createControlServer({ config: config.control, log, handle });

  /**
   * One reload at a time; a second request waits for the first and then has its own. `again`: the file as it was applied last,
   * with what is in its directories now.
   */
  async function reload(again = false): Promise<Reloaded> {
    while (reloading !== null) await reloading;
    reloading = reloadNow(again);
    const result = await reloading;
    reloading = null;
    return result;
  }

  function reloadFailed(refused: string): Reloaded {
    for (const line of `reload failed: ${refused}`.split('\n')) log.error({}, line);
    record({ kind: 'reload-failed', text: `reload failed: ${refused}`, data: { error: refused } });
    return { refused, text: '' };
  }

  async function reloadNow(again: boolean): Promise<Reloaded> {
    const loaded = options.load(again ? texts : undefined);
    const shown = formatDiagnostics(loaded.diagnostics);
    const next = loaded.config;
    // Ten thousand checks take their time: leases are renewed between one step and the next.
    await nextTurn();
    const diff = next === null ? null : diffConfig(config, next);
    const refused =
      next === null || diff === null ? `${shown}nothing has been changed` : cannotApply(next, diff);
    if (next === null || diff === null || refused !== '') {
      return reloadFailed(refused);
    }
    const changes = describeChanges(diff, config, next);
    await nextTurn();
    try {
      await network.listen(next.listen);
      // Maintenance may have begun since that was asked.
      const begun = cannotApply(next, diff);
      if (begun !== '') {
        await network.listen(config.listen);
        return reloadFailed(begun);
      }
    } catch (error) {
      const text = `${(error as Error).message}; nothing has been changed`;
      return reloadFailed(text);
    }
    config = next;
    texts = loaded.texts;
    // What is removed still needs its links, to release its lease.
    // All of it at once: none takes a command while another one stops.
    const removed = diff.resources.filter(({ change }) => change === 'removed');
    await Promise.all(removed.map(({ name }) => remove(name)));
    network.configure([...next.resources, ...monitoring.groups(next)]);
    monitoring.apply(next);
    elsewhere.configure(next);
    balancing.apply(next);
    http.apply(next.http, httpFacts(next));
    for (const { name, change } of diff.resources) {
      const resource = next.resources.find((candidate) => candidate.name === name);
      if (change === 'added' && resource !== undefined) start(resource);
      else if (change === 'changed' && resource !== undefined) {
        resources.get(name)?.reconfigure(next, resource);
      }
    }
    for (const resource of next.resources) {
      const runtime = resources.get(resource.name);
      runtime?.keepActions();
      // The checks that judge it may have changed where nothing else of it has.
      if (
        runtime !== undefined &&
        settingsOf(next, resource).judgeAfterMs !== runtime.state().settings.judgeAfterMs
      )
        runtime.reconfigure(next, resource);
    }
    actions.apply(next);
    judge();
    const words: string[] = [];
    for (const { resource, text } of changes) {
      record({ kind: 'reloaded', ...(resource !== '' && { resource }), text, data: {} });
      const role = resources.get(resource)?.state().role;
      log.info({ ...(resource === '' ? {} : { resource }), ...(role && { role }) }, `reloaded: ${text}`);
      words.push(resource === '' ? text : `${resource}: ${text}`);
    }
    if (diff.http) {
      const problem = await http.settled();
      if (problem !== '') words.push(`HTTP: ${problem}`);
    }
    if (diff.globals.includes('log')) log.warn({}, 'the changed log statement takes effect at a restart');
    for (const line of shown.split('\n')) if (line !== '') log.warn({}, line);
    log.info({}, diff.unchanged ? 'reloaded: nothing differs' : 'reloaded');
    return { refused: '', text: `${shown}${words.join('\n') || 'nothing differs'}\n` };
  }

  /** What a running daemon cannot change, or what is not safe to change now; '' where the configuration can be applied. */
  function cannotApply(next: Config, diff: ConfigDiff): string {
    const problems = removedInMaintenance(resources, next);
    const fixed = diff.globals.filter((field) => field !== 'listen' && field !== 'log');
    if (fixed.length > 0)
      problems.push(`${fixed.map(statementOf).join(', ')} cannot be changed by a reload: restart hastmond`);
    for (const resource of next.resources) {
      const runtime = resources.get(resource.name);
      if (runtime === undefined) continue;
      const change = changeVoters(copyVoter(runtime.state().voter), resource.voters);
      if ('refused' in change) problems.push(`resource ${resource.name}: ${change.refused}`);
    }
    return problems.length === 0 ? '' : `${problems.join('\n')}\nnothing has been changed`;
  }

  async function remove(name: string): Promise<void> {
    const runtime = resources.get(name);
    if (runtime === undefined) return;
    const stopped = await runtime.terminate();
    if (!stopped) {
      notStopped.add(name);
      log.error(
        { resource: name },
        'the resource was removed from the configuration but could not be stopped',
      );
    }
    runtime.close();
    resources.delete(name);
  }

  function demands(): Demand[] {
    const now = bootTime();
    const all = [...resources.values()].map((runtime) => demandOf(runtime.state(), now));
    return notStopped.size > 0 ? [...all, 'starve'] : all;
  }

  async function terminate(): Promise<boolean> {
    balancing.leave();
    const stopped = await Promise.all([...resources.values()].map((runtime) => runtime.terminate()));
    for (const runtime of resources.values()) runtime.close();
    keeper?.close();
    await control.close();
    await http.close();
    elsewhere.close();
    clustering.close();
    await network.close();
    await monitoring.close();
    await actions.close();
    await balancing.close();
    pool.close();
    gate.close();
    const allStopped = notStopped.size === 0 && stopped.every((ok) => ok);
    record({ kind: 'daemon-ended', text: 'hastmond ends', data: { pid: process.pid, stopped: allStopped } });
    await journal.close();
    return allStopped;
  }

  try {
    await network.listen(config.listen);
    await control.listen();
  } catch (error) {
    await network.close();
    throw new DaemonFailure(EX_UNAVAILABLE, (error as Error).message);
  }
  if (config.watchdogDevice !== null) {
    keeper = createDeviceKeeper({ config: config.watchdogDevice, demands, log, record });
  }
  pool.warm();
  monitoring.apply(config);
  elsewhere.configure(config);
  balancing.apply(config);
  for (const resource of config.resources) start(resource);
  actions.apply(config);
  http.apply(config.http, httpFacts(config));
  network.configure([...config.resources, ...monitoring.groups(config)]);
  startupMs = bootTime() - options.startedAt;
  const started = { pid: process.pid, version, startupMs: Math.round(startupMs), left: ended };
  record({ kind: 'daemon-started', text: `hastmond ${version} is up`, data: started });
  setImmediate(warmHooks);
  const states = () => [...resources.values()].map((runtime) => runtime.state());
  return { reload: () => reload(), terminate, ...watched(states, bootTime) };
}
