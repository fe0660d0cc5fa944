/** Finds the control socket: in the configuration that hastmond reads. It connects to nothing. */
import { existsSync } from 'node:fs';
import os from 'node:os';
import { CONFIG_FILES } from '../daemon/config/defaults.js';
import { formatDiagnostics } from '../daemon/config/diagnostic.js';
import { loadConfig } from '../daemon/config/load.js';
import { exitCode } from '../daemon/process/sysexits.js';
import { CtlError } from './error.js';

export interface Where {
  /** Absolute; '' where the default places are to be looked at. */
  config: string;
  /** '' where the host name decides. */
  node: string;
  control: string;
}

const OTHERWISE = '--control PATH names the control socket without it';

/** Where the control socket should be. */
export interface Found {
  path: string;
  /** What to look at where nobody is there, '' for nothing. */
  hint: string;
  /** What is wrong with the file, as lines for editors; '' for nothing. It is said where hastmond cannot be asked, which would say it. */
  errors: string;
}

/** What is asked of the file. `reload`: it is to be read by hastmond, which says what is wrong with it, so that an error elsewhere in it is none here. */
export type Purpose = 'reload' | 'other';

/** A reload that reaches nobody leaves all as it is, and that is not plain from the message about the file. */
const AS_IT_WAS = '\nnothing has been changed: hastmond goes on with what it has read before';

/**
 * The path of the control socket. A file that does not know this node still says where the socket is, but perhaps not that of
 * this node. Throws a CtlError where there is no configuration that can be used.
 */
export function findControl(where: Where, debug: (text: string) => void, purpose: Purpose): Found {
  if (where.control !== '') return { path: where.control, hint: '', errors: '' };
  const file = where.config || CONFIG_FILES.find((path) => existsSync(path)) || CONFIG_FILES[0] || '';
  debug(`configuration: ${file}`);
  const node = where.node === '' ? {} : { node: where.node };
  const loaded = loadConfig(file, { hostname: os.hostname(), ignoreUnknownNode: true, ...node });
  const hint = loaded.stranger === '' ? '' : `${file}: ${loaded.stranger}; -n NAME says which one this is`;
  if (loaded.config !== null) return { path: loaded.config.control.path, hint, errors: '' };
  const end = purpose === 'reload' ? AS_IT_WAS : '';
  const errors = loaded.diagnostics.filter(({ severity }) => severity === 'error');
  if (loaded.unreadable !== null) {
    const code = loaded.unreadable === 'EACCES' ? exitCode.noPerm : exitCode.noInput;
    throw new CtlError(code, `${formatDiagnostics(errors).trimEnd()}; ${OTHERWISE}${end}`);
  }
  const count = errors.length === 1 ? 'an error' : `${errors.length} errors`;
  if (purpose === 'reload' && loaded.control !== null)
    return {
      path: loaded.control,
      hint: `${file} has ${count}: where the control socket is another one, --control PATH names it`,
      errors: formatDiagnostics(errors),
    };
  throw new CtlError(
    exitCode.config,
    `the configuration has ${count}; ${OTHERWISE}${end}`,
    formatDiagnostics(errors),
  );
}
