/** Ways to wait for connections, timers and Node's own loop, beside each other: docs/decisions/0009. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { accountOf, ENGINE_CPU, pause, pin } from './tools.js';

export interface Waiting {
  way: string;
  /** Checks a second; 0: there are none. */
  rate: number;
  /** Of a processor, of 1. */
  busy: number;
  wakeups: number;
  cpuUs: number;
  /** Until Node's loop had answered a message, in ms. */
  echoP50: number;
  echoP99: number;
  /** Of the checks, mean. */
  latencyMs: number;
}

export const WAYS = ['nested', 'slices', 'thread'] as const;
const RATES = [0, 1000, 10_000] as const;
const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'waiting-loop.js');

export async function measureWaiting(port: number, rounds: number, windowMs: number): Promise<Waiting[]> {
  const measured: Waiting[] = [];
  for (let round = 0; round < rounds; round += 1)
    for (const rate of RATES)
      for (const way of WAYS) measured.push(await measureOne(way, rate, port, windowMs));
  return measured;
}

async function measureOne(way: string, rate: number, port: number, windowMs: number): Promise<Waiting> {
  const child = fork(script, [way, String(rate), String(port)], { serialization: 'advanced' });
  try {
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    pin(pid, ENGINE_CPU);
    await pause(1500);
    const before = accountOf(pid);
    const from = performance.now();
    const echoes: number[] = [];
    // Now and then, and not in step with anything: few enough to be no load of their own.
    while (performance.now() - from < windowMs) {
      const at = performance.now();
      child.send('echo');
      await once(child, 'message');
      echoes.push(performance.now() - at);
      await pause(37);
    }
    const seconds = (performance.now() - from) / 1000;
    const after = accountOf(pid);
    child.send('stop');
    const [{ latencyMs }] = (await once(child, 'message')) as [{ latencyMs: number }];
    echoes.sort((a, b) => a - b);
    const cpu = after.cpu - before.cpu;
    return {
      ...{ way, rate, latencyMs },
      busy: cpu / seconds,
      wakeups: (after.sleeps - before.sleeps) / seconds,
      cpuUs: rate === 0 ? 0 : (cpu * 1e6) / (rate * seconds),
      echoP50: echoes[Math.floor(echoes.length * 0.5)] ?? 0,
      echoP99: echoes[Math.floor(echoes.length * 0.99)] ?? 0,
    };
  } finally {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}
