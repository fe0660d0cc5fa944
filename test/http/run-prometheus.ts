/**
 * Figures and alert rules against Prometheus itself, as Debian has it: `node dist/test/http/run-prometheus.js`. promtool has nothing to say
 * about what three real daemons answer, a real Prometheus scrapes them, and its alerts fire when a node is killed. Prints a line
 * for each finding; exit status 1 where one is not as it has to be.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root, until } from '../system/cluster.js';
import { freePorts } from '../system/network.js';
import { createServed, get, type Served } from './support.js';

const NODES = ['nodeA', 'nodeB', 'nodeC'];
const PATIENCE_MS = 120_000;
const RULES = path.join(root, 'conf/prometheus/hastmon.rules.yml');

let wrong = 0;

function find(what: string, problem: string): void {
  if (problem !== '') wrong += 1;
  console.log(`${problem === '' ? 'ok' : 'WRONG'}  ${what}${problem === '' ? '' : `: ${problem}`}`);
}

function missing(): string {
  const tools = ['promtool', 'prometheus'].filter(
    (tool) => spawnSync(tool, ['--version']).error !== undefined,
  );
  return tools.join(' and ');
}

/** What promtool says that is not as it has to be: anything, or what does not mean success. */
function promtool(words: readonly string[], input = ''): string {
  const { status, stderr, stdout } = spawnSync('promtool', words, { input, encoding: 'utf8' });
  return status === 0 && (words[1] !== 'metrics' || stdout + stderr === '')
    ? ''
    : `${stdout}${stderr}`.trim();
}

/** Everything that has figures: a resource on three nodes, checks that are up and down, a balancer. */
async function clusterIn(dir: string): Promise<Served> {
  const file = path.join(dir, 'lb.conf');
  writeFileSync(
    file,
    `DB=${dir}/lb.db
IPVSADM=${dir}/there-is-no-ipvsadm
! www 192.0.2.1:80:1 tcp
srv1 127.0.0.1 www=100
srv2 127.0.0.2 www=50
`,
  );
  const served = await createServed({
    nodes: NODES,
    globals: `monitor { nodes ${NODES.join(' ')} ; interval 1s }
check odd/name@~%- tcp://127.0.0.1:1 { fall 1 }
check here ping://127.0.0.1
balancer { config ${file} ; console none ; nodes nodeA }`,
  });
  return served;
}

