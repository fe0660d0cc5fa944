/** What load balancers are told: 200 on the one node that runs the resource, and on a secondary that could take it over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiContext } from '../../daemon/http/api.js';
import type { Answered } from '../../daemon/http/asker.js';
import { answerHealth, answerReady, answerResource, runsHere } from '../../daemon/http/health.js';
import type { StatusEntry } from '../../proto/control-types.js';
import { entryOf } from '../ctl/support.js';
import { until } from '../system/cluster.js';
import { give, logsOf, patienceMs } from '../system/support.js';
import { get, type Served, servedFor } from './support.js';

test('a resource runs here under a lease that has not ended since, by force, or in maintenance', () => {
  const held = { ...entryOf().lease, held: true, leftMs: 500 };
  const none = { ...held, held: false };
  const running: Partial<StatusEntry> = { role: 'primary', state: 'run', forced: false, maintenance: null };
  const cases: [what: string, entry: Partial<StatusEntry>, ageMs: number, runs: boolean][] = [
    ['held', { lease: held }, 0, true],
    ['held, as it was said a while ago', { lease: held }, 499, true],
    ['ended since that was said', { lease: held }, 500, false],
    ['not held', { lease: none }, 0, false],
    ['forced', { lease: none, forced: true }, 0, true],
    ['in maintenance here', { lease: none, maintenance: { node: 'alpha', reason: '', by: '' } }, 0, true],
    [
      'in maintenance elsewhere',
      { lease: none, maintenance: { node: 'beta', reason: '', by: '' } },
      0,
      false,
    ],
    ['starting', { lease: held, state: 'starting' }, 0, false],
    ['stopping', { lease: held, state: 'stopping' }, 0, false],
    ['unknown', { lease: held, state: 'unknown' }, 0, false],
    ['seen by a watchdog', { lease: held, role: 'watchdog' }, 0, false],
  ];
  for (const [what, entry, ageMs, runs] of cases)
    assert.equal(runsHere(entryOf({ ...running, ...entry }), 'alpha', ageMs), runs, what);
});

test('what the main process cannot say is 503, whatever is asked; a resource that there is not is 404', async () => {
  const asked: { what: unknown; reserved: boolean }[] = [];
  const given = (answers: Record<string, Answered>): ApiContext => ({
    asker: {
      async ask(what, { reserved = false } = {}) {
        asked.push({ what, reserved });
        return answers[what.kind] ?? { kind: 'busy' };
      },
      heard() {},
      forget() {},
    },
    facts: { node: 'alpha', checks: false, balancer: false },
  });
  const answerOf = (reply: Extract<Answered, { kind: 'answer' }>['reply']): Answered => {
    return { kind: 'answer', reply, figures: null, ageMs: 0 };
  };
  const failed = answerOf({ error: { code: 70, message: 'see the log' } });
  const none = given({ status: failed, version: failed, explain: failed });
  const entry = entryOf({ role: 'secondary' });
  const there = given({ status: answerOf({ status: [entry] }), explain: failed });
  const { resource } = entry;
  const answers = [
    answerHealth(none),
    answerReady(none),
    answerResource(none, resource, 'primary'),
    answerResource(there, resource, 'secondary'),
    answerResource(given({}), resource, 'primary'),
    answerResource(there, 'other', 'secondary'),
  ];
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  assert.deepEqual(statuses, [503, 503, 503, 503, 503, 404]);
  assert.ok(asked.every(({ reserved }) => reserved));
  assert.ok(!JSON.stringify(asked).includes('other'), 'whoever asks fills the places of health');
});

/** What each node says, as `primary secondary`. */
async function saidBy({ ports }: Served, names: readonly string[]): Promise<string[]> {
  const status = async (port: number, wanted: string): Promise<number> =>
    (await get(port, `/resource/shared/${wanted}`).catch(() => ({ status: 0 }))).status;
  return Promise.all(
    names.map(async (name) => {
      const port = ports[name] ?? 0;
      return `${await status(port, 'primary')} ${await status(port, 'secondary')}`;
    }),
  );
}

test('in a cluster one node is the primary, before and after a failover', async (t) => {
  const names = ['nodeA', 'nodeB', 'nodeC'];
  const served = await servedFor(t, { nodes: names });
  const { cluster } = served;
  const becomes = (wanted: string[], what: string): Promise<void> =>
    until(
      async () => (await saidBy(served, names)).join() === wanted.join(),
      patienceMs,
      () => `${what}\n${logsOf(cluster)}`,
    );
  await becomes(['200 503', '503 200', '503 503'], 'a primary, a secondary and a watchdog');
  await give(cluster, 'nodeB', {
    kind: 'role',
    role: 'init',
    resources: ['shared'],
    force: false,
    wait: true,
  });
  await becomes(['200 503', '503 503', '503 503'], 'no secondary any more');
  await give(cluster, 'nodeB', {
    kind: 'role',
    role: 'secondary',
    resources: ['shared'],
    force: false,
    wait: true,
  });
  await becomes(['200 503', '503 200', '503 503'], 'a secondary again');
  cluster.node('nodeA').killMachine();
  await becomes(['0 0', '200 503', '503 503'], 'the other one runs it');
});

test('a secondary in whose place something is kept in maintenance is not fit', async (t) => {
  const names = ['nodeA', 'nodeB', 'nodeC'];
  const served = await servedFor(t, { nodes: names });
  await give(served.cluster, 'nodeA', {
    ...{ kind: 'maintenance', what: 'on', resources: ['shared'], reason: 'upgrade', forMs: null },
  });
  await until(
    async () => (await saidBy(served, names)).join() === '200 503,503 503,503 503',
    patienceMs,
    () => logsOf(served.cluster),
  );
});
