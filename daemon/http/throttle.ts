/** Work that may be wanted far more often than it is to be done. */

/** Does it at once, then at most every so many milliseconds; whatever was wanted meanwhile is done at the end of these. */
export function throttled(everyMs: number, work: () => void): () => void {
  let resting = false;
  let wanted = false;

  function run(): void {
    if (resting) {
      wanted = true;
      return;
    }
    [resting, wanted] = [true, false];
    work();
    setTimeout(() => {
      resting = false;
      if (wanted) run();
    }, everyMs).unref();
  }

  return run;
}
