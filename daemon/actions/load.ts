/**
 * The plans of resources with actions, read from the files that a configuration names. Reads files and nothing else; what is wrong is said
 * as of the configuration itself.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { createReporter, type Place, quote, type Reporter, type SourceFile } from '../config/diagnostic.js';
import type { LoadFileResult } from '../config/load.js';
import { readText } from '../config/read-text.js';
import type { ActionsConfig, Config, Diagnostic, ResourceConfig } from '../config/types.js';
import { limitOf, statusLimit, tooShort } from './limits.js';
import { readActions, readChecks } from './read.js';
import { sectionsFor } from './states.js';
import { statusChecks } from './status-checks.js';
import type { ActionPlan, Check, Section } from './types.js';

/**
 * A configuration with the plans of its resources. `given`: the texts of files as they were applied before, which are taken as they
 * were. An error in one of the files is an error of the configuration.
 */
export function loadActions(loaded: LoadFileResult, given?: ReadonlyMap<string, string>): LoadFileResult {
  const { config } = loaded;
  if (config === null || config.resources.every(({ actions }) => actions === null)) return loaded;
  const texts = new Map(loaded.texts);
  const diagnostics: Diagnostic[] = [];
  const files = fileReader(texts, given);
  const resources = config.resources.map((resource) => {
    const { actions } = resource;
    if (actions === null) return resource;
    const read = readPlan(config, resource, actions, files);
    diagnostics.push(...read.diagnostics);
    return { ...resource, actions: { ...actions, ...read.found } };
  });
  const failed = diagnostics.some(({ severity }) => severity === 'error');
  return {
    ...loaded,
    config: failed ? null : { ...config, resources },
    diagnostics: [...loaded.diagnostics, ...diagnostics],
    texts,
  };
}

interface Files {
  exists(file: string): boolean;
  read(file: string): { text: string; reason: string };
}

function fileReader(texts: Map<string, string>, given: ReadonlyMap<string, string> | undefined): Files {
  return {
    exists: (file) => (given === undefined ? existsSync(file) : given.has(file)),
    read(file) {
      const known = texts.get(file) ?? given?.get(file);
      const read = known === undefined ? readText(file) : { ok: true as const, value: known };
      if (!read.ok) return { text: '', reason: read.reason };
      texts.set(file, read.value);
      return { text: read.value, reason: '' };
    },
  };
}

interface ReadPlan {
  found: { checksFile: string | null; plan: ActionPlan | null };
  diagnostics: Diagnostic[];
}

function readPlan(config: Config, resource: ResourceConfig, actions: ActionsConfig, files: Files): ReadPlan {
  const reporter = createReporter();
  const beside = path.join(path.dirname(actions.file), 'checks.conf');
  const checksFile = actions.checksFile !== '' ? actions.checksFile : files.exists(beside) ? beside : null;
  const looked = new Map<string, string>();
  const shared = {
    directory: actions.directory,
    reporter,
    program(file: string, place: Place) {
      const problem = looked.get(file) ?? executableProblem(file);
      looked.set(file, problem);
      if (problem !== '') reporter.warning(place, `${quote(file)} ${problem}`, helpFor(problem, file));
    },
  };
  const source = open(actions.file, files, reporter);
  const sections =
    source === null
      ? []
      : readActions(source, {
          ...shared,
          timeoutMs: actions.timeoutMs,
          limitOf: (on) => limitOf(on, resource),
        });
  const second = checksFile === null ? null : open(checksFile, files, reporter);
  // A status waits for them no longer than that.
  const timeoutMs = Math.floor(0.8 * resource.statusTimeoutMs);
  const { voters: nodes } = resource;
  const checks =
    second === null
      ? []
      : readChecks(second, {
          ...shared,
          nodes,
          timeoutMs,
          intervalMs: actions.intervalMs,
          statusLimit: statusLimit(resource),
        });
  if (source !== null && !reporter.failed)
    checkPlan(config.node, resource, sections, checks, source, reporter);
  const plan = reporter.failed
    ? null
    : { file: actions.file, checksFile: checksFile ?? '', sections, checks };
  return { found: { checksFile, plan }, diagnostics: reporter.finish() };
}

function open(name: string, files: Files, reporter: Reporter): SourceFile | null {
  const { text, reason } = files.read(name);
  const file: SourceFile = { name, text, masks: new Map() };
  if (reason === '' && isOpenToAll(name)) {
    const place = { file, line: 0, column: 1, length: 1 };
    reporter.warning(place, 'every user may change this file, and what hastmond runs', `chmod go-w ${name}`);
  }
  if (reason === '') return file;
  reporter.error(
    { file, line: 0, column: 1, length: 1 },
    `cannot read it: ${reason}`,
    'hastmon.conf names it in a resource',
  );
  return null;
}

function isOpenToAll(name: string): boolean {
  return ((statSync(name, { throwIfNoEntry: false })?.mode ?? 0) & 0o002) !== 0;
}

/** What start, stop and status have to go by. */
function checkPlan(
  node: string,
  resource: ResourceConfig,
  sections: readonly Section[],
  checks: readonly Check[],
  file: SourceFile,
  reporter: Reporter,
): void {
  const whole: Place = { file, line: 0, column: 1, length: 1 };
  const what = `resource ${quote(resource.name)}`;
  for (const short of tooShort(resource)) reporter.warning(whole, `${what}: ${short}`);
  const commands = (from: string, to: string): number =>
    sectionsFor(sections, from, to, 'role').reduce((sum, section) => sum + section.commands.length, 0);
  const status = sections.filter(({ on }) => on.kind === 'event' && on.event === 'status');
  if (!status.some((section) => section.commands.length > 0) && statusChecks({ checks }, node).length === 0)
    reporter.error(
      whole,
      `${what}: nothing says on ${quote(node)} whether it runs`,
      'expected a section [status], or a check in checks.conf that prints master or slave',
    );
  if (commands('secondary', 'primary') === 0)
    reporter.warning(
      whole,
      `${what}: nothing is run to start it`,
      'expected commands in a section [slave_to_master]',
    );
  if (commands('primary', 'secondary') === 0)
    reporter.warning(
      whole,
      `${what}: nothing is run to stop it`,
      'what its start leaves running is killed, but an address or a mount stays: [master_to_slave] is to remove it',
    );
}

function executableProblem(file: string): string {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) return 'is not a file';
    if ((stats.mode & 0o111) === 0) return 'is not executable';
    accessSync(file, constants.X_OK);
    return '';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return code === 'EACCES' ? 'is not executable' : 'does not exist';
  }
}

function helpFor(problem: string, file: string): string {
  return problem === 'is not executable'
    ? `chmod +x ${file}`
    : 'it is looked for in action_directory; one elsewhere is named by its path, or sh: runs it';
}
