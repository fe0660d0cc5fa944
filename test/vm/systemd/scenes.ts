// In the virtual machine, started by a real systemd: hastmond by the unit of conf/, as an operator installs it. The scenes follow each other.
// Prints TAP.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createBeatReader, monotonicMs, overlapMs } from '../../system/beats.js';
import { pause, until } from '../../system/wait.js';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const OPT = '/opt/hastmon';
const HOOKS = '/usr/share/hastmon/hooks';
const BEATS = '/out/beats';
/** Far beyond what an emulated machine needs. */
const PATIENCE_MS = 300_000;
/** Milliseconds from beat to beat, and the longest time between two where the machine is only slow. */
const BEAT_MS = 20;
const GAP_MS = 1500;
const beatsOf = { shop: createBeatReader(`${BEATS}.shop`), books: createBeatReader(`${BEATS}.books`) };
type Resource = keyof typeof beatsOf;

function run(command: string, ...words: string[]): { code: number; text: string } {
  const { status, stdout, stderr } = spawnSync(command, words, {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  return { code: status ?? -1, text: `${stdout}${stderr}` };
}

function must(command: string, ...words: string[]): string {
  const { code, text } = run(command, ...words);
  assert.equal(code, 0, `${command} ${words.join(' ')}: ${text}`);
  return text;
}

const systemctl = (...words: string[]): string => must('systemctl', ...words);
const ctl = (...words: string[]): string => must('hastmonctl', ...words);
const shown = (property: string, unit = 'hastmond'): string =>
  systemctl('show', '--value', '-p', property, unit).trim();
const running = (name: Resource): boolean => /state: run\b/.test(run('hastmonctl', 'status', name).text);

const eventually = (what: string, condition: () => boolean): Promise<void> =>
  until(
    condition,
    PATIENCE_MS,
    () => `${what}: ${run('systemctl', 'status', 'hastmond', '--no-pager').text}`,
  );

function writeProgram(file: string, text: string): void {
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

/** Two versions lie beside each other, in places that a real installation has; `current` is the one that is installed. */
function install(version: string): void {
  const place = path.join(OPT, version);
  cpSync(path.join(root, 'dist/bin'), path.join(place, 'bin'), { recursive: true });
  for (const name of ['koffi', '@koromix', 'posix', 'bindings'])
    if (existsSync(path.join(root, 'node_modules', name)))
      cpSync(path.join(root, 'node_modules', name), path.join(place, 'node_modules', name), {
        recursive: true,
      });
  const { version: own } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const name of readdirSync(path.join(place, 'bin'))) {
    const file = path.join(place, 'bin', name);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`"${own}"`, `"${version}"`));
  }
}

function use(version: string): void {
  symlinkSync(version, `${OPT}/next`);
  renameSync(`${OPT}/next`, `${OPT}/current`);
}

const CONFIGURATION = `
log /out/hastmon.log
heartbeat_interval 1s
lease_timeout 12s
stop_timeout 8s
status_timeout 8s
status_interval 4s
timeout 10s

on nodeA {
	listen tcp4://127.0.0.1:8461
}
${['B', 'C']
  .map(
    (name, index) => `on node${name} {
	listen tcp4://127.0.0.1:${8462 + index}
	control /run/hastmon-node${name}
	state_dir /var/lib/hastmon-node${name}
}
`,
  )
  .join('')}
${[
  ['shop', 'process'],
  ['books', 'systemd-unit'],
]
  .map(
    ([name, hook]) => `resource ${name} {
	exec ${OPT}/${hook}
	friends 127.0.0.1
	on nodeA {
		remote tcp4://127.0.0.1:8462 tcp4://127.0.0.1:8463
		priority 0
	}
	on nodeB {
		remote tcp4://127.0.0.1:8461 tcp4://127.0.0.1:8463
		priority 1
	}
	on nodeC {
		remote tcp4://127.0.0.1:8461 tcp4://127.0.0.1:8462
	}
}
`,
  )
  .join('')}`;

/** What the hooks start: one as a child of theirs, one as a unit of its own. */
function installServices(): void {
  const beater = (name: Resource): string =>
    `${process.execPath} ${OPT}/beater.mjs ${BEATS}.${name} nodeA 0 /run/${name}.beat ${BEAT_MS}`;
  mkdirSync('/etc/hastmon', { recursive: true });
  cpSync(path.join(root, 'conf/hooks'), HOOKS, { recursive: true });
  // The other nodes are on the same machine, where they must not find what nodeA runs.
  for (const hook of ['process', 'systemd-unit'])
    writeProgram(
      `${OPT}/${hook}`,
      `case $HASTMON_NODE:$1 in nodeA:*) exec ${HOOKS}/${hook} "$@" ;; *:status) exit 1 ;; esac`,
    );
  cpSync(path.join(root, 'dist/test/system/beater.js'), `${OPT}/beater.mjs`);
  writeFileSync('/etc/hastmon/shop.env', `PROCESS_COMMAND='${beater('shop')}'\n`);
  writeFileSync('/etc/systemd/system/books.service', `[Service]\nExecStart=${beater('books')}\n`);
}

before(() => {
  for (const version of ['1.0.1', '1.0.2']) install(version);
  use('1.0.1');
  for (const name of ['hastmond', 'hastmonctl'])
    writeProgram(`/usr/local/bin/${name}`, `exec ${process.execPath} ${OPT}/current/bin/${name}.js "$@"`);
  writeFileSync('/etc/hastmon.conf', CONFIGURATION);
  installServices();
  cpSync(path.join(root, 'conf/hastmond.service'), '/etc/systemd/system/hastmond.service');
  for (const name of ['nodeB', 'nodeC']) {
    const start = `hastmond -F -n ${name} -P /run/${name}.pid`;
    writeFileSync(
      `/etc/systemd/system/${name}.service`,
      `[Service]\nType=notify\nTimeoutStartSec=infinity\nExecStart=${start}\n`,
    );
  }
  systemctl('daemon-reload');
});

