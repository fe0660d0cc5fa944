/**
 * Two directors and a watchdog, real daemons: what is disabled on one is so on the other when that takes over, and only the primary's
 * balancer checks anything. Without a table to keep, as in daemon.test.ts.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { freePorts } from '../../system/network.js';
import { hastmonctl, hastmond } from '../../system/paths.js';
import { until } from '../../system/wait.js';

const LIMIT_MS = 30_000;
const NODES = ['nodeA', 'nodeB', 'nodeC'] as const;
type Node = (typeof NODES)[number];
const ROLES: Record<Node, string> = { nodeA: 'primary', nodeB: 'secondary', nodeC: 'watchdog' };

/** A lease that does not run out by itself where the machine is busy: it is handed over. */
const TIMES = 'heartbeat_interval 300ms lease_timeout 10s stop_timeout 3s status_timeout 5s';

/** A service that runs where its file is. */
const HOOK = `#!/bin/sh
state="$0.$HASTMON_NODE"
case $1 in
start) : >"$state" ;;
stop) rm -f "$state" ;;
status) [ -e "$state" ] || exit 1 ;;
esac
`;

interface Pair {
  ctl(node: Node, ...words: string[]): Promise<string>;
  log(node: Node): string;
  kill(node: Node): Promise<void>;
  /** To its main process alone. */
  signal(node: Node, signal: NodeJS.Signals): void;
  /** What it answers over HTTP. */
  get(node: Node, path: string): Promise<string>;
  /** The path of its control socket. */
  control(node: Node): string;
  /** Checks that have asked for this path. */
  asked(): number;
}

async function pairFor(t: TestContext): Promise<Pair> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-lb-'));
  let asked = 0;
  const web = http
    .createServer((_, answer) => {
      asked += 1;
      answer.end('fine');
    })
    .listen(0, '127.0.0.1');
  await once(web, 'listening');
  const { port } = web.address() as AddressInfo;
  const hook = path.join(folder, 'hook');
  writeFileSync(hook, HOOK);
  chmodSync(hook, 0o755);
  const ports = await freePorts(2 * NODES.length);
  const webPort = (node: Node): number | undefined => ports[NODES.length + NODES.indexOf(node)];
  const at = (node: Node): string => `tcp4://127.0.0.1:${ports[NODES.indexOf(node)]}`;
  const logs = new Map<Node, string>();
  const ends = new Map<Node, () => Promise<void>>();
  const children = new Map<Node, ChildProcess>();
  t.after(async () => {
    await Promise.all([...ends.values()].map((end) => end()));
    web.closeAllConnections();
    web.close();
    rmSync(folder, { recursive: true });
  });
  for (const node of NODES) {
    const file = path.join(folder, `${node}.conf`);
    writeFileSync(
      path.join(folder, `${node}.lb`),
      `DB=${folder}/${node}.db\nIPVSADM=${folder}/no-ipvsadm\n! www 192.0.2.1:80:${port} http://www/ interval=100ms\nsrv1 127.0.0.1 www=100\nsrv2 127.0.0.2 www=50\n`,
    );
    const sections = NODES.map((name) => {
      const others = NODES.filter((other) => other !== name && other !== 'nodeC');
      return `on ${name} { remote ${others.map(at).join(' ')} ; role_on_start ${ROLES[name]} }`;
    });
    writeFileSync(
      file,
      `control ${folder}/${node}.ctl\nstate_dir ${folder}/${node}
http 127.0.0.1:${webPort(node)}
${NODES.map((name) => `on ${name} { listen ${at(name)} }`).join('\n')}
balancer { config ${folder}/${node}.lb ; while primary lb ; console none ; nodes nodeA nodeB }
resource lb {\n exec ${hook}\n friends tcp4://127.0.0.1\n${TIMES}\n${sections.join('\n')}\n}\n`,
    );
    const words = [hastmond, '-F', '-n', node, '-c', file, '-P', path.join(folder, `${node}.pid`)];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (bytes: Buffer) => logs.set(node, (logs.get(node) ?? '') + bytes.toString()));
    children.set(node, child);
    const gone = once(child, 'close');
    ends.set(node, async () => {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await gone;
    });
  }
  const run = promisify(execFile);
  return {
    async ctl(node, ...words) {
      const args = [hastmonctl, ...words, '-s', path.join(folder, `${node}.ctl`)];
      const ended = await run(process.execPath, args).catch(
        (error: { stdout: string; stderr: string }) => error,
      );
      return ended.stdout + ended.stderr;
    },
    log: (node) => logs.get(node) ?? '',
    kill: async (node) => {
      await ends.get(node)?.();
      ends.delete(node);
    },
    signal: (node, signal) => void children.get(node)?.kill(signal),
    get: async (node, where) => (await fetch(`http://127.0.0.1:${webPort(node)}${where}`)).text(),
    control: (node) => path.join(folder, `${node}.ctl`),
    asked: () => asked,
  };
}

