/** Commands of hastmonctl against a control socket with a scripted hastmond behind it. */
import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import { directory, entryOf, fakeDaemon, hastmonctl, RESOURCE } from './support.js';

/** A hastmond that answers every request alike, and what it was asked. */
function answering(reply: Partial<ControlReply>): {
  handle: (request: ControlRequest) => Promise<Partial<ControlReply>>;
  asked: ControlRequest[];
} {
  const asked: ControlRequest[] = [];
  return {
    asked,
    handle: async (request) => {
      asked.push(request);
      return reply;
    },
  };
}

describe('status', () => {
  test('prints every resource', async (t) => {
    const { asked, handle } = answering({ status: [entryOf(), entryOf({ resource: 'web' })] });
    const { code, err, out } = await hastmonctl(['status', '-c', await fakeDaemon(t, handle)]);
    assert.equal(code, 0);
    assert.equal(err, '');
    assert.match(out, /^mail:\n {2}role: primary\n(.*\n)+\nweb:\n/);
    assert.deepEqual(asked, [{ kind: 'status', resources: 'all' }]);
  });

  test('--json prints the entries as they are', async (t) => {
    const entries = [entryOf()];
    const config = await fakeDaemon(t, answering({ status: entries }).handle);
    const { out } = await hastmonctl(['status', 'mail', '--json', '-c', config]);
    assert.deepEqual(JSON.parse(out), entries);
  });

  test('a node without resources says so', async (t) => {
    const config = await fakeDaemon(t, answering({}).handle);
    const { code, err, out } = await hastmonctl(['status', '-c', config]);
    assert.deepEqual({ code, out }, { code: 0, out: '' });
    assert.equal(err, 'hastmonctl: this node has no resources\n');
  });

  test('-dd says where it asks and how long that took', async (t) => {
    const config = await fakeDaemon(t, answering({ status: [entryOf()] }).handle);
    const { err } = await hastmonctl(['status', '-dd', '-c', config]);
    assert.match(err, /configuration: .*hastmon\.conf\n.*control socket: .*control\n.*request: .*"status"/);
    assert.match(err, /answer to status after \d+ ms: done/);
  });
});

describe('an error of hastmond is one clear line and its code', () => {
  const cases: [number, string[]][] = [
    [68, ['status', 'nothing']],
    [75, ['role', 'primary', 'mail']],
    [75, ['switchover', 'mail']],
    [76, ['dump']],
  ];
  for (const [code, words] of cases) {
    test(`${code}: hastmonctl ${words.join(' ')}`, async (t) => {
      const { handle } = answering({ error: { code, message: 'what, where, what to do' } });
      const heard = await hastmonctl([...words, '-c', await fakeDaemon(t, handle)]);
      assert.deepEqual(heard, { code, err: 'hastmonctl: what, where, what to do\n', out: '' });
    });
  }

  test('what is about a file stays as it is, for editors to read', async (t) => {
    const message = "/etc/hastmon.conf:3:1: error: unknown statement 'lsten'\nnothing has been changed";
    const { handle } = answering({ error: { code: 78, message } });
    const heard = await hastmonctl(['reload', '-c', await fakeDaemon(t, handle)]);
    assert.deepEqual(heard, { code: 78, err: `${message}\n`, out: '' });
  });

  test('a name that stands before a sentence that begins with it is said once, and brackets are not doubled', async (t) => {
    const message =
      'web: web is held by beta\nmail: web is held by beta\nno other node can take over now (beta: beta is not connected | ' +
      'gamma: its role is watchdog)\nweb: web is in maintenance already (upgrade, by root (uid 0))';
    const { handle } = answering({ error: { code: 75, message } });
    const { err } = await hastmonctl(['role', 'primary', 'all', '-c', await fakeDaemon(t, handle)]);
    assert.deepEqual(err.split('\n'), [
      'hastmonctl: web is held by beta',
      'hastmonctl: mail: web is held by beta',
      'hastmonctl: no other node can take over now (beta is not connected | gamma: its role is watchdog)',
      'hastmonctl: web is in maintenance already (upgrade, by root, uid 0)',
      '',
    ]);
  });

  test('what was done for some resources is said before what was not', async (t) => {
    const { handle } = answering({
      text: 'web: already primary\n',
      error: { code: 75, message: 'mail: held by beta' },
    });
    const heard = await hastmonctl(['role', 'primary', 'all', '-c', await fakeDaemon(t, handle)]);
    assert.equal(heard.err, 'hastmonctl: web: already primary\nhastmonctl: mail: held by beta\n');
  });
});

