/** What a name means that is to be explained: all that it may, and what there is where it means nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BalancerSettings } from '../../daemon/balancer/settings.js';
import type { MonitorConfig } from '../../daemon/checks/spec.js';
import { parseOneCheck } from '../../daemon/config/one-check.js';
import { startNode } from '../../daemon/core/node.js';
import { createExplainHandler, type ExplainOptions } from '../../daemon/runtime/explain-commands.js';
import type { Explanation } from '../../proto/explain-types.js';
import { settings } from '../core/given.js';

function specOf(name: string): MonitorConfig['checks'][number] {
  const parsed = parseOneCheck('tcp://192.0.2.7:80', []);
  assert.ok(parsed.ok);
  return { ...parsed.spec, name };
}

const MONITOR: MonitorConfig = {
  ...{
    active: true,
    nodes: ['a', 'b'],
    addresses: [],
    key: null,
    users: [],
    chroot: '',
    flights: 1,
    plugins: 1,
  },
  ...{
    resolveMs: 60_000,
    dmonitor: '',
    alerts: [],
    judged: [],
    checks: ['web', 'shared', 'ssh@w1', 'ssh@w2'].map(specOf),
  },
};
const SERVER: Explanation = {
  ...{ subject: 'server', name: 'w1/www', node: 'a', sentence: 'weight 0', verdicts: {}, conditions: [] },
};

function given(change: Partial<ExplainOptions> & { monitor?: ExplainOptions['monitor'] } = {}) {
  const init = { settings: settings(), incarnation: 1, record: null, leftRunning: null, kept: null };
  const { state } = startNode({ ...init, roleOnStart: 'secondary' }, 0);
  const asked: string[] = [];
  const handler = createExplainHandler({
    config: () => ({ monitor: MONITOR, balancer: {} as BalancerSettings, node: 'a' }),
    resources: new Map([['shared', { state: () => state }]]),
    monitor: { look: async () => [] },
    confirm: () => null,
    servers: async (name) => {
      asked.push(name);
      const explanations = ['w1', 'w1/www', 'shared'].includes(name) ? [SERVER] : [];
      return { error: null, text: '', answer: null, explained: { explanations, hosts: ['w1'] } };
    },
    now: () => 10,
    ...change,
  });
  const meant = async (name: string): Promise<string[]> => {
    const { error, explanations = [] } = await handler({ kind: 'explain', name });
    return error
      ? [`${error.code} ${error.message}`]
      : explanations.map((each) => `${each.subject} ${each.name}`);
  };
  return { handler, meant, asked };
}

test('a resource, a check, a block of them, a host, a server; all that a name means', async () => {
  const { meant } = given();
  assert.deepEqual(await meant('web'), ['check web']);
  assert.deepEqual(await meant('ssh'), ['check ssh@w1', 'check ssh@w2']);
  assert.deepEqual(await meant('ssh@w2'), ['check ssh@w2']);
  assert.deepEqual([await meant('w1'), await meant('w1/www')], [['server w1/www'], ['server w1/www']]);
  assert.deepEqual(await meant('shared'), ['resource shared', 'check shared', 'server w1/www']);
});

test('what means nothing: what there is, or what was probably meant', async () => {
  const { meant } = given();
  assert.deepEqual(await meant('wbe'), [
    "68 there is no resource, check or host of the balancer 'wbe'; did you mean 'web'?",
  ]);
  assert.deepEqual(await meant('nothing'), [
    "68 there is no resource, check or host of the balancer 'nothing'; " +
      'there are: resources shared; checks web, shared, ssh@w1, ssh@w2, ssh; hosts of the balancer w1',
  ]);
  const config = () => ({ monitor: null, balancer: null, node: 'a' });
  const empty = given({ config, resources: new Map() });
  assert.match((await empty.meant('x'))[0] ?? '', /there is nothing on this node$/);
  assert.deepEqual(empty.asked, [], 'where there is no balancer it is not asked');
});

test('what cannot be asked is said, and keeps nothing else from being explained', async () => {
  const servers: ExplainOptions['servers'] = async () => ({
    ...{ error: { code: 69, message: 'it does not run' }, text: '', answer: null, explained: null },
  });
  const { handler, meant } = given({ servers });
  const { explanations, text } = await handler({ kind: 'explain', name: 'web' });
  assert.deepEqual(
    [explanations?.length, text],
    [1, 'the servers of the balancer cannot be asked: it does not run'],
  );
  assert.deepEqual(await meant('w1'), ['69 the servers of the balancer cannot be asked: it does not run']);
  const config = () => ({ monitor: { ...MONITOR, active: false }, balancer: null, node: 'a' });
  assert.deepEqual(await given({ config }).meant('web'), [
    '69 the checks: node a does not monitor; a and b do',
  ]);
  const blind = given({ monitor: { look: () => Promise.reject(new Error('it has ended')) } });
  const checks = (await blind.handler({ kind: 'explain', name: 'web' })).explanations ?? [];
  assert.equal(checks[0]?.sentence, 'not known here: the checks do not run');
});

test('a balancer that says nothing is not waited for where something else is meant', async () => {
  const { handler } = given({ servers: () => new Promise(() => {}) });
  const since = performance.now();
  const { explanations, text } = await handler({ kind: 'explain', name: 'shared' });
  assert.deepEqual([explanations?.length, text], [2, 'the balancer has not answered yet: ask it again']);
  // Load balancers ask for it, and are answered within a second.
  assert.ok(performance.now() - since < 1500);
});

test('of thousands some are explained, and it is said how many are not', async () => {
  const many = Array.from({ length: 300 }, () => SERVER);
  const servers: ExplainOptions['servers'] = async () => ({
    ...{ error: null, text: '', answer: null, explained: { explanations: many, hosts: ['w1'] } },
  });
  const host = await given({ servers }).handler({ kind: 'explain', name: 'w1' });
  const rest = 'and 100 servers more: name one of them as HOST/SERVICE';
  assert.deepEqual([host.explanations?.length, host.text], [200, rest]);
  const checks = Array.from({ length: 1000 }, (_, at) => specOf(`ping@h${at}`));
  const config = () => ({ monitor: { ...MONITOR, checks }, balancer: null, node: 'a' });
  const { explanations, text } = await given({ config }).handler({ kind: 'explain', name: 'ping' });
  assert.deepEqual([explanations?.length, text], [200, 'and 800 checks more: name one of them']);
});
