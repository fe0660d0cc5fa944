// A file in memory for a child: whole, read from its begin, and gone with the last who has it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { test } from 'node:test';
import { makeMemoryFile } from '../../daemon/sys/memory-file.js';

test('a child reads all of it', () => {
  const content = 'a line that is repeated, with ü\n'.repeat(100_000);
  const file = makeMemoryFile(content);
  assert.ok(file !== null);
  try {
    const read = execFileSync('cat', { stdio: [file, 'pipe', 'inherit'], maxBuffer: 10_000_000 });
    assert.equal(read.toString(), content);
  } finally {
    closeSync(file);
  }
});
