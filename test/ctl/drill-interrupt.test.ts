/** A drill for real that is interrupted, as a program: what it says, and how it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exitCode } from '../../daemon/process/sysexits.js';
import type { ControlReply } from '../../proto/control-types.js';
import type { HaEvent } from '../../proto/event-types.js';
import type { MonitorAnswer } from '../../proto/monitor-types.js';
import { factsOf, MEASURED } from '../drill/support.js';
import { noScript, onTerminal } from './on-terminal.js';
import { directory, fakeDaemon } from './support.js';

const program = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../ctl/hastmonctl.js');
const CHECKS: MonitorAnswer = {
  ...{ kind: 'checks', entries: [], up: 0, down: 0, unknown: 0, next: 0 },
  ...{ lateMs: null, skipped: 0, note: '' },
};

const EVENT: HaEvent = {
  ...{ number: 1, node: 'alpha', at: Date.now(), boot: '01234567', bootMs: 1, kind: 'run-changed' },
  ...{ resource: 'shared', text: 'it runs here again', data: {} },
};

interface World {
  holder: string;
  set: 'primary' | 'secondary';
  asked: string[];
}

/** A cluster that moves it at once wherever it is told to. */
function cluster(): { world: World; handle: Parameters<typeof fakeDaemon>[1] } {
  const world: World = { holder: 'alpha', set: 'primary', asked: [] };
  const facts = () => {
    const node = (name: string, priority: number) => {
      const holds = world.holder === name;
      const [role, run] = holds ? (['primary', 'run'] as const) : (['secondary', 'stopped'] as const);
      return { priority, holds, role, run, able: !holds };
    };
    const nodes = { alpha: { ...node('alpha', 1), roleSet: world.set }, beta: node('beta', 2) };
    return factsOf({ settings: { priority: 1 }, hooks: MEASURED, nodes, bootMs: performance.now() });
  };
  const handle = async (request: { kind: string; role?: string }): Promise<Partial<ControlReply>> => {
    switch (request.kind) {
      case 'checks':
        return { monitor: CHECKS };
      case 'version':
        return { text: '1.2.3' };
      case 'drill':
        return { cluster: { kind: 'drill', facts: [facts()], missing: [] } };
      case 'switchover':
        Object.assign(world, { holder: 'beta', set: 'secondary' });
        break;
      case 'role':
        Object.assign(world, { holder: 'alpha', set: 'primary' });
        break;
      case 'timeline':
        return { cluster: { kind: 'timeline', resource: 'shared', failovers: [], missing: [] } };
      default:
        return {};
    }
    world.asked.push(request.kind);
    return {};
  };
  return { world, handle };
}

/** The program; `onSaid` gets what it has said so far whenever it says more. */
function start(
  t: TestContext,
  config: string,
  report: string,
  onSaid: (said: string) => NodeJS.Signals | null,
  hold = '1h',
) {
  const words = ['-c', config, '-n', 'alpha', 'drill', 'shared', '--for-real', '--yes', '--hold', hold];
  const child = spawn(process.execPath, [program, ...words, '--report', report], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => void child.kill('SIGKILL'));
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
    const signal = onSaid(err);
    if (signal !== null) child.kill(signal);
  });
  const ended = new Promise<{ code: number | null; err: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, err })),
  );
  return { child, ended };
}

/** That signal, once, when it has said so. */
function when(pattern: RegExp, signal: NodeJS.Signals): (said: string) => NodeJS.Signals | null {
  let sent = false;
  return (said) => {
    if (sent || !pattern.test(said)) return null;
    sent = true;
    return signal;
  };
}

describe('when all is back, the status says that it was cut, by the number of the signal', () => {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    test(signal, async (t) => {
      const { handle, world } = cluster();
      const report = path.join(directory(t), 'report.md');
      const config = await fakeDaemon(t, handle);
      const { code, err } = await start(t, config, report, when(/shared: runs on beta/, signal)).ended;
      assert.equal(code, status, err);
      assert.deepEqual([world.asked, world.holder], [['switchover', 'role'], 'alpha']);
      assert.match(err, /it comes back at once[\s\S]*\nhastmonctl: shared runs on alpha\n$/);
      assert.match(readFileSync(report, 'utf8'), /The operator interrupted it\./);
    });
});

test('once it is over, a signal ends the collecting alone: what there is is reported, and it has passed', {
  timeout: 25_000,
}, async (t) => {
  const { handle, world } = cluster();
  const drill: { interrupt(): void } = { interrupt() {} };
  const config = await fakeDaemon(t, (request, reply, signal, by) => {
    if (request.kind === 'events') reply({ events: [EVENT] });
    if (request.kind !== 'timeline') return handle(request, reply, signal, by);
    drill.interrupt();
    return new Promise(() => {});
  });
  const report = path.join(directory(t), 'report.md');
  const { child, ended } = start(t, config, report, () => null, '0s');
  drill.interrupt = () => void child.kill('SIGINT');
  const { code, err } = await ended;
  assert.equal(code, 0, err);
  assert.deepEqual([world.asked, world.holder], [['switchover', 'role'], 'alpha']);
  assert.match(
    err,
    /\nhastmonctl: interrupted: the report is without .*\nhastmonctl: shared runs on alpha\n$/,
  );
  assert.doesNotMatch(err, /comes back at once/);
  const text = readFileSync(report, 'utf8');
  assert.match(text, /Collecting this was interrupted/);
  assert.ok(text.includes(EVENT.text));
  assert.doesNotMatch(text, /The operator interrupted it/);
});

test('before anything has been begun that is said, whatever it is at; what it does is said from the start', async (t) => {
  const { handle, world } = cluster();
  const config = await fakeDaemon(t, async (request, reply, by, signal) =>
    request.kind === 'checks' ? new Promise(() => {}) : handle(request, reply, by, signal),
  );
  const report = path.join(directory(t), 'report.md');
  const { code, err } = await start(t, config, report, when(/computing how long/, 'SIGINT')).ended;
  assert.equal(code, 130, err);
  assert.equal(
    err,
    'shared: asking all nodes what speaks against a drill, and computing how long it would be away\n' +
      'hastmonctl: shared: interrupted; nothing has been done\n',
  );
  assert.deepEqual(world.asked, []);
});

test('a Ctrl-C at the prompt is no confirmation, and says so too', { skip: noScript }, async (t) => {
  const { handle, world } = cluster();
  const config = await fakeDaemon(t, handle);
  const report = path.join(directory(t), 'report.md');
  const words = ['-c', config, '-n', 'alpha', 'drill', 'shared', '--for-real', '--report', report];
  const terminal = onTerminal(t, [process.execPath, program, ...words].join(' '));
  await terminal.says("Type the resource's name (shared) to go on: ");
  terminal.type('\x03');
  await terminal.says('not confirmed; nothing has been done');
  assert.equal(await terminal.ended, exitCode.usage);
  assert.deepEqual(world.asked, []);
});
