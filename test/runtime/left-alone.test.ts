// What maintenance of a resource means for checks, lists of commands and reloads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../daemon/config/types.js';
import { actedUpon, checksLeftAlone, removedInMaintenance } from '../../daemon/runtime/left-alone.js';
import type { ResourceRuntime } from '../../daemon/runtime/resource.js';

/** One in maintenance here, one on another node as this voter knows, and one that is not. */
function resources(): Map<string, ResourceRuntime> {
  const runtime = (name: string, kept: object | null, on: boolean, checks: string[]) => [
    name,
    {
      name,
      state: () => ({ kept, voter: { grant: { mark: { on } } } }),
      config: () => ({ checks }),
    } as unknown as ResourceRuntime,
  ];
  return new Map([
    runtime('here', {}, true, ['web', 'db']),
    runtime('there', null, true, ['mail']),
    runtime('free', null, false, ['ntp']),
  ] as [string, ResourceRuntime][]);
}

const configOf = (...names: string[]): Config =>
  ({ resources: names.map((name) => ({ name })) }) as unknown as Config;

test('[L7] nothing is told of the checks that judge what is in maintenance, and no list is run for it', () => {
  assert.deepEqual(
    [...checksLeftAlone(resources())],
    [
      ['web', 'here'],
      ['db', 'here'],
      ['mail', 'there'],
    ],
  );
  const acted = ['here', 'there', 'free', 'none'].map((name) => actedUpon(resources(), name)?.name);
  assert.deepEqual(acted, [undefined, undefined, 'free', undefined]);
});

test('[L7] a file without what is in maintenance here is refused', () => {
  assert.deepEqual(removedInMaintenance(resources(), configOf('here')), []);
  const [problem = '', ...more] = removedInMaintenance(resources(), configOf('there', 'free'));
  assert.match(
    problem,
    /^resource here is in maintenance here and cannot be removed: hastmonctl maintenance off here first$/,
  );
  assert.deepEqual(more, []);
});
