/** The program on a terminal of its own, as a person has it. */
import { spawn, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { until } from '../system/wait.js';

/** Why no test can have a terminal here; false where it can. */
export const noScript =
  spawnSync('script', ['--version']).status === 0 ? false : 'script(1) of util-linux is not here';

/** Runs a command line on one; it is gone with the test. */
export function onTerminal(t: TestContext, command: string) {
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh', PS1: 'shell> ' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  t.after(() => child.kill('SIGKILL'));
  return {
    ended,
    type(keys: string) {
      out = '';
      child.stdin.write(keys);
    },
    says: (text: string): Promise<void> =>
      until(
        () => out.includes(text),
        20_000,
        () => JSON.stringify(out),
      ),
  };
}
