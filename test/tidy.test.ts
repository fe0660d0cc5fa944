/** What keeps the project readable: purity of the core, sizes, imports without cycles, and rules that tests cite. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MUTATIONS as BALANCER } from './balancer/core/mutation-list.js';
import { MUTATIONS as CONFIRMATION } from './confirm/mutation-list.js';
import { MUTATIONS as SAFETY } from './sim/mutation-list.js';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 75;

function findRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'daemon/core/node.ts'))) folder = path.dirname(folder);
  return folder;
}

const root = findRoot();

/** Every file of these folders with this ending, relative to the root; generated code is nobody's. */
function filesOf(folders: readonly string[], ending: string): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name}`,
      ),
    )
    .filter((name) => name.endsWith(ending) && !name.includes('/gen/'))
    .sort();
}

const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const product = filesOf(['daemon', 'ctl', 'proto'], '.ts');
/** Parts of the page, which a browser runs. */
const parts = filesOf(['daemon'], '.tsx');
const everything = [...product, ...parts, ...filesOf(['test', 'bench'], '.ts')];

/** What a file imports, types alone not included: relative ones as paths of the project. */
function importsOf(file: string): string[] {
  const code = read(file).replace(/^(import|export) type [^;]*;/gm, '');
  return [...code.matchAll(/(?:from|import\(|^import)\s*'([^']+)'/gm)].map(([, target = '']) =>
    target.startsWith('.')
      ? path.posix.join(path.posix.dirname(file), target).replace(/\.js$/, '.ts')
      : target,
  );
}

test('the core knows no clock, no chance, no input and no output', () => {
  const impure =
    /\b(process|console|globalThis|crypto|performance|setTimeout|setInterval|setImmediate|queueMicrotask|Date|fetch)\b|Math\.random/;
  const known: Record<string, RegExp> = {
    'daemon/core': /^daemon\/core\//,
    'daemon/confirm': /^daemon\/(core|confirm)\//,
    'daemon/drill': /^daemon\/(core|drill)\//,
    // Not the whole of daemon/balancer/ipvs: that knows the kernel.
    'daemon/balancer/core': /^daemon\/(core\/|balancer\/(core\/|types\.ts$|ipvs\/diff\.ts$))/,
  };
  for (const file of [...filesOf(Object.keys(known), '.ts'), 'daemon/balancer/ipvs/diff.ts']) {
    const own = known[path.posix.dirname(file)] ?? /^daemon\/balancer\/types\.ts$/;
    const outside = importsOf(file).filter((target) => !own.test(target));
    assert.deepEqual(outside, [], `${file} imports what is not of the core`);
    const code = read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    assert.doesNotMatch(code, impure, file);
  }
});

test('files can be read at one sitting', () => {
  for (const file of everything) {
    const lines = read(file).split('\n').length - 1;
    assert.ok(lines <= FILE_LINES_MAX, `${file} has ${lines} lines, more than ${FILE_LINES_MAX}`);
  }
});

test('so can functions', () => {
  for (const file of [...product, ...parts]) {
    // The formatter puts the end of a function at the margin of its begin.
    const lines = read(file).split('\n');
    for (const [index, line] of lines.entries()) {
      const margin = /^( *)(export )?(async )?function\b/.exec(line)?.[1];
      if (margin === undefined) continue;
      const length = lines.slice(index).findIndex((later) => new RegExp(`^${margin}\\};?$`).test(later)) + 1;
      const nested = lines
        .slice(index, index + length)
        .filter((later) => new RegExp(`^${margin} {2}(async )?function `).test(later));
      // A shell that holds its state in a closure is as long as its parts; the parts are what is read.
      if (nested.length > 0) continue;
      assert.ok(length <= FUNCTION_LINES_MAX, `${file}:${index + 1} has a function of ${length} lines`);
    }
  }
});

test('imports have no cycles', () => {
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string, way: readonly string[]): void => {
    if (state.get(file) === 'done' || !product.includes(file)) return;
    assert.notEqual(state.get(file), 'open', `a cycle: ${[...way, file].join(' -> ')}`);
    state.set(file, 'open');
    for (const target of importsOf(file)) visit(target, [...way, file]);
    state.set(file, 'done');
  };
  for (const file of product) visit(file, []);
});

test('each folder knows what the architecture lets it know', () => {
  const known: Record<string, RegExp> = {
    'daemon/': /^(daemon|proto)\//,
    'daemon/alerts/': /^daemon\/((alerts|process|sys)\/|confirm\/words\.ts$)/,
    'daemon/cluster/': /^(daemon\/(cluster|core|sys)|proto)\//,
    // What a check is called and said to be, but nothing of how it is made.
    'daemon/config/': /^daemon\/((config|core)\/|checks\/(spec|url)\.ts$|sys\/errors\.ts$)/,
    'daemon/control/': /^(daemon\/(control|net|process|sys)|proto)\//,
    'daemon/drill/': /^daemon\/(core|drill)\//,
    'daemon/events/': /^(daemon\/(events|core|hooks|sys)|proto)\//,
    'daemon/hooks/': /^daemon\/(hooks|state|sys)\//,
    'daemon/http/': /^(daemon\/((http|config|core|sys|process)\/|checks\/natures\.ts$)|proto\/)/,
    'daemon/http/page/': /^daemon\/http\/page\//,
    'daemon/http/page/model/': /^daemon\/http\/page\/model\//,
    'daemon/log/': /^daemon\/(log|config|sys)\//,
    'daemon/net/': /^(daemon\/(net|config|core)|proto)\//,
    'daemon/process/': /^daemon\/(process|sys)\//,
    'daemon/state/': /^daemon\/(state|sys)\//,
    'daemon/sys/': /^daemon\/sys\//,
    'ctl/': /^((ctl|daemon\/(config|process|net|drill)|proto)\/|daemon\/control\/call\.ts$)/,
    'daemon/actions/': /^daemon\/((actions|config|hooks|state|sys|core)\/|control\/call\.ts$)/,
    'proto/': /^((proto|daemon\/core)\/|daemon\/balancer\/types\.ts$)/,
  };
  for (const [folder, pattern] of Object.entries(known))
    for (const file of product.filter((name) => name.startsWith(folder)))
      for (const target of importsOf(file).filter((name) => name.endsWith('.ts')))
        assert.match(target, pattern, `${file} imports ${target}`);
});

test('nothing is left to be done, and nothing is left from debugging', () => {
  const left = /\b(TO\x44O|FIX\x4DE|XX\x58)\b/;
  const texts = filesOf(['docs', 'man', 'scripts', 'conf'], '')
    .concat('README.md', 'CHANGELOG.md')
    .filter((name) => statSync(path.join(root, name)).isFile() && !name.endsWith('.png'));
  for (const file of [...everything, ...texts]) assert.doesNotMatch(read(file), left, file);
  for (const file of product) assert.doesNotMatch(read(file), /\bconsole\.|\bdebugger\b/, file);
});

test('every rule of the protocol is cited by a test, a mutation, a checker or a golden scenario', () => {
  const rules = [
    'docs/protocol.md',
    'docs/protocol-wire.md',
    'docs/confirmation.md',
    'docs/balancer.md',
  ].flatMap((file) => [...read(file).matchAll(/\*\*([A-Z]\d+)\*\*/g)].map(([, id = '']) => id));
  const texts = [
    ...filesOf(['test'], '.test.ts').map((file) => [...read(file).matchAll(/\[([A-Z]\d+)\]/g)]),
    ...filesOf(['test/core/testdata'], '.txt').map((file) => [
      ...(read(file).split('\n')[1] ?? '').matchAll(/\b([A-Z]\d+)\b/g),
    ]),
    [...read('test/sim/mutation-list.ts').matchAll(/'([A-Z]\d+)'/g)],
    [...read('test/confirm/mutation-list.ts').matchAll(/'([A-Z]\d+)'/g)],
  ];
  const cited = new Set(texts.flatMap((matches) => matches.map(([, id = '']) => id)));
  assert.deepEqual(
    rules.filter((id) => !cited.has(id)),
    [],
    'rules that no test cites',
  );
  assert.deepEqual(
    [...cited].filter((id) => !rules.includes(id)),
    [],
    'ids that are cited and are no rules',
  );
});

test('the text of every mutation stands in its file, once', () => {
  for (const { rule, edits } of [...SAFETY, ...CONFIRMATION, ...BALANCER])
    for (const { file, from } of edits)
      assert.equal(read(file).split(from).length, 2, `${rule}: ${file}: ${from}`);
});
