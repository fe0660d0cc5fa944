/** What the tests of hastmonctl share: a control socket with somebody behind it, a terminal that remembers, the program. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Invocation, readArguments } from '../../ctl/arguments.js';
import { run } from '../../ctl/run.js';
import type { Terminal } from '../../ctl/terminal.js';
import { type ControlServerOptions, createControlServer } from '../../daemon/control/server.js';
import type { StatusEntry } from '../../proto/control-types.js';

const program = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../ctl/hastmonctl.js');

/** A directory that goes with the test. */
export function directory(t: TestContext): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'hastmon-ctl-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A hastmond as far as hastmonctl sees it; gives the path of a configuration that names its control socket. */
export async function fakeDaemon(t: TestContext, handle: ControlServerOptions['handle']): Promise<string> {
  const dir = directory(t);
  const control = path.join(dir, 'control');
  const log = { debug() {}, info() {}, warn() {}, error() {}, trace() {} };
  const server = createControlServer({ config: { path: control, mode: 0o600 }, handle, log });
  await server.listen();
  t.after(() => server.close());
  const config = path.join(dir, 'hastmon.conf');
  writeFileSync(config, `control ${control}\n${RESOURCE}`);
  return config;
}

const NODES = ['alpha', 'beta', 'gamma'].map((node) => `on ${node} { remote none }`).join('\n');

/** A resource, for configurations that must be without errors. */
export const RESOURCE = `resource mail {\nexec /bin/true\n${NODES}\n}\n`;

export interface Heard {
  out: string;
  err: string;
  code: number;
}

/** Runs the words in this process, with a terminal on which these answers are typed (none: nobody is there). */
export async function hastmonctl(words: readonly string[], answers: readonly string[] = []): Promise<Heard> {
  const heard = { out: '', err: '', code: 0 };
  const typed = [...answers];
  const terminal: Terminal = {
    print: (text) => {
      heard.out += text;
    },
    note: (line) => {
      heard.err += `${line}\n`;
    },
    progress: (line) => {
      if (line !== '') heard.err += `progress: ${line}\n`;
    },
    colour: false,
    columns: () => Number.POSITIVE_INFINITY,
    gone: () => false,
    screen: async () => null,
    ask: async () => typed.shift() ?? null,
  };
  heard.code = await run(await invocationOf(words), terminal);
  return heard;
}

/** The command line as an invocation; it must be one. */
export async function invocationOf(words: readonly string[]): Promise<Invocation> {
  const read = await readArguments(words);
  if (read.kind === 'run') return read.invocation;
  throw new Error(read.kind === 'refuse' ? read.message : 'it printed something');
}

/** Runs the program itself, by a shell where it is to be `"$@"` in a script. */
export function execute(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  script = 'exec "$@"',
): Promise<Heard> {
  const child = spawn('/bin/sh', ['-c', script, 'sh', process.execPath, program, ...words], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const heard = { out: '', err: '', code: -1 };
  child.stdout.on('data', (chunk) => {
    heard.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    heard.err += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...heard, code: code ?? -1 })));
}

/** A primary that is well, with what a test says otherwise. */
export function entryOf(other: Partial<StatusEntry> = {}): StatusEntry {
  const voter = { self: false, reachable: true, heardMs: 100, grantingTo: 'alpha', history: true };
  return {
    resource: 'mail',
    role: 'primary',
    roleSet: 'primary',
    workerPid: 4711,
    exec: '/etc/mail.sh',
    remotes: [
      {
        address: 'tcp4://bolek',
        node: 'beta',
        connected: true,
        heardMs: 100,
        role: 'secondary',
        state: 'unknown',
        reason: '',
      },
    ],
    state: 'run',
    attempts: { now: 0, limit: 5 },
    complaints: { now: 0, intervalMs: 60_000, threshold: 3 },
    heartbeatMs: 10_000,
    lease: { held: true, epoch: 12, leftMs: 2400, leaseMs: 3000, grantMs: 8080, stopBudgetMs: 5000 },
    voters: [
      { ...voter, node: 'alpha', self: true },
      { ...voter, node: 'beta' },
      { ...voter, node: 'gamma', reachable: false, heardMs: 12_000, grantingTo: '', history: false },
    ],
    priority: 10,
    waiting: '',
    warnings: [],
    forced: false,
    holder: 'alpha',
    lastError: '',
    restartMarginMs: 5200,
    backedBy: 'the watchdog device',
    reports: [],
    maintenance: null,
    ...other,
  };
}
