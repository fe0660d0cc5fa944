/**
 * The door into the balancer's file: ipvs-weightman's format, grown. A text becomes a configuration, or all that is wrong with it.
 * parseBalancerFile is pure; loadBalancerFile reads the file and nothing else. What is written is in ipvs-weightman.conf(5).
 */
import { createReporter, type Reporter, type SourceFile } from '../../config/diagnostic.js';
import { FILE_CHARACTERS_MAX } from '../../config/parser.js';
import { readText } from '../../config/read-text.js';
import type { Diagnostic } from '../../config/types.js';
import type { BalancerConfig } from '../types.js';
import { readHostLine } from './host.js';
import { readLines } from './lines.js';
import { createOptions, finishOptions, readOption } from './options.js';
import { ANY, checkRelations, type Drafts } from './relations.js';
import { readService } from './service.js';

/** Hosts of a file: a bound for what a few ranges may ask of this machine. */
export const HOSTS_MAX = 100_000;

export interface BalancerFile {
  /** null where there is an error. */
  config: BalancerConfig | null;
  /** Errors and warnings, in the order of the file. */
  diagnostics: Diagnostic[];
}

/** Reads a file. Throws nothing; `unreadable`: the system's code where it could not be read, null where it was. */
export function loadBalancerFile(file: string): BalancerFile & { unreadable: string | null } {
  const read = readText(file);
  if (read.ok) return { ...parseBalancerFile(read.value, file), unreadable: null };
  const message = `cannot read the balancer's file: ${read.reason}`;
  const place = { file, line: 0, column: 1, length: 1 };
  return {
    config: null,
    diagnostics: [{ severity: 'error', ...place, message, help: '' }],
    unreadable: read.code,
  };
}

/** Turns a text into a configuration; `fileName` is for messages. */
export function parseBalancerFile(text: string, fileName: string): BalancerFile {
  const reporter = createReporter();
  const file: SourceFile = { name: fileName, text, masks: new Map() };
  if (text.length > FILE_CHARACTERS_MAX) {
    const place = { file, line: 0, column: 1, length: 1 };
    reporter.error(place, `the file is too large: more than ${FILE_CHARACTERS_MAX} characters`);
    return { config: null, diagnostics: reporter.finish() };
  }
  const drafts = readDrafts(file, reporter);
  const mailed = drafts.services.find(({ config }) => config.email);
  const told = mailed?.options.places.get('email') ?? null;
  const options = finishOptions(drafts.options, { mailed: told, fileName }, reporter);
  if (!reporter.full) checkRelations(drafts, options, reporter);
  const diagnostics = reporter.finish();
  if (reporter.failed) return { config: null, diagnostics };
  const config: BalancerConfig = {
    options,
    services: drafts.services.map((draft) => draft.config),
    hosts: drafts.hosts.flatMap((line) => line.hosts),
  };
  return { config, diagnostics };
}

/** Every line by itself. */
function readDrafts(file: SourceFile, reporter: Reporter): Drafts {
  const lost = { services: new Set<string>(), hosts: new Set<string>() };
  const drafts: Drafts = { services: [], hosts: [], options: createOptions(), lost };
  let hosts = 0;
  for (const line of readLines(file, reporter)) {
    if (reporter.full) break;
    if (line.kind === 'option') readOption(line.key, line.value, drafts.options, reporter);
    else if (line.kind === 'service') {
      const service = readService(line, reporter);
      if (service !== undefined) drafts.services.push(service);
      else lost.services.add(line.words[0]?.text ?? '');
    } else {
      const [tag, address] = line.words;
      const read = readHostLine(line.words, reporter);
      if (read === undefined) lost.hosts.add(tag?.text.includes('[') === true ? ANY : (tag?.text ?? ''));
      else drafts.hosts.push(read);
      hosts += read?.hosts.length ?? 0;
      if (hosts > HOSTS_MAX && address !== undefined) {
        reporter.error(address, `more than ${HOSTS_MAX} hosts in all`);
        break;
      }
    }
  }
  return drafts;
}
