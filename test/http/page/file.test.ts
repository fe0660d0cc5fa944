/** The page is one file that asks for nothing from elsewhere, and puts no text into itself as markup. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../../system/paths.js';

const page = readFileSync(path.join(root, 'dist/bin/page.html'), 'utf8');
const sources = readdirSync(path.join(root, 'daemon/http/page'), {
  recursive: true,
  encoding: 'utf8',
}).filter((name) => /\.tsx?$/.test(name));
const read = (name: string): string => readFileSync(path.join(root, 'daemon/http/page', name), 'utf8');

test('it has one script and one style in it, and refers to nothing', () => {
  assert.equal([...page.matchAll(/<script/gi)].length, 1);
  assert.equal([...page.matchAll(/<style/gi)].length, 1);
  assert.doesNotMatch(page, /<(?:script|img|iframe|link)[^>]*(?:src|href)="(?!data:)/i);
  assert.doesNotMatch(page, /@import|url\((?!["']?data:)/);
  assert.match(page, /<html lang="en">/);
  assert.ok(Buffer.byteLength(page) <= 150_000, `${Buffer.byteLength(page)} bytes`);
});

test('the licences of what is in it are in it', () => {
  for (const words of ['preact', 'uplot', 'The MIT License'])
    assert.ok(page.toLowerCase().includes(words.toLowerCase()), words);
});

test('no text becomes markup', () => {
  for (const name of sources)
    assert.doesNotMatch(read(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write/i, name);
});

test('what it shows is computed without a browser', () => {
  const browser =
    /\b(document|window|navigator|localStorage|fetch|performance|setTimeout|requestAnimationFrame|Date\.now)\b/;
  for (const name of sources.filter((each) => each.startsWith('model/'))) {
    const code = read(name).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    assert.doesNotMatch(code, browser, name);
    assert.doesNotMatch(code, /from '\.\.\/(?:feed|view)\//, name);
  }
});