describe('without hastmond', () => {
  test('nobody listens: 69', async (t) => {
    const config = path.join(directory(t), 'hastmon.conf');
    writeFileSync(config, `control ${path.dirname(config)}/control\n${RESOURCE}`);
    const { code, err, out } = await hastmonctl(['status', '-n', 'alpha', '-c', config]);
    assert.deepEqual({ code, out }, { code: 69, out: '' });
    assert.match(err, /^hastmonctl: cannot connect to hastmond at \S+\/control: .+\n$/);
  });

  test('somebody else listens, and is not understood: 76', async (t) => {
    const dir = directory(t);
    const server = net.createServer((socket) => socket.end('220 mail.example.org ESMTP\r\n'));
    await new Promise<void>((resolve) => server.listen(path.join(dir, 'control'), resolve));
    t.after(() => server.close());
    const { code, err } = await hastmonctl(['status', '--control', path.join(dir, 'control')]);
    assert.equal(code, 76);
    assert.match(err, /^hastmonctl: .+\n$/);
  });
});

describe('the configuration', () => {
  test('that is not there: 66, and how to do without', async (t) => {
    const { code, err } = await hastmonctl(['status', '-c', path.join(directory(t), 'none.conf')]);
    assert.equal(code, 66);
    assert.match(err, /none\.conf: .*no such file or directory; --control PATH names/);
  });

  test('that cannot be read: 77', {
    skip: process.getuid?.() === 0 && 'root reads everything',
  }, async (t) => {
    const config = await fakeDaemon(t, answering({}).handle);
    rmSync(config);
    writeFileSync(config, RESOURCE, { mode: 0 });
    assert.equal((await hastmonctl(['status', '-c', config])).code, 77);
  });

  test('with errors: 78, with the places', async (t) => {
    const config = path.join(directory(t), 'hastmon.conf');
    writeFileSync(config, `contrl /run/x\n${RESOURCE}`);
    const { code, err } = await hastmonctl(['status', '-c', config]);
    assert.equal(code, 78);
    assert.match(err, /hastmon\.conf:1:1: error: unknown statement 'contrl'/);
    assert.match(err, /^hastmonctl: the configuration has an error; --control PATH/m);
  });

  test('what hastmond says cannot control the terminal, and keeps its lines', async (t) => {
    const message = 'beta cannot take over: \u009b2Jits reason\u001b[2J\nsecond line\u0085';
    const config = await fakeDaemon(t, answering({ error: { code: 75, message } }).handle);
    assert.equal(
      (await hastmonctl(['status', '-c', config])).err,
      'hastmonctl: beta cannot take over:  2Jits reason [2J\nhastmonctl: second line\n',
    );
  });

  describe('with errors, for a reload', () => {
    test('goes to hastmond all the same, which says what is wrong, where the socket can be told', async (t) => {
      const message = `/etc/hastmon.conf:9:1: error: http needs a token\nnothing has been changed`;
      const { handle } = answering({ error: { code: 78, message } });
      const config = await fakeDaemon(t, handle);
      writeFileSync(config, 'http 0.0.0.0:8480\n', { flag: 'a' });
      assert.deepEqual(await hastmonctl(['reload', '-c', config]), {
        code: 78,
        err: `${message}\n`,
        out: '',
      });
      assert.match((await hastmonctl(['status', '-c', config])).err, /has an error; --control PATH/);
    });

    test('where it cannot, nothing has been changed, and that is said', async (t) => {
      const config = path.join(directory(t), 'hastmon.conf');
      for (const broken of ['control\n', 'control relative\n']) {
        writeFileSync(config, `${RESOURCE}${broken}`);
        const { code, err } = await hastmonctl(['reload', '-c', config]);
        assert.equal(code, 78, broken);
        assert.match(
          err,
          /\nhastmonctl: nothing has been changed: hastmond goes on with what it has read before\n$/,
        );
      }
      const none = await hastmonctl(['reload', '-c', `${config}.none`]);
      assert.match(none.err, /--control PATH.*\nhastmonctl: nothing has been changed/);
    });

    /** The errors first, as editors read them. */
    const TOLD =
      /^\S*hastmon\.conf:2:1: error: unknown statement 'lsten'[\s\S]*\nhastmonctl: cannot connect .*\nhastmonctl: \S*hastmon\.conf has an error: where the control socket is another one, --control PATH names it\nhastmonctl: nothing has been changed\n$/;

    test('where nobody is there, says what is wrong itself; the file may name another socket', async (t) => {
      const config = path.join(directory(t), 'hastmon.conf');
      writeFileSync(config, `control ${config}.sock\nlsten 1\n${RESOURCE}`);
      const { code, err } = await hastmonctl(['reload', '-c', config]);
      assert.equal(code, 69);
      assert.match(err, TOLD);
    });

    test('where the socket is for others, too', {
      skip: process.getuid?.() === 0 && 'root may open everything',
    }, async (t) => {
      const config = await fakeDaemon(t, answering({}).handle);
      const control = path.join(path.dirname(config), 'control');
      chmodSync(control, 0);
      writeFileSync(config, `control ${control}\nlsten 1\n${RESOURCE}`);
      const { code, err } = await hastmonctl(['reload', '-c', config]);
      assert.equal(code, 77);
      assert.match(err, TOLD);
    });
  });

  test('that does not know this node still says where the socket is', async (t) => {
    const config = await fakeDaemon(t, answering({ status: [entryOf()] }).handle);
    assert.equal((await hastmonctl(['status', '-n', 'elsewhere', '-c', config])).code, 0);
  });

  test('that does not know this node may say where the socket of another one is', async (t) => {
    const config = path.join(directory(t), 'hastmon.conf');
    writeFileSync(config, `control ${path.dirname(config)}/control\n${RESOURCE}`);
    const stranger = await hastmonctl(['status', '-n', 'elsewhere', '-c', config]);
    assert.equal(stranger.code, 69);
    assert.match(
      stranger.err,
      /\nhastmonctl: .*hastmon\.conf: no 'on' section for this node, 'elsewhere': .*'alpha', .*; -n NAME says which one this is\n$/,
    );
    assert.doesNotMatch((await hastmonctl(['status', '-n', 'beta', '-c', config])).err, /-n NAME/);
  });

  test('of several nodes on one machine: -n chooses', async (t) => {
    const own = await fakeDaemon(t, answering({ status: [entryOf({ resource: 'own' })] }).handle);
    const config = path.join(directory(t), 'hastmon.conf');
    const controls = `on alpha { control /nowhere }\non beta { control ${path.dirname(own)}/control }\n`;
    writeFileSync(config, `${controls}${RESOURCE}`);
    assert.match((await hastmonctl(['status', '-n', 'beta', '-c', config])).out, /^own:/);
    assert.equal((await hastmonctl(['status', '-n', 'alpha', '-c', config])).code, 69);
  });

  test('is not needed where --control is given', async (t) => {
    const config = await fakeDaemon(t, answering({ status: [entryOf()] }).handle);
    const control = path.join(path.dirname(config), 'control');
    rmSync(config);
    assert.equal((await hastmonctl(['status', '--control', control])).code, 0);
  });
});

