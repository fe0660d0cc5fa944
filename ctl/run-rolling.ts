/** The shell of rolling.ts: asks hastmond, runs the command, hears interrupts, and says what came of it. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCode } from '../daemon/process/sysexits.js';
import { answer, BALANCER_MS } from './answer.js';
import type { RollingTask } from './balancer-arguments.js';
import { away, LOOK_MS, setHosts } from './host.js';
import { type RollingEffects, type RollingReport, refuse, roll } from './rolling.js';
import type { Session } from './run.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Gives the exit status; rejects with a CtlError where nothing has been begun. */
export async function runRolling(session: Session, task: RollingTask): Promise<number> {
  const { terminal } = session;
  const interrupt = new AbortController();
  const command: { interrupt(signal: NodeJS.Signals): void } = { interrupt: () => {} };
  const heard = (signal: NodeJS.Signals): void => {
    if (!interrupt.signal.aborted) terminal.note(`hastmonctl: ${signal}: it stops as soon as that is safe`);
    interrupt.abort();
    command.interrupt(signal);
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  const look: RollingEffects['look'] = async (hosts, services) =>
    (await answer(session, { kind: 'balancer-hosts', hosts, services }, 'hosts', BALANCER_MS)).hosts;
  const effects: RollingEffects = {
    look,
    set: async (change) => void (await setHosts(session, change)),
    run: (host, address) => runCommand(session, task.command, { host, address }, command),
    say: (line) => terminal.note(line),
    progress: (line) => terminal.progress(line),
    pause: () => sleep(LOOK_MS, undefined, { signal: interrupt.signal }).catch(() => {}),
    interrupted: () => interrupt.signal.aborted,
    now: () => performance.now(),
    away,
  };
  try {
    refuse(task, await look([], []));
    return report(session, await roll(task, effects));
  } finally {
    for (const signal of SIGNALS) process.off(signal, heard);
  }
}

/** Runs it with the terminal of this process; '' or why it failed. Where results are JSON its output goes to the standard error. */
function runCommand(
  { invocation }: Session,
  words: readonly string[],
  { address, host }: { host: string; address: string },
  control: { interrupt(signal: NodeJS.Signals): void },
): Promise<string> {
  const [program = '', ...rest] = words.map((word) => word.replaceAll('{}', host));
  const child = spawn(program, rest, {
    env: { ...process.env, HASTMON_HOST: host, HASTMON_HOST_ADDRESS: address },
    stdio: ['inherit', invocation.json ? 2 : 'inherit', 'inherit'],
  });
  // Ctrl-C on a terminal has reached it as well: once is enough.
  control.interrupt = (signal) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  return new Promise((resolve) => {
    const end = (problem: string): void => {
      control.interrupt = () => {};
      resolve(problem);
    };
    child.once('error', (error) => end(`the command cannot be run: ${error.message}`));
    child.once('close', (code, signal) => {
      if (signal !== null) end(`the command was ended by ${signal}`);
      else end(code === 0 ? '' : `the command ended with status ${code}`);
    });
  });
}

function report({ invocation, terminal }: Session, { done, failed, left }: RollingReport): number {
  terminal.progress('');
  if (invocation.json) terminal.print(`${JSON.stringify({ done, failed, left }, null, 2)}\n`);
  if (failed === null) return exitCode.ok;
  const { host, off, putBack, why } = failed;
  terminal.note(`hastmonctl: ${host}: ${why}`);
  if (off) terminal.note(`hastmonctl: ${host} stays off; this puts it back: ${putBack}`);
  if (left.length > 0) terminal.note(`hastmonctl: not begun with: ${left.join(' ')}`);
  return exitCode.tempFail;
}
