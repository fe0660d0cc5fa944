/**
 * What the balancer's decisions cost with 1,000 virtual services of 10 servers each: start, a reload with one change, the loss of half of the
 * servers at once; and how many operations of the kernel they are. `npm run bench:balancer`. The floor is the time in which the same
 * process walks over the table once and makes the text of an operation for each entry; figures are medians, with their ratio to it.
 * Exit status 1 where the number of operations does not follow the difference.
 */
import { parseBalancerFile } from '../daemon/balancer/config/load.js';
import * as core from '../daemon/balancer/core/balancer.js';
import type { BalancerInput } from '../daemon/balancer/core/types.js';
import { inOrder, lineOf } from '../daemon/balancer/ipvs/diff.js';
import type { Change, Table } from '../daemon/balancer/types.js';
import { median } from './row.js';

const SERVICES = 1000;
const SERVERS = 10;
const RUNS = 7;

function fileText(changed: boolean): string {
  const lines = ['Email.SMTP=127.0.0.1'];
  for (let service = 0; service < SERVICES; service += 1)
    lines.push(`! vs${service} 10.0.${service >> 8}.${service & 255}:80 http://www.example.com/`);
  for (let host = 0; host < SERVICES * SERVERS; host += 1) {
    const weight = changed && host === 5000 ? 50 : 100;
    lines.push(`h${host} 10.1.${host >> 8}.${host & 255} vs${host % SERVICES}=${weight}`);
  }
  return `${lines.join('\n')}\n`;
}

interface Trial {
  state: core.BalancerState;
  now: number;
  step(input: Omit<BalancerInput, 'now'>): void;
  /** Plans, and has it done. */
  apply(): Change[];
}

function trial(): Trial {
  const state = core.createBalancer();
  const made: Trial = {
    state,
    now: 1000,
    step(input) {
      core.stepBalancer(state, { ...input, now: made.now } as BalancerInput);
    },
    apply() {
      const changes = core.planChanges(state, made.now);
      changes.map(lineOf);
      made.step({ kind: 'applied', changes } as Omit<BalancerInput, 'now'>);
      return changes;
    },
  };
  core.restore(state, { kind: 'none' });
  made.step({ kind: 'table', table: new Map() } as Omit<BalancerInput, 'now'>);
  made.step({ kind: 'active', active: true } as Omit<BalancerInput, 'now'>);
  return made;
}

function configure(made: Trial, text: string): void {
  const { config } = parseBalancerFile(text, 'bench');
  if (config === null) throw new Error('the file of the benchmark is wrong');
  const addresses = new Map([...config.services, ...config.hosts].map(({ host }) => [host, host]));
  made.step({ kind: 'config', config, addresses } as Omit<BalancerInput, 'now'>);
}

function results(made: Trial, names: readonly string[], state: 'up' | 'down'): void {
  const pass = state === 'up';
  const each = names.map((name) => ({
    name,
    state,
    pass,
    nature: pass ? 'ok' : 'refused',
    begunAt: made.now,
  }));
  made.step({ kind: 'results', results: each } as Omit<BalancerInput, 'now'>);
}

interface Measured {
  ms: number;
  operations: number;
}

function timed(work: () => Change[]): Measured {
  const begun = performance.now();
  const { length } = work();
  return { ms: performance.now() - begun, operations: length };
}

function floorOf(table: Table): number {
  const begun = performance.now();
  const changes: Change[] = [];
  for (const [service, { servers, ...rest }] of table) {
    changes.push({ kind: 'add-service', service, ...rest });
    for (const [server, about] of servers) changes.push({ kind: 'add-server', service, server, ...about });
  }
  inOrder(changes).map(lineOf).join('\n');
  return performance.now() - begun;
}

const [text, changedText] = [fileText(false), fileText(true)];

function run(): Record<'start' | 'reload' | 'loss' | 'floor', Measured> {
  const made = trial();
  const start = timed(() => {
    configure(made, text);
    made.now += 1000;
    results(
      made,
      core.checksOf(made.state).map(({ name }) => name),
      'up',
    );
    return made.apply();
  });
  made.now += 1000;
  const reload = timed(() => {
    configure(made, changedText);
    return made.apply();
  });
  made.now += 1000;
  const half = core.checksOf(made.state).filter((_, at) => at % 2 === 0);
  const loss = timed(() => {
    results(
      made,
      half.map(({ name }) => name),
      'down',
    );
    return made.apply();
  });
  const floor = { ms: floorOf(core.wantedTable(made.state, made.now)), operations: 0 };
  return { start, reload, loss, floor };
}

const runs = Array.from({ length: RUNS }, run);
const floor = median(runs.map((one) => one.floor.ms));
const expected = { start: SERVICES + SERVICES * SERVERS, reload: 1, loss: (SERVICES * SERVERS) / 2 };
let wrong = false;
process.stdout.write(`${SERVICES} virtual services with ${SERVERS} servers each; medians of ${RUNS} runs\n`);
process.stdout.write(`floor: one walk over the table as text ${floor.toFixed(1)} ms\n`);
for (const [name, operations] of Object.entries(expected) as ['start' | 'reload' | 'loss', number][]) {
  const ms = median(runs.map((one) => one[name].ms));
  const counted = runs[0]?.[name].operations ?? 0;
  wrong ||= runs.some((one) => one[name].operations !== operations);
  const words = [
    `${ms.toFixed(0)} ms`,
    `${(ms / floor).toFixed(1)} times the floor`,
    `${counted} operations`,
  ];
  process.stdout.write(
    `${name.padEnd(8)}${words.join(', ')}${counted === operations ? '' : ` (expected ${operations})`}\n`,
  );
}
process.exitCode = wrong ? 1 : 0;
