/**
 * What only the whole file can show: for every resource on every node of it, since the same file is used on all
 * of them. What concerns this node alone is an error; the same on another node is a warning here.
 */
import { budgetInput, checkBudget } from './budget.js';
import type { Place, Reporter } from './diagnostic.js';
import { quote, whereIs } from './diagnostic.js';
import {
  type Globals,
  inheritGlobals,
  inheritResource,
  innermost,
  runnerPlace,
  scopesOf,
} from './inherit.js';
import type { Model, ResourceScope } from './model.js';
import { mayHaveLost, type Scope } from './settings.js';
import type { Address, ResourceConfig } from './types.js';
import type { Values } from './values.js';

/** Reports everything that does not fit together. `node` is this node, null where the file does not know it. */
export function checkModel(model: Model, node: string | null, reporter: Reporter): void {
  checkGlobals(model, reporter);
  const keyed = model.resources.find(({ settings }) => settings.key !== undefined);
  const fenced = namesFence(model);
  const globals = new Map(model.table.names.map((name) => [name, inheritGlobals(model, name)]));
  for (const resource of model.resources) {
    if (reporter.full) return;
    checkVoters(model, resource, reporter);
    checkExec(model, resource, reporter);
    checkKey(model, resource, keyed, reporter);
    for (const [name, scope] of resource.nodes) {
      const own = globals.get(name);
      if (own === undefined) continue;
      const config = inheritResource(model, resource, name);
      checkRemote(resource, name, name === node, reporter);
      checkSelf(scope.remote, own, name, reporter);
      if (!fenced) checkFenceTimeout(scopesOf(model, name, resource), reporter);
      checkTimes(scopesOf(model, name, resource), resource, config, own, reporter);
    }
  }
}

function checkGlobals(model: Model, reporter: Reporter): void {
  for (const scope of [model.global, ...model.nodes.values()]) {
    const scopes = scope === model.global ? [scope] : [model.global, scope];
    const timeout = scope.settings.watchdog_timeout;
    const somewhere = [...model.nodes.values()].some(
      ({ settings }) => settings.watchdog_device !== undefined,
    );
    const device = innermost(scopes, 'watchdog_device')?.value ?? null;
    if (timeout === undefined || device !== null || (scope === model.global && somewhere)) continue;
    reporter.warning(timeout.place, 'watchdog_timeout means nothing without watchdog_device');
  }
}

function checkVoters(model: Model, resource: ResourceScope, reporter: Reporter): void {
  const { word, nodes } = resource;
  const count = nodes.size;
  if (mayHaveLost(resource, 'on') || model.global.broken || count > 2) return;
  const what = `resource ${quote(word.text)}`;
  if (count === 0) {
    reporter.error(
      word,
      `${what} has no 'on' section`,
      'expected on NODE { remote ADDRESS ... } for every node of it',
    );
  } else if (count === 1) {
    reporter.warning(
      word,
      `${what} has a single voter: nothing can take it over`,
      "an 'on' section makes a node a voter",
    );
  } else {
    const help = 'a third node, if only as a watchdog, makes a majority of two';
    reporter.warning(
      word,
      `${what} has two voters: the loss of either leaves no majority, and it stops`,
      help,
    );
  }
}

function checkExec(model: Model, resource: ResourceScope, reporter: Reporter): void {
  const help = 'expected exec PATH, or actions FILE';
  checkActions(model, resource, reporter);
  const without = [...resource.nodes].filter(([name]) => {
    const scopes = scopesOf(model, name, resource);
    const lost = scopes.some((one) => mayHaveLost(one, 'exec') || mayHaveLost(one, 'actions'));
    return !lost && runnerPlace(scopes) === null;
  });
  if (without.length === resource.nodes.size && without.length > 0) {
    reporter.error(resource.word, `resource ${quote(resource.word.text)} names no program to run`, help);
    return;
  }
  for (const [name, { word }] of without) {
    reporter.error(
      word,
      `resource ${quote(resource.word.text)} names no program to run on ${quote(name)}`,
      help,
    );
  }
}

const OF_ACTIONS = ['action_checks', 'action_directory', 'action_timeout', 'action_interval'] as const;

