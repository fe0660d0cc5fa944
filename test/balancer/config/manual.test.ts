/** ipvs-weightman.conf(5) has every option, with true defaults and limits; its examples are read. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { CHECK_DEFAULTS } from '../../../daemon/balancer/config/check.js';
import { HOSTS_MAX, parseBalancerFile } from '../../../daemon/balancer/config/load.js';
import { OPTION_DEFAULTS, OPTION_KEYS } from '../../../daemon/balancer/config/options.js';
import { LINE_HOSTS_MAX } from '../../../daemon/balancer/config/ranges.js';
import { PAIRS_MAX } from '../../../daemon/balancer/config/servers.js';
import {
  PERSISTENCE_SECONDS,
  SCHEDULERS,
  SERVICE_OPTIONS,
} from '../../../daemon/balancer/config/service-options.js';
import { formatDuration } from '../../../daemon/config/duration.js';
import { DEFAULT_PLUGIN_TIMEOUT_MS, DEFAULT_TIMEOUT_MS } from '../../../daemon/config/monitor-defaults.js';
import { ROOT } from '../../config/support.js';

const page = readFileSync(path.join(ROOT, 'man/ipvs-weightman.conf.5'), 'utf8');

/** The item about an option, with the items right before whose text it shares. */
function itemOf(name: string): string {
  const items = page.split(/^(?=\.It )/m);
  const at = items.findIndex((text) =>
    new RegExp(`^\\.It Ic ${name.replaceAll('.', '\\.')}(?: |$)`, 'm').test(text),
  );
  assert.ok(at >= 0, `no item on ${name}`);
  const shared = items.slice(at).findIndex((text) => text.trim().includes('\n'));
  return (items[at + shared] ?? '').replaceAll('\n', ' ').replace(/\.(?:Pa|Cm) /g, '');
}

describe('the manual has', () => {
  for (const name of [...OPTION_KEYS, ...SERVICE_OPTIONS]) test(name, () => void itemOf(name));

  const defaults: readonly [string, string][] = [
    ['Email.SMTP', OPTION_DEFAULTS['Email.SMTP']],
    ['Ramping.TriggerTime', '120s'],
    ['Ramping.Duration', formatDuration(OPTION_DEFAULTS['Ramping.Duration'])],
    ['Config.AutoCheck', 'yes'],
    ['Config.CheckPeriod', formatDuration(OPTION_DEFAULTS['Config.CheckPeriod'])],
    ['Log.Level', String(OPTION_DEFAULTS['Log.Level'])],
    ['DB', OPTION_DEFAULTS.DB],
    ['IPVSADM', OPTION_DEFAULTS.IPVSADM],
    [
      'Management.Socket.IP',
      `${OPTION_DEFAULTS['Management.Socket.IP']} and ${OPTION_DEFAULTS['Management.Socket.Port']}`,
    ],
    ['interval', formatDuration(CHECK_DEFAULTS.intervalMs)],
    [
      'timeout',
      `${formatDuration(DEFAULT_TIMEOUT_MS)}, for a plugin ${formatDuration(DEFAULT_PLUGIN_TIMEOUT_MS)}`,
    ],
    ['rise', `${CHECK_DEFAULTS.rise} and ${CHECK_DEFAULTS.fall}`],
    ['status', String(CHECK_DEFAULTS.status)],
  ];
  for (const [name, value] of defaults)
    test(`the default of ${name}`, () =>
      assert.ok(itemOf(name).toLowerCase().includes(`default ${value.toLowerCase()}`)));
  assert.equal(OPTION_DEFAULTS['Ramping.TriggerTime'], 120_000);

  test('what stands alone, schedulers, and bounds', () => {
    assert.ok(itemOf('persistence').includes(`${PERSISTENCE_SECONDS} seconds without`));
    assert.ok(itemOf('scheduler').includes(SCHEDULERS.join(' ')));
    const text = page.replaceAll('\n', ' ');
    assert.ok(
      text.includes(`at most ${LINE_HOSTS_MAX} hosts, a file at most ${HOSTS_MAX}, and ${PAIRS_MAX} weights`),
    );
  });

  /** The limits that an error names. */
  const limitsOf = (line: string): string => {
    const { diagnostics } = parseBalancerFile(line, '/etc/x.conf');
    const range = / from (\S+ to \S+)$/.exec(diagnostics[0]?.help ?? '')?.[1];
    assert.ok(range !== undefined, JSON.stringify(diagnostics));
    return range;
  };
  for (const name of ['Ramping.TriggerTime', 'Ramping.Duration', 'Config.CheckPeriod', 'Log.Level'] as const)
    test(`the limits of ${name}`, () => assert.ok(itemOf(name).includes(limitsOf(`${name}=999999999`))));
  for (const name of ['persistence', 'ramp', 'ramp_trigger', 'interval', 'timeout', 'rise', 'fall'])
    test(`the limits of ${name}`, () =>
      assert.ok(itemOf(name).includes(limitsOf(`! s 192.0.2.1:80 tcp ${name}=999999999`))));
});

test('its examples are read', () => {
  const blocks = [...page.matchAll(/^\.Bd -literal.*\n([\s\S]*?)^\.Ed/gm)].map(([, block = '']) => block);
  assert.equal(blocks.length, 2);
  const services = '! www 192.0.2.1:80 -\n! db 192.0.2.2:80 -\n! web6 [2001:db8::a]:80 -\n';
  for (const block of blocks) {
    const text = block.includes('\n! ') ? block : services + block;
    assert.deepEqual(parseBalancerFile(text, '/etc/x.conf').diagnostics, []);
  }
});
