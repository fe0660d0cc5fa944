/** What the tests of hooks share: scripts in a directory of their own, a runner, a log that is kept, waiting for conditions. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHookRunner, type HookRunnerOptions } from '../../daemon/hooks/runner.js';
import type { HookAction, HookLog, HookRequest, HookRunner } from '../../daemon/hooks/types.js';
import { openCgroup, removeCgroup } from '../../daemon/sys/cgroup.js';
import { processStartTime } from '../../daemon/sys/process.js';

export interface Workplace {
  dir: string;
  /** Where the runner keeps its records. */
  records: string;
  /** Writes an executable shell script and gives its path. */
  script(name: string, body: string): string;
  /** Path of a file in the directory. */
  file(name: string): string;
  /** The words of a file that a script wrote; [] where there is none yet. */
  words(name: string): string[];
  /** Has something done after the test, before the directory goes; the last one first. */
  after(action: () => unknown): void;
}

/** A directory that goes with the test. */
export function workplace(t: TestContext): Workplace {
  const dir = mkdtempSync(path.join(tmpdir(), 'hastmon-hooks-'));
  const actions = [(): unknown => rmSync(dir, { recursive: true, force: true })];
  t.after(async () => {
    const failures: unknown[] = [];
    // All of them, also where one fails: a test that fails must not leave processes either.
    for (const action of actions.reverse()) {
      await Promise.resolve()
        .then(action)
        .catch((error: unknown) => failures.push(error));
    }
    assert.deepEqual(failures, []);
  });
  const file = (name: string): string => path.join(dir, name);
  return {
    dir,
    records: file('records'),
    file,
    after: (action) => void actions.push(action),
    script(name, body) {
      writeFileSync(file(name), `#!/bin/sh\ncd ${dir} || exit 99\n${body}\n`, { mode: 0o755 });
      return file(name);
    },
    words(name) {
      try {
        return readFileSync(file(name), 'utf8')
          .split(/\s+/)
          .filter((word) => word !== '');
      } catch {
        return [];
      }
    },
  };
}

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error';
  hook: string;
  text: string;
}

export function memoryLog(): { log: HookLog; lines: LogLine[]; texts(level?: LogLine['level']): string[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, text: string) => {
    lines.push({ level, hook: 'hook' in fields ? String(fields.hook) : '', text });
  };
  return {
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    lines,
    texts: (level) =>
      lines.filter((line) => level === undefined || line.level === level).map((line) => line.text),
  };
}

/** A runner whose leftovers end with the test. */
export function runnerIn(
  place: Workplace,
  exec: string,
  options: Partial<HookRunnerOptions> = {},
): HookRunner {
  const { log } = memoryLog();
  const runner = createHookRunner({
    resource: 'shop',
    exec,
    directory: place.records,
    cgroup: null,
    log,
    ...options,
  });
  place.after(() => runner.close());
  place.after(() => runner.killLeftovers());
  return runner;
}

export function request(action: HookAction, overrides: Partial<HookRequest> = {}): HookRequest {
  const env = {
    HASTMON_RESOURCE: 'shop',
    HASTMON_NODE: 'lolek',
    HASTMON_ROLE: 'primary',
    HASTMON_EPOCH: '7',
  };
  return {
    action,
    args: ['shop'],
    env,
    termAfterMs: 20_000,
    killAfterMs: 25_000,
    slowAfterMs: 20_000,
    ...overrides,
  };
}

/** Waits until the condition holds; fails after ten seconds, naming it. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 10_000; !condition(); ) {
    assert.ok(performance.now() < end, `not within 10 s: ${what}`);
    await sleep(3);
  }
}

/** The pid in a file that a script writes, as soon as it is there. */
export async function pidIn(place: Workplace, name: string): Promise<number> {
  await until(() => place.words(name).length > 0, `a pid in ${name}`);
  return Number(place.words(name)[0]);
}

/** True while the process is there and no zombie. */
export function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

export function startTimeOf(pid: number): number {
  const startTime = processStartTime(pid);
  assert.notEqual(startTime, null, `process ${pid} is there`);
  return Number(startTime);
}

/** A control group for the test, or the reason why there can be none here. */
export function cgroupFor(t: TestContext, place: Workplace): string | null {
  const cgroup = openCgroup(place.dir, 'shop');
  if (cgroup.path === null) {
    t.skip(cgroup.reason);
    return null;
  }
  const { path: group } = cgroup;
  place.after(() => removeCgroup(group));
  return group;
}
