// Installs the packages of package-lock.json where they are missing or older than it; says nothing where all is there.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const changed = (file) => statSync(path.join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`hastmon needs Node 20 or newer; this is ${process.version}`);
  process.exit(69);
}
if (changed('node_modules/.package-lock.json') < changed('package-lock.json')) {
  console.log('installing packages …');
  const options = { cwd: root, stdio: 'inherit' };
  const result = spawnSync(
    'npm',
    ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'],
    options,
  );
  if (result.status !== 0) {
    console.error('npm install failed: are you online, and is the package registry reachable?');
    process.exit(result.status ?? 69);
  }
}
