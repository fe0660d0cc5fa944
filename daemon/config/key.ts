/** The `key` section: the digest and the secret of authentication. No message of it ever names the secret. */
import { DEFAULT_ALGORITHM } from './defaults.js';
import { type Place, quote, type Reporter } from './diagnostic.js';
import { nearest } from './suggest.js';
import type { Section, Word } from './tree.js';
import type { Key } from './types.js';

/** The ancestor's names of digests, and node:crypto's. RIPEMD160 is in every OpenSSL 3 that Node 20 carries. */
const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['MD5', 'md5'],
  ['SHA1', 'sha1'],
  ['RIPEMD160', 'ripemd160'],
  ['SHA224', 'sha224'],
  ['SHA256', 'sha256'],
  ['SHA384', 'sha384'],
  ['SHA512', 'sha512'],
]);

const WEAK: ReadonlySet<string> = new Set(['md5', 'sha1', 'ripemd160']);

/** The ancestor's limit, HAST_KEYMAX without the final NUL. */
const SECRET_BYTES_MAX = 1023;
/** Below this a secret can be tried out against a recorded handshake. */
const SECRET_CHARACTERS_ENOUGH = 12;

/** Reads a key section; undefined where it is of no use. */
export function readKey(section: Section, place: Place, reporter: Reporter): Key | undefined {
  let algorithm: string | undefined = DEFAULT_ALGORITHM;
  let secret: string | undefined;
  let found = false;
  const seen = new Set<string>();
  for (const { name, args } of section.statements) {
    const [word] = args;
    if (word === undefined) continue;
    if (seen.has(name.text))
      reporter.warning(name, `${quote(name.text)} is set twice in this key; this one counts`);
    seen.add(name.text);
    if (name.text === 'algorithm') {
      algorithm = readAlgorithm(word, reporter);
    } else {
      found = true;
      secret = readSecret(word, reporter);
    }
  }
  if (!found && !section.broken && !section.lost.has('secret'))
    reporter.error(place, 'the key has no secret', 'expected secret STRING');
  return algorithm === undefined || secret === undefined ? undefined : { algorithm, secret };
}

function readAlgorithm(word: Word, reporter: Reporter): string | undefined {
  const algorithm = ALGORITHMS.get(word.text.toUpperCase());
  if (algorithm === undefined) {
    const closest = nearest(word.text, ALGORITHMS.keys());
    const help =
      closest === ''
        ? `expected one of ${[...ALGORITHMS.keys()].join(' ')}`
        : `did you mean ${quote(closest)}?`;
    reporter.error(word, `unknown algorithm ${quote(word.text)}`, help);
  } else if (WEAK.has(algorithm)) {
    reporter.warning(word, `${word.text.toUpperCase()} is weak`, 'better SHA256, on all nodes at once');
  }
  return algorithm;
}

function readSecret(word: Word, reporter: Reporter): string | undefined {
  if (word.text === '') {
    reporter.error(word, 'the secret is empty');
    return undefined;
  }
  if (Buffer.byteLength(word.text) > SECRET_BYTES_MAX) {
    reporter.error(word, `the secret is longer than ${SECRET_BYTES_MAX} bytes`);
    return undefined;
  }
  if (word.text.length < SECRET_CHARACTERS_ENOUGH) {
    reporter.warning(
      word,
      `the secret is shorter than ${SECRET_CHARACTERS_ENOUGH} characters`,
      'head -c 24 /dev/urandom | base64 makes a good one',
    );
  }
  return word.text;
}
