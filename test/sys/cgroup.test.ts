// Control groups: that what is in one can be killed with certainty.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  cgroupEmpty,
  emptyCgroup,
  killCgroup,
  killFrozen,
  openCgroup,
  ownCgroup,
  removeCgroup,
} from '../../daemon/sys/cgroup.js';
import { isRoot, temporaryDirectory, until } from './support.js';

const mounts = `22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
31 22 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
37 31 0:34 / /sys/fs/cgroup/freezer rw shared:9 - cgroup cgroup rw,freezer`;
const unified = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 master:1 - cgroup2 cgroup2 rw';

test('the own group is found below the mount, in pure and hybrid layouts', () => {
  const own = (mountinfo: string, cgroup: string) => ownCgroup(mountinfo, cgroup).path;
  assert.equal(own(`${mounts}\n${unified}\n`, '6:freezer:/\n0::/\n'), '/sys/fs/cgroup/unified');
  const service = '0::/system.slice/hastmond.service\n';
  assert.equal(own(`${mounts}\n${unified}`, service), '/sys/fs/cgroup/unified/system.slice/hastmond.service');
  assert.equal(
    own('30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw', service),
    `/sys/fs/cgroup${service.slice(3, -1)}`,
  );
});

test('a mount that shows a part of the tree is used for that part', () => {
  const part = '30 22 0:26 /box /sys/fs/my\\040cgroup rw - cgroup2 cgroup2 rw';
  assert.equal(ownCgroup(part, '0::/box/inner\n').path, '/sys/fs/my cgroup/inner');
  assert.equal(ownCgroup(part, '0::/box\n').path, '/sys/fs/my cgroup');
  assert.match(ownCgroup(part, '0::/boxes\n').reason ?? '', /not where this process is/);
});

test('without version 2 the reason is told', () => {
  assert.match(ownCgroup(mounts, '0::/\n').reason ?? '', /cgroup2 is not mounted/);
  assert.match(
    ownCgroup(`${mounts}\n${unified}`, '6:freezer:/\n').reason ?? '',
    /in no control group of version 2/,
  );
});

test('who may not make groups is told so', { skip: isRoot ? 'root may' : false }, () => {
  const { path: group, reason } = openCgroup('/var/lib/hastmon', 'mail');
  if (group === null) assert.match(reason, /^no control group: /);
  else assert.ok(removeCgroup(group), 'a delegated subtree');
});

const possible = openCgroup('/hastmon-test', 'probe');
if (possible.path !== null) removeCgroup(possible.path);
const skip = possible.path === null ? possible.reason : false;

/** A group of this test's own, with a process tree in it. */
function groupWith(t: TestContext, script: string): string {
  const { path: group, reason } = openCgroup(temporaryDirectory(t), 'mail');
  assert.ok(group !== null, reason);
  const child = spawn('/bin/sh', ['-c', `echo 0 >"$1/cgroup.procs"; ${script}`, 'sh', group], {
    detached: true,
    stdio: 'ignore',
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await emptyCgroup(group, 5000);
    removeCgroup(group);
  });
  return group;
}

function count(group: string): number {
  return readFileSync(path.join(group, 'cgroup.procs'), 'utf8').split('\n').length - 1;
}

// Sessions of their own: killing the process group would miss them.
const daemons = 'setsid sleep 60 & setsid sleep 61 & exec sleep 62';

test('all that is in the group is killed, whatever session it is in', { skip }, async (t) => {
  const group = groupWith(t, daemons);
  await until('three processes', () => count(group) === 3);
  assert.equal(cgroupEmpty(group), false);
  assert.equal(removeCgroup(group), false);
  killCgroup(group);
  await until('the group to be empty', () => cgroupEmpty(group));
  assert.equal(removeCgroup(group), true);
  assert.equal(existsSync(group), false);
});

test('kernels without cgroup.kill: frozen, then killed one by one', { skip }, async (t) => {
  const group = groupWith(t, daemons);
  await until('three processes', () => count(group) === 3);
  killFrozen(group);
  await until('the group to be empty', () => cgroupEmpty(group));
  assert.match(readFileSync(path.join(group, 'cgroup.freeze'), 'utf8'), /0/);
});

test('groups below it are killed and removed as well', { skip }, async (t) => {
  for (const kill of [killCgroup, killFrozen]) {
    const group = groupWith(
      t,
      'mkdir -p "$1/a/b"; (echo 0 >"$1/a/b/cgroup.procs"; exec sleep 63) & exec sleep 64',
    );
    const below = path.join(group, 'a/b');
    await until('a process below', () => existsSync(below) && count(below) === 1);
    kill(group);
    await until('all of it to be empty', () => cgroupEmpty(group));
    assert.equal(removeCgroup(group), true);
    assert.equal(existsSync(group), false);
  }
});

test('emptyCgroup kills and waits; a shell that forks all the time does not outrun it', {
  skip,
}, async (t) => {
  const group = groupWith(t, 'while :; do sleep 0.05 & done');
  await until('some processes', () => count(group) > 10);
  assert.equal(await emptyCgroup(group, 5000), true);
  assert.equal(cgroupEmpty(group), true);
});

test('a group that is gone is empty and removed', { skip }, async () => {
  assert.equal(cgroupEmpty('/sys/fs/cgroup/no-such-group'), true);
  assert.equal(await emptyCgroup('/sys/fs/cgroup/no-such-group', 100), true);
  assert.equal(removeCgroup('/sys/fs/cgroup/no-such-group'), true);
});

test('the name tells resource and state directory apart', { skip }, (t) => {
  const [one, two] = [temporaryDirectory(t), temporaryDirectory(t)];
  const paths = [
    [one, 'mail'],
    [one, 'mail'],
    [two, 'mail'],
    [one, '../x/y'],
    [one, '.._x_y'],
  ].map(([stateDir = '', resource = '']) => openCgroup(stateDir, resource).path ?? '');
  t.after(() => paths.forEach(removeCgroup));
  assert.equal(new Set(paths).size, 4);
  assert.match(path.basename(paths[0] ?? ''), /^hastmon-mail-[0-9a-f]{12}$/);
  assert.equal(path.dirname(paths[3] ?? ''), path.dirname(paths[0] ?? ''));
});

test('a failing look counts as not empty', (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(path.join(directory, 'cgroup.events'));
  assert.equal(cgroupEmpty(directory), false);
  const odd = temporaryDirectory(t);
  writeFileSync(path.join(odd, 'cgroup.events'), 'populated 1\nfrozen 0\n');
  assert.equal(cgroupEmpty(odd), false);
});
