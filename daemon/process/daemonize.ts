/**
 * Going into the background: the program starts itself again in a session of its own, without a terminal, and the first
 * process stays until the second says that it is ready, so that its exit status is true.
 */

export interface DaemonizeOptions {
  /** How the program is called in messages. */
  name: string;
  /** Arguments after the script; default: those of this process. */
  args?: readonly string[];
  /** How long the second process may take to become ready. Default 60 s. */
  timeoutMs?: number;
}

/** In the first process: starts the second, waits for its word, and exits with 0, or with its error on stderr and its code. */
export declare function daemonize(options: DaemonizeOptions): Promise<never>;

/** True in the second process. */
export declare function inBackground(): boolean;

/** Where the user started the program: relative paths of the command line count from here. */
export declare function startDirectory(): string;

/** In the second process: all sockets are open; the first exits with 0. Does nothing in the foreground. */
export declare function reportReady(): void;

/** Says why the program cannot run: through the first process, or on stderr in the foreground. The caller then exits with `code`. */
export declare function reportFailure(code: number, text: string): void;
