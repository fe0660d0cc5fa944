/** What is wrong with a command line, in one line for the user. */
export class UsageError extends Error {}
