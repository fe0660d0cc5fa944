/** What load balancers ask: whether this node is there, takes part, and runs a resource. */
import type { ControlReply, StatusEntry } from '../../proto/control-types.js';
import type { Condition } from '../../proto/explain-types.js';
import { type HttpAnswered, json, problem } from './answers.js';
import { type ApiContext, unanswered } from './api.js';
import type { Answered, AskOptions } from './asker.js';
import type { HttpFacts, HttpQuestion } from './ipc.js';

/** They do not wait long themselves, and are answered whatever else is asked. */
const LIMIT_MS = 1000;
const HEALTH: AskOptions = { limitMs: LIMIT_MS, reserved: true };
const ALL: HttpQuestion = { kind: 'status', resources: 'all' };

/** 200 while the main process answers. */
export async function answerHealth({ asker, facts }: ApiContext): Promise<HttpAnswered> {
  const found = answerIn(facts, await asker.ask({ kind: 'version' }, HEALTH));
  if ('status' in found) return found;
  const version = (found.reply.text ?? '').trim();
  return json({ node: facts.node, at: Date.now(), healthy: true, version });
}

/** 200 where this node takes part in the votes about all of its resources. */
export async function answerReady({ asker, facts }: ApiContext): Promise<HttpAnswered> {
  const found = answerIn(facts, await asker.ask(ALL, HEALTH));
  if ('status' in found) return found;
  const missing = (found.reply.status ?? []).filter(({ voters }) => !ownHistory(voters));
  const ready = missing.length === 0;
  const why = missing.map(({ resource }) => `${resource}: this node's voter knows nothing of the past yet`);
  return json({ node: facts.node, at: Date.now(), ready, why }, ready ? 200 : 503);
}

/** 200 where the resource runs here, or where this node is a secondary that could take it over. */
export async function answerResource(
  { asker, facts }: ApiContext,
  resource: string,
  wanted: 'primary' | 'secondary',
): Promise<HttpAnswered> {
  const begun = performance.now();
  // Of all: so there are no more different questions than resources, whatever is asked for.
  const found = answerIn(facts, await asker.ask(ALL, HEALTH));
  if ('status' in found) return found;
  const entry = found.reply.status?.find((each) => each.resource === resource);
  if (entry === undefined) {
    const detail = `no resource ${resource.slice(0, 100)} on node ${facts.node}`;
    return problem(404, detail, { node: facts.node, at: Date.now() });
  }
  let fit = runsHere(entry, facts.node, found.ageMs);
  if (wanted === 'secondary') {
    const limitMs = Math.max(1, LIMIT_MS - (performance.now() - begun));
    const asked = await asker.ask({ kind: 'explain', name: resource }, { ...HEALTH, limitMs });
    const explained = answerIn(facts, asked);
    if ('status' in explained) return explained;
    fit = isFitSecondary(entry, explained.reply);
  }
  const { lease, role, state } = entry;
  const at = Math.round(Date.now() - found.ageMs);
  const body = { node: facts.node, at, resource, role, state, epoch: lease.epoch };
  return json({ ...body, [wanted]: fit }, fit ? 200 : 503);
}

/** What was answered; or, where it is none or an error, what the client is told: that it cannot be known. */
function answerIn(
  facts: HttpFacts,
  asked: Answered,
): HttpAnswered | Pick<Extract<Answered, { kind: 'answer' }>, 'reply' | 'ageMs'> {
  if (asked.kind !== 'answer') return unanswered(facts, asked);
  const { error = null } = asked.reply;
  return error === null ? asked : problem(503, error.message, { node: facts.node, at: Date.now() });
}

/** Under a lease that has not ended since that was said, by force, or in maintenance. */
export function runsHere(entry: StatusEntry, node: string, ageMs: number): boolean {
  const { forced, lease, maintenance, role, state } = entry;
  const entitled = (lease.held && lease.leftMs > ageMs) || forced || maintenance?.node === node;
  return role === 'primary' && state === 'run' && entitled;
}

/** What has to be so of this node itself before it may be promoted; the rest is about the others. */
const OWN: ReadonlySet<string> = new Set(['role', 'clean', 'stays', 'fit', 'rested', 'voter']);

function isFitSecondary(entry: StatusEntry, { explanations }: Partial<ControlReply>): boolean {
  const found = (explanations ?? []).find(({ subject }) => subject === 'resource');
  const own = (found?.conditions ?? []).filter(
    ({ name, topic }: Condition) => topic === 'promotion' && OWN.has(name),
  );
  return (
    entry.role === 'secondary' &&
    entry.maintenance === null &&
    own.length > 0 &&
    own.every(({ holds }) => holds === true)
  );
}

function ownHistory(voters: StatusEntry['voters']): boolean {
  return voters.find(({ self }) => self)?.history ?? true;
}
