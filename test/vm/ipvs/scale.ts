// In the virtual machine: virtual services (1,000, or as many as are said) with 10 servers each in the real kernel, by a real hastmond: its
// start, a reload with one change, a restart, the loss of half of the servers at once. What is asserted is the number of the kernel's
// operations; times are printed. Prints TAP.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Daemon, startDaemon, tableIn, until } from './director.js';
import { end, startIn } from './lab.js';

const SERVICES = Number(process.argv[2] ?? 1000);
const SERVERS = 10;
const NAME = 'a';
const LINES = '/run/lines';
/** Of a machine that is emulated. */
const LIMIT_MS = 300_000;
const PORTS = [8001, 8002] as const;

const webs = new Map<number, ChildProcess>();
let daemon: Daemon;

before(() => {
  execFileSync('ip', ['netns', 'add', NAME]);
  execFileSync('ip', ['-n', NAME, 'link', 'set', 'lo', 'up']);
  // The real program, and what it is told.
  writeFileSync(
    '/run/ipvsadm',
    `#!/bin/sh\ncase $1 in -R) tee -a ${LINES} | /usr/sbin/ipvsadm "$@" ;; *) exec /usr/sbin/ipvsadm "$@" ;; esac\n`,
    {
      mode: 0o755,
    },
  );
  writeFileSync(LINES, '');
  for (const port of PORTS) webs.set(port, web(port));
  writeFileSync(
    `/run/${NAME}.conf`,
    `balancer { config /run/${NAME}.vs }\non ${NAME} { control /run/${NAME}.ctl ; listen tcp4://127.0.0.1 ; state_dir /var/lib/${NAME} }\n`,
  );
  writeFile(100);
});

after(async () => {
  await end(daemon.main);
  await daemon.gone();
  for (const child of webs.values()) await end(child);
});

/** Every address of 127.0.0.0/8 is here. */
function web(port: number): ChildProcess {
  return startIn(NAME, `web${port}`, ['busybox', 'httpd', '-f', '-p', `0.0.0.0:${port}`, '-h', '/run']);
}

/** Half of the servers are at either port; `weight` is that of one of them. */
function writeFile(weight: number): void {
  const lines = [`DB=/run/${NAME}.db`, 'IPVSADM=/run/ipvsadm', 'Config.AutoCheck=0'];
  for (let at = 0; at < SERVICES; at += 1)
    lines.push(`! vs${at} 10.9.${at >> 8}.${at & 255}:80 tcp://* interval=20s,timeout=20s`);
  for (let at = 0; at < SERVICES * SERVERS; at += 1) {
    const port = PORTS[Math.floor(at / SERVICES) % 2];
    const own = at === SERVICES ? weight : 100;
    lines.push(`h${at} 127.1.${at >> 8}.${at & 255}:${port} vs${at % SERVICES}=${own}`);
  }
  writeFileSync(`/run/${NAME}.vs`, `${lines.join('\n')}\n`);
}

/** Servers of the kernel's table with this weight. */
function countOf(weight: number): number {
  let count = 0;
  for (const { servers } of tableIn(NAME).values())
    for (const server of servers.values()) if (server.weight === weight) count += 1;
  return count;
}

const linesSoFar = (): number => readFileSync(LINES, 'latin1').split('\n').length - 1;

/** Says what it took; gives the operations. */
async function measure(what: string, work: () => void | Promise<void>, done: () => boolean): Promise<number> {
  const [began, before] = [performance.now(), linesSoFar()];
  await work();
  await until(what, done, LIMIT_MS);
  const operations = linesSoFar() - before;
  process.stdout.write(
    `# ${SERVICES} x ${SERVERS}, ${what}: ${Math.round(performance.now() - began)} ms, ${operations} operations\n`,
  );
  return operations;
}

const reload = (): void => {
  execFileSync(process.execPath, [
    ...[new URL('../../../bin/hastmonctl.js', import.meta.url).pathname, '-s', `/run/${NAME}.ctl`],
    ...['balancer', 'reload'],
  ]);
};

test('[B10] a start makes all of it', async () => {
  const begin = async (): Promise<void> => {
    daemon = await startDaemon(NAME, true);
  };
  const operations = await measure('start', begin, () => countOf(100) === SERVICES * SERVERS);
  // A service is made at its first result; who passes later has an operation of his own.
  assert.ok(operations <= SERVICES + 2 * SERVICES * SERVERS, `${operations} operations`);
});

test('[B8] a reload with one change is one operation', async () => {
  writeFile(55);
  assert.equal(await measure('reload with one change', reload, () => countOf(55) === 1), 1);
});

test('[B10] a restart is none', async () => {
  await end(daemon.main);
  await daemon.gone();
  const before = linesSoFar();
  const again = async (): Promise<void> => {
    daemon = await startDaemon(NAME, true);
    await until('the checks to be made', () => /the monitor process is ready/.test(daemon.log()));
  };
  assert.equal(await measure('restart', again, () => countOf(100) === SERVICES * SERVERS - 1), 0);
  assert.equal(linesSoFar(), before);
});

test('the loss of half of the servers at once is an operation for each', async () => {
  const stop = async (): Promise<void> => {
    const child = webs.get(8002);
    if (child !== undefined) await end(child);
  };
  const half = (SERVICES * SERVERS) / 2;
  assert.equal(await measure('loss of half of the servers', stop, () => countOf(0) === half), half);
});
