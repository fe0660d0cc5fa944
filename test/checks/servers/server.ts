/** What is said of a real server: how it is started, what checks of it find, and what it may say of them. */
import type { Certificates } from './certificates.js';
import type { Program, Stage } from './stage.js';

/** A check's URL and options, as in hastmon.conf, and what it has to find: the nature, with its number where it has one. */
export type Finding = readonly [check: string, nature: string, text?: RegExp];

export interface Server {
  name: string;
  /** Programs that have to be there. */
  programs: readonly string[];
  start(stage: Stage, certificates: Certificates): Program | Promise<Program>;
  /** The first one has to be ok: it is how the server is waited for. */
  up: readonly Finding[];
  /** What checks find that are none of its protocol, or that expect something else: of these it may complain. */
  rude?: readonly Finding[];
  /** What is found while it goes on running, after something was done to it. */
  later?: { prepare(stage: Stage, program: Program): Promise<void>; findings: readonly Finding[] };
  /** When it has been stopped. */
  down: readonly Finding[];
  stopSignal?: NodeJS.Signals;
  /** What its log may not say of the checks of its own protocol: complaints about how we came and went. */
  complaints: RegExp;
  /** What its log has to say of our leaving, and how often at least. */
  farewells?: { pattern: RegExp; least: number };
}
