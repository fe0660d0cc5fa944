/**
 * From definitions to checks: one for every host, with everything looked up that is named: templates, alerts, other
 * checks. It reports names that nobody has, names that are there twice, and dependencies in a circle.
 */
import type { CheckOptions, CheckSpec } from '../checks/spec.js';
import { quote, type Reporter } from './diagnostic.js';
import { type CheckDefinition, type MonitorModel, type NamedScope, reportTwice } from './monitor-model.js';
import { checkOptions, type Layers, layersOf, optionsOf } from './monitor-options.js';
import { HOST_MARK, type ReadUrl, readUrl } from './monitor-urls.js';
import { isHost } from './monitor-values.js';
import { suggestName } from './suggest.js';
import type { Word } from './tree.js';

/** The checks of a file by what may be named. */
export interface CheckNames {
  /** A name, or that of a block for several hosts, to the checks that it means; undefined where there is none. */
  find(name: string): readonly string[] | undefined;
  /** Reports a name that no check has. */
  unknown(word: Word): void;
}

export interface ReadChecks {
  checks: CheckSpec[];
  names: CheckNames;
}

interface Instance extends ReadUrl {
  name: string;
  /** '' for a check that is not one of many. */
  host: string;
}

interface Defined {
  definition: CheckDefinition;
  layers: Layers;
  instances: Instance[];
  /** The names of the checks that it depends on, on whatever host. */
  depends: Set<string>;
}

/** Reads every check of a model. */
export function readChecks(model: MonitorModel, reporter: Reporter): ReadChecks {
  const finder = templateFinder(model, reporter);
  const taken = new Map<string, { word: Word; of: readonly string[] }>();
  const defined: Defined[] = [];
  for (const definition of model.checks) {
    if (reporter.full) break;
    const layers = layersOf(model.defaults, definition.group, definition, finder);
    const instances = instancesOf(definition, reporter).filter(({ name }) => {
      const earlier = taken.get(name);
      if (earlier === undefined) taken.set(name, { word: definition.word, of: [name] });
      else reportTwice(`check ${quote(name)}`, definition.word, earlier.word, reporter);
      return earlier === undefined;
    });
    const [first] = instances;
    if (first !== undefined) checkOptions(layers, first.url.kind, definition.url, reporter);
    defined.push({ definition, layers, instances, depends: new Set() });
  }
  nameBlocks(defined, taken, reporter);
  const names = namesOf(taken, model, reporter);
  const alerts = new Set(model.alerts.map(({ word }) => word.text));
  const shared = new Map<string, CheckOptions>();
  const checks = defined.flatMap((entry) => specsOf(entry, { names, alerts, shared, model }, reporter));
  checkCircles(defined, reporter);
  return { checks, names };
}

function templateFinder(model: MonitorModel, reporter: Reporter): (word: Word) => NamedScope | null {
  return (word) => {
    const found = model.templates.get(word.text);
    if (found === undefined && !model.lost) {
      const help = suggestName(word.text, [...model.templates.keys()]);
      reporter.error(word, `there is no template ${quote(word.text)}`, help);
    }
    return found ?? null;
  };
}

/** The checks that a definition amounts to, each with its URL. */
function instancesOf(definition: CheckDefinition, reporter: Reporter): Instance[] {
  const { word, url, settings } = definition;
  const hosts = settings.hosts;
  const marked = url.text.includes(HOST_MARK);
  if (hosts === undefined) {
    if (marked) {
      if (!definition.broken)
        reporter.error(url, "'%h' stands for a host of 'hosts'", 'expected hosts NAME …');
      return [];
    }
    const read = readUrl(url, '', reporter);
    return read === undefined ? [] : [{ url: read.url, shown: read.shown, name: word.text, host: '' }];
  }
  if (!marked) {
    reporter.error(url, "the URL does not say where the host belongs that 'hosts' names", 'such as ssh://%h');
    return [];
  }
  const seen = new Set<string>();
  const instances: Instance[] = [];
  for (const host of hosts.value) {
    if (!isHost(host.text))
      reporter.error(host, `${quote(host.text)} is neither a host's name nor its address`);
    else if (seen.has(host.text)) reporter.error(host, `${quote(host.text)} is named twice`);
    else {
      seen.add(host.text);
      const read = readUrl(url, host.text, reporter);
      // What is wrong with the URL is wrong for every host.
      if (read === undefined) break;
      const name = `${word.text}@${host.text}`;
      instances.push({ url: read.url, shown: read.shown, name, host: host.text });
    }
  }
  return instances;
}

/** A block for several hosts has a name too, and it stands for all of them. */
function nameBlocks(
  defined: readonly Defined[],
  taken: Map<string, { word: Word; of: readonly string[] }>,
  reporter: Reporter,
): void {
  for (const { definition, instances } of defined) {
    const { word, settings } = definition;
    if (settings.hosts === undefined || instances.length === 0) continue;
    const earlier = taken.get(word.text);
    if (earlier !== undefined) reportTwice(`check ${quote(word.text)}`, word, earlier.word, reporter);
    else taken.set(word.text, { word, of: instances.map(({ name }) => name) });
  }
}

