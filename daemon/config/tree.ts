/** The syntax tree: statements, their words and sections, each with its place. Types only. */
import type { Place } from './diagnostic.js';
import type { Rule, SectionKind } from './grammar.js';

/** A word or quoted string and where it stands. */
export interface Word extends Place {
  text: string;
  quoted: boolean;
}

export interface Statement {
  rule: Rule;
  name: Word;
  args: Word[];
  block: Section | null;
}

export interface Section {
  kind: SectionKind;
  statements: Statement[];
  /** The statements lost to an error of their own: one that seems to be missing may be there. */
  lost: Set<string>;
  /** True where nobody knows what was lost. */
  broken: boolean;
}
