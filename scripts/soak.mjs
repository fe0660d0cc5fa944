// `npm run soak -- MINUTES`: the simulator with fresh seeds, then faults on real processes, half of the time each.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const minutes = Number(process.argv[2]);
if (!(minutes > 0)) {
  console.error('usage: npm run soak -- MINUTES');
  process.exit(64);
}
const half = String(minutes / 2);
for (const script of ['dist/test/sim/jobs.js', 'dist/test/system/run-faults.js']) {
  console.log(`== ${script}, ${half} minutes`);
  const result = spawnSync(process.execPath, [script, '--minutes', half], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
}
