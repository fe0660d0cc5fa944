/** The kernel's table through ipvsadm(8), one process at a time, and /proc. See docs/decisions/0013. */
import { readFile } from 'node:fs/promises';
import type { Change, ServiceKey, Table } from '../types.js';
import { lineOf, tookEffect } from './diff.js';
import { missingIn, type Ran, type Run, type Runner, refusalOf, runIpvsadm } from './ipvsadm.js';
import { type Proc, parseProc } from './proc.js';
import { parseSave } from './save.js';
import { changeSync, type SyncState } from './sync.js';

const PROC = '/proc/net/ip_vs';
/** So long one ipvsadm may take; a stream of 10,000 lines takes less than a second. */
const LIMIT_MS = 30_000;
/** One that is under way when all ends may go on for so long. */
const CLOSE_MS = 2000;
/** How often the rest of a stream is given again, each time without another service. */
const ROUNDS_MAX = 10;

export interface KernelOptions {
  /** Path of the program. */
  ipvsadm: string;
  log(level: 'debug' | 'info' | 'warn' | 'error', text: string): void;
  /** Milliseconds, LIMIT_MS if not said. */
  limitMs?: number;
}

/** `missing`: this kernel has no IPVS. Both say what to do. */
export type Reading = { table: Table } | { missing: string } | { error: string };

/** `failed`: the services that are not as the changes were to make them; those of all others have been made. */
export type Applied = { ok: true } | { ok: false; why: string; failed: readonly ServiceKey[] };

/** All of it one after the other, in the order of the calls; nothing rejects. */
export interface Kernel {
  read(): Promise<Reading>;
  /** What the kernel shows without a process; null where it shows nothing (no IPVS). */
  peek(): Promise<Proc | null>;
  /** As one stream, in this order. */
  apply(changes: readonly Change[]): Promise<Applied>;
  /** Connection synchronization as wanted; '' where it is, else why it is not. */
  sync(wanted: SyncState): Promise<string>;
  /** Waits for what is under way, for two seconds at most; what is asked afterwards is an error. */
  close(): Promise<void>;
}

export function openKernel({ ipvsadm, log, limitMs = LIMIT_MS }: KernelOptions): Kernel {
  let last: Promise<unknown> = Promise.resolve();
  let current: Run | null = null;
  let closed = false;

  const run = async (args: readonly string[], input: string | null = null): Promise<Ran> => {
    if (closed) return { status: null, stdout: '', errors: [], why: 'the balancer is ending' };
    current = runIpvsadm(ipvsadm, args, input, limitMs);
    const ran = await current.ran;
    current = null;
    log('debug', `ipvsadm ${args.join(' ')}: ${refusalOf(ran) || 'done'}`);
    return ran;
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine;
    return mine;
  };
  return {
    read: () => inTurn(async () => readingOf(await run(['-S', '-n']))),
    peek,
    apply: (changes) => inTurn(() => applyAll(run, changes)),
    sync: (wanted) => inTurn(() => changeSync(run, wanted)),
    async close() {
      closed = true;
      const timer = setTimeout(() => current?.kill(), CLOSE_MS);
      await last;
      clearTimeout(timer);
    },
  };
}

async function peek(): Promise<Proc | null> {
  try {
    return parseProc(await readFile(PROC, 'latin1'));
  } catch {
    return null;
  }
}

function readingOf(ran: Ran): Reading {
  const missing = missingIn(ran);
  if (missing !== '') return { missing };
  // Warnings (of another version of IPVS) stand beside a table that is good.
  if (ran.status !== 0) return { error: refusalOf(ran) };
  return parseSave(ran.stdout);
}

async function applyAll(run: Runner, changes: readonly Change[]): Promise<Applied> {
  const failed = new Set<ServiceKey>();
  const reasons = new Set<string>();
  let rest = changes;
  for (let round = 1; rest.length > 0; round += 1) {
    const ran = await run(['-R'], `${rest.map(lineOf).join('\n')}\n`);
    const why = refusalOf(ran);
    if (why === '') break;
    reasons.add(why);
    const reading = readingOf(await run(['-S', '-n']));
    const took = rest.map((change) => 'table' in reading && tookEffect(change, reading.table));
    const again = endedEarly(ran) && 'table' in reading && round < ROUNDS_MAX;
    const { refused, left } = judge(rest, took, again);
    for (const { service } of refused) failed.add(service);
    rest = left.filter(({ service }) => !failed.has(service));
  }
  // What was complained about and is as wanted all the same (somebody else did it) is no failure.
  if (failed.size === 0) return { ok: true };
  return { ok: false, why: [...reasons].join('; '), failed: [...failed] };
}

/** By an error that it found itself, it has left lines undone: fail() and tryhelp_exit() of its source. */
function endedEarly({ status, errors }: Ran): boolean {
  return status === 2 || errors.some((line) => line.startsWith('Try `'));
}

/** Who lacks something; and what is to be given `again`, where lines were left undone. */
function judge(
  changes: readonly Change[],
  took: readonly boolean[],
  again: boolean,
): { refused: readonly Change[]; left: readonly Change[] } {
  const end = again ? took.lastIndexOf(true) + 1 : changes.length;
  const refused = changes.slice(0, end).filter((_, at) => !took[at]);
  // The next one has either ended it, or was refused by the kernel before that.
  return { refused: [...refused, ...changes.slice(end, end + 1)], left: changes.slice(end + 1) };
}
