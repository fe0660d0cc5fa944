/**
 * The balancer in a real hastmond, with real servers to check and without a table to keep: ipvsadm is a file that there is not, so that
 * this may run on a machine that balances. What needs the kernel's table is tried in virtual machines.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { smtpServer } from '../../alerts/smtp-server.js';
import { hastmond } from '../../system/paths.js';
import { until } from '../../system/wait.js';

const LIMIT_MS = 20_000;

interface Site {
  folder: string;
  /** Of the checks, and of the console. */
  port: number;
  console: number;
  server: http.Server;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function siteFor(t: TestContext): Promise<Site> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-lb-'));
  const server = http.createServer((_, answer) => answer.end('fine')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const site: Site = { folder, port, console: await freePort(), server };
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  writeBalancer(site, 100);
  const listen = await freePort();
  writeFileSync(
    path.join(folder, 'hastmon.conf'),
    `control ${folder}/ctl\nstate_dir ${folder}/state\nlisten tcp4://127.0.0.1:${listen}\non here { }\nbalancer { config ${folder}/lb.conf }\n`,
  );
  return site;
}

/** Replaced as a whole, as an editor does it. */
function writeBalancer({ folder, port, console }: Site, weight: number, more = '', options = ''): void {
  const text = `Management.Socket.Port=${console}
DB=${folder}/lb.db
IPVSADM=${folder}/there-is-no-ipvsadm
Config.CheckPeriod=1
! www 192.0.2.1:80:${port} http://www.example.com/ interval=100ms${options}
srv1 127.0.0.1 www=${weight}
${more}`;
  writeFileSync(path.join(folder, 'lb.conf.new'), text);
  renameSync(path.join(folder, 'lb.conf.new'), path.join(folder, 'lb.conf'));
}

interface Daemon {
  child: ChildProcess;
  log(): string;
  end(signal?: NodeJS.Signals): Promise<void>;
}

async function daemonFor(t: TestContext, { folder }: Site): Promise<Daemon> {
  const words = [hastmond, '-F', '-n', 'here', '-c', `${folder}/hastmon.conf`, '-P', `${folder}/pid`];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  const gone = once(child, 'close');
  const end = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    child.kill(signal);
    // The processes that it started hold its output until they have ended, too.
    await gone;
  };
  t.after(() => end());
  await until(
    () => text.includes('the balancer is ready'),
    LIMIT_MS,
    () => text,
  );
  return { child, log: () => text, end };
}

/** What the console answers to these lines, without prompts and help. */
async function console_(site: Site, ...lines: string[]): Promise<string> {
  const socket = net.connect(site.console, '127.0.0.1');
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  socket.on('error', () => {});
  socket.write([...lines, 'quit', ''].join('\n'));
  await new Promise((resolve) => socket.once('close', resolve));
  return text.replace(/^\$ /gm, '').replace(/^#.*\n/gm, '');
}

const shown = (site: Site): Promise<string> => console_(site, 'show host srv1 for www');
const has = (site: Site, words: RegExp): Promise<void> =>
  until(async () => words.test(await shown(site)), LIMIT_MS, String(words));

/** The log comes through the main process, and so after what the console says. */
const logged = (daemon: Daemon, words: RegExp): Promise<void> =>
  until(
    () => words.test(daemon.log()),
    LIMIT_MS,
    () => `${words}\n${daemon.log()}`,
  );

test('without ipvsadm all but the table works, and the log says what to do', async (t) => {
  const site = await siteFor(t);
  const daemon = await daemonFor(t, site);
  await has(site, /State\.Weight=100 State\.DesiredWeight=100 Proc\.Weight=0 .*TStatus=0-ENABLED/);
  await logged(daemon, /the kernel's table is not kept: .*there-is-no-ipvsadm/);
  site.server.removeAllListeners('request').on('request', (_, answer) => {
    answer.statusCode = 503;
    answer.end();
  });
  await has(site, /State\.Weight=0/);
  await logged(daemon, /srv1 in www: weight -> 0: down: http-status 503 /);
});

test('[B9] a changed file is applied by itself, and one with an error changes nothing', async (t) => {
  const site = await siteFor(t);
  const daemon = await daemonFor(t, site);
  await has(site, / Weight=100 /);
  writeBalancer(site, 55);
  await has(site, / Weight=55 /);
  writeBalancer(site, 66, 'srv2 127.0.0.2 wwww=5\n');
  await until(() => daemon.log().includes('nothing has been changed'), LIMIT_MS, daemon.log);
  assert.match(daemon.log(), /lb\.conf:7:16: error: there is no service 'wwww'/);
  await has(site, / Weight=55 /);
});

test('[B10] what is disabled stays so when the balancer, or hastmond, is killed', async (t) => {
  const site = await siteFor(t);
  const daemon = await daemonFor(t, site);
  await has(site, /State\.Weight=100/);
  await console_(site, 'set host srv1 off for vs www for deploy');
  assert.match(await shown(site), /Reasons="deploy" .*TStatus=0-DISABLED/);
  const pid = Number(/the balancer is ready workerpid=(\d+)/.exec(daemon.log())?.[1]);
  process.kill(pid, 'SIGKILL');
  await until(() => daemon.log().split('the balancer is ready').length === 3, LIMIT_MS, daemon.log);
  await has(site, /Reasons="deploy" .*TStatus=0-DISABLED/);
  await daemon.end('SIGKILL');
  const next = await daemonFor(t, site);
  await has(site, /Reasons="deploy" .*TStatus=0-DISABLED/);
  await console_(site, 'set host srv1 on for vs www for deploy');
  await has(site, /Reasons="" .*TStatus=0-ENABLED/);
  await next.end();
  assert.match(readFileSync(path.join(site.folder, 'lb.db'), 'utf8'), /"www"/);
});

test('[B5] both edges of a service are mailed, in their order, with who has no weight and why', async (t) => {
  const smtp = await smtpServer(t);
  const site = await siteFor(t);
  const options = `Email.SMTP=127.0.0.1:${smtp.port}
Email.Headers.From=lb@example.org
Email.Headers.Reply-To=noc@example.org
Email.Headers.To=ops@example.org
`;
  writeBalancer(site, 100, options, ',email=true');
  await daemonFor(t, site);
  await has(site, /State\.Weight=100/);
  const { port } = site;
  site.server.closeAllConnections();
  site.server.close();
  await until(() => smtp.mails.length === 1, LIMIT_MS, 'the mail that it failed');
  site.server.listen(port, '127.0.0.1');
  await until(() => smtp.mails.length === 2, LIMIT_MS, 'the mail that it is well');
  const [failed, well] = smtp.mails;
  assert.deepEqual(failed?.to, ['ops@example.org']);
  assert.match(failed?.data ?? '', /^Subject: VS 'www' FAIL\r$/m);
  assert.match(failed?.data ?? '', /^Reply-To: noc@example\.org\r$/m);
  assert.match(failed?.data ?? '', /srv1.*refused/);
  assert.match(well?.data ?? '', /^Subject: VS 'www' OK \(after [0-9.]+s\)\r$/m);
});
