/**
 * What happens, as server-sent events: the cluster while anybody watches, and each event of the journal as it comes. A reader that does
 * not keep up is dropped: its browser connects again, and says what it had last.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HaEvent } from '../../proto/event-types.js';
import type { ApiContext } from './api.js';
import { whenOver } from './over.js';
import { type Pictures, takePictures } from './pictures.js';
import { createReplay } from './replay.js';

export interface EventStream {
  /** Answers with the stream; false where too many watch already. `last`: so many events that were before. */
  open(request: IncomingMessage, response: ServerResponse, last: number): boolean;
  /** Something has happened. */
  event(event: HaEvent): void;
  /** Ends all that are open; their browsers connect again. */
  endAll(): void;
}

export interface StreamOptions {
  context: () => ApiContext;
  /** Headers of every answer. */
  headers: Readonly<Record<string, string>>;
  /** Milliseconds until earlier events are asked for again; as a rule a second. */
  againMs?: number | undefined;
}

export const VIEWERS_MAX = 32;
/** Bytes that a reader may have left unread. */
const UNREAD_MAX = 4 * 1024 * 1024;
/** The most events of before that are told at the beginning; a browser that was away for longer misses the rest. */
export const REPLAY_MAX = 500;
/** Proxies close what is silent. */
const HEARTBEAT_MS = 10_000;
/** Browsers wait so long before they connect again. */
const RETRY_MS = 1000;

interface Viewer {
  response: ServerResponse;
  /** What happens while what was before is being asked for; null: nothing is. */
  waiting: HaEvent[] | null;
}

export function createEventStream({ againMs, context, headers }: StreamOptions): EventStream {
  const viewers = new Set<Viewer>();
  let heartbeat: NodeJS.Timeout | undefined;
  const replay = createReplay({ asker: () => context().asker, againMs });
  const pictures: Pictures = takePictures(context, (kind, data) => {
    for (const viewer of viewers) write(viewer, `event: ${kind}\ndata: ${data}\n\n`);
  });

  function write(viewer: Viewer, text: string): void {
    const { response } = viewer;
    if (response.destroyed) return;
    response.write(text);
    if (response.writableLength > UNREAD_MAX) response.destroy();
  }

  function gone(viewer: Viewer): void {
    viewers.delete(viewer);
    if (viewers.size > 0) return;
    pictures.stop();
    clearInterval(heartbeat);
  }

  function beat(): void {
    for (const viewer of viewers) write(viewer, ': alive\n\n');
  }

  /** Tells what was before, and then what has happened since it was asked for. */
  function tellBefore(viewer: Viewer, after: number | null, before: readonly HaEvent[]): void {
    const missed = before.filter(({ number }) => after === null || number > after);
    const known = before.at(-1)?.number ?? 0;
    const news = (viewer.waiting ?? []).filter(({ number }) => number > known);
    viewer.waiting = null;
    for (const event of [...missed, ...news]) write(viewer, eventText(event));
  }

  return {
    open(request, response, last) {
      if (viewers.size >= VIEWERS_MAX) return false;
      const id = request.headers['last-event-id'];
      const after = typeof id === 'string' && /^[0-9]{1,15}$/.test(id) ? Number(id) : null;
      const viewer: Viewer = { response, waiting: [] };
      response.writeHead(200, {
        ...headers,
        'Content-Type': 'text/event-stream; charset=utf-8',
        // nginx would gather them.
        'X-Accel-Buffering': 'no',
      });
      write(viewer, `retry: ${RETRY_MS}\n\n`);
      response.on('error', () => response.destroy());
      viewers.add(viewer);
      if (viewers.size === 1) {
        heartbeat = setInterval(beat, HEARTBEAT_MS);
        pictures.start();
      }
      for (const [kind, data] of pictures.latest()) write(viewer, `event: ${kind}\ndata: ${data}\n\n`);
      whenOver(request.socket, response, () => gone(viewer));
      replay.add({
        last: after === null ? last : REPLAY_MAX,
        gone: () => response.destroyed,
        take: (before) => tellBefore(viewer, after, before),
      });
      return true;
    },
    event(event) {
      for (const viewer of viewers) {
        if (viewer.waiting === null) write(viewer, eventText(event));
        else if (viewer.waiting.length < REPLAY_MAX) viewer.waiting.push(event);
        else viewer.response.destroy();
      }
      if (viewers.size > 0) pictures.look();
    },
    endAll() {
      for (const { response } of viewers) response.end();
    },
  };
}

function eventText(event: HaEvent): string {
  return `id: ${event.number}\nevent: event\ndata: ${JSON.stringify(event)}\n\n`;
}
