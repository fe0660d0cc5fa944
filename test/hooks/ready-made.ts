/** Running the hooks of conf/hooks as hastmon does, with settings of the test's own. For the tests of those hooks. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Workplace } from './support.js';

/** Tests run at the top of the repository. */
export const hooksDirectory = path.resolve('conf/hooks');

export interface Ended {
  code: number | null;
  /** stdout and stderr. */
  output: string;
}

export interface ReadyMade {
  /** Writes `shop.env`, or that of an instance, from shell assignments. */
  settings(lines: string, instance?: string): void;
  /** Starts the hook in a session of its own. */
  begin(action: string): { child: ChildProcess; ended: Promise<Ended> };
  run(action: string): Promise<Ended>;
  /** Runs it and demands the exit status. */
  expect(action: string, code: number): Promise<string>;
}

/** A hook with settings in the test's directory; `before` is put in front of the command (`ip netns exec …`). */
export function readyMade(
  place: Workplace,
  name: string,
  env = {},
  before: readonly string[] = [],
): ReadyMade {
  const settingsDirectory = place.file('settings');
  mkdirSync(settingsDirectory, { recursive: true });
  const begin = (action: string): { child: ChildProcess; ended: Promise<Ended> } => {
    const [command = '', ...words] = [...before, path.join(hooksDirectory, name), action, 'shop'];
    const child = spawn(command, words, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HASTMON_HOOK_SETTINGS: settingsDirectory, ...env },
    });
    place.after(() => endGroup(Number(child.pid)));
    const { stdout, stderr } = child;
    assert.ok(stdout !== null && stderr !== null);
    // A hook that hangs fails its test, and is not waited for.
    const limit = setTimeout(() => endGroup(Number(child.pid)), 20_000);
    const code = new Promise<number | null>((resolve) => {
      child.once('close', (status) => {
        clearTimeout(limit);
        resolve(status);
      });
    });
    const ended = Promise.all([code, text(stdout), text(stderr)]).then(([status, out, err]) => ({
      code: status,
      output: out + err,
    }));
    return { child, ended };
  };
  return {
    settings(lines, instance) {
      const file = instance === undefined ? 'shop.env' : `shop.${instance}.env`;
      writeFileSync(path.join(settingsDirectory, file), `${lines}\n`);
    },
    begin,
    run: (action) => begin(action).ended,
    async expect(action, code) {
      const ended = await begin(action).ended;
      assert.equal(ended.code, code, `${name} ${action}: ${ended.output}`);
      return ended.output;
    },
  };
}

/** What a hook left running in its group (a service, an announcement) ends with the test. */
function endGroup(pgid: number): void {
  try {
    process.kill(-pgid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}
