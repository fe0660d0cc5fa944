/** The token of HTTP where it is in a file of its own: read, and whether others may read it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf } from '../sys/errors.js';
import { quote } from './diagnostic.js';
import { judgeToken, TOKEN_HELP } from './http-values.js';
import type { LoadFileResult } from './load.js';
import type { Diagnostic } from './types.js';

/** A token and the end of its line; more is not read. */
const FILE_BYTES_MAX = 4096;

/** A configuration with the token that it names a file for. What is wrong with the file is an error of the configuration. */
export function loadHttpToken(loaded: LoadFileResult): LoadFileResult {
  const { config } = loaded;
  if (config === null || config.http === null || config.http.tokenFile === '') return loaded;
  const { tokenFile } = config.http;
  const read = readTokenFile(tokenFile);
  const told = (severity: Diagnostic['severity'], message: string, help: string): Diagnostic => {
    const place = { file: config.file, line: 0, column: 1, length: 1 };
    return { severity, ...place, message: `http: token_file ${quote(tokenFile)}: ${message}`, help };
  };
  if ('problem' in read) {
    const diagnostics = [...loaded.diagnostics, told('error', read.problem, read.help)];
    return { ...loaded, config: null, diagnostics };
  }
  const weak = read.weak === '' ? [] : [told('warning', `the token ${read.weak}`, TOKEN_HELP)];
  return {
    ...loaded,
    config: { ...config, http: { ...config.http, token: read.token } },
    diagnostics: [...loaded.diagnostics, ...weak],
  };
}

function readTokenFile(file: string): { token: string; weak: string } | { problem: string; help: string } {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    return { problem: messageOf(error), help: 'the file holds the token, on one line' };
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) return { problem: 'this is no file', help: '' };
    if ((found.mode & 0o007) !== 0)
      return { problem: 'every user of this machine may use it', help: `chmod 0600 ${file}` };
    const bytes = Buffer.alloc(FILE_BYTES_MAX);
    const text = bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, FILE_BYTES_MAX, 0));
    const token = text.trim();
    const { problem, weak } = judgeToken(token);
    return problem === ''
      ? { token, weak }
      : {
          problem: `the token ${problem}`,
          help: `the file holds the token alone, on one line; ${TOKEN_HELP}`,
        };
  } catch (error) {
    return { problem: messageOf(error), help: '' };
  } finally {
    closeSync(descriptor);
  }
}
