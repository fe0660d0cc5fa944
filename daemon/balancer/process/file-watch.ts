/** Looks at the balancer's file now and then, as ipvs-weightman does, and tells when it is another one. */
import { statSync } from 'node:fs';

export interface FileWatch {
  /** The file to look at from now on, and how often; 0: never. As it is now is no change. */
  follow(file: string, periodMs: number): void;
  close(): void;
}

export function createFileWatch(changed: () => void): FileWatch {
  let timer: NodeJS.Timeout | undefined;
  let followed = { file: '', periodMs: 0 };
  let known = '';

  return {
    follow(file, periodMs) {
      known = signatureOf(file);
      if (file === followed.file && periodMs === followed.periodMs) return;
      followed = { file, periodMs };
      clearInterval(timer);
      if (periodMs === 0) return;
      timer = setInterval(() => {
        const now = signatureOf(file);
        if (now === known) return;
        known = now;
        // Between an editor's removing and making it anew there is nothing to read.
        if (now !== '') changed();
      }, periodMs);
    },
    close: () => clearInterval(timer),
  };
}

/** '' where there is none. */
function signatureOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? '' : [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join();
}