/** A section may name a hook program or lists of commands, and what belongs to lists needs some. */
function checkActions(model: Model, resource: ResourceScope, reporter: Reporter): void {
  const all = [...resource.nodes.keys()].map((name) => scopesOf(model, name, resource));
  for (const { settings } of new Set(all.flat())) {
    if (settings.actions === undefined || settings.exec === undefined) continue;
    const where = `that of ${whereIs(settings.exec.place, settings.actions.place)}`;
    const message = `'actions' beside 'exec', ${where}: one of them runs the resource`;
    reporter.error(settings.actions.place, message, 'remove either');
  }
  if (all.some((scopes) => scopes.some((one) => mayHaveLost(one, 'actions')))) return;
  for (const name of OF_ACTIONS) {
    const setting = resource.settings[name];
    if (setting === undefined || all.some((scopes) => runnerPlace(scopes)?.name === 'actions')) continue;
    reporter.warning(setting.place, `${name} means nothing without actions`);
  }
}

/** `keyed` is a resource that has a key of its own, if there is one. */
function checkKey(
  model: Model,
  resource: ResourceScope,
  keyed: ResourceScope | undefined,
  reporter: Reporter,
): void {
  const scopes = [model.global, resource];
  if (keyed === undefined || mayHaveLost(resource, 'key') || innermost(scopes, 'key') !== undefined) return;
  const what = `resource ${quote(resource.word.text)} has no key, though ${quote(keyed.word.text)} has one`;
  reporter.warning(resource.word, what, 'whoever connects from one of its addresses is believed');
}

function checkRemote(resource: ResourceScope, name: string, own: boolean, reporter: Reporter): void {
  const scope = resource.nodes.get(name);
  if (scope === undefined || scope.remotePlace !== null || mayHaveLost(scope, 'remote')) return;
  const message = `resource ${quote(resource.word.text)} has no remote on ${quote(name)}`;
  if (own) {
    reporter.error(
      scope.word,
      message,
      "expected remote ADDRESS ..., or 'remote none' while the others are not known",
    );
  } else if (!scope.empty) {
    reporter.warning(scope.word, message, `hastmond on ${quote(name)} refuses this file`);
  }
}

/** A remote that is the node's own: it would connect to itself. */
function checkSelf(remote: Scope['remote'], own: Globals, name: string, reporter: Reporter): void {
  const ports = new Set(own.listen.map((address) => (address.scheme === 'unix' ? -1 : address.port)));
  const texts = new Set(own.listen.map(({ text }) => text));
  for (const { value, place } of remote) {
    const named = value.scheme !== 'unix' && sameHost(value, name) && ports.has(value.port);
    if (!named && !texts.has(value.text)) continue;
    reporter.error(place, `${quote(value.text)} is ${quote(name)} itself`, 'remote names the other nodes');
  }
}

function sameHost(address: Extract<Address, { port: number }>, name: string): boolean {
  const host = address.host.toLowerCase().replace(/\.$/, '');
  const own = name.toLowerCase();
  return host === own || (!host.includes('.') && own.startsWith(`${host}.`));
}

function checkFenceTimeout(scopes: readonly Scope[], reporter: Reporter): void {
  const timeout = innermost(scopes, 'fence_timeout');
  if (timeout !== undefined) reporter.warning(timeout.place, 'fence_timeout means nothing without fence');
}

function checkTimes(
  scopes: readonly Scope[],
  resource: ResourceScope,
  config: ResourceConfig,
  globals: Globals,
  reporter: Reporter,
): void {
  for (const { severity, message, help, statements } of checkBudget(
    budgetInput(config),
    globals.watchdogDevice,
  )) {
    const set = innermostPlace(scopes, statements);
    // What the defaults alone amount to is nobody's mistake.
    if (severity === 'warning' && set === undefined) continue;
    reporter[severity](set ?? resource.word, message, help);
  }
}

function namesFence({ global, nodes, resources }: Model): boolean {
  const scopes = [
    global,
    ...nodes.values(),
    ...resources,
    ...resources.flatMap((entry) => [...entry.nodes.values()]),
  ];
  return scopes.some(({ settings }) => (settings.fence?.value ?? null) !== null);
}

/** Where the innermost of these statements is set; among those of one section the first named. */
function innermostPlace(scopes: readonly Scope[], names: readonly (keyof Values)[]): Place | undefined {
  for (let index = scopes.length - 1; index >= 0; index -= 1) {
    for (const name of names) {
      const setting = scopes[index]?.settings[name];
      if (setting !== undefined) return setting.place;
    }
  }
  return undefined;
}
