// In the virtual machine: two directors with virtual addresses and a watchdog. The addresses and the table go to the other one under
// traffic, and what is known goes along; established connections live on. Prints TAP.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type Daemon,
  openConsole,
  startDaemon,
  tableIn,
  until,
  weightsAre,
  weightsIn,
  writeVirtualServices,
} from './director.js';
import {
  buildNetwork,
  clockMs,
  DIRECT,
  type Director,
  end,
  NAT,
  type ServerName,
  startServer,
} from './lab.js';
import { type Load, startLoad } from './load.js';

const FULL = { s1: 40, s2: 30, s3: 20, s4: 10 };
/** Longer than any failover takes here: TCP goes on trying, and so does a client. */
const LIMIT_MS = 120_000;
const servers = new Map<ServerName, ChildProcess>();
const daemons = new Map<string, Daemon>();
let kept: Load;
let keptDirect: Load;
let fresh: Load;

function writeConfiguration(): void {
  const hook = fileURLToPath(new URL('../../../../test/vm/ipvs/addresses', import.meta.url));
  const node = (name: string, last: number): string =>
    `on ${name} { control /run/${name}.ctl ; listen tcp4://10.1.0.${last} ; state_dir /var/lib/${name} }`;
  const text = (own: string): string => `
    heartbeat_interval 2s ; lease_timeout 20s ; stop_timeout 14s ; status_timeout 14s ; status_interval 10s ; timeout 15s
    balancer { config /run/${own}.vs ; nodes a b ; while primary lb ; sync_interface eth0 ; sync_id 7 }
    ${[node('a', 11), node('b', 12), node('w', 13)].join('\n')}
    resource lb {
      exec ${hook} ; friends 10.1.0.11 10.1.0.12 10.1.0.13
      on a { remote tcp4://10.1.0.12 ; priority 1 ; role_on_start primary }
      on b { remote tcp4://10.1.0.11 ; priority 2 ; role_on_start secondary }
      on w { remote tcp4://10.1.0.11 tcp4://10.1.0.12 ; role_on_start watchdog }
    }\n`;
  for (const name of ['a', 'b', 'w']) {
    writeFileSync(`/run/${name}.conf`, text(name));
    writeVirtualServices(name, FULL);
  }
}

before(async () => {
  buildNetwork();
  writeConfiguration();
  for (const name of ['s1', 's2', 's3', 's4', 'sorry'] as const) servers.set(name, startServer(name));
  for (const name of ['a', 'b', 'w']) daemons.set(name, await startDaemon(name, name !== 'w'));
  for (const address of [NAT, DIRECT]) await weightsAre('a', FULL, address);
  kept = startLoad({ mode: 'keep', address: NAT, connections: 12, everyMs: 500, limitMs: LIMIT_MS });
  keptDirect = startLoad({ mode: 'keep', address: DIRECT, connections: 12, everyMs: 500, limitMs: LIMIT_MS });
  fresh = startLoad({ mode: 'new', address: NAT, connections: 3, everyMs: 200, limitMs: LIMIT_MS });
  await Promise.all([kept.answers(36), keptDirect.answers(36)]);
});

after(async () => {
  for (const load of [kept, keptDirect, fresh]) await load?.stop();
  for (const { main } of daemons.values()) main.kill('SIGKILL');
  for (const one of daemons.values()) await one.gone();
  for (const child of servers.values()) await end(child);
});

/** The other one answers; whoever comes anew in between may find nobody at the address, and nobody may after that. */
async function taken(by: Director, from: Director): Promise<void> {
  const beganAt = clockMs();
  await until(`${by} to have the table`, () => Object.keys(weightsIn(by)).length > 0);
  for (const address of [NAT, DIRECT]) await weightsAre(by, { s1: 40, s2: 0, s3: 20, s4: 10 }, address);
  await Promise.all([kept.answers(36), keptDirect.answers(36), fresh.answers(20)]);
  const takenAt = clockMs();
  process.stdout.write(`# from ${from} to ${by} within ${takenAt - beganAt} ms\n`);
  await Promise.all([kept.answers(36), keptDirect.answers(36), fresh.answers(20)]);
  assert.deepEqual([...kept.failures, ...keptDirect.failures], []);
  assert.deepEqual(
    fresh.failures.filter(({ began }) => began > takenAt),
    [],
  );
}

test('a role that is given over: the other director goes on with what is disabled, and no connection ends [B12]', async () => {
  const session = openConsole('a');
  await session.ask('set host s2 off for vs www,direct for deploy');
  session.close();
  await weightsAre('a', { s2: 0 });
  const ctl = fileURLToPath(new URL('../../../bin/hastmonctl.js', import.meta.url));
  execFileSync(process.execPath, [ctl, '-c', '/run/a.conf', '-n', 'a', 'role', 'secondary', 'lb']);
  await taken('b', 'a');
  await until('a to have no table', () => tableIn('a').size === 0);
  const other = openConsole('b');
  assert.match(await other.ask('show host s2 for www'), /Disabled=1 Reasons="deploy"/);
  other.close();
});

test('the machine of the director is cut off: the other one takes over, and no connection ends [B12]', async () => {
  execFileSync('ip', ['link', 'set', 'v-b', 'down']);
  await taken('a', 'b');
});
