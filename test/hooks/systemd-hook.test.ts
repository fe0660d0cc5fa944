// conf/hooks/systemd-unit, against a systemctl of the test's own that keeps one unit in files and says in systemd's words what the
// hook asks for. It shows what the hook makes of systemd's answers, not that systemd gives them.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type ReadyMade, readyMade } from './ready-made.js';
import { until, type Workplace, workplace } from './support.js';

const skip =
  existsSync('/run/systemd/system') &&
  'systemd runs here: the hook is to be tried with it, not with an imitation';

const systemctl = `
echo "$*" >>calls
case $1 in
show)
	[ -e broken ] && { echo "Failed to connect to bus" >&2; exit 1; }
	printf 'ActiveState=%s\\nSubState=%s\\nResult=success\\nControlGroup=%s\\nUnitFileState=%s\\n' \\
		"$(cat active)" "$(cat sub)" "$(cat group)" "$(cat enabled)"
	;;
start) [ -e fails ] && exit 1; echo active >active; echo running >sub ;;
stop) [ -e fails ] && exit 5; [ -e hangs ] && { echo deactivating >active; exec sleep 1000; }; echo inactive >active; echo dead >sub ;;
kill) echo failed >active; echo failed >sub ;;
esac
`;

function unit(place: Workplace): {
  hook: ReadyMade;
  set(active: string, sub: string, group?: string, enabled?: string): void;
} {
  place.script('systemctl', systemctl);
  const env = { PATH: `${place.dir}:${process.env.PATH}`, HASTMON_HOOK_CGROUPS: place.file('cgroups') };
  const set = (active: string, sub: string, group = '', enabled = 'disabled'): void => {
    for (const [name, value] of Object.entries({ active, sub, group, enabled }))
      writeFileSync(place.file(name), `${value}\n`);
  };
  set('inactive', 'dead');
  return { hook: readyMade(place, 'systemd-unit', env), set };
}

test('start, status and stop of the unit that is named like the resource', { skip }, async (t) => {
  const place = workplace(t);
  const { hook } = unit(place);
  await hook.expect('status', 1);
  await hook.expect('start', 0);
  await hook.expect('status', 0);
  await hook.expect('stop', 0);
  await hook.expect('status', 1);
  const calls = place.words('calls').join(' ');
  assert.match(calls, /start -- shop\.service .*stop -- shop\.service/);
  await hook.expect('role', 0);
});

test('the settings name another unit', { skip }, async (t) => {
  const place = workplace(t);
  const { hook } = unit(place);
  hook.settings('UNIT=postgresql@15-main.service');
  await hook.expect('start', 0);
  assert.match(place.words('calls').join(' '), /start -- postgresql@15-main\.service$/);
});

test('status maps the states of a unit', { skip }, async (t) => {
  const place = workplace(t);
  const { hook, set } = unit(place);
  const states: [string, string, number][] = [
    ['active', 'running', 0],
    ['active', 'exited', 0],
    ['reloading', 'reload', 0],
    ['inactive', 'dead', 1],
    ['failed', 'failed', 1],
    ['activating', 'auto-restart', 2],
    ['deactivating', 'stop-sigterm', 2],
    ['maintenance', 'dead', 2],
  ];
  for (const [active, sub, code] of states) {
    set(active, sub);
    await hook.expect('status', code);
  }
});

test('a unit that is down with processes left is unknown, in either version of control groups', {
  skip,
}, async (t) => {
  const place = workplace(t);
  const { hook, set } = unit(place);
  set('failed', 'failed', '/system.slice/shop.service');
  await hook.expect('status', 1);
  const version2 = place.file('cgroups/system.slice/shop.service');
  mkdirSync(version2, { recursive: true });
  writeFileSync(`${version2}/cgroup.events`, 'populated 0\nfrozen 0\n');
  await hook.expect('status', 1);
  writeFileSync(`${version2}/cgroup.events`, 'populated 1\nfrozen 0\n');
  assert.match(await hook.expect('status', 2), /shop\.service is failed \(success\), but has processes left/);
  writeFileSync(`${version2}/cgroup.events`, 'populated 0\n');
  const version1 = place.file('cgroups/systemd/system.slice/shop.service');
  mkdirSync(version1, { recursive: true });
  writeFileSync(`${version1}/cgroup.procs`, '4711\n');
  await hook.expect('status', 2);
});

test('systemd that does not answer means unknown, and start fails', { skip }, async (t) => {
  const place = workplace(t);
  const { hook } = unit(place);
  writeFileSync(place.file('broken'), '');
  assert.match(await hook.expect('status', 2), /Failed to connect to bus.*systemd does not say/s);
  await hook.expect('start', 1);
});

test('start: a failed unit may try again, and one that is enabled is warned about', { skip }, async (t) => {
  const place = workplace(t);
  const { hook, set } = unit(place);
  set('failed', 'failed', '', 'enabled');
  assert.match(await hook.expect('start', 0), /shop\.service is enabled: .*systemctl disable shop\.service/);
  assert.match(place.words('calls').join(' '), /reset-failed -- shop\.service start -- shop\.service$/);
  writeFileSync(place.file('fails'), '');
  await hook.expect('start', 1);
});

test('a stop that systemd refuses is a good one only when the unit is down', { skip }, async (t) => {
  const place = workplace(t);
  const { hook, set } = unit(place);
  writeFileSync(place.file('fails'), '');
  await hook.expect('stop', 0);
  set('active', 'running');
  await hook.expect('stop', 5);
});

test('a stop that hastmon terminates kills all of the unit, and ends when it is down', {
  skip,
}, async (t) => {
  const place = workplace(t);
  const { hook, set } = unit(place);
  set('active', 'running');
  writeFileSync(place.file('hangs'), '');
  const { child, ended } = hook.begin('stop');
  await until(() => place.words('active').includes('deactivating'), 'the stop job');
  process.kill(-Number(child.pid), 'SIGTERM');
  const { code, output } = await ended;
  assert.equal(code, 0, output);
  assert.match(output, /time is up: KILL to all of shop\.service/);
  assert.match(place.words('calls').join(' '), /kill --signal=KILL -- shop\.service/);
});
