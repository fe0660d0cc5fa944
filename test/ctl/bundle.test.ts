/** The program as it is bundled: scripts/ascii-layout.mjs must not change what yargs prints. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { directory, execute } from './support.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const root =
  [path.resolve(here, '../../..'), process.cwd()].find((dir) => existsSync(path.join(dir, 'scripts'))) ?? '.';

test('help is laid out as yargs does it', async (t) => {
  const plugin = pathToFileURL(path.join(root, 'scripts/ascii-layout.mjs')).href;
  const { asciiLayout } = await import(plugin);
  const outfile = path.join(directory(t), 'hastmonctl.mjs');
  const require =
    "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);";
  const common = { absWorkingDir: root, bundle: true, format: 'esm', platform: 'node' } as const;
  await build({
    ...common,
    banner: { js: require },
    define: { HASTMON_VERSION: '"0.1.0"' },
    entryPoints: ['ctl/hastmonctl.ts'],
    logLevel: 'silent',
    outfile,
    plugins: [asciiLayout],
  });
  for (const words of [['--help'], ['role', '--help']]) {
    const { stdout } = spawnSync(process.execPath, [outfile, ...words], { encoding: 'utf8' });
    assert.equal(stdout, (await execute(words)).out);
  }
});

test('what is about checks and the balancer is loaded for that alone', async () => {
  const { metafile } = await build({
    ...{ absWorkingDir: root, bundle: true, format: 'esm', platform: 'node', splitting: true, write: false },
    ...{ entryPoints: ['ctl/hastmonctl.ts'], logLevel: 'silent', metafile: true, outdir: 'nowhere' },
    external: ['koffi', 'posix'],
  });
  const loaded = new Set<string>();
  const visit = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const { kind, path: target } of metafile.outputs[file]?.imports ?? [])
      if (kind === 'import-statement') visit(target);
  };
  visit('nowhere/hastmonctl.js');
  const sources = [...loaded].flatMap((file) => Object.keys(metafile.outputs[file]?.inputs ?? {}));
  assert.ok(sources.includes('ctl/run.ts') && sources.includes('ctl/check-arguments.ts'));
  const checks = ['run-checks', 'watch', 'screen', 'table', 'checks', 'check-detail', 'wait'];
  const balancer = ['run-balancer', 'balancer-tables', 'host', 'run-rolling', 'rolling', 'converse'];
  for (const file of [...checks, ...balancer]) assert.ok(!sources.includes(`ctl/${file}.ts`), file);
});
