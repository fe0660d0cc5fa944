/**
 * Orders of events that the real ipvsadm and the kernel cannot be brought to: a script in ipvsadm's place keeps a table in a file, and
 * waits where it is told to. What a table is and does is tried in virtual machines.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createTableKeeper } from '../../../daemon/balancer/process/table-keeper.js';
import type { Change } from '../../../daemon/balancer/types.js';
import { until } from '../../system/wait.js';

const LIMIT_MS = 20_000;
const RETRY_MS = 200;

/** Complains about every change, and makes it all the same. */
const PROGRAM = `#!/bin/sh
cd "$(dirname "$0")" || exit 9
echo "$*" >> asked
case "$*" in
"-S -n") [ -e missing ] && { echo "Can't initialize ipvs: Protocol not available" >&2; exit 255; }
  cat table ;;
-R) while [ -e wait ]; do sleep 0.05; done
  cat >> table; echo "Memory allocation problem" >&2; exit 1 ;;
"-L --daemon") cat daemons ;;
--start-daemon*) echo "$2 sync daemon (mcast=$4, syncid=$6)" >> daemons ;;
--stop-daemon*) : > daemons ;;
esac
`;

function programFor(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-ipvsadm-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = path.join(folder, 'ipvsadm');
  writeFileSync(program, PROGRAM);
  chmodSync(program, 0o755);
  const file = (name: string): string => path.join(folder, name);
  for (const name of ['asked', 'table', 'daemons']) writeFileSync(file(name), '');
  return {
    program,
    asked: (): string[] => readFileSync(file('asked'), 'utf8').split('\n').slice(0, -1),
    daemons: (): string => readFileSync(file('daemons'), 'utf8'),
    set: (name: string): void => writeFileSync(file(name), ''),
    unset: (name: string): void => {
      if (existsSync(file(name))) rmSync(file(name));
    },
  };
}

const CHANGES: Change[] = [
  {
    ...{ kind: 'add-service', service: '-t 192.0.2.1:80', scheduler: 'wrr', persistenceSeconds: 0 },
    more: '',
  },
];

function keeperFor(t: TestContext) {
  const fed: string[] = [];
  const lines: string[] = [];
  const recorded: string[] = [];
  let plan: Change[] = [];
  const note = (_: object, text: string): void => void lines.push(text);
  const keeper = createTableKeeper({
    log: { debug: () => {}, info: note, warn: note, error: note },
    plan: () => plan,
    record: ({ kind }) => void recorded.push(kind),
    prepare: () => {},
    feed: (input) => {
      fed.push(input.kind === 'table' ? `table ${input.table.size}` : input.kind);
      if (input.kind !== 'table') plan = [];
    },
    pollMs: 50,
    retryMs: RETRY_MS,
  });
  t.after(() => keeper.close());
  return { keeper, fed, lines, recorded, want: (changes: Change[]) => (plan = changes) };
}

test('another ipvsadm is taken when what the one before does is known', async (t) => {
  const [one, other] = [programFor(t), programFor(t)];
  const { fed, keeper, want } = keeperFor(t);
  keeper.open(one.program);
  await keeper.settle();
  assert.deepEqual(fed, ['table 0']);
  one.set('wait');
  want(CHANGES);
  const settled = keeper.settle();
  await until(() => one.asked().includes('-R'), LIMIT_MS, 'it changes the table');
  keeper.open(other.program);
  const then = keeper.settle();
  one.unset('wait');
  await settled;
  assert.deepEqual(fed, ['table 0', 'applied']);
  await then;
  assert.equal(fed[2], 'table 0');
  assert.equal(other.asked()[0], '-S -n');
});

test('a kernel that gets IPVS later has its table kept from then on', async (t) => {
  const program = programFor(t);
  program.set('missing');
  const { fed, keeper, lines, recorded, want } = keeperFor(t);
  keeper.open(program.program);
  want(CHANGES);
  await keeper.settle();
  assert.match(keeper.problem(), /^this kernel has no IPVS/);
  await until(() => program.asked().length >= 3, LIMIT_MS, 'it is tried again');
  assert.equal(fed.length, 0);
  assert.equal(lines.length, 1, 'and told once');
  program.unset('missing');
  await until(
    () => fed.includes('applied'),
    LIMIT_MS,
    () => fed.join(),
  );
  assert.equal(keeper.problem(), '');
  assert.deepEqual(recorded, ['table-lost', 'table-kept']);
});

test('where the kernel shows no table in /proc, ipvsadm is not run at every look', async (t) => {
  const program = programFor(t);
  const { keeper } = keeperFor(t);
  keeper.open(program.program);
  const begun = performance.now();
  await keeper.settle();
  await until(() => program.asked().length >= 5, LIMIT_MS, 'it is read again and again');
  assert.ok(performance.now() - begun > 3 * RETRY_MS);
});

test('synchronization is begun, changed and ended, and nobody else’s afterwards', async (t) => {
  const program = programFor(t);
  const { keeper } = keeperFor(t);
  keeper.open(program.program);
  await keeper.settle();
  keeper.sync({ state: 'backup', interface: 'eth0', id: 3 });
  await until(
    () => program.daemons().startsWith('backup sync daemon (mcast=eth0, syncid=3)'),
    LIMIT_MS,
    program.daemons,
  );
  keeper.sync({ state: 'master', interface: 'eth0', id: 3 });
  await until(() => program.daemons().startsWith('master'), LIMIT_MS, program.daemons);
  assert.equal(program.daemons().trim().split('\n').length, 1);
  keeper.sync({ state: 'none' });
  await until(() => program.daemons() === '', LIMIT_MS, program.daemons);
});
