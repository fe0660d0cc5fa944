/** The API: a path and a query to a question for the main process, and its answer to JSON. docs/http.md describes each. */
import type { ControlError, ControlReply, ControlRequest } from '../../proto/control-types.js';
import { type HttpAnswered, json, problem } from './answers.js';
import type { Answered, Asker } from './asker.js';
import { askCluster, askTimeline, type Gathered } from './cluster.js';
import type { HttpFacts } from './ipc.js';
import { type Query, readQuery, type Wanted } from './query.js';

export interface ApiContext {
  asker: Asker;
  facts: HttpFacts;
}

interface Endpoint {
  wanted: Wanted;
  answer(context: ApiContext, name: string, query: Query): Promise<HttpAnswered>;
}

const EVENTS_MAX = 10_000;
const EVENTS = 1000;
const FAILOVERS_MAX = 20;
const FAILOVERS = 10;

/** By what comes after /api/v1/. */
const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  cluster: endpoint({}, ({ asker, facts }) => aboutAll(facts, askCluster(asker))),
  'timeline/': endpoint({ last: 'count' }, ({ asker, facts }, resource, query) => {
    const last = Math.max(1, Math.min(query.count('last') ?? FAILOVERS, FAILOVERS_MAX));
    return aboutAll(facts, askTimeline(asker, resource, last));
  }),
  status: endpoint({ name: 'words' }, (context, _name, query) => {
    const names = query.words('name');
    const request = { kind: 'status', resources: names.length === 0 ? 'all' : names } as const;
    return questioned(context, request, ({ status }) => ({ status: status ?? [] }));
  }),
  events: endpoint({ since: 'duration', name: 'words', last: 'count' }, (context, _name, query) => {
    const last = Math.min(query.count('last') ?? EVENTS, EVENTS_MAX);
    const wanted = { names: query.words('name'), sinceMs: query.durationMs('since'), last };
    const request = { kind: 'events', ...wanted, follow: false } as const;
    return questioned(context, request, ({ events }) => ({ events: events ?? [] }));
  }),
  checks: endpoint(
    { down: 'flag', host: 'word', group: 'word', name: 'few', from: 'count' },
    (context, _name, query) => {
      const chosen = { down: query.flag('down'), host: query.word('host'), group: query.word('group') };
      const page = { patterns: query.words('name'), from: query.count('from') ?? 0 };
      return questioned(context, { kind: 'checks', ...chosen, ...page }, ofMonitor);
    },
  ),
  'checks/': endpoint({}, (context, name) => questioned(context, { kind: 'check', name }, ofMonitor)),
  'balancer/services': endpoint({ service: 'words' }, (context, _name, query) => {
    const request = { kind: 'balancer-services', services: query.words('service') } as const;
    return questioned(context, request, ofBalancer);
  }),
  'balancer/hosts': endpoint({ host: 'words', service: 'words' }, (context, _name, query) => {
    const chosen = { hosts: query.words('host'), services: query.words('service') };
    return questioned(context, { kind: 'balancer-hosts', ...chosen }, ofBalancer);
  }),
  'explain/': endpoint({}, (context, name) =>
    questioned(context, { kind: 'explain', name }, ({ explanations, text }) => {
      return { explanations: explanations ?? [], note: text ?? '' };
    }),
  ),
};

/** Answers what stands behind /api/v1/; null where there is no such thing. `name`: what stands behind the last `/` of some. */
export function answerApi(
  context: ApiContext,
  path: string,
  search: URLSearchParams,
): Promise<HttpAnswered> | HttpAnswered | null {
  const found = find(path);
  if (found === null) return null;
  if (found.name === null) return problem(400, 'the name is not well encoded');
  const query = readQuery(search, found.endpoint.wanted);
  if (typeof query === 'string') return problem(400, query);
  return found.endpoint.answer(context, found.name, query);
}

function find(path: string): { endpoint: Endpoint; name: string | null } | null {
  const plain = Object.hasOwn(ENDPOINTS, path) && !path.endsWith('/') ? ENDPOINTS[path] : undefined;
  if (plain !== undefined) return { endpoint: plain, name: '' };
  const slash = path.indexOf('/') + 1;
  const kind = path.slice(0, slash);
  const named = slash > 0 && Object.hasOwn(ENDPOINTS, kind) ? ENDPOINTS[kind] : undefined;
  const rest = path.slice(slash);
  if (named === undefined || rest === '') return null;
  return { endpoint: named, name: decoded(rest) };
}

/** null where it is not well encoded. */
export function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function endpoint(wanted: Wanted, answer: Endpoint['answer']): Endpoint {
  return { wanted, answer };
}

/** Asks, and gives what was answered with who says so and when. */
async function questioned(
  { asker, facts }: ApiContext,
  request: ControlRequest,
  shown: (reply: Partial<ControlReply>) => object,
): Promise<HttpAnswered> {
  const found = await asker.ask(request);
  if (found.kind !== 'answer') return unanswered(facts, found);
  const { error } = found.reply;
  if (error !== undefined && error !== null) return refused(facts, error);
  return json({ node: facts.node, at: Math.round(Date.now() - found.ageMs), ...shown(found.reply) });
}

/** The same for what is gathered of all nodes, which may say itself who has gathered it. */
async function aboutAll(facts: HttpFacts, asked: Promise<Gathered<object>>): Promise<HttpAnswered> {
  const answered = await asked;
  if ('found' in answered) return json({ node: facts.node, at: Date.now(), ...answered.found });
  return 'refused' in answered ? refused(facts, answered.refused) : unanswered(facts, answered);
}

function ofMonitor({ monitor }: Partial<ControlReply>): object {
  const { kind, ...rest } = monitor ?? { kind: '' };
  return rest;
}

function ofBalancer({ balancer }: Partial<ControlReply>): object {
  const { kind, ...rest } = balancer ?? { kind: '' };
  return rest;
}

/** Codes of sysexits(3), as the main process gives them to hastmonctl. */
function statusOf(code: number): number {
  const statuses: Readonly<Record<number, number>> = { 64: 400, 68: 404, 69: 503, 75: 503, 77: 403 };
  return statuses[code] ?? 500;
}

/** No answer: what was said before is not said again. */
export function unanswered(
  { node }: HttpFacts,
  answered: Exclude<Answered, { kind: 'answer' }>,
): HttpAnswered {
  const own = { node, at: Date.now() };
  if (answered.kind === 'busy')
    return problem(503, 'too many questions are under way: ask again', own, { 'Retry-After': '1' });
  const { knownMs } = answered;
  const since = knownMs === null ? 'it never has' : `it last did ${(knownMs / 1000).toFixed(1)} s ago`;
  return problem(
    503,
    `hastmond does not answer: ${since}`,
    { ...own, ageMs: knownMs },
    { 'Retry-After': '1' },
  );
}

/** What the main process says is wrong. */
export function refused({ node }: HttpFacts, { code, message }: ControlError): HttpAnswered {
  return problem(statusOf(code), message, { node, at: Date.now() });
}
