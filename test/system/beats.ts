/**
 * What the services of a cluster have left behind: beats with CLOCK_MONOTONIC, read as the file grows. Judges by them
 * whether two ever lived at once. It does not know who started a service, nor why.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** One life of the service: from its first beat to its last. */
export interface Beat {
  node: string;
  epoch: number;
  pid: number;
  /** CLOCK_MONOTONIC, milliseconds. */
  first: number;
  last: number;
  count: number;
}

/** CLOCK_MONOTONIC in milliseconds: the clock of the beats. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Gives, at every call, the lives of the service in the order of their first beats; reads only what is new. */
export function createBeatReader(file: string): () => Beat[] {
  const lives = new Map<string, Beat>();
  const buffer = Buffer.alloc(256 * 1024);
  let offset = 0;
  let rest = '';

  function take(line: string): void {
    const [time, node, epoch, pid] = line.split(' ');
    if (time === undefined || node === undefined || pid === undefined) return;
    const at = Number(BigInt(time)) / 1e6;
    const life = lives.get(`${node} ${pid}`);
    if (life === undefined) {
      const born = { node, epoch: Number(epoch), pid: Number(pid), first: at, last: at, count: 1 };
      lives.set(`${node} ${pid}`, born);
      return;
    }
    life.first = Math.min(life.first, at);
    life.last = Math.max(life.last, at);
    life.count += 1;
  }

  return () => {
    let fd: number;
    try {
      fd = openSync(file, 'r');
    } catch {
      return [];
    }
    for (let length = -1; length !== 0; ) {
      length = readSync(fd, buffer, 0, buffer.length, offset);
      offset += length;
      const lines = (rest + buffer.toString('latin1', 0, length)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
    }
    closeSync(fd);
    return [...lives.values()].map((life) => ({ ...life })).sort((a, b) => a.first - b.first);
  };
}

/** The longest time that two services were alive together, in milliseconds; 0 for never. */
export function overlapMs(beats: readonly Beat[]): number {
  let longest = 0;
  for (const [index, one] of beats.entries()) {
    for (const other of beats.slice(index + 1)) {
      longest = Math.max(longest, Math.min(one.last, other.last) - Math.max(one.first, other.first));
    }
  }
  return longest;
}

/**
 * Where the epochs do not rise from one holder to the next, in words; '' where they do. A service that is started again on
 * the same node may go on under the same epoch.
 */
export function epochFault(beats: readonly Beat[]): string {
  for (const [index, life] of beats.entries()) {
    const before = beats[index - 1];
    if (before === undefined) continue;
    const rises = life.epoch > before.epoch || (life.node === before.node && life.epoch === before.epoch);
    if (!rises) return `epoch ${life.epoch} on ${life.node} after epoch ${before.epoch} on ${before.node}`;
  }
  return '';
}
