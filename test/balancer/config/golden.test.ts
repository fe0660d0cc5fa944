/**
 * Golden files: invalid/NAME.conf must give the messages of NAME.err. REWRITE=1 writes them anew: read the difference before it is
 * committed.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseBalancerFile } from '../../../daemon/balancer/config/load.js';
import { formatDiagnostics } from '../../../daemon/config/diagnostic.js';
import { filesIn, ROOT } from '../../config/support.js';

const INVALID = path.join(ROOT, 'test/balancer/config/invalid');
const names = filesIn(INVALID, '.conf');

describe('[B9] invalid files, each with all of its errors', () => {
  for (const name of names) {
    test(name, () => {
      const text = readFileSync(path.join(INVALID, name), 'utf8');
      const { config, diagnostics } = parseBalancerFile(text, `/etc/${name}`);
      assert.equal(config, null);
      const golden = path.join(INVALID, name.replace(/\.conf$/, '.err'));
      const actual = formatDiagnostics(diagnostics);
      if (process.env.REWRITE === '1') writeFileSync(golden, actual);
      assert.ok(existsSync(golden), `${golden} is missing; REWRITE=1 writes it`);
      assert.equal(actual, readFileSync(golden, 'utf8'));
    });
  }

  test('there are some, and no golden file is left over', () => {
    assert.ok(names.length >= 8);
    assert.deepEqual(
      filesIn(INVALID, '.err').map((name) => name.replace(/\.err$/, '.conf')),
      names,
    );
  });

  test('the golden messages show no secret', () => {
    assert.match(readFileSync(path.join(INVALID, 'secrets.conf'), 'utf8'), /HUSH/);
    for (const name of filesIn(INVALID, '.err'))
      assert.doesNotMatch(readFileSync(path.join(INVALID, name), 'utf8'), /HUSH/, name);
  });
});
