/** The tables of words against the .proto files that give them their numbers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  answerKinds,
  edgeKinds,
  refuseReasons,
  roles,
  runStates,
  sights,
  verdicts,
} from '../../proto/words.js';

/** Paths are from the root of the repository, where tests run. */
const tables: [string, string, { word(number: number): string | undefined }][] = [
  ['common.proto', 'Role', roles],
  ['common.proto', 'RunState', runStates],
  ['peer.proto', 'Verdict', verdicts],
  ['peer.proto', 'AnswerTo', answerKinds],
  ['peer.proto', 'RefuseReason', refuseReasons],
  ['peer.proto', 'Sight', sights],
  ['peer.proto', 'EdgeKind', edgeKinds],
];

for (const [file, name, table] of tables) {
  test(`[N12] ${name} has the words and numbers of ${file}`, () => {
    const body =
      new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(readFileSync(`proto/${file}`, 'utf8'))?.[1] ?? '';
    const prefix = `${name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_`;
    const entries = [...body.matchAll(/^\s*(\w+) = (\d+);/gm)];
    assert.ok(entries.length > 2);
    for (const [, word = '', number = ''] of entries) {
      const plain = word.slice(prefix.length).toLowerCase().replaceAll('_', '-');
      assert.equal(table.word(Number(number)) ?? 'none', plain, `${word} = ${number}`);
    }
    assert.equal(table.word(entries.length), undefined, 'a word more than the file has');
  });
}
