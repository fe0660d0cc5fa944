/** What the main process and the process that runs the checks of actions say to each other over Node's IPC channel. */
import type { Check } from './types.js';

/** A check of a resource that this node runs. */
export interface OwnCheck {
  resource: string;
  check: Check;
}

export type MainToActions = {
  /** All there is to check from now on. */
  kind: 'checks';
  node: string;
  /** The path of the control socket, to which states are reported. */
  control: string;
  checks: readonly OwnCheck[];
};

export type ActionsToMain =
  /** It works; once a second. */
  | { kind: 'beat' }
  /** A process group that it has started, or of which nobody is left. */
  | { kind: 'group'; group: number; alive: boolean }
  /** Why a check's state is not known, or that it cannot be reported. */
  | { kind: 'note'; resource: string; text: string };
