/** Checks as an operator meets them: hastmonctl, a real hastmond, real services. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../system/wait.js';
import { closedPort, type Monitor, monitorFor, webFor } from './daemon-support.js';

const program = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../ctl/hastmonctl.js');
const QUICK = [
  'monitor { interval 200ms\n retry_interval 100ms\n timeout 1s\n rise 1\n fall 2 }',
  'alert ops { program /bin/true\n gather 0 }',
  'alert broken { program /bin/false\n gather 0 }\n',
].join('\n');

/** Three checks: one that is up, one that answers wrongly, one where nobody is. */
async function threeChecks(t: Parameters<typeof monitorFor>[0]): Promise<Monitor & { web: number }> {
  const [web, closed] = [await webFor(t), await closedPort()];
  const text = [
    `check www http://127.0.0.1:${web}/ { body "Welcome" }`,
    `group shops { check shop http://127.0.0.1:${web}/bad { depends www } }`,
    `check nobody@db1 tcp://127.0.0.1:${closed}`,
  ].join('\n');
  const monitor = await monitorFor(t, QUICK + text);
  await monitor.shows(/^1 up, 2 down, 0 unknown/m);
  return { ...monitor, web };
}

test('a table, filters, details, and words of an operator', async (t) => {
  const { ctl, shows } = await threeChecks(t);
  const table = await shows(/down, confirmed[\s\S]*down, confirmed/);
  assert.match(table, /^NAME +STATE +RESULT +LATENCY +SINCE +LAST +SEEN BY\n/);
  assert.match(table, /^shop +down, confirmed +http-status 503 +[\d.]+ ms +\d+ s +\d+ s +1\/1: alpha$/m);
  assert.match(table, /^nobody@db1 +down, confirmed +refused /m);
  assert.match(table, /^www +up +ok +[\d.]+ ms +\d+ s +\d+ s +-$/m);
  assert.ok(table.indexOf('www') > table.indexOf('shop'), 'the worst first');

  const names = async (...words: string[]): Promise<string[]> => {
    const { out } = await ctl('checks', '--json', ...words);
    return JSON.parse(out).checks.map(({ name }: { name: string }) => name);
  };
  assert.deepEqual(await names(), ['www', 'shop', 'nobody@db1'], 'in the order of the file');
  assert.deepEqual(await names('--down'), ['shop', 'nobody@db1']);
  assert.deepEqual(await names('--group', 'shops'), ['shop']);
  assert.deepEqual(await names('--host', 'db1'), ['nobody@db1']);
  assert.deepEqual(await names('--host', '127.*', 'w*', 'nobody'), ['www', 'nobody@db1']);

  let out = '';
  const told = async (): Promise<boolean> => {
    ({ out } = await ctl('check', 'shop'));
    return out.includes('told: shop#1, by alpha\n');
  };
  await until(told, 20_000, () => out);
  assert.match(out, /^shop: down, confirmed\n {2}url: http:\S+\/bad\n {2}group: shops\n/);
  assert.match(out, /^ {4}alpha \(this node\): down for \d+ s, http-status 503, /m);
  assert.match(out, /^ {2}outage: shop#1, for \d+ s\n {2}told: shop#1, by alpha$/m);
  assert.match(out, /^ {2}depends: www \(up\)$/m);
  assert.match(
    out,
    /^ {4}interval 200ms; retry_interval 100ms; timeout 1s; rise 1; fall 2;\n {4}depends www$/m,
  );
  assert.match(out, /^ {2}last answer: "HTTP\/1\.1 503 .*Sorry/m);
  assert.match(out, /^ +\d+ s ago +(\d+ s ago)? +\d+ +http-status 503 /m);

  assert.equal((await ctl('check', 'ack', 'shop', '--by', 'carol')).out, 'shop: acknowledged by carol\n');
  assert.equal((await ctl('mute', 'nobody', '--for', '3h')).out, 'nobody@db1: muted for 3 h\n');
  await shows(/^nobody@db1 +down, confirmed, muted .*\n/m);
  assert.match((await ctl('check', 'nobody@db1')).out, /^ {2}muted: for another 3 h$/m);
  assert.match((await ctl('check', 'shop')).out, /acknowledged\n[\s\S]*acknowledged by: carol\n/);
  assert.equal((await ctl('check', 'unmute', 'nobody@db1')).out, 'nobody@db1: not muted any more\n');
  await shows(/^nobody@db1 +down, confirmed +refused/m);
});

test('a name that there is not is one line, with what was probably meant', async (t) => {
  const { ctl } = await threeChecks(t);
  const cases: [string[], string][] = [
    [['check', 'shp'], "there is no check 'shp'; did you mean 'shop'?"],
    [['check', 'run', 'wwww'], "there is no check 'wwww'; did you mean 'www'?"],
    [['check', 'ack', 'www', 'shpo'], "there is no check 'shpo'; did you mean 'shop'?"],
    [['mute', 'z*'], "there is no check 'z*'; there are: www, shop, nobody@db1, nobody"],
    [['checks', 'w*', 'x?'], "there is no check 'x?'; there are: www, shop, nobody@db1, nobody"],
    [['checks', '--group', 'shop'], "there is no group 'shop'; did you mean 'shops'?"],
    [['alert', 'test', 'osp'], "there is no alert 'osp'; did you mean 'ops'?"],
  ];
  for (const [words, message] of cases)
    assert.deepEqual(await ctl(...words), { code: 68, out: '', err: `hastmonctl: ${message}\n` });
  const ack = await ctl('check', 'ack', 'www');
  assert.deepEqual(ack, { code: 75, out: '', err: 'hastmonctl: www: it is not confirmed to be down\n' });
});

test('a check is run now, and its exit status tells', async (t) => {
  const { ctl, web } = await threeChecks(t);
  const good = await ctl('check', 'run', 'www');
  assert.equal(good.code, 0);
  assert.match(
    good.out,
    /^www: http:\S+\n {2}address: 127\.0\.0\.1\n +TOOK +AT\n {2}resolve .*\n {2}connect .*\n {2}query .*\n {2}first byte .*\n {2}last byte .*\n {2}total .*\n {2}result: ok\n/,
  );
  const bad = await ctl('check', 'run', 'nobody@db1');
  assert.equal(bad.code, 1);
  assert.match(bad.out, /^ {2}connect +\S+ ms +not reached\n {2}total +\S+ ms\n {2}result: refused\n$/m);
  const url = `http://127.0.0.1:${web}/bad`;
  assert.equal((await ctl('check', 'run', url)).code, 1);
  const wanted = await ctl('check', 'run', url, '-o', 'status 500-599', '-o', 'body "Sorry"', '--json');
  assert.equal(wanted.code, 0, wanted.err);
  const report = JSON.parse(wanted.out);
  assert.deepEqual([report.name, report.url, report.result.nature], ['', url, 'ok']);
  assert.ok(report.phases.every(({ reached }: { reached: boolean }) => reached));
  const wrong = await ctl('check', 'run', url, '-o', 'interval 1s', '-o', 'sttus 500');
  assert.equal(wrong.code, 64);
  assert.match(
    wrong.err,
    /option:2:1: error: unknown statement 'sttus'\n.*\n.*\n.*did you mean 'status'\?\n$/,
  );
  assert.match((await ctl('check', 'run', 'htp://x/')).err, /URL:1:\d: error: unknown kind of check 'htp'/);
  assert.match((await ctl('check', 'run', 'www', '-o', 'rise 1')).err, /options are for a URL\n$/);
  const { out } = await ctl('checks', '--json');
  assert.equal(JSON.parse(out).checks.length, 3, 'it leaves no trace');
});

test('an alert is tried, and the exit status tells', async (t) => {
  const { ctl } = await threeChecks(t);
  const good = await ctl('alert', 'test', 'ops');
  assert.equal(good.code, 0, good.err);
  assert.match(good.out, /^ops:\n {2}program: [\s\S]*\nevery way works\n$/);
  const bad = await ctl('alert', 'test', 'broken', '--json');
  assert.equal(bad.code, 1);
  const { alert, lines, ok } = JSON.parse(bad.out);
  assert.deepEqual([alert, ok], ['broken', false]);
  assert.match(lines.at(-1), /^program: .*1/);
});

test('without any check a URL is run all the same, as often as wanted', async (t) => {
  const web = await webFor(t);
  const { ctl } = await monitorFor(t, 'monitor { }');
  assert.match((await ctl('checks')).err, /^hastmonctl: node alpha has no checks\n$/);
  const url = `http://127.0.0.1:${web}/`;
  const codes = await Promise.all(
    [url, `${url}bad`, url].map(async (each) => (await ctl('check', 'run', each)).code),
  );
  assert.deepEqual(codes, [0, 1, 0]);
  assert.equal((await ctl('check', 'run', url)).code, 0);
});

test('--watch appends where there is no terminal, in JSON a line each, and ends when interrupted', async (t) => {
  const { config } = await threeChecks(t);
  const words = ['checks', '--watch=100ms', '--json', '-n', 'alpha', '-c', config];
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await until(
    () => out.split('\n').length > 3,
    20_000,
    () => out,
  );
  child.kill('SIGINT');
  assert.equal(await ended, 0);
  const lines = out.trimEnd().split('\n');
  for (const line of lines) assert.equal(JSON.parse(line).checks.length, 3);
  // A reader that has seen enough ends it too.
  const head = `"$0" "$@" | head -n 1 > /dev/null; echo done`;
  const { stdout } = spawnSync('/bin/sh', ['-c', head, process.execPath, program, ...words], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(stdout, 'done\n');
});

const noScript =
  spawnSync('script', ['--version']).status === 0 ? false : 'script(1) of util-linux is not here';

test('--watch takes the screen, cuts to it, and gives it back when q is typed', {
  skip: noScript,
}, async (t) => {
  const { config } = await threeChecks(t);
  const words = [process.execPath, program, 'checks', '--watch', '-n', 'alpha', '-c', config];
  const command = `stty cols 60 rows 4; exec ${words.join(' ')}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh', NO_COLOR: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await until(
    () => out.includes('1 more; 1 up, 2 down'),
    20_000,
    () => out,
  );
  child.stdin.write('q');
  assert.equal(await ended, 0);
  assert.ok(out.startsWith('\x1b[?1049h\x1b[?25l\x1b[H'), JSON.stringify(out.slice(0, 80)));
  assert.ok(out.endsWith('\x1b[?25h\x1b[?1049l'), JSON.stringify(out.slice(-80)));
  assert.ok(out.includes('\x1b[31;1mdown, confirmed\x1b[0m'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal does not show
  for (const line of out.replace(/\x1b\[[?\d;]*[A-Za-z]/g, '').split('\r\n'))
    assert.ok(line.length <= 60, JSON.stringify(line));
});
