/** The version of the package, put in by the build. */
declare const HASTMON_VERSION: string | undefined;

export const version: string = typeof HASTMON_VERSION === 'string' ? HASTMON_VERSION : 'unbuilt';