describe('what is risky asks', () => {
  const risky: [string[], RegExp][] = [
    [['role', 'primary', '--force', 'mail'], /it runs on two\n {2}nodes at once/],
    [['bootstrap', 'mail'], /the service would run twice/],
  ];
  for (const [words, risk] of risky) {
    test(`${words.join(' ')}: refused where nobody can be asked`, async (t) => {
      const { asked, handle } = answering({});
      const { code, err } = await hastmonctl([...words, '-c', await fakeDaemon(t, handle)]);
      assert.equal(code, 64);
      assert.match(err, risk);
      assert.match(err, /hastmonctl: this is not a terminal.*--yes/);
      assert.deepEqual(asked, []);
    });

    test(`${words.join(' ')}: not done where the name is not typed`, async (t) => {
      const { asked, handle } = answering({});
      const { code, err } = await hastmonctl([...words, '-c', await fakeDaemon(t, handle)], ['yes']);
      assert.equal(code, 64);
      assert.match(err, /not confirmed; nothing has been done/);
      assert.deepEqual(asked, []);
    });

    test(`${words.join(' ')}: done where the name is typed, or with --yes`, async (t) => {
      const { asked, handle } = answering({});
      const config = await fakeDaemon(t, handle);
      assert.equal((await hastmonctl([...words, '-c', config], ['mail'])).code, 0);
      const { code, err } = await hastmonctl([...words, '--yes', '-c', config]);
      assert.equal(code, 0);
      assert.match(err, risk, 'the risk is said all the same');
      assert.equal(asked.length, 2);
      assert.deepEqual(asked[0], asked[1]);
    });
  }
});

