/** The command line of hastmonctl: what is understood, and one clear line for what is not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readArguments } from '../../ctl/arguments.js';
import { invocationOf } from './support.js';

async function requestOf(...words: string[]): Promise<unknown> {
  return (await invocationOf(words)).request;
}

async function refusal(...words: string[]): Promise<string> {
  const read = await readArguments(words);
  assert.equal(read.kind, 'refuse', `${words.join(' ')} should have been refused`);
  return read.kind === 'refuse' ? read.message : '';
}

async function printed(...words: string[]): Promise<string> {
  const read = await readArguments(words);
  assert.equal(read.kind, 'print', `${words.join(' ')} should have printed something`);
  return read.kind === 'print' ? read.text : '';
}

describe('commands', () => {
  test("role takes the ancestor's words", async () => {
    const role = { kind: 'role', force: false, wait: false };
    assert.deepEqual(await requestOf('role', 'primary', 'all'), {
      ...role,
      role: 'primary',
      resources: 'all',
    });
    assert.deepEqual(await requestOf('role', 'init', 'mail', 'web', 'mail'), {
      ...role,
      role: 'init',
      resources: ['mail', 'web'],
    });
  });

  test('status and dump are about all resources where none is named', async () => {
    assert.deepEqual(await requestOf('status'), { kind: 'status', resources: 'all' });
    assert.deepEqual(await requestOf('status', 'all'), { kind: 'status', resources: 'all' });
    assert.deepEqual(await requestOf('dump', 'mail'), { kind: 'dump', resources: ['mail'] });
  });

  test('the others', async () => {
    assert.deepEqual(await requestOf('reload'), { kind: 'reload' });
    assert.deepEqual(await requestOf('version'), { kind: 'version' });
    assert.deepEqual(await requestOf('bootstrap', 'mail'), { kind: 'bootstrap', resource: 'mail' });
    const switchover = { kind: 'switchover', resource: 'mail', to: '', wait: true };
    assert.deepEqual(await requestOf('switchover', 'mail'), switchover);
    assert.deepEqual(await requestOf('switchover', 'mail', '--wait'), switchover);
    assert.deepEqual(await requestOf('switchover', 'mail', '--no-wait'), { ...switchover, wait: false });
    assert.deepEqual(await requestOf('switchover', 'mail', '--to', 'beta'), { ...switchover, to: 'beta' });
    assert.deepEqual(await requestOf('switchover', 'mail', '--to', 'beta', '--dry-run'), {
      ...{ kind: 'switchover-plan', resource: 'mail', to: 'beta' },
    });
  });

  test('names are words, whatever they look like', async () => {
    const names = ['007', '1e3', '-x', '__proto__', 'a/b'];
    assert.deepEqual(await requestOf('status', '007', '1e3', '--', '-x', '__proto__', 'a/b'), {
      kind: 'status',
      resources: names,
    });
    assert.deepEqual(await requestOf('switchover', '--', '-x'), {
      kind: 'switchover',
      resource: '-x',
      to: '',
      wait: true,
    });
  });
});

describe('options', () => {
  test('may stand before and behind the command', async () => {
    const before = await invocationOf(['-c', '/x/h.conf', '-n', 'a', '-d', '--json', 'status']);
    const behind = await invocationOf(['status', '--config=/x/h.conf', '--node', 'a', '--debug', '--json']);
    assert.deepEqual(before, behind);
    assert.equal(before.config, '/x/h.conf');
    assert.equal(before.node, 'a');
    assert.equal(before.debug, 1);
    assert.equal(before.json, true);
  });

  test('a relative path counts from the working directory', async () => {
    assert.equal((await invocationOf(['status', '-c', 'h.conf'])).config, `${process.cwd()}/h.conf`);
    assert.equal((await invocationOf(['status', '-s', 'sock'])).control, `${process.cwd()}/sock`);
  });

  test('--wait has a limit of 60 s, or that of --timeout', async () => {
    assert.equal((await invocationOf(['role', 'primary', 'a', '--wait'])).timeoutMs, 60_000);
    assert.equal((await invocationOf(['role', 'init', 'a', '--wait', '--timeout', '500ms'])).timeoutMs, 500);
    assert.equal((await invocationOf(['switchover', 'a', '--timeout', '5m'])).timeoutMs, 300_000);
  });

  test('of one letter are read as getopt(3) reads them', async () => {
    const cases: [string[], Record<string, unknown>][] = [
      [['-nnodeA', 'status'], { node: 'nodeA', debug: 0 }],
      [['-n=nodeA', 'status'], { node: 'nodeA' }],
      [['status', '-dnnodeA'], { node: 'nodeA', debug: 1 }],
      [['status', '-ddn', 'nodeA'], { node: 'nodeA', debug: 2 }],
      [['-c/x/t.conf', '-s/x/sock', 'status'], { config: '/x/t.conf', control: '/x/sock' }],
      [['-ct.conf', 'status'], { config: `${process.cwd()}/t.conf` }],
      [['-n5', 'status'], { node: '5' }],
    ];
    for (const [words, expected] of cases) {
      const read: object = await invocationOf(words);
      for (const [name, value] of Object.entries(expected))
        assert.deepEqual({ ...read, [name]: value }, read, `${words.join(' ')}: ${name}`);
    }
    assert.deepEqual(await requestOf('status', '--', '-nA'), { kind: 'status', resources: ['-nA'] });
  });

  test('-d counts', async () => {
    assert.equal((await invocationOf(['-dd', 'status', '-d'])).debug, 3);
  });
});

describe('refusals are one line', () => {
  const cases: [string[], RegExp][] = [
    [[], /^a command is missing$/],
    [['statsu'], /^unknown command 'statsu'; did you mean 'status'\?$/],
    [
      ['-c', 'x.conf', '--node', 'a', 'rol', 'init', 'mail'],
      /^unknown command 'rol'; did you mean 'role'\?$/,
    ],
    [['frobnicate'], /^unknown (command|argument)s?: frobnicate$/],
    [['status', '--force'], /^unknown argument: force$/],
    [['status', 'all', 'mail'], /^'all' stands alone$/],
    [['role'], /^'role' takes a role and names/],
    [['role', 'primary'], /^'role' takes a role and names/],
    [['role', 'master', 'mail'], /^'master' is not a role: init, primary, secondary, watchdog are$/],
    [['role', 'primary', '--force', 'all'], /^--force is for role primary and one resource/],
    [['role', 'primary', '--force', 'a', 'b'], /^--force is for role primary and one resource/],
    [['role', 'secondary', '--force', 'a'], /^--force is for role primary and one resource/],
    [['switchover'], /^'switchover' takes the name of one resource$/],
    [['role', 'secondary', ''], /^the name of a resource is empty$/],
    [['status', 'mail', ''], /^the name of a resource is empty$/],
    [['dump', '--', ''], /^the name of a resource is empty$/],
    [['switchover', ''], /^the name of a resource is empty$/],
    [['bootstrap', '--', ''], /^the name of a resource is empty$/],
    [['switchover', 'mail', '--to', ''], /^--to is empty$/],
    [['switchover', 'a', '--wait', '--no-wait'], /^--wait and --no-wait exclude each other$/],
    [['switchover', 'a', '--no-wait', '--timeout', '5s'], /^--timeout means nothing without --wait$/],
    [['switchover', 'all'], /^'switchover' takes the name of one resource$/],
    [['switchover', 'a', 'b'], /^unknown argument: b$/],
    [['bootstrap', 'all'], /^'bootstrap' takes the name of one resource$/],
    [['reload', 'mail'], /^unknown argument: mail$/],
    [['reload', '--', 'mail'], /^'reload' takes no names$/],
    [['status', '-c'], /^not enough arguments following: c$/],
    [['status', '-c', ''], /^--config is empty$/],
    [['status', '-c', 'a', '-c', 'b'], /^--config is given twice$/],
    [['status', '-dx'], /^unknown argument: x$/],
    [['status', '-dn'], /^not enough arguments following: n$/],
    [['status', '-nA', '-nB'], /^--node is given twice$/],
    [['status', '--wait'], /^unknown argument: wait$/],
    [['role', 'init', 'a', '--timeout', '5s'], /^--timeout means nothing without --wait$/],
    [['role', 'init', 'a', '--wait', '--timeout', 'soon'], /^--timeout: 'soon' is not a duration$/],
    [['role', 'init', 'a', '--wait', '--timeout', '0'], /^--timeout: '0' is not from 1ms to 24h$/],
    [['role', 'init', 'a', '--wait', '--timeout', '25h'], /^--timeout: '25h' is not from 1ms to 24h$/],
  ];
  for (const [words, expected] of cases) {
    test(`hastmonctl ${words.join(' ')}`, async () => {
      const message = await refusal(...words);
      assert.match(message, expected);
      assert.ok(!message.includes('\n'));
    });
  }
});

describe('help', () => {
  const commands = ['role', 'status', 'dump', 'reload', 'switchover', 'bootstrap', 'version', 'completion'];

  test('names every command', async () => {
    const text = await printed('--help');
    for (const command of commands) assert.match(text, new RegExp(`^  hastmonctl ${command}\\b`, 'm'));
    assert.equal(await printed('-h'), text);
  });

  for (const command of commands.slice(0, -1)) {
    test(`of ${command} fits a terminal of 80 columns`, async () => {
      const text = await printed(command, '--help');
      assert.match(text, new RegExp(`^hastmonctl ${command}`));
      for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
    });
  }

  test('--version is a number; completion is a script', async () => {
    assert.match(await printed('--version'), /^(\d+\.\d+\.\d+|unbuilt)\n$/);
    assert.match(await printed('completion'), /hastmonctl --get-yargs-completions/);
    assert.match(await printed('--get-yargs-completions', 'hastmonctl', 'sw'), /^switchover$/m);
  });
});

test('the help of a command that needs names gives them no default, and keeps its right edge', async () => {
  for (const command of ['maintenance', 'role', 'mute']) {
    const read = await readArguments([command, '--help']);
    const text = read.kind === 'print' ? read.text : '';
    assert.match(text, /^ +names .{50,}\[array\]$/m, text);
    assert.doesNotMatch(text, /default: none/);
  }
});
