/** What an answer has to say: a text, byte for byte, or a regular expression. */

export type Expectation =
  | { kind: 'text'; bytes: Buffer; text: string }
  | { kind: 'pattern'; pattern: RegExp; encoding: Encoding };

/** How bytes are letters: as UTF-8, or each byte one, where bytes are meant that are no text. */
export type Encoding = 'utf8' | 'latin1';

export function expectText(text: string, encoding: Encoding = 'utf8'): Expectation {
  return { kind: 'text', bytes: Buffer.from(text, encoding), text };
}

/** Throws a SyntaxError where it is no regular expression. */
export function expectPattern(source: string, flags = '', encoding: Encoding = 'utf8'): Expectation {
  return { kind: 'pattern', pattern: new RegExp(source, flags.replaceAll(/[gy]/g, '')), encoding };
}

/** Whether it occurs anywhere in the first `length` bytes. */
export function occursIn(expected: Expectation, bytes: Buffer, length: number): boolean {
  return endOf(expected, bytes, length) >= 0;
}

/** Where in the first `length` bytes its first occurrence ends; -1 for none. */
export function endOf(expected: Expectation, bytes: Buffer, length: number): number {
  if (expected.kind === 'pattern') {
    const found = expected.pattern.exec(bytes.toString(expected.encoding, 0, length));
    if (found === null) return -1;
    // Bytes that are no UTF-8 become letters of more bytes than they are.
    const before = found.input.slice(0, found.index + found[0].length);
    return Math.min(length, Buffer.byteLength(before, expected.encoding));
  }
  const at = bytes.indexOf(expected.bytes);
  const end = at + expected.bytes.length;
  return at >= 0 && end <= length ? end : -1;
}

/** Whether an answer begins with a text: 1 yes, 0 no, -1 not known before more has come. */
export function beginsWith(text: Buffer, bytes: Buffer, length: number): 1 | 0 | -1 {
  const most = Math.min(text.length, length);
  for (let index = 0; index < most; index += 1) if (bytes[index] !== text[index]) return 0;
  return length >= text.length ? 1 : -1;
}

/** For people: `"220"`, `/^SSH-2/`. */
export function describeExpectation(expected: Expectation): string {
  return expected.kind === 'text' ? JSON.stringify(expected.text) : String(expected.pattern);
}
