/** Variables in the words of commands: which there are, whether a word is well-formed, and what it becomes. Pure. */

/** The variables and what they stand for. */
export interface Values {
  /** The primary's node, as of the change; '' where it is not known. */
  MASTER: string;
  /** The other candidates, joined by commas. */
  SLAVE: string;
  NODE: string;
  RESOURCE: string;
  EPOCH: string;
  /** The states of the change; '' where nothing changes. */
  OLD: string;
  NEW: string;
}

export type Variable = keyof Values;

export const VARIABLES: readonly Variable[] = ['MASTER', 'SLAVE', 'NODE', 'RESOURCE', 'EPOCH', 'OLD', 'NEW'];
/** Those that mean something in checks.conf: a check is run whoever is primary. */
export const CHECK_VARIABLES: readonly Variable[] = ['NODE', 'RESOURCE'];

const USE = /%([^%\s]*)%/g;

export interface VariableProblem {
  /** Where in the word it is, and how long. */
  index: number;
  length: number;
  /** The name between the percent signs; null: there is one percent sign alone. */
  name: string | null;
}

/** What is wrong with the percent signs of a word. */
export function variableProblems(word: string, known: readonly string[]): VariableProblem[] {
  const problems: VariableProblem[] = [];
  const lookAlone = (from: number, to: number): void => {
    const index = word.slice(0, to).indexOf('%', from);
    if (index >= 0) problems.push({ index, length: 1, name: null });
  };
  let rest = 0;
  for (const { index, 0: use, 1: name = '' } of word.matchAll(USE)) {
    lookAlone(rest, index);
    rest = index + use.length;
    if (name !== '' && !known.includes(name)) problems.push({ index, length: use.length, name });
  }
  lookAlone(rest, word.length);
  return problems;
}

/** A word with its values in place. It stays one word, whatever they are. */
export function expandWord(word: string, values: Readonly<Record<string, string>>): string {
  return word.replace(USE, (use, name: string) => (name === '' ? '%' : (values[name] ?? use)));
}

/** A line for the shell: a variable becomes one of the shell's, so that no value is ever read as code. */
export function shellLine(line: string): string {
  return line.replace(USE, (_use, name: string) => (name === '' ? '%' : `\${HASTMON_${name}}`));
}

/** The variables of the environment that those of a shell's line refer to. */
export function valuesEnvironment(values: Values): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`HASTMON_${name}`, value]));
}

/** Where a line for the shell has variables between apostrophes, in which the shell expands nothing. */
export function literalVariables(line: string): { index: number; length: number }[] {
  const found: { index: number; length: number }[] = [];
  for (const { index, 0: use, 1: name } of line.matchAll(USE))
    if (name !== '' && insideApostrophes(line.slice(0, index))) found.push({ index, length: use.length });
  return found;
}

function insideApostrophes(before: string): boolean {
  let quote = '';
  for (let index = 0; index < before.length; index += 1) {
    const character = before[index] ?? '';
    if (character === '\\' && quote !== "'") index += 1;
    else if (quote === '' && (character === "'" || character === '"')) quote = character;
    else if (character === quote) quote = '';
  }
  return quote === "'";
}
