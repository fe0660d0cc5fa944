/** Which words of a command line are the command, and which belong to another program. */

/** What stands behind `--` of these is a command of its own, and no business of yargs. */
const WITH_TAIL: readonly string[] = ['rolling', 'drill'];

/** The words for yargs, and those behind `--` that are not for it. */
export function withoutTail(words: readonly string[]): { words: string[]; tail: string[] } {
  const end = words.indexOf('--');
  if (end < 0 || !WITH_TAIL.includes(commandIn(words.slice(0, end)))) return { words: [...words], tail: [] };
  return { words: words.slice(0, end), tail: words.slice(end + 1) };
}

/** The word where the command is expected; '' for none. yargs does not tell which word it means. */
export function commandIn(words: readonly string[]): string {
  const takesNext =
    /^(-[cnos]|--(config|node|control|to|resource|timeout|host|group|option|by|for|watch|vs|reason|ramp|hosts|hold|report|drain-timeout|up-timeout))$/;
  const [first = '', second = ''] = words.filter(
    (word, index) => !word.startsWith('-') && !takesNext.test(words[index - 1] ?? ''),
  );
  return first === 'alert' ? second : first;
}
