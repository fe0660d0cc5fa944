/**
 * The golden scenarios: what happens, line by line, when …. The files in testdata/ are read by operators too. After a change
 * that is meant, `REWRITE=1 npm test` writes them anew; the difference is to be read before it is committed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runScenario } from './scenario.js';

/** The source folder: dist/ holds only what is built. */
function findTestdata(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'test/core/testdata'))) {
    const parent = path.dirname(folder);
    if (parent === folder) return path.resolve('test/core/testdata');
    folder = parent;
  }
  return path.join(folder, 'test/core/testdata');
}

const folder = findTestdata();

test('[T1] what the clocks of the machines show makes no difference, only how fast they go', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    const text = readFileSync(path.join(folder, file), 'utf8');
    const moved = runScenario(text.replace(/^cluster .*$/m, '$& offset=86400000'));
    assert.equal(moved.replace(' offset=86400000', ''), text, file);
  }
});

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const [title = '', rules = ''] = text.split('\n', 2).map((line) => line.replace(/^# ?/, ''));
  test(`${title} (${rules})`, () => {
    const output = runScenario(text);
    if (process.env.REWRITE !== undefined) writeFileSync(path.join(folder, file), output);
    else assert.equal(output, text);
  });
}
