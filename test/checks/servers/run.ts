/**
 * The checks against real servers, as Debian has them: `node dist/test/checks/servers/run.js [NAME...]`, as root, with the servers'
 * packages installed. Each is started, checked in every way by the real monitor process, stopped, and asked what it thought of us.
 * Prints a line for each finding; exit status 1 where one is not as it has to be.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeNature, type Nature } from '../../../daemon/checks/natures.js';
import { formatDiagnostics } from '../../../daemon/config/diagnostic.js';
import { parseConfig } from '../../../daemon/config/load.js';
import { createMonitorHost, type MonitorHost } from '../../../daemon/runtime/monitor-host.js';
import { hastmond } from '../../system/paths.js';
import { until } from '../../system/wait.js';
import { unheard } from '../monitor-support.js';
import { type Certificates, makeCertificates } from './certificates.js';
import { dovecot, opensmtpd, openssh, vsftpd } from './greeters.js';
import { dnsmasq, pinged } from './network.js';
import type { Finding, Server } from './server.js';
import { createStage, furnish, type Program, type Stage } from './stage.js';
import { mariadb, postgres, redis, redisWithPassword } from './stores.js';
import { CA, nginx } from './web.js';

const SERVERS = [
  nginx,
  openssh,
  opensmtpd,
  dovecot,
  vsftpd,
  redis,
  redisWithPassword,
  postgres,
  mariadb,
  dnsmasq,
  pinged,
];
const READY_MS = 30_000;
/** A good answer over loopback takes no longer, however busy the machine is. */
const LATENCY_MAX_MS = 3000;
const INSIDE = '--inside';

function main(): number {
  const wanted = process.argv.slice(2);
  if (process.getuid?.() !== 0) return skip('it needs root');
  const missing = SERVERS.flatMap(({ programs }) => [...programs]).filter(
    (program) =>
      spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${program}`], { stdio: 'ignore' }).status !== 0,
  );
  if (missing.length > 0) return skip(`these programs are not there: ${missing.join(', ')}`);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hastmon-servers-'));
  const spaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  try {
    const words = [...spaces, process.execPath, fileURLToPath(import.meta.url), INSIDE, folder, ...wanted];
    return spawnSync('unshare', words, { stdio: 'inherit' }).status ?? 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function skip(reason: string): number {
  console.log(`real servers: skipped, ${reason}`);
  return 0;
}

interface Trial {
  stage: Stage;
  certificates: Certificates;
  host: MonitorHost;
  /** The names of checks by their texts. */
  names: ReadonlyMap<string, string>;
  edges: string[];
  problems: string[];
}

async function inside(folder: string, wanted: readonly string[]): Promise<number> {
  const stage = createStage(folder);
  furnish(stage);
  const certificates = makeCertificates(stage);
  const servers = SERVERS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const edges: string[] = [];
  const lines: string[] = [];
  const note = (_: object, text: string): void => void lines.push(text);
  const host = createMonitorHost({
    script: hastmond,
    records: { record: () => {}, forget: () => {} },
    log: { debug: note, info: note, warn: note, error: note },
    events: {
      ...unheard,
      edge: (name, edge, _, last) => void edges.push(`${name} ${edge} ${last.nature}`),
    },
    wall: () => Date.now() / 1000,
  });
  const trial: Trial = {
    stage,
    certificates,
    host,
    names: define(host, servers, certificates),
    edges,
    problems: [],
  };
  try {
    await until(
      () => lines.some((line) => line.includes('is ready')),
      READY_MS,
      () => lines.join('\n'),
    );
    // Those that take long to set up go on while the others are checked.
    await Promise.all(servers.map((server) => tryServer(trial, server)));
  } finally {
    await host.close();
  }
  console.log(`${trial.problems.length === 0 ? 'all as it has to be' : `${trial.problems.length} problems`}`);
  for (const problem of trial.problems) console.log(`PROBLEM ${problem}`);
  return trial.problems.length === 0 ? 0 : 1;
}

/** Has all checks of all servers made, when asked for: at their own interval none comes up. */
function define(host: MonitorHost, servers: readonly Server[], { ca }: Certificates): Map<string, string> {
  const texts = servers.flatMap(({ up, rude = [], later, down }) =>
    [...up, ...rude, ...(later?.findings ?? []), ...down].map(([text]) => text),
  );
  const all = [...new Set(texts)];
  const names = new Map(all.map((text, index) => [text, `c${index}`]));
  const checks = [...names].map(([text, name]) => `check ${name} ${quoteUrl(text.replaceAll(CA, ca))}\n`);
  const common = 'monitor { interval 1h retry_interval 1h timeout 3s rise 1 fall 1 user nobody }\n';
  const { config, diagnostics } = parseConfig(
    common + checks.join(''),
    '/hastmon.conf',
    () => ({ ok: false, reason: 'none' }),
    { hostname: 'a' },
  );
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (config?.monitor == null) throw new Error(formatDiagnostics(errors));
  host.apply(config.monitor, () => false);
  return names;
}

/** A URL with blanks or braces in it goes in quotation marks. */
function quoteUrl(text: string): string {
  const [, url = '', options = ''] = /^(.*?)( \{ .*)?$/.exec(text) ?? [];
  return `"${url.replaceAll(/["\\]/g, '\\$&')}"${options}`;
}

