/** Questions to the daemon that served the page. Read-only; same origin; bounded in time. */
import type { ClusterView } from '../../../../proto/cluster-types.js';
import type { CheckDetail, ChecksPage } from '../../../../proto/monitor-types.js';
import type { Timeline } from '../../../../proto/timeline-types.js';

const TIMEOUT_MS = 8000;

/** The daemon answered, but not with what was asked for. */
export class Refused extends Error {
  /** HTTP's status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const api = {
  cluster: (): Promise<ClusterView> => ask('cluster'),
  timeline: (resource: string): Promise<Timeline> => ask(`timeline/${encodeURIComponent(resource)}?last=1`),
  /** `pattern`: a name with `*` and `?`. */
  checks: (pattern: string): Promise<ChecksPage> => ask(`checks?name=${encodeURIComponent(pattern)}`),
  check: (name: string): Promise<CheckDetail> => ask(`checks/${encodeURIComponent(name)}`),
};

async function ask<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`api/v1/${path}`, {
    headers: { accept: 'application/json' },
    cache: 'no-store',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as Answer;
  const why = detailOf(body) ?? `the daemon answers with status ${response.status}`;
  throw new Refused(
    response.status,
    response.status === 401 ? 'the session is over: load the page again' : why,
  );
}

/** Of problem details (RFC 9457). */
function detailOf(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('detail' in body)) return null;
  return typeof body.detail === 'string' ? body.detail : null;
}
