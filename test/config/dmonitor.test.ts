/** A directory of dmonitor's: what its files are called is what it says. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { dumpConfig } from '../../daemon/config/dump.js';
import { type LoadFileResult, loadConfig } from '../../daemon/config/load.js';
import { parse } from './support.js';

let folder = '';
before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'dmonitor-'));
});
after(() => rmSync(folder, { recursive: true }));

/** Makes a tree of files: path -> text; a program where the path begins with plugins/. */
function tree(name: string, files: Record<string, string>): string {
  const root = path.join(folder, name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
    if (file.startsWith('plugins/')) chmodSync(path.join(root, file), 0o755);
  }
  return root;
}

/** Loads a configuration that names a directory, on the host `a`. */
function load(root: string, text = `monitor { dmonitor "${root}" }`): LoadFileResult {
  const file = path.join(folder, 'hastmon.conf');
  writeFileSync(file, text);
  return loadConfig(file, { hostname: 'a' });
}

const NODES = { 'nodes.txt': '# the monitors\na.example.com\n\nb.example.com # the other\n' };
const ALERTS = { 'alert.d/foo@example.com': '', 'alert.d/root@example.com': '' };

/** The errors or warnings of a result, with paths from the directory on. */
function messages({ diagnostics }: LoadFileResult, root: string, severity = 'error'): string[] {
  return diagnostics
    .filter((diagnostic) => diagnostic.severity === severity)
    .map(({ file, line, column, message }) =>
      `${path.relative(root, file)}${line === 0 ? '' : `:${line}:${column}`} ${message}`.replaceAll(
        `${root}/`,
        '',
      ),
    );
}

test("the tree of dmonitor's description", () => {
  const root = tree('described', {
    ...NODES,
    ...ALERTS,
    'hosts.d/www.example.com/ping': '',
    'hosts.d/www.example.com/ssh': '',
    'hosts.d/www.example.com/.keep': '',
    'hosts.d/www.example.com/ssh~': '',
  });
  const { config, diagnostics } = load(root);
  assert.deepEqual(diagnostics, []);
  const monitor = config?.monitor;
  assert.deepEqual([config?.node, monitor?.active], ['a.example.com', true]);
  assert.deepEqual(monitor?.nodes, ['a.example.com', 'b.example.com']);
  assert.equal(monitor?.dmonitor, root);
  assert.deepEqual(
    monitor?.checks.map(({ name, group, shownUrl }) => [name, group, shownUrl]),
    [
      ['ping@www.example.com', 'dmonitor', 'ping://www.example.com'],
      ['ssh@www.example.com', 'dmonitor', 'ssh://www.example.com'],
    ],
  );
  const options = monitor?.checks[0]?.options;
  assert.deepEqual(
    [options?.intervalMs, options?.retryIntervalMs, options?.timeoutMs, options?.rise, options?.fall],
    [60_000, 60_000, 10_000, 1, 1],
  );
  assert.deepEqual(monitor?.alerts[0]?.mail, {
    ...{ to: ['foo@example.com', 'root@example.com'], from: 'hastmon@a.example.com' },
    ...{ server: 'localhost:25', tls: 'none', user: '', password: '' },
  });
});

test('every test that needs no plugin', () => {
  const tests = ['ping', 'ssh', 'http', 'https', 'smtp', 'imap', 'pop3', 'ftp', 'redis', 'mysql', 'postgres'];
  const files = Object.fromEntries(tests.map((name) => [`hosts.d/2001:db8::1/${name}`, '']));
  const root = tree('built-in', { ...NODES, ...ALERTS, ...files });
  const { config, diagnostics } = load(root);
  assert.deepEqual(diagnostics, []);
  const urls = new Set(config?.monitor?.checks.map(({ shownUrl }) => shownUrl));
  assert.deepEqual(urls, new Set(tests.map((name) => `${name}://[2001:db8::1]`)));
});

test('a plugin goes before the built-in check, and gets the host alone', () => {
  const root = tree('plugins #1', {
    ...NODES,
    ...ALERTS,
    'hosts.d/db1/ping': '',
    'hosts.d/db1/disk space': '',
    'plugins/check_ping': '#!/bin/sh\necho OK\n',
    'plugins/check_disk space': '#!/bin/sh\necho OK\n',
  });
  const { config, diagnostics } = load(root);
  // A test is called as a check can be called.
  assert.match(diagnostics[0]?.message ?? '', /'disk space@db1' cannot be the name of a check/);
  assert.equal(config, null);
  rmSync(path.join(root, 'hosts.d/db1/disk space'));
  const checks = load(root).config?.monitor?.checks ?? [];
  assert.equal(checks[0]?.url.path, path.join(root, 'plugins/check_ping'));
  assert.deepEqual(checks[0]?.url.parameters, [['arg', 'db1']]);
  assert.equal(checks[0]?.options.timeoutMs, 10_000);
});

test('the content of a test is options', () => {
  const content = 'interval 30s\nstatus 200 404  # both are fine\nbody "Hello"\n';
  const root = tree('options', { ...NODES, ...ALERTS, 'hosts.d/w/http': content });
  const { config, diagnostics } = load(root);
  assert.deepEqual(diagnostics, []);
  const options = config?.monitor?.checks[0]?.options;
  assert.deepEqual([options?.intervalMs, options?.retryIntervalMs, options?.fall], [30_000, 30_000, 1]);
  assert.deepEqual(options?.http.statuses, [
    [200, 200],
    [404, 404],
  ]);
});

