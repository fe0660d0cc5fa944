/**
 * What a configuration names, looked at on this machine: programs, devices, permissions. Only warnings, since a
 * file may be tested before everything is installed; `hastmond -t` prints them.
 */
import { accessSync, constants, readFileSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import type { MonitorConfig } from '../checks/spec.js';
import { quote } from './diagnostic.js';
import type { Config, Diagnostic } from './types.js';

/** Looks at the files that a configuration names. Reads only; throws nothing. */
export function checkFiles(config: Config): Diagnostic[] {
  const warnings: Diagnostic[] = [];
  const warn = (message: string, help = '', file = config.file): void => {
    warnings.push({ severity: 'warning', file, line: 0, column: 1, length: 1, message, help });
  };
  for (const resource of config.resources) {
    const name = `resource ${quote(resource.name)}`;
    checkProgram(resource.exec, `${name}: exec`, warn);
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
  for (const directory of directoriesOf(config)) {
    const found = look(directory);
    if (typeof found === 'string') warn(`directory ${quote(directory)}: ${found}`);
    else if (!found.isDirectory()) warn(`${quote(directory)} is not a directory`);
  }
  for (const file of [config.file, ...(config.includes ?? [])])
    checkPermissions(file, config.monitor !== null, warn);
  return distinct(warnings);
}

/** Many checks may have the same plugin, and the same certificates: each is looked at once. */
function checkMonitor({ checks, alerts, chroot }: MonitorConfig, warn: Warn): void {
  for (const { name, program } of alerts)
    if (program !== '') checkProgram(program, `alert ${quote(name)}: program`, warn);
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

type Warn = (message: string, help?: string, file?: string) => void;

function checkProgram(file: string, what: string, warn: Warn): void {
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

/** The directories that must be there beforehand; state_dir itself is made by the daemon. */
function directoriesOf({ control, log, stateDir }: Config): string[] {
  const files = [control.path, stateDir, ...(log.file === undefined ? [] : [log.file])];
  return files.map((file) => path.dirname(file));
}

function checkPermissions(file: string, monitors: boolean, warn: Warn): void {
  const found = look(file);
  if (typeof found === 'string') return;
  if ((found.mode & 0o002) !== 0) warn('every user may change this file', `chmod 600 ${file}`, file);
  else if ((found.mode & 0o004) !== 0 && holdsSecret(file, monitors)) {
    warn('every user may read the secret in this file', `chmod 600 ${file}`, file);
  }
}

/** A login with its password, or a URL with one. */
const MONITOR_SECRET = /(?:^|[\s{;])login\s+\S+\s+\S|:\/\/[^\s/?:@]*:[^\s/?]*@/m;

function holdsSecret(file: string, monitors: boolean): boolean {
  try {
    const text = readFileSync(file, 'utf8').replace(/#.*$/gm, '');
    return /(?:^|[\s{;])secret[\s"]/m.test(text) || (monitors && MONITOR_SECRET.test(text));
  } catch {
    return false;
  }
}

/** What is at a path, or in words why that cannot be told. */
function look(file: string): Stats | string {
  try {
    return statSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is nothing of that name';
    return code === 'EACCES' ? 'permission denied' : `it cannot be looked at (${code})`;
  }
}

function distinct(warnings: readonly Diagnostic[]): Diagnostic[] {
  return [...new Map(warnings.map((entry) => [`${entry.file}: ${entry.message}`, entry])).values()];
}
