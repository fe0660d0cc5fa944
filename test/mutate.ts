/**
 * The test of a simulator: takes one rule after the other out of the sources, and expects a run to fail for it within a bounded
 * number of seeds. The sources stay as they are: a copy is bundled in which a piece of text is replaced, and a piece that is no
 * longer there is an error.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** A rule, and the change of the sources that takes it out; `Focus` is what brings that to light soonest. */
export interface Mutation<Focus> {
  rule: string;
  what: string;
  /** Files relative to the root; a text that occurs in its file exactly once, and what stands there instead. */
  edits: readonly { file: string; from: string; to: string }[];
  focus: Focus;
  /** It takes hundreds of seeds: --quick leaves it out. */
  rare?: boolean;
}

export interface Hunt<Focus> {
  /** The folder with profile.ts and run.ts of a simulator. */
  simulator: string;
  mutations: readonly Mutation<Focus>[];
  /** Failures of these rules are not what a mutation is taken out for. */
  ignored: readonly string[];
  /** The path of the file that calls: it is run once more for each mutation. */
  script: string;
}

/** What profile.ts and run.ts of a simulator have in common, whatever they simulate. */
interface Simulator<Focus> {
  drawProfile(seed: number, focus: Focus): unknown;
  run(profile: unknown): { failure: { rule: string; text: string } | null };
}

const SEEDS_MAX = 300;

/** The project's root: where the sources are. */
function findRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'daemon/core/node.ts'))) {
    const parent = path.dirname(folder);
    if (parent === folder) return process.cwd();
    folder = parent;
  }
  return folder;
}

/** Replaces the text of a mutation while files are loaded; `applied` says whether it was found, once. */
function mutate<Focus>(root: string, mutation: Mutation<Focus>, applied: string[]): Plugin {
  return {
    name: 'mutate',
    setup({ onLoad }) {
      onLoad({ filter: /daemon[/\\](core|confirm|balancer[/\\]core)[/\\][^/\\]+\.ts$/ }, ({ path: file }) => {
        let contents = readFileSync(file, 'utf8');
        for (const edit of mutation.edits) {
          if (path.relative(root, file) !== edit.file) continue;
          const pieces = contents.split(edit.from);
          if (pieces.length !== 2)
            throw new Error(
              `${mutation.rule}: its text occurs ${pieces.length - 1} times in ${edit.file}:\n${edit.from}`,
            );
          contents = pieces.join(edit.to);
          applied.push(edit.from);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}

async function buildSimulator<Focus>(
  root: string,
  folder: string,
  simulator: string,
  mutation: Mutation<Focus>,
): Promise<Simulator<Focus>> {
  const applied: string[] = [];
  const outfile = path.join(folder, 'mutation.mjs');
  const files = ['profile', 'run'].map((name) => JSON.stringify(path.join(root, simulator, `${name}.ts`)));
  await build({
    stdin: {
      contents: files.map((file) => `export * from ${file};`).join('\n'),
      resolveDir: root,
      loader: 'ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    plugins: [mutate(root, mutation, applied)],
  });
  if (applied.length !== mutation.edits.length)
    throw new Error(
      `${mutation.rule}: ${mutation.edits.length - applied.length} of its files were not loaded`,
    );
  return import(pathToFileURL(outfile).href) as Promise<Simulator<Focus>>;
}

/** How many seeds it took, and what was found; null where the mutation survived. */
function hunt<Focus>(
  simulator: Simulator<Focus>,
  { focus }: Mutation<Focus>,
  ignored: readonly string[],
  from: number,
  seeds: number,
): { seeds: number; seed: number; found: string } | null {
  for (let index = 0; index < seeds; index += 1) {
    const { failure } = simulator.run(simulator.drawProfile(from + index, focus));
    if (failure?.rule === 'crash') throw new Error(`the mutated core crashes: ${failure.text}`);
    if (failure !== null && !ignored.includes(failure.rule))
      return { seeds: index + 1, seed: from + index, found: failure.rule };
  }
  return null;
}

/** Takes one rule out and hunts for it; true where it was found. */
async function tryOne<Focus>(
  { simulator, ignored }: Hunt<Focus>,
  mutation: Mutation<Focus>,
  from: number,
  seeds: number,
): Promise<boolean> {
  const root = findRoot();
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-mutation-'));
  try {
    const begun = performance.now();
    const built = await buildSimulator(root, folder, simulator, mutation);
    const result = hunt(built, mutation, ignored, from, seeds);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    const verdict =
      result === null
        ? `SURVIVED ${seeds} seeds`
        : `found by ${result.found} after ${result.seeds} seed${result.seeds === 1 ? '' : 's'} (seed ${result.seed})`;
    process.stdout.write(`${mutation.rule.padEnd(4)} ${mutation.what}: ${verdict}, ${seconds} s\n`);
    return result !== null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A process for each mutation, as many at a time as there are processors; gives back how many were not found. */
async function tryAll(script: string, indices: number[], words: readonly string[]): Promise<number> {
  let failures = 0;
  const queue = [...indices];
  const job = async (): Promise<void> => {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
      const args = [script, '--index', String(index), ...words];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
      const code = await new Promise((resolve) => child.on('close', resolve));
      if (code !== 0) failures += 1;
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, job));
  return failures;
}

/**
 * Takes the rules out that the words name, all where they name none; with --quick all but the rare ones, with `--part I/N` every Nth of them, the
 * first one I. Gives back the exit status.
 */
export async function huntMutations<Focus>(wanted: Hunt<Focus>, words: readonly string[]): Promise<number> {
  const { mutations } = wanted;
  let seeds = SEEDS_MAX;
  let from = 1;
  let only: number | null = null;
  let quick = false;
  let [part, parts] = [0, 1];
  const names: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    if (words[index] === '--seeds') seeds = Number(words[++index]);
    else if (words[index] === '--from') from = Number(words[++index]);
    else if (words[index] === '--index') only = Number(words[++index]);
    else if (words[index] === '--quick') quick = true;
    else if (words[index] === '--part') [part = 0, parts = 1] = (words[++index] ?? '').split('/').map(Number);
    else names.push(words[index] ?? '');
  }
  const mutation = only === null ? undefined : mutations[only];
  if (only !== null && mutation !== undefined) return (await tryOne(wanted, mutation, from, seeds)) ? 0 : 1;
  const wantedOnes = [...mutations.keys()].filter(
    (index) =>
      (names.length === 0 || names.includes(mutations[index]?.rule ?? '')) &&
      !(quick && mutations[index]?.rare === true),
  );
  const chosen = wantedOnes.filter((_, place) => place % parts === part);
  const left = quick ? mutations.filter(({ rare }) => rare === true).length : 0;
  const survivors = await tryAll(wanted.script, chosen, ['--seeds', String(seeds), '--from', String(from)]);
  process.stdout.write(
    survivors === 0
      ? `all ${chosen.length} mutations were found${parts === 1 ? '' : `, of ${wantedOnes.length}`}${left === 0 ? '' : `; ${left} rare ones were left out`}\n`
      : `${survivors} of ${chosen.length} mutations survived\n`,
  );
  return survivors === 0 && chosen.length > 0 ? 0 : 1;
}
