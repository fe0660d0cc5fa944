/**
 * What happened before a viewer came: asked of the main process for all who wait for it, one question at a time, and again where no answer
 * came. It does not know how viewers are told.
 */
import type { HaEvent } from '../../proto/event-types.js';
import type { Asker } from './asker.js';

export interface Waiting {
  /** It wants so many of the last events. */
  last: number;
  /** It has gone, and wants none. */
  gone(): boolean;
  /** The last events, the oldest first; none where they could not be had. Called once. */
  take(events: readonly HaEvent[]): void;
}

export interface Replay {
  add(viewer: Waiting): void;
}

/** Before it is asked again. */
const AGAIN_MS = 1000;
/**
 * A main process that answers, but not with events, is asked so often for a viewer; what happens meanwhile waits with it. One that is silent has
 * nothing to tell: it is asked for as long as the viewer is there.
 */
export const TRIES_MAX = 10;

export interface ReplayOptions {
  asker: () => Asker;
  /** Milliseconds between one question without an answer and the next. */
  againMs?: number | undefined;
}

interface Tried {
  viewer: Waiting;
  tries: number;
}

export function createReplay({ againMs = AGAIN_MS, asker }: ReplayOptions): Replay {
  let waiting: Tried[] = [];
  let asking = false;

  async function run(): Promise<void> {
    asking = true;
    for (let batch = next(); batch.length > 0; batch = next()) {
      const answered = await ask(Math.max(...batch.map(({ viewer }) => viewer.last)));
      const there = batch.filter(({ viewer }) => !viewer.gone());
      if (Array.isArray(answered)) {
        for (const { viewer } of there) viewer.take(lastOf(answered, viewer.last));
        continue;
      }
      const tried = there.map(({ tries, viewer }) => ({
        viewer,
        tries: tries + (answered === 'no' ? 1 : 0),
      }));
      for (const { tries, viewer } of tried) if (tries >= TRIES_MAX) viewer.take([]);
      waiting = [...tried.filter(({ tries }) => tries < TRIES_MAX), ...waiting];
      await new Promise((resolve) => setTimeout(resolve, againMs).unref());
    }
    asking = false;
  }

  function next(): Tried[] {
    const batch = waiting.filter(({ viewer }) => !viewer.gone());
    waiting = [];
    return batch;
  }

  async function ask(last: number): Promise<readonly HaEvent[] | 'silent' | 'no'> {
    const question = { kind: 'events', names: [], sinceMs: null, last, follow: false } as const;
    // An answer to somebody else may be of before their news were kept.
    const found = await asker().ask(question, { anew: true });
    if (found.kind === 'silent') return 'silent';
    if (found.kind === 'busy' || (found.reply.error ?? null) !== null) return 'no';
    return found.reply.events ?? [];
  }

  return {
    add(viewer) {
      waiting.push({ viewer, tries: 0 });
      if (!asking) void run();
    },
  };
}

function lastOf(events: readonly HaEvent[], count: number): readonly HaEvent[] {
  return events.slice(Math.max(0, events.length - count));
}
