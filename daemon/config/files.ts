/**
 * What a configuration names, looked at on this machine: programs, devices, permissions. What is missing is a warning, since a
 * file may be tested before everything is installed; what is in the way of hastmond is an error.
 */
import { accessSync, constants, lstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import type { MonitorConfig } from '../checks/spec.js';
import { quote } from './diagnostic.js';
import type { Config, Diagnostic } from './types.js';

/** Looks at the files that a configuration names. Reads only; throws nothing. */
export function checkFiles(config: Config): Diagnostic[] {
  const found: Diagnostic[] = [];
  const teller =
    (severity: Diagnostic['severity']): Tell =>
    (message, help = '', file = config.file) => {
      found.push({ severity, file, line: 0, column: 1, length: 1, message, help });
    };
  const warn = teller('warning');
  for (const resource of config.resources) {
    const name = `resource ${quote(resource.name)}`;
    if (resource.actions === null) checkProgram(resource.exec, `${name}: exec`, warn);
    if (resource.fence !== null) checkProgram(resource.fence, `${name}: fence`, warn);
  }
  if (config.watchdogDevice !== null) {
    const device = look(config.watchdogDevice.path);
    if (typeof device === 'string') warn(`watchdog_device ${quote(config.watchdogDevice.path)}: ${device}`);
    else if (!device.isCharacterDevice()) {
      warn(`watchdog_device ${quote(config.watchdogDevice.path)} is not a character device`);
    }
  }
  if (config.monitor !== null) checkMonitor(config.monitor, warn);
  checkPlaces(config, warn, teller('error'));
  for (const file of [config.file, ...(config.includes ?? [])]) checkPermissions(file, config, warn);
  return distinct(found);
}

/** Many checks may have the same plugin, and the same certificates: each is looked at once. */
function checkMonitor({ checks, alerts, chroot }: MonitorConfig, warn: Tell): void {
  for (const { name, program } of alerts)
    if (program !== '') checkProgram(program, `alert ${quote(name)}: program`, warn);
  if (chroot !== '' && typeof look(chroot) === 'string') warn(`chroot ${quote(chroot)}: ${look(chroot)}`);
  const seen = new Set<string>();
  for (const { name, url, options } of checks) {
    const used: [string, 'plugin' | 'ca'][] = [
      [url.kind === 'exec' ? url.path : '', 'plugin'],
      [options.tls.ca, 'ca'],
    ];
    for (const [file, what] of used) {
      if (file === '' || seen.has(file)) continue;
      seen.add(file);
      const place = path.join('/', chroot, file);
      if (what === 'plugin') checkProgram(place, `check ${quote(name)}: plugin`, warn);
      else if (typeof look(file) === 'string') warn(`check ${quote(name)}: ca ${quote(file)}: ${look(file)}`);
    }
  }
}

type Tell = (message: string, help?: string, file?: string) => void;

/** Where hastmond makes something itself: sockets, state, log. Their directories must be there beforehand. */
function checkPlaces({ control, listen, log, stateDir }: Config, warn: Tell, fail: Tell): void {
  const sockets = listen.flatMap((address) =>
    address.scheme === 'unix' ? [{ statement: 'listen', file: address.path }] : [],
  );
  for (const { statement, file } of [{ statement: 'control', file: control.path }, ...sockets]) {
    const there = look(file, lstatSync);
    if (typeof there !== 'string' && !there.isSocket())
      fail(`${statement} ${quote(file)} exists and is no socket`, 'remove it or choose another path');
  }
  const state = look(stateDir);
  if (typeof state !== 'string' && !state.isDirectory())
    fail(`state_dir ${quote(stateDir)} is not a directory`, 'remove it or choose another path');
  const logs = log.file === undefined ? [] : [log.file];
  for (const file of logs) {
    const there = look(file);
    if (typeof there !== 'string' && there.isDirectory())
      fail(`log ${quote(file)} is a directory`, 'expected the path of a file');
  }
  for (const file of [control.path, ...sockets.map((socket) => socket.file), stateDir, ...logs]) {
    const directory = path.dirname(file);
    const there = look(directory);
    if (typeof there === 'string') warn(`directory ${quote(directory)}: ${there}`);
    else if (!there.isDirectory()) fail(`${quote(directory)} is not a directory`);
  }
}

function checkProgram(file: string, what: string, warn: Tell): void {
  const found = look(file);
  if (typeof found === 'string') warn(`${what} ${quote(file)}: ${found}`);
  else if (!found.isFile()) warn(`${what} ${quote(file)} is not a file`);
  else if (!isExecutable(file, found)) warn(`${what} ${quote(file)} is not executable`, `chmod +x ${file}`);
}

/** Root may execute what has any execute bit; access(2) tells for everybody else. */
function isExecutable(file: string, stats: Stats): boolean {
  if ((stats.mode & 0o111) === 0) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function checkPermissions(file: string, config: Config, warn: Tell): void {
  const found = look(file);
  if (typeof found === 'string') return;
  if ((found.mode & 0o002) !== 0) warn('every user may change this file', `chmod 600 ${file}`, file);
  else if ((found.mode & 0o004) !== 0 && holdsSecret(file, config)) {
    warn('every user may read the secret in this file', `chmod 600 ${file}`, file);
  }
}

/** A login with its password, or a URL with one. */
const MONITOR_SECRET = /(?:^|[\s{;])login\s+\S+\s+\S|:\/\/[^\s/?:@]*:[^\s/?]*@/m;

function holdsSecret(file: string, { http, monitor }: Config): boolean {
  try {
    const text = readFileSync(file, 'utf8').replace(/#.*$/gm, '');
    return (
      /(?:^|[\s{;])secret[\s"]/m.test(text) ||
      (monitor !== null && MONITOR_SECRET.test(text)) ||
      (http !== null && /(?:^|[\s{;])token[\s"]/m.test(text))
    );
  } catch {
    return false;
  }
}

/** What is at a path, or in words why that cannot be told. */
function look(file: string, stat = statSync as (file: string) => Stats): Stats | string {
  try {
    return stat(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is nothing of that name';
    return code === 'EACCES' ? 'permission denied' : `it cannot be looked at (${code})`;
  }
}

function distinct(found: readonly Diagnostic[]): Diagnostic[] {
  return [...new Map(found.map((entry) => [`${entry.file}: ${entry.message}`, entry])).values()];
}
