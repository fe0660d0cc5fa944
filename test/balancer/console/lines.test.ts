/** Bytes of a console: how they become lines, whatever they are and however they are cut. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createLineReader, LINE_BYTES_MAX, type LineEvent } from '../../../daemon/balancer/console/lines.js';

/** What is read from these bytes, given in pieces of this length; replies as `<...>`, the end as `.`. */
function read(bytes: Uint8Array, piece = bytes.length || 1): string[] {
  const reader = createLineReader();
  const events: LineEvent[] = [];
  for (let at = 0; at < bytes.length; at += piece)
    events.push(...reader.push(bytes.subarray(at, at + piece)));
  events.push(...reader.end());
  return events.map((event) => {
    if (event.kind === 'line') return event.text;
    return event.kind === 'reply'
      ? `<${event.bytes.toString('hex')}>`
      : event.kind === 'end'
        ? '.'
        : event.kind;
  });
}

const text = (line: string): Uint8Array => Buffer.from(line, 'latin1');

describe('lines', () => {
  const cases: [string, string, string[]][] = [
    ['end in LF, CR LF, CR NUL or CR', 'a\nb\r\nc\r\0d\re', ['a', 'b', 'c', 'd', 'e', '.']],
    ['may be empty', '\n\r\n\r\0\r', ['', '', '', '', '.']],
    ['end with what sends them', 'show vs', ['show vs', '.']],
    ['are over with CTRL+D', 'a\x04b\n', ['a', '.']],
    ['are mended with backspace', 'ax\bb\x7f\x7f\x7f\x7fc\n', ['c', '.']],
    ['have nothing of telnet in them', 'a\xff\xf1b\xff\xffc\n', ['ab�c', '.']],
    ['refuse what telnet asks and offers', '\xff\xfd\x06\xff\xfb\x18q\n', ['<fffc06>', '<fffe18>', 'q', '.']],
    ['answer no refusal', '\xff\xfe\x06\xff\xfc\x18q\n', ['q', '.']],
    ['leave subnegotiations out', 'a\xff\xfa\x18\x00\n\xff\xffx\xff\xf0b\n', ['ab', '.']],
  ];
  for (const [what, bytes, expected] of cases) {
    test(what, () => {
      for (const piece of [1, 2, 3, 100]) assert.deepEqual(read(text(bytes), piece), expected, `by ${piece}`);
    });
  }

  test('that are too long are told, and the next one is read', () => {
    const long = 'x'.repeat(LINE_BYTES_MAX);
    assert.deepEqual(read(text(`${long}\n${long}x\nshow\n`)), [long, 'too-long', 'show', '.']);
  });

  test('are the same however their bytes are cut', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const some = fc.constantFrom(0xff, 0xfa, 0xfb, 0xfd, 0xf0, 13, 10, 0, 4, 8, 97);
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          fc.array(some, { maxLength: 200 }).map((list) => Uint8Array.from(list)),
        ),
        fc.integer({ min: 1, max: 9 }),
        (given, piece) => assert.deepEqual(read(given, piece), read(given)),
      ),
      { numRuns: 2000 },
    );
  });
});
