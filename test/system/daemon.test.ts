/** hastmond(8) as a program: exit statuses, background, pidfile, permissions, secrets, reload. One real daemon at a time. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { must } from './cluster.js';
import { signalProcess } from './processes.js';
import { calmTimes, clusterFor, logsOf, loneNode, patienceMs, runHastmond, runsOn } from './support.js';
import { until } from './wait.js';

const asRoot = process.getuid?.() === 0;

test('exit statuses say what is wrong, in one line and without a stack trace', async (t) => {
  const { config, file, port } = await loneNode(t);
  const bad = file('bad.conf');
  writeFileSync(bad, 'resource shared {\n  exce /bin/true\n}\n');
  const cases: [string, number, string[], RegExp][] = [
    ['unknown option', 64, ['--frobnicate'], /frobnicate/],
    ['stray argument', 64, ['-F', 'start'], /start/],
    ['no such file', 66, ['-F', '-c', file('none.conf'), '-n', 'lone'], /none\.conf/],
    ['bad file', 78, ['-F', '-c', bad, '-n', 'lone'], /bad\.conf:2:3: .*\n.*exce/],
    ['bad file, only tested', 78, ['-t', '-c', bad, '-n', 'lone'], /bad\.conf:2:3/],
    ['good file, tested', 0, ['-t', '-c', config, '-n', 'lone'], /^/],
    ['no such node', 78, ['-F', '-c', config, '-n', 'other', '-P', file('pid')], /other/],
    ['pidfile in no directory', 73, ['-F', '-c', config, '-n', 'lone', '-P', file('none/pid')], /none\/pid/],
  ];
  for (const [name, code, args, pattern] of cases) {
    const ended = await runHastmond(args);
    assert.equal(ended.code, code, `${name}: ${ended.stderr}`);
    assert.match(ended.stderr, pattern, name);
    assert.doesNotMatch(ended.stderr, /\n\s+at .*\(/, `${name}: a stack trace`);
  }
  const squatter = net.createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => squatter.once('listening', resolve));
  t.after(() => squatter.close());
  const ended = await runHastmond(['-F', '-c', config, '-n', 'lone', '-P', file('pid')]);
  assert.equal(ended.code, 69, ended.stderr);
  assert.match(ended.stderr, new RegExp(`127\\.0\\.0\\.1:${port}`));
});

test('options of one letter are read as getopt(3) reads them', async (t) => {
  const { config, dir, file } = await loneNode(t);
  writeFileSync(file('empty.conf'), '');
  const cases: [string, string[], number, RegExp][] = [
    ['a value behind its letter', ['-t', `-c${config}`, '-nlone'], 0, /node lone/],
    ['a group that ends with a value', ['-dtnlone', '-c', config], 0, /node lone/],
    ['a group whose value is the next word', ['-tFdn', 'lone', `-c${config}`], 0, /node lone/],
    ['a relative path', ['-tnlone', '-chastmon.conf'], 0, /node lone/],
    ['a letter that is none', ['-tx', '-c', config], 64, /Unknown argument: x/],
    ['an empty node', ['-t', '-c', config, '-n', ''], 64, /--node is empty/],
    ['an empty file name', ['-t', '-c', '', '-n', 'lone'], 64, /--config is empty/],
  ];
  for (const [name, args, code, pattern] of cases) {
    const ended = await runHastmond(args, `cd ${dir} && exec "$@"`);
    assert.equal(ended.code, code, `${name}: ${ended.stderr}`);
    assert.match(ended.stdout + ended.stderr, pattern, name);
  }
});

test('what -t refuses, a start refuses with the same words', async (t) => {
  const { config, dir, file } = await loneNode(t);
  const good = readFileSync(config, 'utf8');
  const cases: [string, RegExp][] = [
    ['control_owner nosuchuser', /error: control_owner: there is no user 'nosuchuser' here$/m],
    ['control_group nosuchgroup', /error: control_group: there is no group 'nosuchgroup' here$/m],
    [`control ${dir}`, /error: control '.*' exists and is no socket$/m],
    [`state_dir ${config}`, /error: state_dir '.*' is not a directory$/m],
    [`log ${dir}`, /error: log '.*' is a directory$/m],
    ['listen none', /error: 'listen' needs an address/],
    ['listen /', /error: '\/' is a directory, not a socket$/m],
  ];
  for (const [statement, pattern] of cases) {
    const [name = ''] = statement.split(' ');
    writeFileSync(config, `${statement}\n${good.replace(new RegExp(`^${name} .*\n`, 'm'), '')}`);
    const tested = await runHastmond(['-t', '-c', config, '-n', 'lone']);
    assert.deepEqual([tested.code, tested.stdout], [78, ''], `${statement}: ${tested.stderr}`);
    assert.match(tested.stderr, pattern);
    for (const args of [['-F'], []]) {
      const started = await runHastmond([...args, '-c', config, '-n', 'lone', '-P', file('pid')]);
      assert.equal(started.code, 78, `${statement}: ${started.stderr}`);
      assert.match(started.stderr, pattern);
    }
  }
});

test('a start that fails leaves no pidfile, and says what it could not open in words', async (t) => {
  const { config, file } = await loneNode(t);
  const args = (...more: string[]): string[] => ['-F', '-c', config, '-n', 'lone', ...more];
  const first = await runHastmond(['-c', config, '-n', 'lone', '-P', file('first')]);
  assert.equal(first.code, 0, first.stderr);
  const pid = Number.parseInt(readFileSync(file('first'), 'utf8'), 10);
  t.after(() => signalProcess(pid, 'SIGKILL'));
  for (const background of [false, true]) {
    const second = await runHastmond(args('-P', file('pid')).slice(background ? 1 : 0));
    assert.equal(second.code, 75, second.stderr);
    assert.match(second.stderr, /already running: lock file .*hastmond\.lock is held by pid/);
    assert.ok(!existsSync(file('pid')), 'the pidfile of the one that failed');
  }
  const good = readFileSync(config, 'utf8');
  const cases: [string, string, RegExp][] = [
    [
      'state_dir .*',
      'state_dir /proc/x',
      /state directory \/proc\/x: no such file or directory; state_dir names/,
    ],
    ['^', 'log /nonexist/log\n', /cannot open log file \/nonexist\/log: no such file or directory$/m],
  ];
  for (const [search, text, pattern] of cases) {
    writeFileSync(config, good.replace(new RegExp(search), text));
    const failed = await runHastmond(args('-P', file('pid')));
    assert.equal(failed.code, 73, failed.stderr);
    assert.match(failed.stderr, pattern);
    assert.ok(!existsSync(file('pid')), text);
  }
  writeFileSync(config, good);
  const directory = await runHastmond(args('-P', path.dirname(config)));
  assert.equal(directory.code, 73);
  assert.match(directory.stderr, /cannot lock pidfile .*: it is a directory; -P FILE names another one$/m);
});

test('a result that cannot be written is an error; a reader that has seen enough is not', async (t) => {
  const { config, file } = await loneNode(t);
  for (const args of [['-t', '-c', config, '-n', 'lone'], ['-h'], ['--version']]) {
    const full = await runHastmond(args, '"$@" > /dev/full');
    assert.equal(full.code, 74, args.join(' '));
    assert.match(full.stderr, /^hastmond: cannot write to the standard output: no space left on device$/m);
    // The reader has closed the pipe long before the program is there; its own status is what matters.
    const closed = await runHastmond(args, '{ "$@"; echo "status $?" >&2; } | exec 0<&-');
    assert.match(closed.stderr, /^status 0$/m, args.join(' '));
    assert.doesNotMatch(full.stderr + closed.stderr, /\n\s+at .*\(/, 'a stack trace');
  }
  const mute: [string[], number][] = [
    [['-c', file('none.conf'), '-n', 'lone'], 66],
    [['-F', '-c', config, '-n', 'other'], 78],
    [['--frobnicate'], 64],
  ];
  for (const [args, code] of mute)
    assert.equal((await runHastmond(args, '"$@" 2> /dev/full')).code, code, args.join(' '));
});

test('a pidfile that may not be written', { skip: asRoot && 'root may write everywhere' }, async (t) => {
  const { config } = await loneNode(t);
  const ended = await runHastmond(['-F', '-c', config, '-n', 'lone', '-P', '/hastmon-test.pid']);
  assert.ok([73, 77].includes(ended.code ?? 0), `${ended.code}: ${ended.stderr}`);
});

test('in the background: ready when the parent exits 0, one daemon per pidfile, an own session', async (t) => {
  const { config, file } = await loneNode(t);
  const args = ['-c', config, '-n', 'lone', '-P', file('pid')];
  const first = await runHastmond(args);
  assert.equal(first.code, 0, first.stderr);
  const pid = Number.parseInt(readFileSync(file('pid'), 'utf8'), 10);
  t.after(() => signalProcess(pid, 'SIGKILL'));
  assert.ok(pid > 1);
  assert.equal(statSync(file('pid')).mode & 0o777, 0o644, 'others may know the pid');
  // Its sockets are open when the parent has ended, not some time later.
  await new Promise<void>((resolve, reject) => {
    const socket = net.connect({ path: file('control') }, () => resolve(void socket.destroy()));
    socket.on('error', reject);
  });
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  assert.notEqual(stat[3], '0', 'it is in a session');
  assert.equal(stat[4], '0', 'it has no terminal');
  assert.equal(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(), 'hastmond');

  const second = await runHastmond(args);
  assert.equal(second.code, 75, second.stderr);
  assert.match(second.stderr, new RegExp(`\\b${pid}\\b`), 'it names the first one');

  signalProcess(pid, 'SIGTERM');
  await until(
    () => !existsSync(`/proc/${pid}`) || /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')),
    patienceMs,
    'it does not end',
  );
  assert.ok(!existsSync(file('control')), 'the control socket is gone');

  appendFileSync(config, 'resource {\n');
  const failing = await runHastmond(args);
  assert.equal(failing.code, 78, 'a daemon that cannot start says so to who started it');
});

test('sockets and state files are for their owner, and no secret is in a log of -dd', async (t) => {
  const secret = 'correct horse battery staple';
  const cluster = await clusterFor(t, {
    statements: `${calmTimes}\n  key {\n    algorithm sha256\n    secret "${secret}"\n  }`,
    daemonArgs: ['-dd'],
  });
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  for (const name of ['nodeA', 'nodeB', 'nodeC']) {
    const own = path.join(cluster.dir, name);
    assert.equal(statSync(path.join(own, 'control')).mode & 0o777, 0o600);
    for (const entry of readdirSync(path.join(own, 'state'), { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.path, entry.name);
      // Records of hooks come and go.
      const mode = statSync(file, { throwIfNoEntry: false })?.mode;
      if (entry.isFile() && mode !== undefined) assert.equal(mode & 0o077, 0, file);
    }
    const log = cluster.node(name).log();
    assert.ok(
      !log.includes(secret) && !log.includes(Buffer.from(secret).toString('base64')),
      `secret in ${name}'s log`,
    );
  }
  assert.match(cluster.node('nodeB').log(), /debug/, 'the log is one of -dd');
});

test('reload: a bad file changes nothing and says so; a changed resource does not touch another one', async (t) => {
  const cluster = await clusterFor(t);
  const other = `
resource other {
  exec /bin/true
  on nodeA {
    remote none
    priority 5
  }
}
`;
  const good = `${readFileSync(cluster.configFile, 'utf8')}${other}`;
  writeFileSync(cluster.configFile, good);
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  const node = cluster.node('nodeA');
  const worker = node.worker('primary');
  const actions = (): string[] =>
    node
      .hooks()
      .map((hook) => hook.action)
      .filter((action) => action !== 'status');
  const before = actions();

  writeFileSync(cluster.configFile, `${good}\nresource broken {\n`);
  node.signal('SIGHUP');
  await until(
    () => /reload failed: .*\n?.*hastmon\.conf:\d+/.test(node.log()),
    patienceMs,
    () => logsOf(cluster),
  );

  // The weak key is a warning, and the log has it as after a start; the answer to hastmonctl, too.
  const weak = 'key { algorithm md5 secret short }';
  const changed = good.replace('priority 5', 'priority 6').replace('resource other {', `$& ${weak}`);
  writeFileSync(cluster.configFile, changed);
  node.signal('SIGHUP');
  await until(
    () => /reloaded$/m.test(node.log()),
    patienceMs,
    () => logsOf(cluster),
  );
  assert.match(node.log(), /other.*reloaded: .*priority.* changed/);
  for (const warning of [/warn .*MD5 is weak/, /warn .*the secret is shorter than/])
    assert.match(node.log(), warning);
  assert.match(await must(node.ctl('reload')), /hastmon\.conf:\d+:\d+: warning: MD5 is weak$/m);
  assert.equal(node.worker('primary'), worker, 'the worker is the same');
  assert.deepEqual(actions(), before, 'nothing was started or stopped');
  await must(node.ctl('status', 'shared'));
});
