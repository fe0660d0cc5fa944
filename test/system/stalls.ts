/**
 * Watches whether the machine itself stalls: where processes and packets are late by half a lease, a service that was late
 * says nothing about hastmon. It excuses nobody for two services at once.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface StallWatch {
  /** The worst delay seen since this reading of CLOCK_MONOTONIC, in milliseconds; 0 where it was below 50. */
  worstSince(at: number): number;
  close(): void;
}

export function watchStalls(): StallWatch {
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'stall-meter.js');
  const meter = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const stalls: { at: number; lateMs: number }[] = [];
  let rest = '';
  meter.stdout.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [at = '', lateMs = ''] = line.split(' ');
      stalls.push({ at: Number(at), lateMs: Number(lateMs) });
    }
  });
  meter.unref();
  return {
    worstSince: (at) => Math.max(0, ...stalls.filter((stall) => stall.at >= at).map((stall) => stall.lateMs)),
    close: () => void meter.stdin.end(),
  };
}
