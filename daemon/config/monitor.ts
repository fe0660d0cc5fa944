/**
 * Monitoring as a whole: from the sections of a file to what one node watches, whom it tells, and which checks judge
 * which resource.
 */
import type { MonitorConfig } from '../checks/spec.js';
import { quote, type Reporter } from './diagnostic.js';
import { type Dmonitor, type ReadDmonitor, readDmonitorTree } from './dmonitor.js';
import type { Model, ResourceScope } from './model.js';
import { readAlert } from './monitor-alerts.js';
import { type CheckNames, readChecks } from './monitor-checks.js';
import { DEFAULT_FLIGHTS, DEFAULT_PLUGINS, DEFAULT_RESOLVE_MS, DEFAULT_USERS } from './monitor-defaults.js';
import { readLinks } from './monitor-links.js';
import { type MonitorModel, readMonitorModel, reportTwice } from './monitor-model.js';
import type { MonitorScope } from './monitor-settings.js';
import { nearest } from './suggest.js';
import type { Section, Word } from './tree.js';

/** What a file says of monitoring, and what a directory that it names says. */
export interface Monitoring {
  model: MonitorModel;
  /** The nodes that monitor, as they are named; empty: all there are. */
  nodes: readonly Word[];
  /** True where they are named by dmonitor's nodes.txt: it may name hosts that nothing else speaks of. */
  foreign: boolean;
}

/** Which checks judge a resource, and which are conditions for its promotion. */
export interface ResourceChecks {
  checks: string[];
  requires: string[];
}

export interface MonitorResult {
  config: MonitorConfig | null;
  resources: ReadonlyMap<ResourceScope, ResourceChecks>;
}

/** Reads the sections, and the directory where one is named; null for a file without monitoring. */
export function readMonitoring(
  root: Section,
  readDmonitor: ReadDmonitor,
  reporter: Reporter,
): Monitoring | null {
  const model = readMonitorModel(root, reporter);
  if (model === null) return null;
  const directory = model.defaults.settings.dmonitor;
  const named = model.defaults.settings.nodes?.value;
  if (directory === undefined) return { model, nodes: named ?? [], foreign: false };
  const listing = readDmonitor(directory.value);
  const tree = readDmonitorTree(listing, directory.value, directory.place, reporter);
  addDmonitor(model, tree, reporter);
  return { model, nodes: named ?? tree.nodes ?? [], foreign: named === undefined };
}

function addDmonitor(model: MonitorModel, { checks, alert }: Dmonitor, reporter: Reporter): void {
  model.checks.push(...checks);
  if (alert === null) return;
  const earlier = model.alerts.find(({ word }) => word.text === alert.word.text);
  if (earlier === undefined) model.alerts.push(alert);
  else reportTwice(`alert ${quote(alert.word.text)}`, alert.word, earlier.word, reporter);
}

/**
 * The effective configuration of monitoring. `node` is this node's name as the table of nodes has it, or another
 * where the table does not know it.
 */
export function resolveMonitoring(
  monitoring: Monitoring | null,
  model: Model,
  node: string,
  reporter: Reporter,
): MonitorResult {
  if (monitoring === null) {
    const names: CheckNames = { find: () => undefined, unknown: (word) => unknownCheck(word, reporter) };
    return { config: null, resources: resourceChecks(model, names) };
  }
  const { defaults } = monitoring.model;
  const get = defaults.settings;
  const nodes = nodesOf(monitoring, model, node, reporter);
  checkConfirm(monitoring.model, nodes.length, reporter);
  const { checks, names } = readChecks(monitoring.model, reporter);
  const alerts = monitoring.model.alerts.map((alert) => readAlert(alert, node, reporter));
  const resources = resourceChecks(model, names);
  for (const resource of model.resources) checkJudges(resource, nodes, reporter);
  const judging = new Set([...resources.values()].flatMap((used) => [...used.checks, ...used.requires]));
  if (alerts.length === 0 && checks.some(({ name }) => !judging.has(name)) && !monitoring.model.lost) {
    reporter.warning(
      monitoring.model.place,
      'nobody is told of outages: there is no alert',
      'alert NAME { mail ADDRESS }',
    );
  }
  const config: MonitorConfig = {
    active: nodes.includes(node),
    nodes,
    ...readLinks(monitoring.model, model, nodes, monitoring.nodes, reporter),
    users: get.user?.value ?? DEFAULT_USERS,
    chroot: get.chroot?.value ?? '',
    flights: get.flights?.value ?? DEFAULT_FLIGHTS,
    plugins: get.plugins?.value ?? DEFAULT_PLUGINS,
    resolveMs: get.resolve_time?.value ?? DEFAULT_RESOLVE_MS,
    dmonitor: get.dmonitor?.value ?? '',
    checks,
    alerts,
    judged: model.resources.flatMap((resource) => {
      const judges = resources.get(resource)?.checks ?? [];
      const carry = [...resource.nodes.keys()];
      return judges.length === 0 ? [] : [{ resource: resource.word.text, checks: judges, nodes: carry }];
    }),
  };
  return { config, resources };
}

