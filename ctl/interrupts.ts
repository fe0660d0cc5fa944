/** Signals by which the operator wants a drill for real to end: before anything is begun it ends, later it comes back. */
import os from 'node:os';
import { CtlError } from './error.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts {
  /** How many have come. */
  count(): number;
  /** The shell's way to say that the first of them has ended a program, 128 and its number; 0 where none has come. */
  status(): number;
  /** Aborted by the next one. */
  signal: () => AbortSignal;
  /** Rejects with a CtlError at one that comes before `begin`; it never resolves. */
  early: Promise<never>;
  /** From now on there is something to come back from: each one is told to `heard`, with its number, from 1. */
  begin(heard: (signal: NodeJS.Signals, count: number) => void): void;
  /** From now on nothing is left to come back from: none is told any more. Gives what the next one aborts. */
  over(): AbortSignal;
  close(): void;
}

/** Listens until it is closed. `nothingDone`: what is said where one comes before anything has been begun. */
export function listenForInterrupts(nothingDone: string): Interrupts {
  let count = 0;
  let status = 0;
  let abort = new AbortController();
  let tell: ((signal: NodeJS.Signals, count: number) => void) | null = null;
  let refuse = (_error: CtlError): void => {};
  const early = new Promise<never>((_resolve, reject) => {
    refuse = reject;
  });
  // Whoever does not wait for it just now is not to fail by it.
  early.catch(() => {});
  const heard = (signal: NodeJS.Signals): void => {
    count += 1;
    status ||= 128 + os.constants.signals[signal];
    if (tell === null) refuse(new CtlError(status, nothingDone));
    else tell(signal, count);
    abort.abort();
    abort = new AbortController();
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return {
    count: () => count,
    status: () => status,
    signal: () => abort.signal,
    early,
    begin(told) {
      tell = told;
    },
    over() {
      tell = () => {};
      return abort.signal;
    },
    close() {
      for (const signal of SIGNALS) process.off(signal, heard);
    },
  };
}
