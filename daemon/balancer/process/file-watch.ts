/** Looks at the balancer's file now and then, as ipvs-weightman does, and tells when it is another one. */
import { statSync } from 'node:fs';

export interface FileWatch {
  /** The file to look at from now on, and how often; 0: never. `known`: its signature when it was read. */
  follow(file: string, periodMs: number, known: string): void;
  close(): void;
}

/** So long it has to stay as it is: somebody may be writing it. */
const CALM_MS = 200;

export function createFileWatch(changed: () => void): FileWatch {
  let timer: NodeJS.Timeout | undefined;
  let calm: NodeJS.Timeout | undefined;
  let followed = { file: '', periodMs: 0 };
  let known = '';

  function look(): void {
    const now = signatureOf(followed.file);
    if (now === known || calm !== undefined) return;
    calm = setTimeout(() => {
      calm = undefined;
      if (signatureOf(followed.file) !== now) return look();
      // Somebody may have asked for it meanwhile.
      if (now === known || followed.periodMs === 0) return;
      known = now;
      // Between an editor's removing and making it anew there is nothing to read.
      if (now !== '') changed();
    }, CALM_MS);
  }

  return {
    follow(file, periodMs, signature) {
      known = signature;
      if (file === followed.file && periodMs === followed.periodMs) return;
      followed = { file, periodMs };
      clearInterval(timer);
      if (periodMs > 0) timer = setInterval(look, periodMs);
    },
    close() {
      clearInterval(timer);
      clearTimeout(calm);
    },
  };
}

/** What tells one content of a file from the next; '' where there is none to be seen. */
export function signatureOf(file: string): string {
  try {
    const { ctimeNs, dev, ino, mtimeNs, size } = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch {
    // What is wrong with it says who reads it.
    return '';
  }
}
