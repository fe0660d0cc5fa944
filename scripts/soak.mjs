// `npm run soak -- MINUTES`: the simulator with fresh seeds, then faults on real processes, half of the time each; before that what `.ci/run`
// tries a sample of: every kind of fault once, every rule taken out, and as root IPv6, tunnels, ramps and a quorum, two directors, and the balancer with
// 1,000 x 10 servers, in virtual machines.
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
run(process.execPath, ['dist/test/system/run-faults.js', '--count', '82', '--seed', '7']);
run(process.execPath, ['dist/test/sim/mutations.js', '--seeds', '3000']);
run(process.execPath, ['dist/test/confirm/mutations.js']);
if (process.getuid() === 0)
  run('bash', ['test/vm/ipvs/run', 'forms', 'failover', 'scale 1000'], { HASTMON_VM_SECONDS: '1800' });
for (const script of ['dist/test/sim/jobs.js', 'dist/test/system/run-faults.js'])
  run(process.execPath, [script, '--minutes', half]);

function run(program, words, more = {}) {
  console.log(`== ${words.join(' ')}`);
  const result = spawnSync(program, words, { cwd: root, stdio: 'inherit', env: { ...process.env, ...more } });
  if (result.status !== 0) process.exit(result.status ?? 1);
}
