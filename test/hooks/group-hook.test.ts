// conf/hooks/group: several hooks as one resource.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { readyMade } from './ready-made.js';
import { until, type Workplace, workplace } from './support.js';

/**
 * A hook that writes down how it is called, keeps its state in a file of its name, and exits with what is in NAME.ACTION, if
 * there is such a file.
 */
function part(place: Workplace, name: string): string {
  const act = `case $1 in start) : >${name}.up ;; stop) rm -f ${name}.up ;; status) [ -e ${name}.up ] || exit 1 ;; esac`;
  return place.script(
    name,
    `echo "${name}-$*-$HASTMON_HOOK_INSTANCE" | tr ' ' - >>calls\n[ -e ${name}.$1 ] && exit $(cat ${name}.$1)\n${act}`,
  );
}

test('starts in order, stops in reverse; status is running or stopped only when all are', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'group');
  hook.settings(`HOOKS="${part(place, 'ip')} ${part(place, 'db')}:big ${part(place, 'web')}"`);
  await hook.expect('status', 1);
  await hook.expect('start', 0);
  await hook.expect('status', 0);
  await hook.expect('stop', 0);
  await hook.expect('status', 1);
  assert.deepEqual(
    place.words('calls').filter((call) => !call.includes('status')),
    [
      'ip-start-shop-',
      'db-start-shop-big',
      'web-start-shop-',
      'web-stop-shop-',
      'db-stop-shop-big',
      'ip-stop-shop-',
    ],
  );
  writeFileSync(place.file('db.up'), '');
  assert.match(await hook.expect('status', 2), /1 running, 2 stopped, 0 unknown of/);
  await hook.expect('start', 0);
  writeFileSync(place.file('web.status'), '3');
  assert.match(await hook.expect('status', 2), /2 running, 0 stopped, 1 unknown of/);
});

test('a start that fails is undone in reverse, the failed one included', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'group');
  hook.settings(
    `HOOKS="${part(place, 'ip')} ${part(place, 'db')} ${part(place, 'web')} ${part(place, 'mail')}"`,
  );
  writeFileSync(place.file('web.start'), '5');
  assert.match(await hook.expect('start', 5), /start of .*web failed with exit status 5/);
  assert.deepEqual(
    place.words('calls').map((call) => call.replace('-shop-', '')),
    ['ip-start', 'db-start', 'web-start', 'web-stop', 'db-stop', 'ip-stop'],
  );
  await hook.expect('status', 1);
});

test('a stop that fails does not keep the others from being stopped', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'group');
  hook.settings(`HOOKS="${part(place, 'ip')} ${part(place, 'db')} ${part(place, 'web')}"`);
  await hook.expect('start', 0);
  writeFileSync(place.file('db.stop'), '1');
  assert.match(await hook.expect('stop', 1), /stop of .*db failed with exit status 1/);
  assert.ok(!existsSync(place.file('ip.up')) && !existsSync(place.file('web.up')));
});

test('other actions go to every hook, with all their arguments', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'group');
  hook.settings(`HOOKS="${part(place, 'ip')} ${part(place, 'web')}"`);
  writeFileSync(place.file('ip.connect'), '1');
  await hook.expect('connect', 1);
  await hook.expect('complain', 0);
  assert.deepEqual(place.words('calls'), [
    'ip-connect-shop-',
    'web-connect-shop-',
    'ip-complain-shop-',
    'web-complain-shop-',
  ]);
});

test('a name without a slash is one of the hooks beside it', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'group');
  hook.settings('HOOKS="process:a process:b"');
  for (const instance of ['a', 'b']) {
    hook.settings(`PROCESS_COMMAND='sleep 1000'; PROCESS_PIDFILE=${place.file(instance)}`, instance);
    place.after(() => hook.run('stop'));
  }
  await hook.expect('start', 0);
  await hook.expect('status', 0);
  assert.notDeepEqual(place.words('a'), place.words('b'));
  await hook.expect('stop', 0);
  await hook.expect('status', 1);
});

test('no settings: the error names the file', async (t) => {
  assert.match(
    await readyMade(workplace(t), 'group').expect('start', 64),
    /no HOOKS in .*settings\/shop\.env/,
  );
});

/** Runs the action, which one part never ends, and sends SIGTERM to all as hastmon does when its time is over. */
async function terminated(
  place: Workplace,
  action: 'start' | 'stop',
): Promise<{ code: number | null; calls: string[] }> {
  const hook = readyMade(place, 'group');
  const slow = place.script('slow', `echo slow-$1 >>calls; [ $1 = ${action} ] && exec sleep 1000`);
  appendFileSync(place.file('calls'), '');
  hook.settings(`HOOKS="${part(place, 'ip')} ${slow} ${part(place, 'web')}"`);
  const { child, ended } = hook.begin(action);
  await until(() => place.words('calls').includes(`slow-${action}`), 'the slow part to run');
  process.kill(-Number(child.pid), 'SIGTERM');
  const { code } = await ended;
  return {
    code,
    calls: readFileSync(place.file('calls'), 'utf8').trim().replaceAll('-shop-', '').split('\n'),
  };
}

test('terminated, a stop goes on with what is left', async (t) => {
  assert.deepEqual(await terminated(workplace(t), 'stop'), {
    code: 1,
    calls: ['web-stop', 'slow-stop', 'ip-stop'],
  });
});

test('terminated, a start neither goes on nor undoes anything: hastmon stops the resource next', async (t) => {
  assert.deepEqual(await terminated(workplace(t), 'start'), { code: 1, calls: ['ip-start', 'slow-start'] });
});