async function tryServer(trial: Trial, server: Server): Promise<void> {
  const { stage, certificates } = trial;
  const fail = (text: string): void => void trial.problems.push(`${server.name}: ${text}`);
  let program: Program | undefined;
  try {
    program = await server.start(stage, certificates);
    await ready(trial, server, program);
    await findings(trial, server, 'up', server.up);
    await politely(server, program);
    await findings(trial, server, 'rude', server.rude ?? []);
    await server.later?.prepare(stage, program);
    await findings(trial, server, 'then', server.later?.findings ?? []);
    await program.stop(server.stopSignal);
    await findings(trial, server, 'down', server.down);
    for (const [text] of server.down) {
      const name = trial.names.get(text) ?? '';
      const wasUp = server.up.some(([other, nature]) => other === text && nature.startsWith('ok'));
      if (wasUp && !trial.edges.some((edge) => edge.startsWith(`${name} down`))) fail(`no edge of ${text}`);
    }
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
    if (program !== undefined) console.log(`--- ${server.name}'s log\n${program.log()}`);
    await program?.stop('SIGKILL').catch(() => {});
  }
}

/** Its own first check waits for it: what else would come and go, its log would tell of. */
async function ready({ host, names }: Trial, { up }: Server, program: Program): Promise<void> {
  const name = names.get(up[0]?.[0] ?? '') ?? '';
  let seen = '';
  await until(
    async () => {
      const { last } = await host.run(name);
      seen = describeNature(last.nature as Nature, last.detail);
      return last.nature === 'ok';
    },
    READY_MS,
    () => `not ready: ${seen}\n${program.log()}`,
  );
}

async function findings(
  trial: Trial,
  server: Server,
  when: string,
  wanted: readonly Finding[],
): Promise<void> {
  for (const [text, nature, saying] of wanted) {
    const { last } = await trial.host.run(trial.names.get(text) ?? '');
    const found = last.detail === 0 ? last.nature : `${last.nature} ${last.detail}`;
    const plausible = last.nature !== 'ok' || (last.latencyMs > 0 && last.latencyMs < LATENCY_MAX_MS);
    const right = found === nature && plausible && (saying === undefined || saying.test(last.text));
    const shown = `${server.name.padEnd(10)} ${when.padEnd(4)} ${found.padEnd(22)} ${last.latencyMs.toFixed(1).padStart(7)} ms  ${text}`;
    console.log(shown);
    if (!right)
      trial.problems.push(
        `${server.name}, ${when}: ${text}: ${found}, not ${nature}; ${last.text} ${JSON.stringify(last.excerpt)}`,
      );
  }
}

/** What a server has written of those who spoke its own language: farewells, and no complaint. */
async function politely({ complaints, farewells }: Server, program: Program): Promise<void> {
  const { pattern, least } = farewells ?? { pattern: /$/, least: 0 };
  const seen = (): string[] => program.log().split('\n');
  await until(
    () => seen().filter((line) => pattern.test(line)).length >= least,
    3000,
    () => `it has not seen us leave ${least} times\n${program.log()}`,
  );
  const complaint = seen().find((line) => complaints.test(line));
  if (complaint !== undefined) throw new Error(`it complains: ${complaint}`);
}

if (process.argv[2] === INSIDE) process.exitCode = await inside(process.argv[3] ?? '', process.argv.slice(4));
else process.exitCode = main();
