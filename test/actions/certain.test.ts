/** What passes for running and for stopped: the process of lists says it in words of its own, so that no accident of a program does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourceFor } from './support.js';

test('0 is running and 1 is stopped, as of any hook program', async (t) => {
  const resource = resourceFor(t);
  for (const [word, code] of [
    ['master', 0],
    ['slave', 1],
    ['lagging', 4],
  ] as const) {
    resource.keep('', `[local]\nname=c sh: echo ${word}\n`);
    assert.equal((await resource.run('status')).code, code, word);
  }
});

test('a hastmond that cannot be loaded, in the middle of an upgrade, is neither running nor stopped', async (t) => {
  const resource = resourceFor(t);
  resource.keep('', '[local]\nname=c sh: echo master\n');
  const scripts = [
    resource.file('not-there.js'),
    resource.write('without-a-part.mjs', "await import('./chunk-none.js');"),
    resource.write('by-half.mjs', 'const cut = {'),
    resource.write('empty.mjs', ''),
  ];
  for (const script of scripts) {
    const { code, detail } = await resource.run('status', script);
    assert.notEqual(code, 0, script);
    assert.notEqual(code, 1, script);
    assert.match(detail, /^status exited with /);
  }
  assert.equal((await resource.run('start', scripts[0])).code, 1);
});

test('a command that the system refuses to begin says nothing of the resource', async (t) => {
  const resource = resourceFor(t);
  resource.write('file', '');
  for (const line of [`${resource.file('file')}/below`, `/bin/true "${'x'.repeat(200_000)}"`]) {
    resource.keep(`[status]\n${line}\n`);
    const { code, detail } = await resource.run('status');
    assert.equal(code, 4, detail);
    assert.match(detail, /cannot be run: /);
    resource.keep('', `[local]\nname=c ${line}\n`);
    const checked = await resource.run('status');
    assert.equal(checked.code, 4, checked.detail);
    assert.match(checked.detail, /c: unknown \(it cannot be run: /);
  }
});
