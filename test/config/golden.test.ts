/**
 * Golden files. valid/NAME.conf must give the configuration and the warnings of NAME.dump, invalid/NAME.conf the
 * messages of NAME.err. REWRITE=1 writes them anew: read the difference before it is committed.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { formatDiagnostics } from '../../daemon/config/diagnostic.js';
import { dumpConfig } from '../../daemon/config/dump.js';
import { parseConfig } from '../../daemon/config/load.js';
import type { Config } from '../../daemon/config/types.js';
import { filesIn, nodeOf, parseAsEtc, ROOT, withToken } from './support.js';

const VALID = path.join(ROOT, 'test/config/valid');
const INVALID = path.join(ROOT, 'test/config/invalid');

function compare(file: string, actual: string): void {
  if (process.env.REWRITE === '1') writeFileSync(file, actual);
  assert.ok(existsSync(file), `${file} is missing; REWRITE=1 writes it`);
  assert.equal(actual, readFileSync(file, 'utf8'));
}

describe('valid files', () => {
  for (const name of filesIn(VALID, '.conf')) {
    test(name, () => {
      const { config, diagnostics } = parseAsEtc(VALID, name);
      assert.ok(config !== null, formatDiagnostics(diagnostics));
      assert.ok(diagnostics.every(({ severity }) => severity === 'warning'));
      const warnings =
        diagnostics.length === 0 ? '' : `\n# --- warnings ---\n${formatDiagnostics(diagnostics)}`;
      compare(path.join(VALID, name.replace(/\.conf$/, '.dump')), dumpConfig(config) + warnings);
    });

    test(`${name}: its dump means the same`, () => {
      const { config } = parseAsEtc(VALID, name);
      assert.ok(config !== null);
      const readInclude = () => ({ ok: false, reason: 'a dump includes nothing' }) as const;
      const again = parseConfig(withToken(dumpConfig(config)), '/etc/dump.conf', readInclude, {
        hostname: config.node,
      });
      assert.ok(again.config !== null, formatDiagnostics(again.diagnostics));
      assert.deepEqual(comparable(again.config), comparable(config));
      assert.equal(dumpConfig(again.config).replace('dump.conf', name), dumpConfig(config));
    });
  }
});

describe('invalid files', () => {
  for (const name of filesIn(INVALID, '.conf')) {
    test(name, () => {
      const { config, diagnostics } = parseAsEtc(INVALID, name);
      assert.equal(config, null);
      assert.ok(diagnostics.some(({ severity }) => severity === 'error'));
      compare(path.join(INVALID, name.replace(/\.conf$/, '.err')), formatDiagnostics(diagnostics));
    });
  }

  test('the golden messages show no secret', () => {
    const file = path.join(INVALID, 'secrets-hidden.err');
    assert.doesNotMatch(readFileSync(file, 'utf8'), /HUSH/);
    assert.doesNotMatch(readFileSync(path.join(VALID, 'monitor.dump'), 'utf8'), /hidden/);
    assert.match(readFileSync(path.join(INVALID, 'secrets-hidden.conf'), 'utf8'), /HUSH/);
  });

  test('every golden file belongs to a configuration', () => {
    for (const [folder, ending] of [
      [VALID, '.dump'],
      [INVALID, '.err'],
    ] as const) {
      for (const name of filesIn(folder, ending)) {
        assert.ok(existsSync(path.join(folder, name.replace(ending, '.conf'))), name);
      }
    }
  });

  test('every file names its node', () => {
    for (const name of filesIn(VALID, '.conf')) {
      const text = readFileSync(path.join(VALID, name), 'utf8');
      assert.match(text, /^\ufeff?# node: \S+/, name);
      assert.notEqual(nodeOf(text), '');
    }
  });
});

/** A configuration without what a dump does not carry: the secrets, and which files it came from. */
function comparable({ includes: _, ...full }: Config): Config {
  const config = structuredClone(full);
  for (const { url } of config.monitor?.checks ?? []) url.password = '';
  for (const { mail } of config.monitor?.alerts ?? [])
    if (mail !== null) Object.assign(mail, { password: '' });
  if (config.monitor?.key != null) config.monitor.key.secret = '';
  if (config.http?.token != null) config.http.token = '';
  const resources = config.resources.map((resource) => ({
    ...resource,
    key: resource.key === null ? null : { ...resource.key, secret: '' },
  }));
  return { ...config, file: '', resources };
}
