/** What the configuration names, looked at on this machine. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { checkFiles } from '../../daemon/config/files.js';
import { loadConfig } from '../../daemon/config/load.js';

describe('checkFiles', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hastmon-files-'));
    writeFileSync(path.join(folder, 'hook'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(path.join(folder, 'plain'), '', { mode: 0o644 });
    mkdirSync(path.join(folder, 'directory'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** The warnings about a file with these statements and this mode. */
  function warnings(statements: string, mode = 0o600, exec = 'hook'): string[] {
    const file = path.join(folder, 'hastmon.conf');
    const globals = `control ${folder}/control state_dir ${folder}/state exec ${folder}/${exec}\n`;
    writeFileSync(
      file,
      `${globals}${statements}\nresource r { on a { remote b } on b { remote a } on c { remote a } }\n`,
    );
    chmodSync(file, mode);
    const { config } = loadConfig(file, { hostname: 'a' });
    assert.ok(config !== null);
    return checkFiles(config).map(
      ({ severity, message }) => `${severity}: ${message.replaceAll(`${folder}/`, '')}`,
    );
  }

  test('nothing to say', () => assert.deepEqual(warnings(''), []));

  test('exec and fence', () => {
    assert.deepEqual(warnings('', 0o600, 'missing'), [
      "warning: resource 'r': exec 'missing': there is nothing of that name",
    ]);
    assert.deepEqual(warnings('', 0o600, 'plain'), ["warning: resource 'r': exec 'plain' is not executable"]);
    assert.deepEqual(warnings('', 0o600, 'directory'), [
      "warning: resource 'r': exec 'directory' is not a file",
    ]);
    assert.deepEqual(warnings('', 0o600, 'plain/x'), [
      "warning: resource 'r': exec 'plain/x': there is nothing of that name",
    ]);
    assert.deepEqual(warnings(`fence ${folder}/missing`), [
      "warning: resource 'r': fence 'missing': there is nothing of that name",
    ]);
  });

  test('the device', () => {
    assert.deepEqual(warnings(`watchdog_device ${folder}/plain`), [
      "warning: watchdog_device 'plain' is not a character device",
    ]);
    assert.deepEqual(warnings(`watchdog_device ${folder}/missing`), [
      "warning: watchdog_device 'missing': there is nothing of that name",
    ]);
    assert.deepEqual(warnings('watchdog_device /dev/null'), []);
  });

  test('plugins, certificates and programs of monitoring', () => {
    const text = `check p exec:${folder}/plain check q exec:${folder}/plain check h exec:${folder}/hook
check c https://h { ca ${folder}/missing.pem }
alert x { program ${folder}/missing }`;
    assert.deepEqual(warnings(text), [
      "warning: alert 'x': program 'missing': there is nothing of that name",
      "warning: check 'p': plugin 'plain' is not executable",
      "warning: check 'c': ca 'missing.pem': there is nothing of that name",
    ]);
  });

  test('the directory that monitoring is confined to', () => {
    const text = 'check p tcp://h:1 monitor { chroot ';
    assert.deepEqual(warnings(`${text}${folder} }`), []);
    assert.deepEqual(warnings(`${text}${folder}/missing }`), [
      "warning: chroot 'missing': there is nothing of that name",
    ]);
  });

  test('directories', () => {
    assert.deepEqual(warnings(`log ${folder}/nowhere/x.log`), [
      "warning: directory 'nowhere': there is nothing of that name",
    ]);
    assert.deepEqual(warnings(`log ${folder}/plain/x.log`), ["error: 'plain' is not a directory"]);
    assert.deepEqual(warnings(`listen ${folder}/nowhere/socket`), [
      "warning: directory 'nowhere': there is nothing of that name",
    ]);
  });

  test('what is in the way is an error', () => {
    assert.deepEqual(warnings(`log ${folder}/directory`), ["error: log 'directory' is a directory"]);
    const globals: [string, string][] = [
      [`listen tcp4://0.0.0.0 ${folder}/directory`, "error: listen 'directory' exists and is no socket"],
      [`control ${folder}/directory`, "error: control 'directory' exists and is no socket"],
      [`control ${folder}/plain`, "error: control 'plain' exists and is no socket"],
      [`state_dir ${folder}/plain`, "error: state_dir 'plain' is not a directory"],
    ];
    for (const [statement, expected] of globals) assert.deepEqual(warnings(statement), [expected]);
  });

  test('permissions of the file', () => {
    const secret = 'key { secret 0123456789abcdef }';
    assert.deepEqual(warnings(secret, 0o644), ['warning: every user may read the secret in this file']);
    assert.deepEqual(warnings(secret, 0o640), []);
    const alert = 'alert x { mail a@b login joe "pass" }';
    const url = 'alert x { syslog } check c http://u:p@h';
    for (const text of [alert, url])
      assert.deepEqual(warnings(text, 0o644), ['warning: every user may read the secret in this file']);
    assert.deepEqual(warnings('friends login a b', 0o644), []);
    assert.deepEqual(warnings('', 0o644), [], 'without a secret anybody may read it');
    assert.deepEqual(warnings('# no secret here', 0o644), []);
    assert.deepEqual(warnings('', 0o666), ['warning: every user may change this file']);
  });

  test('permissions of an included file', () => {
    writeFileSync(path.join(folder, 'key.conf'), 'key { secret 0123456789abcdef }\n', { mode: 0o644 });
    assert.deepEqual(warnings('include key.conf', 0o644), [
      'warning: every user may read the secret in this file',
    ]);
  });
});