async function typed(socket: string, line: string): Promise<string> {
  const child = spawn(process.execPath, [hastmonctl, 'console', '-s', socket], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  child.stdin.end(`${line}\n`);
  await once(child, 'close');
  return text;
}

test('[B12] the next director goes on with what the one before it knew', async (t) => {
  const { asked, control, ctl, kill, log } = await pairFor(t);
  const console_ = (node: Node, line: string): Promise<string> => typed(control(node), line);
  const has = (node: Node, host: string, words: RegExp): Promise<void> =>
    until(
      async () => words.test(await console_(node, `show host ${host} for www`)),
      LIMIT_MS,
      () => `${node}: ${words}\n${log('nodeA')}\n---\n${log('nodeB')}`,
    );
  await has('nodeA', 'srv1', /State\.Weight=100 .*TStatus=0-ENABLED/);
  await has('nodeB', 'srv1', /State\.Weight=0 /);
  await console_('nodeA', 'set host srv1 off for vs www for deploy,disk');
  await has('nodeA', 'srv1', /Reasons="deploy,disk" .*TStatus=0-DISABLED/);
  await has('nodeB', 'srv1', /Reasons="deploy,disk" .*TStatus=0-DISABLED/);
  assert.match(log('nodeB'), /this node is no director/);
  assert.match(await ctl('nodeB', 'vs'), /this node is not the director: what is shown here/);
  assert.match(await ctl('nodeB', 'host', 'srv1', 'off'), /say it on the node that is primary/);
  assert.ok(asked() > 0);
  await kill('nodeA');
  await until(
    () => /this node is the director/.test(log('nodeB')),
    LIMIT_MS,
    () => log('nodeB'),
  );
  await has('nodeB', 'srv1', /Reasons="deploy,disk" .*TStatus=0-DISABLED/);
  const before = asked();
  await until(() => asked() > before, LIMIT_MS, 'the new director checks');
  await console_('nodeB', 'set host srv1 on for vs www for *');
  await has('nodeB', 'srv1', /State\.Weight=100 .*TStatus=0-ENABLED/);
});

test('a node that is not the director says whose word it shows and how old, and unknown where that is too old', async (t) => {
  const { control, ctl, get, log, signal } = await pairFor(t);
  const says = async (what: string, ask: () => Promise<string>, ...wanted: RegExp[]): Promise<void> => {
    let last = '';
    await until(
      async () => {
        last = await ask();
        return wanted.every((words) => words.test(last));
      },
      LIMIT_MS,
      () => `${what}: ${wanted.join(' ')}\n${last}\n${log('nodeB')}`,
    );
  };
  const views = async (
    hosts: RegExp[],
    others: Record<'vs' | 'explain' | 'console' | 'metrics' | 'api' | 'cluster', RegExp[]>,
  ) => {
    await says('hosts', () => ctl('nodeB', 'hosts'), ...hosts);
    await Promise.all([
      says('vs', () => ctl('nodeB', 'vs'), ...others.vs),
      says('explain', () => ctl('nodeB', 'explain', 'srv1/www'), ...others.explain),
      says('console', () => typed(control('nodeB'), 'show host srv1 for www'), ...others.console),
      says('metrics', () => get('nodeB', '/metrics'), ...others.metrics),
      says('api', () => get('nodeB', '/api/v1/balancer/hosts'), ...others.api),
      says('status --cluster', () => ctl('nodeB', 'status', '--cluster', '--json'), ...others.cluster),
    ]);
  };
  await until(
    async () =>
      / up$/m.test(await ctl('nodeA', 'hosts', '--vs', 'www')) ||
      /not in the kernel/.test(await ctl('nodeA', 'hosts')),
    LIMIT_MS,
    () => log('nodeA'),
  );
  const word = /the word of nodeA, [\d.]+ m?s old/;
  await views([word, /srv1 .* up /], {
    vs: [word, /1\/2 +100 /],
    explain: [word, /this is what nodeA/],
    console: [new RegExp(`^# .*${word.source}`, 'm'), /State\.DesiredWeight=100 .*TStatus=0-ENABLED/],
    metrics: [
      /^hastmon_balancer_word_age_seconds\{director="nodeA"\} 0\.\d+$/m,
      /^hastmon_balancer_word_fresh 1$/m,
      /^hastmon_service_weight\{service="www"\} 100$/m,
    ],
    api: [/"source":\{"node":"nodeA","ageMs":\d+,"fresh":true\}/, /"status":"0-ENABLED"/],
    cluster: [/"servicesDown": 0/],
  });
  signal('nodeA', 'SIGSTOP');
  const since = /unknown since [\d.]+ m?s/;
  await views([since, /^srv1 .* \? .* unknown since /m, /^(?![\s\S]* up )/], {
    vs: [since, /\?\/2 +\? /],
    explain: [since, /weight unknown since/],
    console: [
      new RegExp(`^# .*${since.source}`, 'm'),
      /Disabled=\? Reasons="\?" Weight=\? .*TStatus=\?-UNKNOWN/,
      /Combined\.TStatus=\?-UNKNOWN/,
    ],
    metrics: [
      /^hastmon_balancer_word_fresh 0$/m,
      /^(?![\s\S]*^hastmon_service_weight\{)/m,
      /^(?![\s\S]*^hastmon_server_state\{)/m,
    ],
    api: [
      /"source":\{"node":"nodeA","ageMs":\d+,"fresh":false\}/,
      /"status":"\?-UNKNOWN"/,
      /"desiredWeight":null/,
    ],
    cluster: [/"servicesDown": null/],
  });
  signal('nodeA', 'SIGCONT');
  await says('heard again', () => ctl('nodeB', 'hosts'), /the word of nodeA|srv1 .*not in the kernel/);
});
