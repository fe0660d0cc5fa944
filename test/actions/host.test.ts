/** The process that runs the checks, and what the main process makes of reports. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { StateChange } from '../../daemon/actions/reports.js';
import type { Config } from '../../daemon/config/types.js';
import type { PeerNetwork } from '../../daemon/net/peer-network.js';
import { type ActionsHost, createActionsHost } from '../../daemon/runtime/actions-host.js';
import { alive } from '../hooks/support.js';
import { hastmond } from '../system/paths.js';
import { until } from '../system/wait.js';
import { loadPlan, type Place, placeFor } from './support.js';

const PATIENCE_MS = 20_000;

interface Scene extends Place {
  host: ActionsHost;
  config: (checks: string) => Config;
  /** The processes of checks that there were, the last one at the end. */
  pids: number[];
  said: string[];
  changes: StateChange[];
  /** Kinds of events. */
  recorded: string[];
}

function sceneFor(t: TestContext, silenceMs?: number): Scene {
  const place = placeFor(t);
  const pids: number[] = [];
  const said: string[] = [];
  const changes: StateChange[] = [];
  const recorded: string[] = [];
  const say = (_fields: object, text: string): void => void said.push(text);
  const host = createActionsHost({
    record: ({ kind }) => void recorded.push(kind),
    ...{ script: hastmond, network: () => ({ send: () => {} }) as unknown as PeerNetwork },
    records: { record: (pid) => void pids.push(pid), forget: () => {} },
    log: { debug: () => {}, info: () => {}, warn: say, error: say },
    changed: (_resource, change) => void changes.push(change),
    ...(silenceMs === undefined ? {} : { silenceMs }),
  });
  t.after(() => host.close());
  return {
    ...{ ...place, host, pids, said, changes, recorded },
    config(checks) {
      const { config, shown } = loadPlan(place, '[status]\n/bin/true\n', checks);
      assert.ok(config !== null, shown);
      return { ...config, control: { ...config.control, path: place.file('nobody') } };
    },
  };
}

test('a process of checks that hangs is replaced, and what it had started ends', async (t) => {
  const { config, file, host, pids, recorded, said } = sceneFor(t, 2000);
  const long = `name=c timeout=1h sh: echo $$ >>${file('check')}; exec sleep 1000`;
  host.apply(config(`[local]\n${long}\nname=d sh: echo up >>${file('next')}; echo ok\n`));
  const written = (): string => (existsSync(file('check')) ? readFileSync(file('check'), 'utf8') : '');
  await until(() => written().endsWith('\n'), PATIENCE_MS, 'the check does not run');
  // When the next one runs, the main process has been told of the first.
  await until(() => existsSync(file('next')), PATIENCE_MS, 'the next check does not run');
  const [first = 0] = pids;
  const check = Number.parseInt(written(), 10);
  process.kill(first, 'SIGSTOP');
  await until(
    () => pids.length === 2,
    PATIENCE_MS,
    () => said.join('\n'),
  );
  await until(() => !alive(first) && !alive(check), PATIENCE_MS, 'what it had started goes on');
  assert.match(said.join('\n'), /has said nothing for 2 s: ending it/);
  assert.deepEqual(recorded, ['process-ended']);
});
