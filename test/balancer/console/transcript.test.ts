/**
 * Golden transcripts of the console: `$ ` stands before what is typed, `@ ` before what happens meanwhile. After a change that is meant,
 * `REWRITE=1` writes them anew; the difference is to be read before it is committed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { interpret } from '../../../daemon/balancer/console/interpret.js';
import { newSession } from '../../../daemon/balancer/console/types.js';
import { type TestHost, testHost } from './host.js';

/** The source folder: dist/ holds only what is built. */
function findTestdata(): string {
  const own = 'test/balancer/console/testdata';
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, own))) folder = path.dirname(folder);
  return path.join(folder, own);
}

/** `ramp HOST LENGTH LEFT`, `up HOST`, `connections HOST N`, `unresolved HOST`. */
function happen(host: TestHost, words: readonly string[]): void {
  const [what, tag = '', first, second] = words;
  switch (what) {
    case 'ramp': {
      const ramp = { durationMs: Number(first) * 1000, leftMs: Number(second) * 1000 };
      return host.change(tag, {
        ramp,
        status: '1-RAMPING',
        stateWeight: 13,
        desiredWeight: 13,
        procWeight: 13,
      });
    }
    case 'up':
      return host.change(tag, { ramp: null, status: '0-ENABLED' });
    case 'connections':
      return host.change(tag, { connections: { active: Number(first), inactive: 0 } });
    case 'unresolved':
      return host.change(tag, { real: '', procWeight: null });
    default:
      throw new Error(`nothing is known of '${what}'`);
  }
}

async function replay(text: string): Promise<string> {
  const host = testHost();
  const session = newSession('test');
  const lines = text.split('\n');
  let output = `${lines[0]}\n`;
  for (const line of lines.slice(1)) {
    if (line.startsWith('@ ')) {
      happen(host, line.slice(2).split(' '));
      output += `${line}\n`;
    } else if (line === '$' || line.startsWith('$ ')) {
      const answer = await interpret(line.slice(2), session, host);
      output += `${line}\n${answer.text}${answer.ended ? '(ended)\n' : ''}`;
    }
  }
  return output;
}

const folder = findTestdata();
for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  const text = readFileSync(path.join(folder, file), 'utf8');
  test(`${file}: ${(text.split('\n', 1)[0] ?? '').replace(/^# ?/, '')}`, async () => {
    const output = await replay(text);
    if (process.env.REWRITE !== undefined) writeFileSync(path.join(folder, file), output);
    else assert.equal(output, text);
  });
}
