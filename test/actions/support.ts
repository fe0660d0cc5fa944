/** What the tests of actions share: reading files as a configuration does, from a directory of real executables. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { loadActions } from '../../daemon/actions/load.js';
import type { ActionPlan } from '../../daemon/actions/types.js';
import { formatDiagnostics } from '../../daemon/config/diagnostic.js';
import { loadConfig } from '../../daemon/config/load.js';
import type { Config } from '../../daemon/config/types.js';

export interface Place {
  readonly dir: string;
  file(name: string): string;
  write(name: string, text: string): string;
  /** An executable of /bin/sh. */
  script(name: string, text: string): string;
}

/** A directory that goes with the test. */
export function placeFor(t: TestContext): Place {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hastmon-actions-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = (name: string): string => path.join(dir, name);
  return {
    dir,
    file,
    write(name, text) {
      writeFileSync(file(name), text);
      return file(name);
    },
    script(name, text) {
      writeFileSync(file(name), `#!/bin/sh\n${text}\n`);
      chmodSync(file(name), 0o755);
      return file(name);
    },
  };
}

export interface Loaded {
  plan: ActionPlan | null;
  config: Config | null;
  /** The messages without those about hastmon.conf, the directory left out. */
  shown: string;
}

/** Loads actions.conf, and checks.conf where there is one, for the node `nodeA` of a resource `db`. */
export function loadPlan(place: Place, actions: string, checks?: string, more = ''): Loaded {
  place.write('actions.conf', actions);
  if (checks !== undefined) place.write('checks.conf', checks);
  const config = place.write(
    'hastmon.conf',
    `resource db {
  actions ${place.file('actions.conf')}
  ${more}
  on nodeA { remote nodeB }
  on nodeB { remote nodeA }
  on nodeC { remote nodeA nodeB }
}
`,
  );
  const loaded = loadActions(loadConfig(config, { hostname: 'nodeA' }));
  return {
    config: loaded.config,
    plan: loaded.config?.resources[0]?.actions?.plan ?? null,
    shown: formatDiagnostics(loaded.diagnostics).replaceAll(`${place.dir}/`, ''),
  };
}
