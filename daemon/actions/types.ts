/**
 * The vocabulary of actions: what actions.conf and checks.conf say, ready to be run. It is kept in the configuration, and on disk for
 * the processes that run it, so it is plain data. docs/actions.md has the meaning.
 */

/** A line with something to run. */
export interface Command {
  /** Where it stands, from 1. */
  line: number;
  /** Absolute path of the program; '' for a line that is the shell's. */
  program: string;
  /** Its name as the file has it, then its arguments; or the line for the shell. Variables are not expanded. */
  words: readonly string[];
  /** How long it may run, in milliseconds. */
  timeoutMs: number;
}

/** What a section of actions.conf is for: a change of state, where '*' is any state, or an event. */
export type Occasion = { kind: 'change'; from: string; to: string } | { kind: 'event'; event: ActionEvent };

export type ActionEvent = 'status' | 'connect' | 'disconnect' | 'complain';

export interface Section {
  line: number;
  on: Occasion;
  commands: readonly Command[];
}

/** A line of checks.conf. */
export interface Check {
  /** What it is reported as. */
  name: string;
  /** The node that runs it; '' for every node. */
  node: string;
  command: Command;
  /** How often it is run, in milliseconds. */
  intervalMs: number;
  /** True: its state says whether the resource runs, where there is no section [status]. */
  status: boolean;
}

/** Both files of a resource. */
export interface ActionPlan {
  /** Absolute paths, for messages; `checksFile` is '' where there is none. */
  file: string;
  checksFile: string;
  sections: readonly Section[];
  checks: readonly Check[];
}

/** The name under which a plan is kept in the state directory of its resource. */
export const PLAN = 'actions';

/**
 * What the process of lists exits with for `status`. Node.js exits with 1 by itself where it cannot load or run a program, and with 0 where the
 * program is empty: neither may ever pass for a word about the resource.
 */
export const STATUS = { running: 80, stopped: 81, notKnown: 4 } as const;

/** The exit status of a list that has to wait for a start or stop (EX_TEMPFAIL of sysexits(3)). */
export const BUSY = 75;