describe('what is wrong is said of the file', () => {
  const cases: Record<string, [Record<string, string>, ...string[]]> = {
    'an unknown test': [
      { 'hosts.d/h/sshh': '' },
      "hosts.d/h/sshh unknown test 'sshh': there is no plugin 'check_sshh'",
    ],
    'a test that needs more than a name': [
      { 'hosts.d/h/dns': '' },
      "hosts.d/h/dns unknown test 'dns': there is no plugin 'check_dns'",
    ],
    'options that do not belong': [
      { 'hosts.d/h/ssh': 'rise 2\n  status 200\n  raise 3 }\n' },
      "hosts.d/h/ssh:2:3 'status' is not for ssh checks",
      "hosts.d/h/ssh:3:3 unknown statement 'raise'",
      "hosts.d/h/ssh:3:11 '}' without a section to close",
    ],
    'a host that is none': [
      { 'hosts.d/a b/ssh': '', 'hosts.d/h/ssh': '' },
      "hosts.d/a b 'a b' is neither a host's name nor its address",
    ],
    'a file where a host should be': [
      { 'hosts.d/h': '' },
      'hosts.d/h cannot be read: a part of its path is not a directory',
    ],
    'an address that is none': [
      { 'hosts.d/h/ssh': '', 'alert.d/a b': '' },
      "alert.d/a b 'a b' is no e-mail address",
    ],
    'a node that is none': [
      { 'hosts.d/h/ssh': '', 'nodes.txt': 'a\n  b;c # x\n' },
      "nodes.txt:2:3 'b;c' cannot be a node's name",
    ],
  };
  for (const [title, [files, ...errors]] of Object.entries(cases))
    test(title, () => {
      const root = tree(title, { ...NODES, ...ALERTS, ...files });
      assert.deepEqual(messages(load(root), root), errors);
    });

  test('a plugin that cannot be executed', () => {
    const root = tree('mode', {
      ...NODES,
      ...ALERTS,
      'hosts.d/h/ssh': '',
      'hosts.d/h/x': '',
      'plugins/check_x': '',
    });
    chmodSync(path.join(root, 'plugins/check_x'), 0o644);
    assert.deepEqual(messages(load(root), root), ["hosts.d/h/x the plugin 'check_x' is not executable"]);
  });

  test('no such directory', () => {
    const root = path.join(folder, 'nowhere');
    const text = `monitor {\n\tdmonitor "${root}"\n}`;
    const { diagnostics } = load(root, text);
    const [{ line, column, message } = { line: 0, column: 0, message: '' }] = diagnostics;
    assert.deepEqual([line, column], [2, 11]);
    assert.match(message, /nowhere' cannot be read: no such file or directory/);
  });
});

describe('beside what the file itself says', () => {
  test('the nodes that it names count', () => {
    const root = tree('nodes', { ...NODES, ...ALERTS, 'hosts.d/h/ssh': '' });
    const { config, diagnostics } = load(root, `on a { } on c { }\nmonitor { dmonitor "${root}" nodes c }`);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual([config?.monitor?.nodes, config?.monitor?.active], [['c'], false]);
  });

  test('a host in nodes.txt that is no node', () => {
    const root = tree('foreign', { ...NODES, ...ALERTS, 'hosts.d/h/ssh': '' });
    const result = load(root, `on a { }\nmonitor { dmonitor "${root}" }`);
    assert.deepEqual(messages(result, root, 'warning'), [
      "nodes.txt:4:1 'b.example.com' has no 'on' section",
    ]);
    assert.deepEqual(result.config?.monitor?.nodes, ['a', 'b.example.com']);
  });

  test('a name that is there twice', () => {
    const root = tree('twice', { ...NODES, ...ALERTS, 'hosts.d/h/ssh': '' });
    const result = load(
      root,
      `monitor { dmonitor "${root}" }\ncheck ssh@h ssh://h\nalert dmonitor { syslog }`,
    );
    assert.deepEqual(messages(result, root), [
      "alert.d/foo@example.com alert 'dmonitor' is there twice",
      "hosts.d/h/ssh check 'ssh@h' is there twice",
    ]);
  });

  test('checks of the file may depend on those of the directory', () => {
    const root = tree('depends', {
      ...NODES,
      ...ALERTS,
      'hosts.d/h/ping': '',
      'hosts.d/h/ssh': 'depends ping@h',
    });
    const { config } = load(root, `monitor { dmonitor "${root}" }\ncheck c tcp://h:1 { depends ping@h }`);
    assert.deepEqual(
      config?.monitor?.checks.map(({ options }) => options.depends),
      [['ping@h'], [], ['ping@h']],
    );
  });
});

test('a dump says what was read from the directory', () => {
  const files = { 'hosts.d/h/ping': '', 'hosts.d/h/x': 'rise 3', 'plugins/check_x': '' };
  const { config } = load(tree('dump', { ...NODES, ...ALERTS, ...files }));
  assert.ok(config !== null);
  const again = parse(dumpConfig(config), 'a').config;
  assert.deepEqual({ ...again?.monitor, dmonitor: config.monitor?.dmonitor }, config.monitor);
});
