/** What operators ask. A command is done as a whole, or not at all. */
import { type BalancerCommand, WEIGHT_MAX } from '../types.js';
import { adopt } from './settle.js';
import {
  type Draft,
  type Given,
  type Host,
  happened,
  log,
  type Pair,
  pairChanged,
  type Service,
} from './state.js';
import { fullWeight, isDisabled } from './weights.js';
import { nameOf, whyDisabled } from './words.js';

type Of<Kind extends BalancerCommand['kind']> = Extract<BalancerCommand, { kind: Kind }>;

/** Names travel to other nodes, which believe no others. */
const REASON_MAX = 200;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const UNFIT = /[\u0000-\u001f\u007f\ufffd\ud800-\udfff]/u;

/** What a command is about; the words of ipvs-weightman where something does not exist. */
interface Found<T> {
  error: string;
  found: T[];
}

export function takeCommand(draft: Draft, command: BalancerCommand): void {
  const answer = answerOf(draft, command);
  draft.events.push({ kind: 'answer', ...answer });
}

function answerOf(draft: Draft, command: BalancerCommand): { error: string; text: string } {
  if (draft.state.config === null) return refused('no file has been read yet');
  // What is said there would be lost with the next word of the director.
  if (draft.state.active === false)
    return refused('this node is not the director: say it on the node that is primary');
  switch (command.kind) {
    case 'off':
      return off(draft, command);
    case 'on':
      return on(draft, command);
    case 'weight':
      return setWeight(draft, command);
    case 'adopt':
      return takeOver(draft, command);
    default:
      return command satisfies never;
  }
}

const refused = (error: string): { error: string; text: string } => ({ error: `# ${error}`, text: '' });
const done = (lines: readonly string[]): { error: string; text: string } => ({
  ...{ error: '', text: lines.join('\n') },
});

function off(draft: Draft, command: Of<'off'>): { error: string; text: string } {
  const { now } = draft;
  const { by } = command;
  const target = targetOf(draft, command.hosts, command.services);
  if (target.error !== '') return { error: target.error, text: '' };
  if (command.services !== null && (command.reasons.length === 0 || command.reasons.includes('*')))
    return refused('a reason to disable has to have a name');
  if (command.reasons.some((name) => name.length > REASON_MAX || UNFIT.test(name)))
    return refused(`a reason has at most ${REASON_MAX} characters, and no control characters`);
  // Who said it first is who said it.
  const given: Given = { by, at: now };
  for (const host of target.hosts) {
    host.off ??= given;
    hostChanged(draft, host);
    const text = `off as a whole, by ${by}`;
    told(draft, host.config.tag, '', text);
    happened(draft, {
      kind: 'server-disabled',
      host: host.config.tag,
      by,
      text,
      data: { reasons: '', whole: true },
    });
  }
  for (const pair of target.pairs) {
    if (command.services !== null) {
      for (const name of command.reasons)
        if (!pair.memory.reasons.has(name)) pair.memory.reasons.set(name, given);
      const reasons = command.reasons.join(', ');
      const text = `disabled (${reasons}) by ${by}`;
      told(draft, pair.host.config.tag, pair.service.config.tag, text);
      happened(draft, { kind: 'server-disabled', ...about(pair, by, text), data: { reasons, whole: false } });
    }
    Object.assign(pair.memory, { rampAskedMs: null, foundZero: false });
    pairChanged(draft, pair);
  }
  return done(target.pairs.map((pair) => `${nameOfPair(pair)}: disabled`));
}

/**
 * The whole host: takes back that it is off as a whole, and no reason, since all of them have to be taken back by who gave them. In
 * services: takes back these reasons, and not that the host is off as a whole. Nothing is wrong with asking for it twice.
 */
function on(draft: Draft, command: Of<'on'>): { error: string; text: string } {
  const { rampMs, reasons, services, by } = command;
  const target = targetOf(draft, command.hosts, services);
  if (target.error !== '') return { error: target.error, text: '' };
  if (rampMs !== null && !(rampMs >= 0 && Number.isFinite(rampMs)))
    return refused('the time of a ramp is a number of seconds from 0 on');
  const were = new Set(target.pairs.filter(isDisabled));
  for (const host of target.hosts) {
    host.off = null;
    hostChanged(draft, host);
    const text = `on as a whole, by ${by}`;
    told(draft, host.config.tag, '', text);
    happened(draft, { kind: 'server-enabled', host: host.config.tag, by, text, data: { whole: true } });
  }
  for (const pair of target.pairs) {
    const { memory } = pair;
    if (services !== null)
      for (const name of reasons.includes('*') ? [...memory.reasons.keys()] : reasons)
        memory.reasons.delete(name);
    if (were.has(pair) && !isDisabled(pair)) {
      memory.awaitSince = draft.now;
      const text = `enabled by ${by}: it waits for a pass of its check`;
      told(draft, pair.host.config.tag, pair.service.config.tag, text);
      if (services !== null)
        happened(draft, { kind: 'server-enabled', ...about(pair, by, text), data: { whole: false } });
    }
    memory.foundZero = false;
    // Of one that has weight nothing is asked.
    if (memory.zeroSince !== null && rampMs !== null) memory.rampAskedMs = rampMs;
    pairChanged(draft, pair);
  }
  return done(
    target.pairs.map((pair) =>
      isDisabled(pair)
        ? `${nameOfPair(pair)}: still disabled: ${whyDisabled(pair, draft.now)}`
        : `${nameOfPair(pair)}: enabled`,
    ),
  );
}

