/**
 * When the hooks of a running cluster began and ended: the tests' hook program, run by a bash that notes both times with its
 * own clock, so that no process more is started. Needs bash 5 (EPOCHREALTIME).
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Cluster } from '../test/system/cluster.js';
import { monotonicMs } from '../test/system/cluster.js';

export interface HookTime {
  node: string;
  action: string;
  /** CLOCK_MONOTONIC, milliseconds, as of the beats. */
  began: number;
  ended: number;
}

const program = `#!/usr/bin/env bash
hook_began=$EPOCHREALTIME
trap 'echo "$HASTMON_NODE $1 $hook_began $EPOCHREALTIME" >>"\${0%/*}/times"' EXIT
. "\${0%/*}/service-body.sh"
`;

/** Why hooks cannot be timed here, '' where they can. */
export function timedHooksProblem(): string {
  const { stdout } = spawnSync('bash', ['-c', 'echo "$EPOCHREALTIME"'], { encoding: 'utf8' });
  return /^[0-9]+[.,][0-9]+$/m.test(stdout ?? '') ? '' : 'hooks are timed by bash 5, which is not here';
}

/** From now on the hooks of this cluster are timed; what has run till now is not known. */
export function timeHooks(cluster: Cluster): void {
  const at = (name: string): string => path.join(cluster.dir, name);
  copyFileSync(at('service.sh'), at('service-body.sh'));
  writeFileSync(at('service.sh.new'), program);
  chmodSync(at('service.sh.new'), 0o755);
  renameSync(at('service.sh.new'), at('service.sh'));
}

/** All hooks that have ended since timeHooks(), in the order of their ends; those that were killed are not among them. */
export function hookTimes(cluster: Cluster): HookTime[] {
  const file = path.join(cluster.dir, 'times');
  if (!existsSync(file)) return [];
  const offset = clockOffsetMs();
  const time = (text: string): number => shellMs(text) + offset;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [node = '', action = '', began = '', ended = ''] = line.split(' ');
    return { node, action, began: time(began), ended: time(ended) };
  });
}

/** EPOCHREALTIME in milliseconds; the locale decides about its decimal point. */
export function shellMs(text: string): number {
  return Number(text.replace(',', '.')) * 1000;
}

/** What has to be added to a time of the wall clock to have CLOCK_MONOTONIC, within half a millisecond. */
export function clockOffsetMs(): number {
  return monotonicMs() - Date.now() - 0.5;
}
