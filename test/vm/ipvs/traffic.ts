// In the virtual machine: real requests through the real kernel, with the table changed under them as the balancer changes it. Prints TAP.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { diffService, inOrder } from '../../../daemon/balancer/ipvs/diff.js';
import { openKernel } from '../../../daemon/balancer/ipvs/kernel.js';
import { connectionsOf, parseProc } from '../../../daemon/balancer/ipvs/proc.js';
import type { Method, Table } from '../../../daemon/balancer/types.js';
import {
  buildNetwork,
  clockMs,
  DIRECT,
  end,
  giveAddresses,
  ipvsadmOf,
  NAT,
  SERVERS,
  startServer,
} from './lab.js';
import { type Load, startLoad, unfair } from './load.js';

const kernel = openKernel({ ipvsadm: ipvsadmOf('a'), log: () => {} });
const servers = new Map<string, ReturnType<typeof startServer>>();

before(() => {
  buildNetwork();
  giveAddresses('a');
  for (const name of ['s1', 's2', 's3', 's4'] as const) servers.set(name, startServer(name));
});
after(async () => {
  for (const child of servers.values()) await end(child);
});

type Weights = Readonly<Record<string, number>>;
const WAYS: readonly { way: string; address: string; method: Method }[] = [
  { way: 'NAT', address: NAT, method: 'masq' },
  { way: 'direct routing', address: DIRECT, method: 'gate' },
];

function tableOf(address: string, method: Method, weights: Weights): Table {
  const list = Object.entries(weights).map(
    ([name, weight]) => [`${SERVERS[name as 's1']}:80`, { weight, method, more: '' }] as const,
  );
  const service = { scheduler: 'wrr', persistenceSeconds: 0, more: '', servers: new Map(list) };
  return new Map([[`-t ${address}:80`, service]]);
}

async function make(wanted: Table): Promise<void> {
  const reading = await kernel.read();
  assert.ok('table' in reading, JSON.stringify(reading));
  const keys = new Set([...reading.table.keys(), ...wanted.keys()]);
  const changes = [...keys].flatMap((key) => diffService(key, reading.table.get(key), wanted.get(key)));
  assert.deepEqual(await kernel.apply(inOrder(changes)), { ok: true });
}

async function emptied(address: string, name: string): Promise<void> {
  const active = (): number | undefined => {
    const text = execFileSync('ip', ['netns', 'exec', 'a', 'cat', '/proc/net/ip_vs'], { encoding: 'latin1' });
    const proc = parseProc(text);
    assert.ok(proc !== null);
    return connectionsOf(proc, `-t ${address}:80`, `${SERVERS[name as 's1']}:80`)?.active;
  };
  for (let tries = 0; (active() ?? 0) > 0; tries += 1) {
    assert.ok(tries < 100, `${name} has connections`);
    await sleep(50);
  }
}

async function shared(load: Load, weights: Weights): Promise<void> {
  const since = clockMs();
  await load.answers(400);
  assert.equal(unfair(load.counts(since), weights), '');
}

for (const { way, address, method } of WAYS)
  test(`${way}: the share of each server follows its weight, whatever is changed under traffic; no request fails`, async (t) => {
    const first = { s1: 5, s2: 3, s3: 2, s4: 1 };
    await make(tableOf(address, method, first));
    const load = startLoad({ mode: 'new', address, connections: 20, everyMs: 20 });
    t.after(() => load.stop());
    await load.answers(1);
    for (const weights of [
      first,
      { s1: 1, s2: 1, s3: 4, s4: 4 },
      { s1: 0, s2: 5, s3: 0, s4: 10 },
      { s2: 5, s4: 10 },
      { s1: 100, s2: 200, s3: 300, s4: 400 },
    ]) {
      // A server that is taken out with requests on it takes them with it: first it is given no more, then it is empty.
      for (const name of Object.keys(first)) if (!(name in weights)) await emptied(address, name);
      await make(tableOf(address, method, weights));
      await shared(load, weights);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    await make(new Map());
  });
