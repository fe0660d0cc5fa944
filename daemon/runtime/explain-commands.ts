/** Answers `hastmonctl explain`: finds what the name means, a resource, checks, servers of the balancer, and has each explained. */
import type { ControlReply } from '../../proto/control-types.js';
import type { ExplainRequest, Explanation } from '../../proto/explain-types.js';
import type { CheckSpec } from '../checks/spec.js';
import { nearest } from '../config/suggest.js';
import type { Config } from '../config/types.js';
import type { ConfirmState } from '../confirm/types.js';
import { listOf } from '../confirm/words.js';
import { explain } from '../core/explain.js';
import type { NodeState } from '../core/node-types.js';
import type { Instant } from '../core/types.js';
import type { BalancerReply } from './balancer-host.js';
import { explanationOf } from './check-status.js';
import { named } from './monitor-commands.js';
import type { MonitorHost, NamedView } from './monitor-host.js';

export type ExplainHandler = (request: ExplainRequest) => Promise<Partial<ControlReply>>;

export interface ExplainOptions {
  config: () => Pick<Config, 'monitor' | 'balancer' | 'node'>;
  resources: ReadonlyMap<string, { state(): NodeState }>;
  monitor: Pick<MonitorHost, 'look'>;
  /** null where nothing is confirmed. */
  confirm: () => ConfirmState | null;
  /** The balancer's word on a name. */
  servers: (name: string) => Promise<BalancerReply>;
  now: () => Instant;
}

const EX_NOHOST = 68;
const EX_UNAVAILABLE = 69;

/** A block may have thousands of checks, and a host be in thousands of services: nobody reads that. */
const EXPLAINED_MAX = 200;
/** Where something else is meant as well, the balancer is not waited for longer: health asks, and has to answer within a second. */
const BALANCER_MS = 400;
/** More names are not compared with a wrong one, and not listed. */
const COMPARED_MAX = 2000;
const NAMED_MAX = 20;

/** All that the name means; `text` says what could not be explained. */
export function createExplainHandler(options: ExplainOptions): ExplainHandler {
  return async ({ name }) => {
    const { balancer, monitor } = options.config();
    const resource = options.resources.get(name);
    const specs = named(monitor?.checks ?? [], name);
    const notes: string[] = [];
    const explanations: Explanation[] = [];
    if (resource !== undefined) explanations.push(explain(resource.state(), options.now()));
    if (specs.length > 0) explanations.push(...(await explainChecks(options, specs, notes)));
    const answer = balancer === null ? null : await serversOf(options, name, explanations.length > 0);
    if (balancer !== null && answer === null) notes.push('the balancer has not answered yet: ask it again');
    if (answer?.error) notes.push(`the servers of the balancer cannot be asked: ${answer.error.message}`);
    const servers = answer?.explained?.explanations ?? [];
    explanations.push(...servers.slice(0, EXPLAINED_MAX));
    const more = servers.length - EXPLAINED_MAX;
    if (more > 0) notes.push(`and ${more} servers more: name one of them as HOST/SERVICE`);
    if (servers.length > 0 && answer !== null && answer.text !== '') notes.push(answer.text);
    if (explanations.length > 0) return { explanations, text: notes.join('\n') };
    if (notes.length > 0) return { error: { code: EX_UNAVAILABLE, message: notes.join('\n') } };
    return { error: { code: EX_NOHOST, message: missing(options, name, answer?.explained?.hosts ?? []) } };
  };
}

async function explainChecks(
  options: ExplainOptions,
  specs: readonly CheckSpec[],
  notes: string[],
): Promise<Explanation[]> {
  const { monitor, node } = options.config();
  if (monitor === null) return [];
  if (!monitor.active) {
    const others = listOf(monitor.nodes);
    notes.push(
      `the checks: node ${node} does not monitor; ${others} ${monitor.nodes.length === 1 ? 'does' : 'do'}`,
    );
    return [];
  }
  const some = specs.slice(0, EXPLAINED_MAX);
  if (some.length < specs.length)
    notes.push(`and ${specs.length - some.length} checks more: name one of them`);
  const views = new Map<string, NamedView>();
  try {
    for (const view of await options.monitor.look(some.map((spec) => spec.name))) views.set(view.name, view);
  } catch {
    // Where the checks do not run, each explanation says so.
  }
  const [confirm, now] = [options.confirm(), options.now()];
  return some.map((spec) =>
    explanationOf({ ...{ spec, monitor, node, confirm, now }, view: views.get(spec.name) ?? null }),
  );
}

/** The balancer's answer; `impatient`: null where it takes long. */
async function serversOf(
  { servers }: ExplainOptions,
  name: string,
  impatient: boolean,
): Promise<BalancerReply | null> {
  if (!impatient) return servers(name);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), BALANCER_MS);
  });
  const answer = await Promise.race([servers(name), late]);
  clearTimeout(timer);
  return answer;
}

/** That nothing has this name, and what was probably meant. */
function missing({ config, resources }: ExplainOptions, name: string, hosts: readonly string[]): string {
  const checks = (config().monitor?.checks ?? []).map((spec) => spec.name);
  const blocks = checks.flatMap((check) => (check.includes('@') ? [check.replace(/@.*$/s, '')] : []));
  const kinds = [
    { what: 'resources', names: [...resources.keys()] },
    { what: 'checks', names: [...new Set([...checks, ...blocks])] },
    { what: 'hosts of the balancer', names: hosts },
  ].filter(({ names }) => names.length > 0);
  const all = kinds.flatMap(({ names }) => names);
  const closest = all.length > COMPARED_MAX ? '' : nearest(name, all);
  const lists = kinds.map(({ names, what }) =>
    names.length > NAMED_MAX ? `${names.length} ${what}` : `${what} ${names.join(', ')}`,
  );
  const there = lists.length === 0 ? 'there is nothing on this node' : `there are: ${lists.join('; ')}`;
  const help = closest === '' ? there : `did you mean '${closest}'?`;
  return `there is no resource, check or host of the balancer '${name}'; ${help}`;
}
