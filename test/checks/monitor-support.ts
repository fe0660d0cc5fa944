/** What tests of the monitor process share. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CheckSpec, MonitorConfig } from '../../daemon/checks/spec.js';
import { parseCheckUrl } from '../../daemon/checks/url.js';
import type { MonitorEvents } from '../../daemon/runtime/monitor-host.js';

export const script = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../daemon/hastmond.js');

/** For tests that ask, and need not be told. */
export const unheard: MonitorEvents = { edge: () => {}, ready: () => {}, blind: () => {}, cameUp: () => {} };

export function specOf(name: string, url: string, change: Partial<CheckSpec['options']> = {}): CheckSpec {
  return {
    ...{ name, group: '', url: parseCheckUrl(url), shownUrl: url },
    options: {
      ...{ intervalMs: 200, retryIntervalMs: 100, timeoutMs: 2000, connectTimeoutMs: 2000 },
      ...{ receiveTimeoutMs: 2000, rise: 1, fall: 2, downAfterMs: 0, addresses: 'first', source: '' },
      ...{ confirm: 0, alerts: [], depends: [], steps: [], warningFails: false, database: '' },
      http: {
        ...{ method: 'GET', version: '1.1', host: '', headers: [], statuses: [[200, 399]] },
        ...{ body: null, bodyBytesMax: 65_536, redirects: 0 },
      },
      tls: { verify: true, ca: '', serverName: '', days: 0 },
      ...change,
    },
  };
}

export function configOf(...checks: CheckSpec[]): MonitorConfig {
  return {
    ...{ active: true, nodes: ['a'], users: ['hastmon', 'nobody'], chroot: '', flights: 64, plugins: 4 },
    ...{ resolveMs: 60_000, dmonitor: '', addresses: [], key: null, checks, alerts: [], judged: [] },
  };
}

export const same = (a: CheckSpec, b: CheckSpec): boolean => JSON.stringify(a) === JSON.stringify(b);