/** They build on each other: after one that fails, the others would say nothing. */
let failed = false;
function scene(title: string, play: () => Promise<void>): void {
  test(title, async (t) => {
    if (failed) return t.skip('the one before has failed');
    failed = true;
    await play();
    failed = false;
  });
}

scene('the unit starts, and says how it is', async () => {
  must('systemd-analyze', 'verify', '--man=no', '/etc/systemd/system/hastmond.service');
  systemctl('start', '--no-block', 'hastmond', 'nodeB', 'nodeC');
  await eventually('started', () =>
    ['hastmond', 'nodeB', 'nodeC'].every((unit) => shown('ActiveState', unit) === 'active'),
  );
  assert.match(shown('StatusText'), /shop: init.*books: init/);
  ctl('role', 'primary', 'all', '--wait', '--timeout', '90s');
  ctl('-n', 'nodeB', 'role', 'secondary', 'all');
  ctl('-n', 'nodeC', 'role', 'watchdog', 'all');
  await eventually('STATUS', () => /shop: primary.*books: primary/.test(shown('StatusText')));
  assert.ok(running('shop') && running('books'));
});

/** Nothing is missing: one life, and never more time between two beats than a slow machine takes. */
function notABeatLost(name: Resource, since: number): void {
  const lives = beatsOf[name]();
  assert.equal(lives.length, 1, JSON.stringify(lives));
  const times = readFileSync(`${BEATS}.${name}`, 'latin1')
    .trimEnd()
    .split('\n')
    .map((line) => Number(BigInt(line.split(' ')[0] ?? '0')) / 1e6);
  let longest = 0;
  for (const [index, time] of times.entries())
    if (time > since) longest = Math.max(longest, time - (times[index - 1] ?? time));
  assert.ok(longest < GAP_MS, `${name}: ${longest} ms without a beat`);
  assert.ok((times.at(-1) ?? 0) > monotonicMs() - GAP_MS, `${name} does not beat any more`);
}

scene('a reload by systemctl', async () => {
  const pid = shown('MainPID');
  systemctl('reload', 'hastmond');
  await eventually('active again', () => shown('ActiveState') === 'active');
  assert.equal(shown('MainPID'), pid);
});

scene('an upgrade under maintenance: not one beat is lost', async () => {
  const since = monotonicMs();
  assert.match(ctl('version'), /1\.0\.1/);
  ctl('maintenance', 'on', 'all', '--reason', 'upgrade to 1.0.2');
  systemctl('stop', 'hastmond');
  use('1.0.2');
  // Longer than any grant lasts: the others would have taken over.
  await pause(23_000);
  systemctl('start', 'hastmond');
  assert.match(ctl('version'), /1\.0\.2/);
  await eventually('taken up', () => running('shop') && running('books'));
  ctl('maintenance', 'off', 'all');
  await eventually('the lease', () => /shop: primary.*books: primary/.test(shown('StatusText')));
  for (const name of ['shop', 'books'] as const) notABeatLost(name, since);
});

scene('a main process that hangs is killed by WatchdogSec and started again', async () => {
  const pid = Number(shown('MainPID'));
  assert.ok(pid > 0);
  process.kill(pid, 'SIGSTOP');
  await eventually('another main process', () => ![pid, 0].includes(Number(shown('MainPID'))));
  await eventually('active', () => shown('ActiveState') === 'active');
  assert.equal(Number(shown('NRestarts')), 1);
  for (const name of ['shop', 'books'] as const) assert.equal(overlapMs(beatsOf[name]()), 0);
});

scene('with few rights: the same duties for services that are units', async () => {
  for (const node of ['nodeB', 'nodeC'])
    await eventually(node, () => shown('ActiveState', node) === 'active');
  mkdirSync('/etc/systemd/system/hastmond.service.d', { recursive: true });
  cpSync(
    path.join(root, 'conf/hastmond.service.d/hardened.conf'),
    '/etc/systemd/system/hastmond.service.d/hardened.conf',
  );
  // What this one logs to is not among what it may write.
  writeFileSync('/etc/systemd/system/hastmond.service.d/log.conf', '[Service]\nReadWritePaths=/out\n');
  systemctl('daemon-reload');
  systemctl('restart', 'hastmond');
  // It votes, and does not run anything: what has become of the lease meanwhile does not matter here.
  ctl('-n', 'nodeB', 'role', 'init', 'all', '--wait', '--timeout', '60s');
  ctl('role', 'primary', 'books', '--wait', '--timeout', '100s');
  assert.equal(shown('ActiveState', 'books'), 'active');
  const status = readFileSync(`/proc/${shown('MainPID')}/status`, 'utf8');
  assert.match(status, /NoNewPrivs:\s1/);
  assert.match(status, /Seccomp:\s2/);
  ctl('role', 'secondary', 'books', '--wait', '--timeout', '100s');
  assert.equal(shown('ActiveState', 'books'), 'inactive');
  systemctl('stop', 'hastmond');
  assert.equal(shown('Result'), 'success');
  const exposure = run('systemd-analyze', 'security', '--no-pager', 'hastmond').text;
  console.log(`# ${exposure.trimEnd().split('\n').at(-1)}`);
});