describe('other commands', () => {
  test('role prints what hastmond says of it', async (t) => {
    const config = await fakeDaemon(t, answering({ text: 'mail: under way\n' }).handle);
    const heard = await hastmonctl(['role', 'secondary', 'mail', '-c', config]);
    assert.deepEqual(heard, { code: 0, err: '', out: 'mail: under way\n' });
  });

  test('role --json prints the status afterwards', async (t) => {
    const { asked, handle } = answering({ text: 'mail: under way\n', status: [entryOf()] });
    const { out } = await hastmonctl([
      'role',
      'primary',
      'mail',
      '--json',
      '-c',
      await fakeDaemon(t, handle),
    ]);
    assert.deepEqual(JSON.parse(out), [entryOf()]);
    assert.deepEqual(asked.at(-1), { kind: 'status', resources: ['mail'] });
  });

  test('version prints both', async (t) => {
    const config = await fakeDaemon(t, answering({ text: '9.8.7\n' }).handle);
    assert.match((await hastmonctl(['version', '-c', config])).out, /^hastmonctl \S+\nhastmond 9\.8\.7\n$/);
    const { out } = await hastmonctl(['version', '--json', '-c', config]);
    assert.equal(JSON.parse(out).hastmond, '9.8.7');
  });

  test('dump --json has the names of hastmon.conf(5)', async (t) => {
    const text = [
      '# The effective configuration',
      'control /run/x',
      'listen tcp4://0.0.0.0 tcp6://[::]',
      'log {\n\tlevel info\n}',
      'on a {\n}',
      'resource mail {\n\tattempts 5\n\tlease_timeout 300ms',
      '\ton a {\n\t\tremote none\n\t\tpriority 1\n\t}\n\ton b {\n\t}\n}\n',
    ].join('\n');
    const config = await fakeDaemon(t, answering({ text }).handle);
    assert.equal((await hastmonctl(['dump', '-c', config])).out, text);
    assert.deepEqual(JSON.parse((await hastmonctl(['dump', '--json', '-c', config])).out), {
      control: '/run/x',
      listen: ['tcp4://0.0.0.0', 'tcp6://[::]'],
      log: { level: 'info' },
      on: { a: {} },
      resource: {
        mail: { attempts: 5, lease_timeout: '300ms', on: { a: { remote: [], priority: 1 }, b: {} } },
      },
    });
  });
});