function setWeight(draft: Draft, command: Of<'weight'>): { error: string; text: string } {
  const { weight, by } = command;
  const target = targetOf(draft, command.hosts, command.services);
  if (target.error !== '') return { error: target.error, text: '' };
  if (weight !== null && !(Number.isInteger(weight) && weight >= 0 && weight <= WEIGHT_MAX))
    return refused(`a weight is a whole number from 0 to ${WEIGHT_MAX}`);
  for (const pair of target.pairs) {
    Object.assign(pair.memory, { override: weight, kept: null });
    const full = fullWeight(pair);
    const text = weight === null ? `full weight ${full} of the file again` : `full weight ${full}`;
    told(draft, pair.host.config.tag, pair.service.config.tag, `${text}, by ${by}`);
    const data = { weight: full, own: weight === null };
    happened(draft, { kind: 'full-weight', ...about(pair, by, text), data });
    pairChanged(draft, pair);
  }
  return done(target.pairs.map((pair) => `${nameOfPair(pair)}: full weight ${fullWeight(pair)}`));
}

function takeOver(draft: Draft, command: Of<'adopt'>): { error: string; text: string } {
  const { state } = draft;
  if (state.table === null) return refused("the kernel's table has not been read yet");
  const wanted = servicesOf(draft, command.services);
  if (wanted.error !== '') return { error: wanted.error, text: '' };
  const lines: string[] = [];
  for (const service of wanted.found) {
    const exists = service.key !== '' && state.table.has(service.key);
    const name = nameOf(state, service);
    if (state.owned.has(service.key)) lines.push(`${name}: this balancer's already`);
    else if (!exists) lines.push(`${name}: not in the kernel`);
    else {
      adopt(draft, service);
      lines.push(`${name}: taken over`);
    }
  }
  return done(lines);
}

interface Target {
  error: string;
  /** Those that are meant as a whole. */
  hosts: Host[];
  pairs: Pair[];
}

function targetOf(draft: Draft, names: readonly string[], services: readonly string[] | null): Target {
  const hosts = hostsOf(draft, names);
  if (hosts.error !== '') return { error: hosts.error, hosts: [], pairs: [] };
  if (services === null)
    return { error: '', hosts: hosts.found, pairs: hosts.found.flatMap(({ pairs }) => pairs) };
  const wanted = servicesOf(draft, services);
  if (wanted.error !== '') return { error: wanted.error, hosts: [], pairs: [] };
  const pairs: Pair[] = [];
  for (const host of hosts.found)
    for (const service of wanted.found) {
      const pair = host.pairs.find((one) => one.service === service);
      if (pair !== undefined) pairs.push(pair);
      else if (!services.includes('*'))
        return {
          error: `# VS '${service.config.tag}': not found for host '${host.config.tag}'`,
          hosts: [],
          pairs: [],
        };
    }
  return { error: '', hosts: [], pairs };
}

function hostsOf({ state }: Draft, names: readonly string[]): Found<Host> {
  const found: Host[] = [];
  for (const name of new Set(names)) {
    const host = state.hosts.get(name);
    if (host === undefined) return { error: `# Host '${name}': Not found`, found };
    found.push(host);
  }
  return { error: '', found };
}

function servicesOf({ state }: Draft, names: readonly string[]): Found<Service> {
  if (names.includes('*')) return { error: '', found: [...state.services.values()] };
  const found: Service[] = [];
  for (const name of new Set(names)) {
    const service = state.services.get(name);
    if (service === undefined) return { error: `# VS '${name}': not found`, found };
    found.push(service);
  }
  return { error: '', found };
}

function hostChanged(draft: Draft, host: Host): void {
  draft.save = true;
  draft.changed.hosts.add(host.config.tag);
}

function about({ host, service }: Pair, by: string, text: string) {
  return { host: host.config.tag, service: service.config.tag, by, text };
}

function told(draft: Draft, host: string, service: string, text: string): void {
  const tags = service === '' ? { host } : { host, service };
  log(draft, 'info', `${host}${service === '' ? '' : ` in ${service}`}: ${text}`, tags);
}

function nameOfPair({ host, service }: Pair): string {
  return `${host.config.tag} in ${service.config.tag}`;
}