function unknownCheck(word: Word, reporter: Reporter): void {
  reporter.error(
    word,
    `there is no check ${quote(word.text)}`,
    'expected check NAME URL outside of the resource',
  );
}

function nodesOf(
  { nodes, foreign }: Monitoring,
  { table }: Model,
  node: string,
  reporter: Reporter,
): string[] {
  const found = new Set<string>();
  for (const word of nodes) {
    const known = table.find(word.text);
    if (known === null && !foreign) {
      const closest = nearest(word.text, table.names);
      const help = closest === '' ? `known: ${table.names.join(' ')}` : `did you mean ${quote(closest)}?`;
      reporter.error(word, `there is no node ${quote(word.text)}`, help);
    } else if (known === null) {
      reporter.warning(word, `${quote(word.text)} has no 'on' section`, 'it is reached under this name');
    }
    if (known !== null && found.has(known)) reporter.warning(word, `${quote(word.text)} is named twice`);
    found.add(known ?? word.text);
  }
  if (found.size > 0) return [...found];
  return table.names.length > 0 ? table.names : [node];
}

/** An outage that more nodes must have seen than there are would never be told. */
function checkConfirm(model: MonitorModel, nodes: number, reporter: Reporter): void {
  const scopes: MonitorScope[] = [
    model.defaults,
    ...model.templates.values(),
    ...model.groups.values(),
    ...model.checks,
  ];
  for (const { settings } of scopes) {
    const { confirm } = settings;
    if (confirm === undefined || confirm.value <= nodes) continue;
    const monitor = nodes === 1 ? '1 node monitors' : `${nodes} nodes monitor`;
    reporter.error(confirm.place, `'confirm' asks for more nodes than there are: ${monitor}`);
  }
}

/** A node that does not monitor sees nothing: there, checks say nothing about the resource. */
function checkJudges(
  { word, nodes, checks, requires }: ResourceScope,
  monitors: readonly string[],
  reporter: Reporter,
): void {
  const blind = [...nodes.keys()].filter((name) => !monitors.includes(name));
  if (blind.length === 0) return;
  const names = blind.map(quote).join(' and ');
  const monitor = blind.length === 1 ? 'does not monitor' : 'do not monitor';
  const [require] = requires;
  const [check] = checks;
  if (require !== undefined) {
    const message = `resource ${quote(word.text)} is never promoted on ${names}`;
    reporter.warning(
      require,
      message,
      `where ${quote(require.text)} would have to be up, but ${blind.length === 1 ? 'that node does' : 'those nodes do'} not monitor`,
    );
  }
  if (check !== undefined)
    reporter.warning(
      check,
      `${names} ${monitor}: while it runs there, no check judges resource ${quote(word.text)}`,
    );
}

function resourceChecks(model: Model, names: CheckNames): Map<ResourceScope, ResourceChecks> {
  const lookUp = (words: readonly Word[]): string[] => {
    const found = words.flatMap((word) => {
      const meant = names.find(word.text);
      if (meant === undefined) names.unknown(word);
      return meant ?? [];
    });
    return [...new Set(found)];
  };
  return new Map(
    model.resources.map((resource) => [
      resource,
      { checks: lookUp(resource.checks), requires: lookUp(resource.requires) },
    ]),
  );
}
