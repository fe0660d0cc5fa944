/**
 * What running a hook costs beyond starting the same program with Node's own spawn(): the process group on record before it
 * executes, the pipe, the proof that nothing is left. hook-overhead [RUNS]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createHookRunner } from '../daemon/hooks/runner.js';

const runs = Number(process.argv[2] ?? 300);
const directory = mkdtempSync(path.join(tmpdir(), 'hastmon-bench-'));
const exec = path.join(directory, 'status');
writeFileSync(exec, '#!/bin/sh\nexit 0\n', { mode: 0o755 });

const none = (): void => {};
const log = { debug: none, info: none, warn: none, error: none };
const runner = createHookRunner({
  resource: 'bench',
  exec,
  directory: path.join(directory, 'hooks'),
  cgroup: null,
  log,
});

async function bySpawn(): Promise<void> {
  const child = spawn(exec, ['status', 'bench'], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child, 'exit');
}

async function byRunner(): Promise<void> {
  const request = {
    action: 'status' as const,
    args: ['bench'],
    env: {},
    termAfterMs: 10_000,
    killAfterMs: 10_000,
  };
  const { code, detail } = await runner.run(request).done;
  if (code !== 0) throw new Error(detail);
}

async function timed(run: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

try {
  const [plain, hooks]: [number[], number[]] = [[], []];
  for (let run = 0; run < 10; run += 1) await byRunner().then(bySpawn);
  // In turns, so that what else the machine does falls on both alike.
  for (let run = 0; run < runs; run += 1) {
    plain.push(await timed(bySpawn));
    hooks.push(await timed(byRunner));
  }
  const [plainMs, hookMs] = [median(plain), median(hooks)];
  const figures = `${hookMs.toFixed(2)} ms, spawn() ${plainMs.toFixed(2)} ms`;
  console.log(`status hook: ${figures}, ratio ${(hookMs / plainMs).toFixed(2)} (medians of ${runs} runs)`);
} finally {
  runner.close();
  rmSync(directory, { recursive: true, force: true });
}
