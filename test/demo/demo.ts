/**
 * `npm run demo`: three nodes on loopback, a small HTTP service as the resource and a client that measures. Kills the
 * primary's machine, shows the failover line by line, and moves the service back by a planned switchover.
 * `--keep` leaves the cluster up.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cluster, createCluster, hastmonctl, must, root, until } from '../system/cluster.js';
import { type Client, startClient } from './client.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const keep = process.argv.includes('--keep');
const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const bold = (text: string): string => (colour ? `\x1b[1m${text}\x1b[0m` : text);
const dim = (text: string): string => (colour ? `\x1b[2m${text}\x1b[0m` : text);
const green = (text: string): string => (colour ? `\x1b[32m${text}\x1b[0m` : text);

const TIMES = `  heartbeat_interval 200ms
  lease_timeout 600ms
  stop_timeout 500ms
  status_timeout 2s
`;

function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** A command as the user would type it, and what it prints. */
async function type(cluster: Cluster, node: string, ...args: string[]): Promise<void> {
  say(`${node}# ${bold(`hastmonctl ${args.join(' ')}`)}`);
  const text = await must(cluster.node(node).ctl(...args));
  if (text !== '') say(dim(text.trimEnd()));
}

interface Step {
  at: number;
  text: string;
}

/** What the logs say about a failover, from the moment of the fault. */
function timeline(cluster: Cluster, since: number): Step[] {
  const wanted: [string, RegExp, string][] = [
    ['nodeB', /no connection to nodeA any more/, 'nodeB notices: the connection from the primary is lost'],
    ['nodeC', /complaining/, 'nodeC (watchdog) notices: nobody runs the resource; it begins to complain'],
    ['nodeB', /lease acquired/, 'nodeB has the lease: a majority of the voters granted it'],
    ['nodeB', /starting under epoch/, 'nodeB starts the service'],
    ['nodeB', /the resource runs$|the resource runs /, "nodeB's status says: running"],
  ];
  const steps: Step[] = [];
  for (const [node, pattern, text] of wanted) {
    for (const line of cluster.node(node).log().split('\n')) {
      const at = Date.parse(line.slice(0, 23).replace(' ', 'T'));
      if (at < since || !pattern.test(line)) continue;
      steps.push({ at, text });
      break;
    }
  }
  return steps.sort((a, b) => a.at - b.at);
}

async function showFailover(cluster: Cluster, client: Client): Promise<void> {
  say(
    `\n${bold('Now the machine of the primary is lost')} (kill -9 of everything on nodeA, the service too)\n`,
  );
  const lastBefore = client.answers.at(-1)?.at ?? Date.now();
  const killed = Date.now();
  const answered = client.next((answer) => answer.node === 'nodeB', 30_000);
  cluster.node('nodeA').killMachine();
  const first = await answered;
  const steps = [
    { at: killed, text: 'nodeA is killed' },
    ...timeline(cluster, killed),
    { at: first.at, text: green(`first answer from nodeB (epoch ${first.epoch})`) },
  ];
  steps.sort((a, b) => a.at - b.at);
  for (const { at, text } of steps) say(`${String(at - killed).padStart(6)} ms  ${text}`);
  say(`\nThe client was without an answer for ${bold(`${first.at - lastBefore} ms`)}.`);
}

async function showSwitchover(cluster: Cluster, client: Client): Promise<void> {
  say(`\n${bold('nodeA comes back')} and the operator moves the service home, planned:\n`);
  await cluster.node('nodeA').start();
  await type(cluster, 'nodeA', 'role', 'secondary', 'shared', '--wait');
  await until(
    async () => (await cluster.node('nodeB').status())?.remotes.every(({ connected }) => connected) === true,
    30_000,
    () => 'nodeB does not hear the others',
  );
  const began = Date.now();
  const home = client.next((answer) => answer.node === 'nodeA', 30_000);
  await Promise.all([home, type(cluster, 'nodeB', 'switchover', 'shared', '--to', 'nodeA', '--wait')]);
  say(`\nThe client was without an answer for ${bold(`${client.longestGapMs(began)} ms`)}.`);
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function installService(cluster: Cluster, port: number): void {
  const service = path.join(cluster.dir, 'service.sh');
  copyFileSync(path.join(root, 'test/demo/service.sh'), service);
  const http = path.join(here, 'http-service.js');
  const lines = [`DIR=${cluster.dir}`, `NODE_BINARY=${process.execPath}`, `HTTP=${http}`, `PORT=${port}`];
  writeFileSync(path.join(cluster.dir, 'service.env'), `${lines.join('\n')}\n`);
}

function showKept(cluster: Cluster, port: number): void {
  const command = `node ${path.relative(process.cwd(), hastmonctl)} -c ${cluster.configFile}`;
  say(`\n${bold('The cluster stays up.')} Play with it:\n`);
  say(`  curl http://127.0.0.1:${port}/`);
  for (const node of ['nodeA', 'nodeB', 'nodeC']) say(`  ${command} -n ${node} status`);
  say(`  ${command} -n nodeA switchover shared --wait`);
  say(
    `  kill -9 ${cluster.node('nodeA').pid}                 # nodeA's main process; its service is stopped`,
  );
  say(`  tail -f ${cluster.dir}/node?/log`);
  say('\nPress Ctrl-C to end it and remove everything.');
}

async function main(): Promise<void> {
  const port = await freePort();
  const cluster = await createCluster({ statements: TIMES });
  installService(cluster, port);
  const client = startClient(port);
  const end = async (): Promise<void> => {
    client.stop();
    await cluster.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => void end().then(() => process.exit(130)));
  try {
    say(`${bold('hastmon: three nodes on this machine')}  (everything is below ${cluster.dir})\n`);
    say(dim(readFileSync(cluster.configFile, 'utf8').trimEnd()));
    say();
    for (const node of ['nodeA', 'nodeB', 'nodeC']) {
      say(`${node}# ${bold('hastmond -F')}`);
      await cluster.node(node).start();
    }
    await type(cluster, 'nodeA', 'role', 'primary', 'shared', '--wait');
    await type(cluster, 'nodeB', 'role', 'secondary', 'shared', '--wait');
    await type(cluster, 'nodeC', 'role', 'watchdog', 'shared', '--wait');
    await client.next(() => true, 30_000);
    say();
    await type(cluster, 'nodeA', 'status', 'shared');
    await showFailover(cluster, client);
    say();
    await type(cluster, 'nodeB', 'status', 'shared');
    await showSwitchover(cluster, client);
    if (keep) {
      showKept(cluster, port);
      return;
    }
  } catch (error) {
    say(`\n${error instanceof Error ? error.message : String(error)}`);
    for (const node of Object.values(cluster.nodes)) say(`--- ${node.name}\n${node.log()}`);
    process.exitCode = 1;
  }
  await end();
  if (process.exitCode !== 1)
    say(`\n${dim('Everything that the demo started has ended and its files are removed.')}`);
}

await main();
