/** Collecting what a program prints, line by line and within a bound. It does not know which program. */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export interface Output {
  /** Ends the collection and tells what there is; what comes later is read and dropped, and keeps no event loop alive. */
  end(): { text: string; truncated: boolean };
}

/** Keeps the first `bytesMax` bytes of the stream; what is beyond is read and dropped, so that the writer is never held up. */
export function collectOutput(
  stream: (Readable & { unref?: () => void }) | undefined,
  bytesMax: number,
  onLine: (line: string) => void,
): Output {
  const decoder = new StringDecoder('utf8');
  let bytes = 0;
  let text = '';
  let lineStart = 0;
  let truncated = false;
  let ended = false;

  const take = (piece: string): void => {
    text += piece;
    for (let end = text.indexOf('\n', lineStart); end >= 0; end = text.indexOf('\n', lineStart)) {
      onLine(text.slice(lineStart, end));
      lineStart = end + 1;
    }
  };
  stream?.on('data', (chunk: Buffer) => {
    if (ended) return;
    const room = bytesMax - bytes;
    bytes += Math.min(room, chunk.length);
    truncated ||= chunk.length > room;
    if (room > 0) take(decoder.write(chunk.subarray(0, room)));
  });
  // A stream that fails has nothing more to say; the program's exit tells what became of it.
  stream?.on('error', () => {});

  return {
    end() {
      if (!ended) {
        ended = true;
        take(decoder.end());
        if (lineStart < text.length) onLine(text.slice(lineStart));
        stream?.unref?.();
      }
      return { text, truncated };
    },
  };
}
