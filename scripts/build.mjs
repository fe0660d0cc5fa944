// Builds dist/: every TypeScript file transpiled beside its tests (dist/daemon/…, dist/test/…), and the two
// programs bundled (dist/bin/hastmond.js, dist/bin/hastmonctl.js), which start faster than a tree of files, and the page
// (dist/bin/page.html).
import { readFileSync, rmSync } from 'node:fs';
import { chmod, cp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { asciiLayout } from './ascii-layout.mjs';
import { buildPage } from './page.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const folders = ['daemon', 'ctl', 'proto', 'test', 'bench'];
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const common = {
  absWorkingDir: root,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
  define: { HASTMON_VERSION: JSON.stringify(version) },
};

async function sources(folder) {
  const entries = await readdir(path.join(root, folder), { recursive: true }).catch(() => []);
  return entries.filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`);
}

rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const all = (await Promise.all(folders.map(sources))).flat();
await build({ ...common, entryPoints: all, outdir: 'dist', outbase: '.', sourcemap: 'inline' });
await cp(path.join(root, 'proto/gen'), path.join(root, 'dist/proto/gen'), { recursive: true }).catch(
  () => {},
);

const programs = ['daemon/hastmond.ts', 'ctl/hastmonctl.ts'].filter((file) => all.includes(file));
await build({
  ...common,
  entryPoints: programs,
  entryNames: '[name]',
  chunkNames: 'chunk-[hash]',
  outdir: 'dist/bin',
  bundle: true,
  plugins: [asciiLayout],
  splitting: true,
  minifySyntax: true,
  external: ['koffi', 'posix'],
  // Bundled CommonJS packages call require(), which an ES module has to be given.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as hastmonCreateRequire } from 'node:module'; const require = hastmonCreateRequire(import.meta.url);",
  },
});
for (const file of programs)
  await chmod(path.join(root, 'dist/bin', `${path.basename(file, '.ts')}.js`), 0o755);
await buildPage(root);
