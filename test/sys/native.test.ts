// One suite for both implementations of Native: what one does, the other does.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type LimitName, loadNative, type Native } from '../../daemon/sys/native.js';
import { loadNativePosix } from '../../daemon/sys/native-posix.js';
import { receiveAt } from './receiver.js';
import { ifRoot, run, temporaryDirectory, unlessRoot, withoutKoffi } from './support.js';

for (const name of ['posix', 'koffi'] as const) {
  describe(`Native on ${name}`, {
    skip: name === 'posix' && !posixLoads() ? 'posix is not compiled here' : false,
  }, () => {
    contract(name);
  });
}

test('loadNative falls back to the other implementation', async (t) => {
  assert.equal(loadNative('koffi').name, 'koffi');
  assert.equal(loadNative().name, posixLoads() ? 'posix' : 'koffi');
  await assert.rejects(run(t, 'native', ['koffi', 'setsid'], { nodeArgs: withoutKoffi }), {
    message:
      /no access to the operating system \(npm rebuild koffi\): koffi: koffi cannot be loaded: Cannot find .*; posix: Cannot find the native posix module$/m,
  });
});

function posixLoads(): boolean {
  try {
    loadNativePosix();
    return true;
  } catch {
    return false;
  }
}

function contract(name: Native['name']): void {
  const native = loadNative(name);

  test('says which it is', () => {
    assert.equal(native.name, name);
  });

  test('getpwnam finds users by name and number, and null where there is none', () => {
    const me = os.userInfo();
    const entry = { name: me.username, uid: me.uid, gid: me.gid, home: me.homedir, shell: me.shell };
    assert.deepEqual(native.getpwnam(me.username), entry);
    assert.deepEqual(native.getpwnam(me.uid), entry);
    assert.equal(native.getpwnam('no such user'), null);
    assert.equal(native.getpwnam(3_999_999), null);
  });

  test('getgrnam finds groups by name and number, and null where there is none', () => {
    const root = native.getgrnam(0);
    assert.equal(root?.gid, 0);
    assert.ok(Array.isArray(root.members));
    assert.deepEqual(native.getgrnam(root.name), root);
    assert.equal(native.getgrnam('no such group'), null);
    assert.equal(native.getgrnam(3_999_999), null);
  });

  test('setsid makes a session, once', async (t) => {
    const result = (await run(t, 'native', [name, 'setsid'])) as Record<string, unknown>;
    assert.equal(result.result, result.pid);
    assert.equal(result.session, result.pid);
    assert.equal(result.again, 'EPERM');
  });

  test('setrlimit lowers what getrlimit and the kernel tell', async (t) => {
    const result = (await run(t, 'native', [name, 'limits'])) as Record<string, unknown>;
    assert.deepEqual(result.lowered, { soft: 100, hard: 200 });
    assert.deepEqual(result.kernel, ['100', '200']);
    assert.equal(result.core, 0);
  });

  test('getrlimit tells what the kernel tells; unlimited is null', () => {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const kernel = (name: string) => {
      const [soft, hard] = (new RegExp(`^Max ${name} +(\\S+) +(\\S+)`, 'm').exec(limits) ?? []).slice(1);
      const number = (text = '') => (text === 'unlimited' ? null : Number(text));
      return { soft: number(soft), hard: number(hard) };
    };
    const names = {
      core: 'core file size',
      cpu: 'cpu time',
      data: 'data size',
      fsize: 'file size',
      nofile: 'open files',
      nproc: 'processes',
      stack: 'stack size',
      as: 'address space',
    } as const;
    for (const [limit, text] of Object.entries(names)) {
      assert.deepEqual(native.getrlimit(limit as LimitName), kernel(text), limit);
    }
  });

  test('what only root may do fails with EPERM', { skip: ifRoot }, async (t) => {
    const result = await run(t, 'native', [name, 'refused']);
    const refused = {
      setuid: 'EPERM',
      setgid: 'EPERM',
      initgroups: 'EPERM',
      chroot: 'EPERM',
      setrlimit: 'EPERM',
    };
    assert.deepEqual(result, refused);
  });

  test('chroot changes root and working directory', { skip: unlessRoot }, async (t) => {
    const jail = temporaryDirectory(t);
    writeFileSync(path.join(jail, 'marker'), 'here');
    assert.deepEqual(await run(t, 'native', [name, 'chroot', jail]), { marker: 'here', relative: 'here' });
  });

  test('chroot to what is not there says so', () => {
    assert.throws(() => native.chroot('/no/such/directory'), { code: 'ENOENT' });
  });

  test('privileges are dropped for good', { skip: unlessRoot }, async (t) => {
    const nobody = native.getpwnam('nobody');
    assert.ok(nobody !== null);
    const { uid, gid } = nobody;
    const result = (await run(t, 'native', [name, 'drop', '{"user":"nobody"}'])) as Record<string, unknown>;
    assert.equal(result.problem, null);
    assert.equal(result.uid, uid);
    assert.equal(result.euid, uid);
    assert.equal(result.gid, gid);
    assert.deepEqual(result.groups, [gid]);
    // Real, effective, saved and file system ids.
    assert.deepEqual(result.statuses, [`Uid:${`\t${uid}`.repeat(4)}`, `Gid:${`\t${gid}`.repeat(4)}`]);
    assert.equal(result.rootAgain, 'EPERM');
  });

  test("privileges: a group other than the user's own", { skip: unlessRoot }, async (t) => {
    const daemon = native.getgrnam('daemon');
    assert.ok(daemon !== null);
    const privileges = JSON.stringify({ user: 'nobody', group: 'daemon' });
    const result = (await run(t, 'native', [name, 'drop', privileges])) as Record<string, unknown>;
    assert.equal(result.problem, null);
    assert.equal(result.gid, daemon.gid);
    assert.deepEqual(result.groups, [daemon.gid]);
  });

  test('privileges: unknown names are told, and nothing is dropped', async (t) => {
    for (const [privileges, problem] of [
      ['{"user":"no such user"}', 'there is no user no such user'],
      ['{"user":0,"group":"no such group"}', 'there is no group no such group'],
    ] as const) {
      const result = (await run(t, 'native', [name, 'drop', privileges])) as Record<string, unknown>;
      assert.equal(result.problem, problem);
      assert.equal(result.uid, process.getuid?.());
    }
  });

  test('syslog sends priority, name, pid and the text as it is', { skip: unlessRoot }, async (t) => {
    const jail = temporaryDirectory(t);
    mkdirSync(path.join(jail, 'dev'));
    const receiver = receiveAt(path.join(jail, 'dev/log'));
    t.after(receiver.close);
    const { pid } = (await run(t, 'native', [name, 'syslog', jail, 'hastmond', 'local3'])) as { pid: number };
    // local3 is facility 19: 19 * 8 + 4 (warning), + 7 (debug). RFC 3164.
    const line = (priority: number, text: string) =>
      new RegExp(`^<${priority}>\\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d hastmond\\[${pid}\\]: ${text}$`);
    assert.match(await receiver.receive(), line(156, 'a 100 %s sure %n message'));
    assert.match(await receiver.receive(), line(159, 'größer'));
  });

  test('an unknown facility is refused', () => {
    assert.throws(() => native.openlog('hastmond', 'nosuch'));
  });
}
