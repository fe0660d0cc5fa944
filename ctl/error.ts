/** What ends hastmonctl with a message. */

/** `code` is from sysexits(3); every line of the message is for people. `aboutFile`: lines that are shown before it, as an editor reads them. */
export class CtlError extends Error {
  readonly code: number;
  readonly aboutFile: string;
  constructor(code: number, message: string, aboutFile = '') {
    super(message);
    this.code = code;
    this.aboutFile = aboutFile;
  }
}
