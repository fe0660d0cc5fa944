/** What hastmonctl is told of a check: what this node sees, and what all have agreed upon. Pure. */
import type {
  CheckDetail,
  CheckEntry,
  CheckResult,
  NodeView,
  ProbeReport,
} from '../../proto/monitor-types.js';
import type { ProbeView, ResultView } from '../checks/ipc.js';
import { describeNature, type Nature } from '../checks/natures.js';
import type { CheckSpec, MonitorConfig } from '../checks/spec.js';
import { statementsOf } from '../config/monitor-dump.js';
import { type CheckTopic, explainCheck } from '../confirm/explain.js';
import { edgeId, isOutage } from '../confirm/ledger.js';
import type { ConfirmState, Instant, Trouble, Witness } from '../confirm/types.js';
import { currentMs, needed, stillDown, witnessesOf } from '../confirm/views.js';
import { unknownSince } from '../confirm/words.js';
import type { Explanation } from '../core/conditions.js';
import type { NamedView } from './monitor-host.js';

export interface CheckFacts {
  spec: CheckSpec;
  monitor: MonitorConfig;
  node: string;
  /** null: nothing is known. */
  view: NamedView | null;
  /** null where nothing is confirmed. */
  confirm: ConfirmState | null;
  now: Instant;
}

/** A URL in a table of thousands is for reading. */
const URL_SHOWN = 500;

export function entryOf(facts: CheckFacts): CheckEntry {
  const { spec, view, confirm, monitor, now } = facts;
  const ledger = confirm?.ledgers[spec.name];
  const outage = isOutage(ledger?.edge ?? 0);
  const nodes = ruleOf(facts).nodes.length;
  return {
    name: spec.name,
    group: spec.group,
    url: spec.shownUrl.slice(0, URL_SHOWN),
    state: view?.state ?? 'unknown',
    outage,
    nature: view === null ? '' : natureOf(view.nature, view.detail),
    latencyMs: fine(view?.latencyMs ?? 0),
    sinceMs: known(view?.sinceAge),
    lastMs: known(view?.age),
    goodMs: known(view?.okAge),
    confirm: needed({ ...ruleOf(facts), nodes: monitor.nodes }),
    nodes,
    seenBy: seenDownBy(facts),
    muteMs: Math.max(0, Math.round((ledger?.mute.until ?? 0) - now)),
    ackBy: outage && ledger !== undefined && ledger.ack === ledger.edge ? ledger.ackBy : '',
    flapping: (ledger?.flap ?? 0) > 0,
    behind: spec.options.depends.filter((name) => isOutage(confirm?.ledgers[name]?.edge ?? 0)),
    note: outage || view?.state !== 'down' ? '' : (troubleOf(facts)?.sentence ?? ''),
  };
}

/** `depends`: how those checks stand here. `results`: the newest first. */
export function detailOf(
  facts: CheckFacts,
  depends: CheckDetail['depends'],
  results: readonly ResultView[],
): CheckDetail {
  const { spec, confirm, now } = facts;
  const entry = entryOf(facts);
  const ledger = confirm?.ledgers[spec.name];
  const edge = ledger?.edge ?? 0;
  const said = ledger?.said ?? 0;
  return {
    entry,
    views: viewsOf(facts),
    edge: edge === 0 ? '' : edgeId(spec.name, edge),
    outageMs: entry.outage && ledger !== undefined ? Math.round(now - ledger.since) : null,
    told: said === 0 ? '' : edgeId(spec.name, said),
    toldBy: said === 0 ? '' : (ledger?.saidBy ?? ''),
    depends,
    alerts: [...spec.options.alerts],
    options: statementsOf(spec),
    results: results.map(resultOf),
  };
}

/** Why it is up or down here, confirmed or not, told or not. */
export function explanationOf(facts: CheckFacts): Explanation<CheckTopic> {
  const { confirm, node, now, spec } = facts;
  const { fall, rise } = spec.options;
  const own = ownWitness(facts)[0]?.view ?? null;
  return explainCheck({
    ...{ check: spec.name, node, rule: ruleOf(facts), rise, fall, own, state: confirm, now },
  });
}

export function probeOf(spec: CheckSpec, name: string, probe: ProbeView): ProbeReport {
  return {
    name,
    url: spec.shownUrl,
    address: probe.last.address,
    result: resultOf(probe.last),
    phases: probe.phases.map((phase) => ({ ...phase, tookMs: fine(phase.tookMs) })),
  };
}

function natureOf(nature: string, detail: number): string {
  return nature === 'none' ? '' : describeNature(nature as Nature, detail);
}

function resultOf({ age, nature, detail, latencyMs, text, excerpt }: ResultView): CheckResult {
  return {
    ...{ ageMs: Math.max(0, Math.round(age)), ok: nature === 'ok', nature: natureOf(nature, detail) },
    ...{ latencyMs: fine(latencyMs), text, excerpt },
  };
}

