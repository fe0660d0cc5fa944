/** The kinds of events and their facts: in the code as in docs/events.md, and each of them recorded somewhere. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

function findRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'daemon/core/node.ts'))) folder = path.dirname(folder);
  return folder;
}

const root = findRoot();
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const names = (text: string): string[] => [...text.matchAll(/(\w+)\??:/g)].map(([, name = '']) => name);
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');

/** From the types: kinds, each with the names of its facts. */
function ofTheCode(): Map<string, string> {
  const found = new Map<string, string>();
  const [, observation = ''] =
    /type Observation =([\s\S]*?);\n\n/.exec(withoutComments(read('daemon/core/observe.ts'))) ?? [];
  for (const [, kind = '', facts = ''] of observation.matchAll(/\{\s*kind: '([a-z-]+)';?([^}]*)\}/g))
    found.set(kind, names(facts).sort().join(' '));
  const [, others = ''] =
    /interface EventFacts[^{]*\{\n([\s\S]*?)\n\}/.exec(read('proto/event-kinds.ts')) ?? [];
  for (const [, kind = '', facts = ''] of others.matchAll(/^ {2}'?([a-z-]+)'?: (.*);$/gm))
    found.set(kind, facts.startsWith('{') ? names(facts).sort().join(' ') : '');
  return found;
}

/** From the tables: `| \`kind\` | when | \`fact\` words; \`fact\` words |`. */
function ofTheDocument(): Map<string, string> {
  const found = new Map<string, string>();
  const rows = read('docs/events.md').matchAll(/^\| `([a-z-]+)` \|[^|]*\|([^|]*)\|$/gm);
  for (const [, kind = '', facts = ''] of rows) {
    const marked = [...facts.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
    found.set(kind, marked.sort().join(' '));
  }
  return found;
}

test('docs/events.md has the kinds and the facts that the code has', () => {
  const [code, document] = [ofTheCode(), ofTheDocument()];
  assert.ok(code.size > 60, `${code.size} kinds in the code`);
  assert.deepEqual([...document].sort(), [...code].sort());
});

test('each kind is recorded somewhere', () => {
  const texts = ['daemon']
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name}`,
      ),
    )
    .filter((name) => name.endsWith('.ts'))
    .map(read)
    .join('\n');
  for (const kind of ofTheCode().keys())
    assert.ok(texts.includes(`'${kind}'`), `${kind} is recorded nowhere`);
});
