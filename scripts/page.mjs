// Builds the page of daemon/http/page into one HTML file with its script and its style in it: dist/bin/page.html. It asks for
// nothing from elsewhere, and what it is made of is named in it with its licence.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

/** Of the file, in bytes: a page for somebody with a bad connection at night. */
const BYTES_MAX = 150_000;
const libraries = ['preact', 'uplot'];

async function bundle(root, file) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [`daemon/http/page/${file}`],
    tsconfig: 'daemon/http/page/tsconfig.json',
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    target: ['es2022', 'chrome115', 'firefox115', 'safari16.4'],
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
  });
  return outputFiles[0].text.trim();
}

/** The licence of each library asks for its notice in every copy. */
function notices(root) {
  return libraries
    .map((name) => {
      const folder = path.join(root, 'node_modules', name);
      const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
      return `${name} ${version}\n\n${readFileSync(path.join(folder, 'LICENSE'), 'utf8').trim()}`;
    })
    .join('\n\n')
    .replaceAll('--', '- -');
}

/** Writes dist/bin/page.html below `root`. */
export async function buildPage(root) {
  const [script, style] = await Promise.all([bundle(root, 'main.tsx'), bundle(root, 'style/page.css')]);
  if (/<\/script/i.test(script) || /<\/style/i.test(style))
    throw new Error('the page would end its own script or style');
  const parts = {
    '<!--style-->': `<style>${style}</style>`,
    '<!--script-->': `<!--\n${notices(root)}\n-->\n<script>${script}</script>`,
  };
  const template = readFileSync(path.join(root, 'daemon/http/page/index.html'), 'utf8');
  const page = template.replace(/<!--(?:style|script)-->/g, (place) => parts[place]);
  if (Buffer.byteLength(page) > BYTES_MAX)
    throw new Error(`the page has ${Buffer.byteLength(page)} bytes, more than ${BYTES_MAX}`);
  writeFileSync(path.join(root, 'dist/bin/page.html'), page);
}
