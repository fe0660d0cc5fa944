/** What load balancers ask: whether this node is there, takes part, and runs a resource. */
import type { StatusEntry } from '../../proto/control-types.js';
import type { Condition } from '../../proto/explain-types.js';
import { type HttpAnswered, json, problem } from './answers.js';
import { type ApiContext, unanswered } from './api.js';
import type { Answered } from './asker.js';

/** They do not wait long themselves. */
const LIMIT_MS = 1000;

/** 200 while the main process answers. */
export async function answerHealth({ asker, facts }: ApiContext): Promise<HttpAnswered> {
  const found = await asker.ask({ kind: 'version' }, LIMIT_MS);
  if (found.kind !== 'answer') return unanswered(facts, found);
  const version = (found.reply.text ?? '').trim();
  return json({ node: facts.node, at: Date.now(), healthy: true, version });
}

/** 200 where this node takes part in the votes about all of its resources. */
export async function answerReady({ asker, facts }: ApiContext): Promise<HttpAnswered> {
  const found = await asker.ask({ kind: 'status', resources: 'all' }, LIMIT_MS);
  if (found.kind !== 'answer') return unanswered(facts, found);
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
  const [status, explained] = await Promise.all([
    asker.ask({ kind: 'status', resources: [resource] }, LIMIT_MS),
    wanted === 'secondary' ? asker.ask({ kind: 'explain', name: resource }, LIMIT_MS) : null,
  ]);
  if (status.kind !== 'answer') return unanswered(facts, status);
  if (explained !== null && explained.kind !== 'answer') return unanswered(facts, explained);
  const entry = status.reply.status?.[0];
  if (entry === undefined) {
    const detail = status.reply.error?.message ?? `no resource ${resource} on node ${facts.node}`;
    return problem(404, detail, { node: facts.node, at: Date.now() });
  }
  const fit =
    wanted === 'primary'
      ? runsHere(entry, facts.node, status.ageMs)
      : explained !== null && isFitSecondary(entry, explained);
  const { lease, role, state } = entry;
  const body = {
    node: facts.node,
    at: Math.round(Date.now() - status.ageMs),
    resource,
    role,
    state,
    epoch: lease.epoch,
  };
  return json({ ...body, [wanted]: fit }, fit ? 200 : 503);
}

/** Under a lease that has not ended since that was said, by force, or in maintenance. */
export function runsHere(entry: StatusEntry, node: string, ageMs: number): boolean {
  const { forced, lease, maintenance, role, state } = entry;
  const entitled = (lease.held && lease.leftMs > ageMs) || forced || maintenance?.node === node;
  return role === 'primary' && state === 'run' && entitled;
}

/** What has to be so of this node itself before it may be promoted; the rest is about the others. */
const OWN: ReadonlySet<string> = new Set(['role', 'clean', 'stays', 'fit', 'rested', 'voter']);

function isFitSecondary(entry: StatusEntry, { reply }: Extract<Answered, { kind: 'answer' }>): boolean {
  const found = (reply.explanations ?? []).find(({ subject }) => subject === 'resource');
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