function namesOf(
  taken: ReadonlyMap<string, { of: readonly string[] }>,
  model: MonitorModel,
  reporter: Reporter,
): CheckNames {
  const { lost } = model;
  const wrong = new Set(model.checks.map(({ word }) => word.text));
  return {
    find: (name) => taken.get(name)?.of,
    unknown(word) {
      const block = word.text.replace(/@.*$/s, '');
      if (lost || (wrong.has(word.text) && !taken.has(word.text)) || (wrong.has(block) && !taken.has(block)))
        return;
      const help = suggestName(word.text, [...taken.keys()]);
      reporter.error(word, `there is no check ${quote(word.text)}`, help);
    },
  };
}

interface Context {
  names: CheckNames;
  /** The names of alerts. */
  alerts: ReadonlySet<string>;
  /** Options that several definitions have in common. */
  shared: Map<string, CheckOptions>;
  model: MonitorModel;
}

function specsOf(entry: Defined, context: Context, reporter: Reporter): CheckSpec[] {
  const { definition, layers, instances } = entry;
  const [first] = instances;
  if (first === undefined) return [];
  const { kind } = first.url;
  const group = definition.group?.word.text ?? '';
  const alerts = alertsOf(layers, context, reporter);
  const depends = layers.effective.depends;
  const varied = depends?.value.some(({ text }) => text.includes(HOST_MARK)) === true;
  const own = Object.keys(definition.settings).some((name) => name !== 'template' && name !== 'hosts');
  const templates = definition.settings.template?.value.map(({ text }) => text) ?? [];
  const build = (host: string) => optionsOf(layers.effective, kind, alerts, dependsOf(entry, host, context));
  // Without options of its own a check has those of every other one of its group and kind.
  const key = own || depends !== undefined ? '' : [group, kind, ...templates].join('\n');
  const common = varied ? null : (context.shared.get(key) ?? build(''));
  if (common !== null && key !== '') context.shared.set(key, common);
  return instances.map(({ name, host, url, shown }) => ({
    name,
    group,
    url,
    shownUrl: shown,
    options: common ?? build(host),
  }));
}

function alertsOf({ effective }: Layers, { alerts, model }: Context, reporter: Reporter): string[] {
  const setting = effective.alerts;
  const words = setting?.value ?? [];
  if (words.length === 1 && words[0]?.text === 'all' && !words[0].quoted) return [];
  for (const word of words) {
    if (alerts.has(word.text) || model.lost) continue;
    reporter.error(word, `there is no alert ${quote(word.text)}`, suggestName(word.text, [...alerts]));
  }
  return [...new Set(words.map(({ text }) => text))];
}

/** The names of the checks that a check depends on, on a host where it is one of many. */
function dependsOf(entry: Defined, host: string, context: Context): string[] {
  const { layers, instances } = entry;
  const setting = layers.effective.depends;
  const words = setting?.value ?? [];
  if (setting === undefined || (words.length === 1 && words[0]?.text === 'none')) return [];
  const inherited = setting.depth < layers.layers.length - 1;
  const own = inherited ? new Set(instances.map(({ name }) => name)) : null;
  const found = new Set<string>();
  for (const word of words) {
    const name = word.text.replaceAll(HOST_MARK, host);
    const meant = context.names.find(name);
    if (meant === undefined) context.names.unknown({ ...word, text: name });
    // What a group depends on may be in the group: it does not depend on itself.
    for (const check of meant ?? []) if (own?.has(check) !== true) found.add(check);
  }
  for (const name of found) entry.depends.add(name);
  return [...found];
}

/** Reports checks that depend on themselves, over others or not. */
function checkCircles(defined: readonly Defined[], reporter: Reporter): void {
  const depending = defined.filter(({ depends }) => depends.size > 0);
  const owners = new Map<string, Defined>();
  for (const entry of depending) for (const { name } of entry.instances) owners.set(name, entry);
  const state = new Map<Defined, 'open' | 'done'>();
  const way: { entry: Defined; left: Iterator<string> }[] = [];
  const enter = (entry: Defined): void => {
    state.set(entry, 'open');
    way.push({ entry, left: entry.depends.values() });
  };
  for (const start of depending) {
    if (!state.has(start)) enter(start);
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const next = top.left.next();
      const target = next.done === true ? undefined : owners.get(next.value);
      if (next.done === true) {
        state.set(top.entry, 'done');
        way.pop();
      } else if (target !== undefined && state.get(target) === 'open') {
        const circle = way.map(({ entry }) => entry.definition);
        reportCircle(circle.slice(circle.indexOf(target.definition)), reporter);
      } else if (target !== undefined && !state.has(target)) enter(target);
    }
  }
}

function reportCircle(circle: readonly CheckDefinition[], reporter: Reporter): void {
  const [first, last] = [circle[0], circle.at(-1)];
  if (first === undefined || last === undefined) return;
  const place = last.settings.depends?.place ?? last.word;
  const names = [...circle, first].map(({ word }) => word.text).join(' -> ');
  const message = `${quote(last.word.text)} depends on itself: ${names}`;
  reporter.error(place, message, 'none of them would ever be told of');
}
