/** Reading the directory of dmonitor from the disk. What the files mean is dmonitor.ts. */
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { reasonOf } from '../sys/errors.js';
import type { DmonitorListing } from './dmonitor.js';

/** The options of one test, or the names of nodes: more is a file that does not belong there. */
const TEXT_BYTES_MAX = 65_536;

/** Reads what there is; what cannot be read is among the listing's problems. */
export function readDmonitorFiles(directory: string): DmonitorListing {
  const problems: { path: string; reason: string }[] = [];
  const fail = (file: string, error: unknown): void => {
    problems.push({ path: file, reason: reasonOf(error) });
  };

  /** The names in a directory; undefined where there is none. */
  function names(folder: string, required: boolean): string[] | undefined {
    try {
      return readdirSync(folder).filter(isMeant).sort();
    } catch (error) {
      if (required || codeOf(error) !== 'ENOENT') fail(folder, error);
      return undefined;
    }
  }

  function text(file: string): string {
    try {
      if (statSync(file).size > TEXT_BYTES_MAX) throw new Error(`it is larger than ${TEXT_BYTES_MAX} bytes`);
      return readFileSync(file, 'utf8');
    } catch (error) {
      fail(file, error);
      return '';
    }
  }

  const empty = { nodes: null, hosts: [], plugins: new Map(), alerts: [], problems };
  if (names(directory, true) === undefined) return empty;
  const nodes = path.join(directory, 'nodes.txt');
  const folder = path.join(directory, 'hosts.d');
  const hosts = (names(folder, true) ?? []).map((name) => ({
    name,
    tests: (names(path.join(folder, name), true) ?? []).map((test) => ({
      name: test,
      text: text(path.join(folder, name, test)),
    })),
  }));
  const plugins = path.join(directory, 'plugins');
  return {
    nodes: look(nodes) === null ? null : text(nodes),
    hosts,
    plugins: new Map(
      (names(plugins, false) ?? []).map((name) => [name, isExecutable(path.join(plugins, name))]),
    ),
    alerts: names(path.join(directory, 'alert.d'), false) ?? [],
    problems,
  };
}

/** Not what editors, package managers and version control leave beside the files that are meant. */
function isMeant(name: string): boolean {
  return !/^\.|~$|\.(?:dpkg-\w+|rpmnew|rpmsave|swp|bak)$/.test(name);
}

/** Who runs it is somebody else than who reads this: any permission to execute counts. */
function isExecutable(file: string): boolean {
  const found = look(file);
  return found?.isFile() === true && (found.mode & 0o111) !== 0;
}

/** What is at a path; null where nothing can be seen there. */
function look(file: string): Stats | null {
  try {
    return statSync(file);
  } catch {
    return null;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