async function checkFormats({ cluster, ports }: Served): Promise<void> {
  for (const node of NODES) {
    const port = ports[node] ?? 0;
    const has =
      node === 'nodeA' ? /hastmon_server_weight\{[\s\S]*hastmon_hook_duration/ : /hastmon_check_failure\{/;
    await until(
      async () => has.test((await get(port, '/metrics').catch(() => null))?.text ?? ''),
      PATIENCE_MS,
      () => `${node} has no figures\n${cluster.node(node).log()}`,
    );
    const { headers, text } = await get(port, '/metrics');
    find(
      `promtool is silent about ${text.split('\n').length} lines of ${node}`,
      promtool(['check', 'metrics'], text),
    );
    find(
      `${node} answers in the format 0.0.4`,
      headers['content-type'] === 'text/plain; version=0.0.4; charset=utf-8'
        ? ''
        : String(headers['content-type']),
    );
  }
}

interface Prometheus {
  child: ChildProcess;
  /** The values of an instant query, by instance where there is one. */
  query(text: string): Promise<{ labels: Record<string, string>; value: number }[]>;
  log(): string;
}

async function startPrometheus(dir: string, { ports }: Served): Promise<Prometheus> {
  const [port = 0] = await freePorts(1);
  const data = path.join(dir, 'data');
  mkdirSync(data);
  const targets = NODES.map((node) => `'127.0.0.1:${ports[node]}'`).join(', ');
  const config = path.join(dir, 'prometheus.yml');
  writeFileSync(
    config,
    `global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: ['${RULES}']
scrape_configs:
  - job_name: hastmon
    static_configs: [{ targets: [${targets}], labels: { cluster: test } }]
`,
  );
  const words = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn('prometheus', [...words, '--log.level=warn'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  return {
    child,
    log: () => log,
    async query(text) {
      const got = await get(port, `/api/v1/query?query=${encodeURIComponent(text)}`).catch(() => null);
      if (got === null || got.status !== 200) return [];
      const { data: found } = got.json() as unknown as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      return found.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
  };
}

/** Waits until a query gives something that is as wanted. */
async function expect(
  prometheus: Prometheus,
  what: string,
  query: string,
  wanted: (found: { labels: Record<string, string>; value: number }[]) => boolean,
): Promise<void> {
  let last = '';
  const asWanted = async (): Promise<boolean> => {
    const found = await prometheus.query(query);
    last = JSON.stringify(found);
    return wanted(found);
  };
  const problem = await until(
    asWanted,
    PATIENCE_MS,
    () => `${query} gives ${last}\n${prometheus.log()}`,
  ).then(
    () => '',
    (error: Error) => error.message,
  );
  find(what, problem);
}

const alert = (name: string, more = ''): string => `ALERTS{alertname="${name}",alertstate="firing"${more}}`;
const some = (found: readonly unknown[]): boolean => found.length > 0;

async function scrape(dir: string, served: Served): Promise<void> {
  const { cluster, ports } = served;
  const prometheus = await startPrometheus(dir, served);
  const { child } = prometheus;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    await expect(
      prometheus,
      'three nodes are scraped',
      'up{job="hastmon"} == 1',
      ({ length }) => length === 3,
    );
    await expect(
      prometheus,
      'one of them is the primary',
      'sum(hastmon_resource_role{hastmon_resource_role="primary"})',
      ([one]) => one?.value === 1,
    );
    await expect(
      prometheus,
      'all see one primary',
      'hastmon_primaries_seen == 1',
      ({ length }) => length === 3,
    );
    await expect(
      prometheus,
      'a failover is counted from nothing',
      'hastmon_failovers_total{kind="lost"} == 0',
      ({ length }) => length === 3,
    );
    await expect(prometheus, 'the outage of a check fires', alert('HastmonOutage'), some);
    cluster.node('nodeA').killMachine();
    await expect(prometheus, 'another node is the primary', 'hastmon_lease_held == 1', (found) =>
      found.some(({ labels }) => labels.instance === `127.0.0.1:${ports.nodeB}`),
    );
    await expect(prometheus, 'the failover fires', alert('HastmonFailover', ',kind="lost"'), some);
    await expect(
      prometheus,
      'its phases are counted',
      'hastmon_failover_phase_duration_seconds_count{kind="lost",phase="start"} == 1',
      some,
    );
    await expect(
      prometheus,
      'the node that is down fires',
      alert('HastmonDown', `,instance="127.0.0.1:${ports.nodeA}"`),
      some,
    );
    await expect(
      prometheus,
      'that it is unreachable fires',
      alert('HastmonNodeUnreachable', ',peer="nodeA"'),
      some,
    );
    const never = await prometheus.query('count_over_time(ALERTS{alertname="HastmonTwoPrimaries"}[10m])');
    find('two primaries never were', never.length === 0 ? '' : JSON.stringify(never));
    find('Prometheus has no complaint', prometheus.log().trim());
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function main(): Promise<number> {
  const lacking = missing();
  if (lacking !== '') {
    console.log(`figures and alert rules against Prometheus: skipped, there is no ${lacking}`);
    return 0;
  }
  find('the rules are rules', promtool(['check', 'rules', RULES]));
  find('the tests of the rules pass', promtool(['test', 'rules', RULES.replace(/\.yml$/, '.test.yml')]));
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hastmon-prometheus-'));
  const sample = readFileSync(path.join(root, 'conf/prometheus/prometheus.yml'), 'utf8');
  writeFileSync(path.join(dir, 'token'), 'token\n');
  writeFileSync(path.join(dir, 'hastmon.rules.yml'), readFileSync(RULES));
  const placed = path.join(dir, 'sample.yml');
  writeFileSync(placed, sample.replace(/\/etc\/prometheus\/hastmon\.token/, path.join(dir, 'token')));
  find('the sample is a configuration', promtool(['check', 'config', placed]));
  const served = await clusterIn(dir);
  try {
    await served.cluster.up();
    await checkFormats(served);
    await scrape(dir, served);
  } finally {
    await served.cluster.close();
    rmSync(dir, { recursive: true, force: true });
  }
  return wrong === 0 ? 0 : 1;
}

process.exitCode = await main();
