/** One loop of animation frames for all that moves, which rests while nothing does. */

/** Called with the time since the frame before, in milliseconds. */
export type Frame = (stepMs: number) => void;

/** A step is no longer than this, whatever a browser has slept through. */
const STEP_MOST_MS = 100;

/**
 * `request` is requestAnimationFrame. Gives what adds a frame to the loop; that gives what takes it away again. One request is under way at most,
 * however often the last one leaves and another one comes before the next frame.
 */
export function createFrames(request: (run: (at: number) => void) => void): (frame: Frame) => () => void {
  const frames = new Set<Frame>();
  let requested = false;
  let lastAt = 0;

  function next(): void {
    if (requested || frames.size === 0) return;
    requested = true;
    request(run);
  }

  function run(at: number): void {
    requested = false;
    const stepMs = Math.min(STEP_MOST_MS, at - lastAt);
    lastAt = at;
    for (const frame of frames) frame(stepMs);
    next();
  }

  return (frame) => {
    frames.add(frame);
    next();
    return () => frames.delete(frame);
  };
}