/** In microseconds at the finest: what is finer is noise. */
function fine(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function known(age: number | undefined): number | null {
  return age !== undefined && Number.isFinite(age) ? Math.max(0, Math.round(age)) : null;
}

function ruleOf({ spec, monitor, confirm }: CheckFacts) {
  const { confirm: wanted, intervalMs, timeoutMs, depends } = spec.options;
  const own = { nodes: monitor.nodes, confirm: wanted, intervalMs, timeoutMs, depends };
  return confirm?.config.checks[spec.name] ?? own;
}

function troubleOf({ confirm, spec }: CheckFacts): Trouble | undefined {
  return confirm?.troubles[spec.name];
}

/** What was seen of it lately, as far as it was asked for; nothing is kept of what is well. */
function witnesses(facts: CheckFacts): Witness[] {
  const { confirm, now, node: self } = facts;
  const trouble = troubleOf(facts);
  if (confirm === null || trouble === undefined) return ownWitness(facts);
  return witnessesOf(confirm, ruleOf(facts), trouble, now).filter(
    ({ node }) => node === self || isCurrent(facts, confirm, trouble, node),
  );
}

/** Nobody asks any more when it is over: what was heard before that is no word about now, nor is that of a node that is not connected any more. */
function isCurrent(facts: CheckFacts, confirm: ConfirmState, trouble: Trouble, node: string): boolean {
  const heard = trouble.heard[node];
  if (heard === undefined) return false;
  if (!isOutage(confirm.ledgers[facts.spec.name]?.edge ?? 0) && heard.askedAt <= trouble.edgeAt) return false;
  return facts.now - heard.heardAt <= currentMs(confirm, ruleOf(facts)) && confirm.connected.includes(node);
}

/** The nodes that see it down, in the order of the file; of this one the engine's word is the newest. */
function seenDownBy(facts: CheckFacts): string[] {
  const { confirm, now, node: self, view } = facts;
  const trouble = troubleOf(facts);
  const rule = ruleOf(facts);
  const others =
    confirm === null || trouble === undefined
      ? []
      : stillDown(confirm, rule, trouble, now).filter((node) => isCurrent(facts, confirm, trouble, node));
  return rule.nodes.filter((node) => (node === self ? view?.state === 'down' : others.includes(node)));
}

function ownWitness({ view, node }: CheckFacts): Witness[] {
  if (view === null) return [];
  const { state, sinceAge, age, okAge, latencyMs, nature, detail } = view;
  const good = known(okAge);
  return [
    {
      node,
      view: {
        ...{ sight: state, forMs: known(sinceAge) ?? 0, resultAgeMs: known(age) ?? 0, latencyMs },
        ...{ failing: nature !== 'ok', nature: natureOf(nature, detail), address: '', goodAgoMs: good },
      },
    },
  ];
}

function viewsOf(facts: CheckFacts): NodeView[] {
  const seen = new Map(witnesses(facts).map((witness) => [witness.node, witness.view]));
  const [own] = ownWitness(facts);
  return ruleOf(facts).nodes.map((node) => {
    const self = node === facts.node;
    const heard = seen.get(node);
    // The engine's word is newer than what confirmation was last told.
    const found = !self ? heard : own && { ...own.view, address: heard?.address ?? '' };
    const { sight, forMs, resultAgeMs, nature, address, latencyMs, goodAgoMs } = found ?? NOTHING;
    return {
      ...{ node, self, state: sight, nature: nature === 'none' ? '' : nature, address },
      latencyMs: fine(latencyMs),
      note: noteOn(facts, node, found !== undefined),
      sinceMs: sight === 'unknown' ? null : Math.round(forMs),
      lastMs: nature === '' ? null : Math.round(resultAgeMs),
      goodMs: goodAgoMs === null ? null : Math.round(goodAgoMs),
    };
  });
}

const NOTHING = {
  ...{ sight: 'unknown' as const, forMs: 0, resultAgeMs: 0, nature: '', address: '' },
  ...{ latencyMs: 0, goodAgoMs: null },
};

/** Why nothing is known of a node's view; '' where it is. */
function noteOn(facts: CheckFacts, node: string, known: boolean): string {
  const { confirm, now } = facts;
  if (node === facts.node) return known ? '' : 'the monitor process does not run';
  if (known) return '';
  const heard = troubleOf(facts)?.heard[node];
  if (confirm === null || !confirm.connected.includes(node))
    return heard?.view ? `${unknownSince(now - heard.heardAt)}: not connected` : 'not connected';
  if (heard?.view === null) return 'has no such check';
  return 'not asked: nodes ask each other while a check is down';
}
