/** What hastmon.conf says of HTTP: where, for whom, and what keeps others out. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { dumpConfig } from '../../daemon/config/dump.js';
import { checkFiles } from '../../daemon/config/files.js';
import { loadHttpToken } from '../../daemon/config/http-token.js';
import { loadConfig } from '../../daemon/config/load.js';
import type { Config } from '../../daemon/config/types.js';
import { configOf, parse, resourceOf, withToken } from './support.js';

const TOKEN = '0123456789abcdef-token';

function httpOf(statements: string): Config['http'] | string[] {
  const { config, diagnostics } = parse(`${statements}\n${resourceOf('')}`);
  return config === null ? diagnostics.map(({ message }) => message) : config.http;
}

describe('http', () => {
  test('is off where nothing is said of it, and with none', () => {
    assert.equal(httpOf(''), null);
    assert.equal(httpOf('http none'), null);
  });

  test('an address, and the defaults', () => {
    const found = { address: '127.0.0.1', port: 8480, token: null, tokenFile: '', health: 'token' };
    assert.deepEqual(httpOf('http 127.0.0.1:8480'), { ...found, users: ['hastmon', 'nobody'] });
    assert.deepEqual(httpOf('http [::1]:1'), {
      ...found,
      address: '::1',
      port: 1,
      users: ['hastmon', 'nobody'],
    });
  });

  test('statements of an inner section count for it alone', () => {
    const outer = `http { listen 127.0.0.1:8480 user web } on a { http { token "${TOKEN}" } }`;
    const http = httpOf(outer);
    assert.ok(http !== null && !Array.isArray(http));
    assert.deepEqual([http.users, http.token, http.port], [['web'], TOKEN, 8480]);
  });

  test('on an address that others reach it takes a token', () => {
    for (const address of ['10.0.0.1:8480', '0.0.0.0:8480', '[::]:8480', '[fd00::1]:8480']) {
      const [message = ''] = httpOf(`http ${address}`) as string[];
      assert.match(message, /can be reached from other machines, and there is no token/, address);
      const with_ = httpOf(`http { listen ${address} token "${TOKEN}" }`);
      assert.ok(with_ !== null && !Array.isArray(with_), address);
    }
    for (const address of ['127.0.0.1:8480', '127.1.2.3:8480', '[::1]:8480'])
      assert.ok(!Array.isArray(httpOf(`http ${address}`)), address);
  });

  test('a token is one word that a header can carry', () => {
    for (const token of ['', 'two words', 'ümlaut-in-a-token', 'x'.repeat(1024)])
      assert.match(
        (httpOf(`http { listen 127.0.0.1:1 token "${token}" }`) as string[])[0] ?? '',
        /^the token is/,
      );
  });

  test('a token that can be guessed by trying is refused; what a person would not guess is taken', () => {
    const told = (token: string): string[] => {
      const text = `http { listen 127.0.0.1:1 token "${token}" }\n${resourceOf('')}`;
      return parse(text).diagnostics.map(({ message, severity }) => `${severity}: ${message}`);
    };
    assert.match(told('0123456789abcde')[0] ?? '', /^error: the token is shorter than 16 characters/);
    assert.deepEqual(told('0123456789abcdef'), []);
    assert.deepEqual(told('abcabcabcabcabcabc'), ['warning: the token has only 3 different characters']);
    assert.deepEqual(told('x'.repeat(16)), ['warning: the token has only 1 different character']);
  });

  test('what a dump shows in place of a token is none', () => {
    const http = (token: string) => `http { listen 127.0.0.1:1 token "${token}" }`;
    for (const stars of ['*', '***', '*'.repeat(16), '*'.repeat(1023)])
      assert.deepEqual(httpOf(http(stars)), ['the token is what dump shows in place of a token']);
    assert.ok(!Array.isArray(httpOf(http(`${'*'.repeat(16)}0`))));
    const dump = dumpConfig(configOf(`${http(TOKEN)}\n${resourceOf('')}`));
    assert.equal(parse(dump).config, null);
    assert.equal(dumpConfig(configOf(withToken(dump))), dump);
  });
});

function tokenFile(t: TestContext, content: string, mode: number) {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-token-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'token');
  writeFileSync(file, content);
  chmodSync(file, mode);
  const config = path.join(folder, 'hastmon.conf');
  writeFileSync(config, `http { listen 127.0.0.1:8480 token_file ${file} }\n${resourceOf('')}`, {
    mode: 0o600,
  });
  return loadHttpToken(loadConfig(config, { hostname: 'a' }));
}

describe('token_file', () => {
  test('its one line is the token', (t) => {
    assert.equal(tokenFile(t, `${TOKEN}\n`, 0o640).config?.http?.token, TOKEN);
  });

  test('one that others may read is refused', (t) => {
    const { config, diagnostics } = tokenFile(t, TOKEN, 0o604);
    assert.equal(config, null);
    assert.match(diagnostics.at(-1)?.message ?? '', /every user of this machine may use it/);
  });

  test('one that holds no token is refused, and what it holds is not shown', (t) => {
    for (const content of ['', '\n', 'HUSH one two', 'HUSH\nHUSH']) {
      const { config, diagnostics } = tokenFile(t, content, 0o600);
      assert.equal(config, null);
      assert.match(diagnostics.at(-1)?.message ?? '', /the token is/);
      assert.doesNotMatch(JSON.stringify(diagnostics), /HUSH/);
    }
  });

  test('one with what a dump shows is refused', (t) => {
    const { config, diagnostics } = tokenFile(t, `${'*'.repeat(16)}\n`, 0o600);
    assert.equal(config, null);
    assert.match(diagnostics.at(-1)?.message ?? '', /the token is what dump shows in place of a token/);
  });

  test('one whose token can be guessed by trying is refused', (t) => {
    const { config, diagnostics } = tokenFile(t, 'HUSH-0123456789\n', 0o600);
    assert.equal(config, null);
    assert.match(diagnostics.at(-1)?.message ?? '', /the token is shorter than 16 characters/);
    assert.doesNotMatch(JSON.stringify(diagnostics), /HUSH/);
    assert.equal(tokenFile(t, 'HUSH-0123456789a\n', 0o600).config?.http?.token, 'HUSH-0123456789a');
  });

  test('one that is not there is an error of the configuration', () => {
    const loaded = parse(`http { listen 127.0.0.1:8480 token_file /nowhere/token }\n${resourceOf('')}`);
    const { config, diagnostics } = loadHttpToken({ ...loaded, unreadable: null, texts: new Map() });
    assert.equal(config, null);
    assert.match(diagnostics.at(-1)?.message ?? '', /'\/nowhere\/token': .*ENOENT/);
  });
});

test('a configuration with a token that every user may read is warned of', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-token-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'hastmon.conf');
  writeFileSync(file, `http { listen 127.0.0.1:8480 token "${TOKEN}" }\n${resourceOf('')}`);
  chmodSync(file, 0o644);
  const { config } = loadConfig(file, { hostname: 'a' });
  assert.ok(config !== null);
  assert.ok(checkFiles(config).some(({ message }) => /every user may read the secret/.test(message)));
});
