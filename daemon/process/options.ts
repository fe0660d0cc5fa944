/**
 * Options of one letter as getopt(3) reads them: several in one word, and the value right behind its letter. yargs takes
 * such a value for more letters. It knows how options are written, not what they mean.
 */

/** The letters of a program. */
export interface Letters {
  /** Those that stand for themselves. */
  flags: string;
  /** Those that take a value, each with its long name. */
  valued: Readonly<Record<string, string>>;
}

/**
 * The words of a command line with one option in each: `-Fnalpha` becomes `-F --node=alpha`. What is no option, or not one of
 * these, and all behind `--`, stays as it is.
 */
export function separateOptions(words: readonly string[], letters: Letters): string[] {
  const end = words.indexOf('--');
  const options = end < 0 ? words : words.slice(0, end);
  return [...options.flatMap((word) => separate(word, letters)), ...words.slice(options.length)];
}

function separate(word: string, { flags, valued }: Letters): string[] {
  if (!/^-[^-]./s.test(word)) return [word];
  const found: string[] = [];
  for (let index = 1; index < word.length; index += 1) {
    const letter = word.charAt(index);
    const rest = word.slice(index + 1);
    const long = valued[letter];
    if (long !== undefined)
      return [...found, rest === '' ? `-${letter}` : `--${long}=${rest.replace(/^=/, '')}`];
    // An unknown letter, or a value for one that takes none: yargs tells.
    if (!flags.includes(letter) || rest.startsWith('=')) return [...found, `-${letter}${rest}`];
    found.push(`-${letter}`);
  }
  return found;
}
