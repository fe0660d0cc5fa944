/** What ends hastmonctl with a message. */

/** `code` is from sysexits(3); every line of the message is for people. */
export class CtlError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
