/** The check of one server, made from the check of a service. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileCheck } from '../../../daemon/checks/compile.js';
import { benchFor, serverFor } from '../../checks/engine-support.js';
import { checkOf, configOf, messagesOf, serviceOf } from './support.js';

describe('names and addresses: one check for each address, port and URL', () => {
  const table: readonly [check: string, name: string, host: string, port: number][] = [
    ['http://www.example.org/a?b=c,d', 'http://www.example.org/a?b=c,d@10.0.0.2:80', '10.0.0.2', 80],
    ['HTTP://www.example.org', 'http://www.example.org@10.0.0.2:80', '10.0.0.2', 80],
    ['http://*/a', 'http://*/a@10.0.0.2:80', '10.0.0.2', 80],
    ['/a', 'http://*/a@10.0.0.2:80', '10.0.0.2', 80],
    ['http', 'http://*@10.0.0.2:80', '10.0.0.2', 80],
    ['tcp', 'tcp://*@10.0.0.2:80', '10.0.0.2', 80],
    ['tcp://*', 'tcp://*@10.0.0.2:80', '10.0.0.2', 80],
    ['tcp://', 'tcp://*@10.0.0.2:80', '10.0.0.2', 80],
    ['tls://www.example.org', 'tls://www.example.org@10.0.0.2:80', '10.0.0.2', 80],
    ['mariadb://root@*', 'mysql://root@*@10.0.0.2:80', '10.0.0.2', 80],
    ['redis://:hush@*', 'redis://:***@*@10.0.0.2:80', '10.0.0.2', 80],
    ['banner://*/SSH-2.0', 'banner://*/SSH-2.0@10.0.0.2:80', '10.0.0.2', 80],
    ['dns://*/www.example.org?type=AAAA', 'dns://*/www.example.org?type=AAAA@10.0.0.2:80', '10.0.0.2', 80],
    ['ping', 'ping://*@10.0.0.2', '10.0.0.2', 0],
    ['exec:///bin/true?arg=%h', 'exec:/bin/true?arg=%h@10.0.0.2:80', '', 0],
  ];
  for (const [check, name, host, port] of table)
    test(check, () => {
      const spec = checkOf(check);
      assert.deepEqual([spec.name, spec.url.host, spec.url.port], [name, host, port]);
      assert.ok(name.startsWith(`${spec.shownUrl}@`));
      assert.doesNotMatch(JSON.stringify([spec.name, spec.shownUrl]), /hush/);
    });

  test('IPv6, and another port', () => {
    const spec = checkOf('tcp', 'check_port=81', 'fd00::2');
    assert.deepEqual([spec.name, spec.url.host, spec.url.port], ['tcp://*@[fd00::2]:81', 'fd00::2', 81]);
  });

  test('a server whose services write one check differently has one check', () => {
    const lines = ['! a 192.0.2.1:80 tcp', '! b 192.0.2.2:8080:80 tcp://*', 'h 10.0.0.1 a=1 b=2'];
    const names = configOf(...lines).services.map(
      ({ check, realPort }) => check?.of('10.0.0.1', realPort).name,
    );
    assert.equal(new Set(names).size, 1);
  });
});

describe('what is asked', () => {
  test('over a real socket: the path, and the host of the URL; 200 alone passes', async (t) => {
    let [asked, status] = ['', '200 OK'];
    const port = await serverFor(t, (socket) =>
      socket.once('data', (bytes) => {
        asked = bytes.toString();
        socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
      }),
    );
    const bench = benchFor(t, 'epoll');
    const run = (check: string) => {
      const spec = checkOf(check, '', '127.0.0.1', port);
      return bench.check({ ...compileCheck(spec, () => ''), port: spec.url.port });
    };
    assert.equal((await run('http://www.example.org/a?b=c')).nature, 'ok');
    assert.match(asked, /^GET \/a\?b=c HTTP\/1\.1\r\nHost: www\.example\.org\r\n/);
    assert.equal((await run('http://www.example.org:81/')).nature, 'ok');
    assert.match(asked, /\r\nHost: www\.example\.org:81\r\n/);
    assert.equal((await run('/a')).nature, 'ok');
    assert.match(asked, new RegExp(`\r\nHost: 127\\.0\\.0\\.1:${port}\r\n`));
    for (const other of ['204 No Content', '302 Found', '503 Service Unavailable']) {
      status = other;
      const result = await run('http://www.example.org/');
      assert.deepEqual([result.nature, result.detail], ['http-status', Number(other.slice(0, 3))]);
    }
  });

  test('HTTP names the host of the URL, and the port that it says', () => {
    assert.equal(checkOf('http://www.example.org/').options.http.host, 'www.example.org');
    assert.equal(checkOf('http://www.example.org:8080/').options.http.host, 'www.example.org:8080');
    assert.equal(checkOf('http://[2001:db8::1]:8080/').options.http.host, '[2001:db8::1]:8080');
  });

  test('without a host it names the server, with its port where it is not the usual one', () => {
    const { url, options } = checkOf('/a', '', '10.0.0.2', 8080);
    assert.deepEqual([url.host, url.port, url.portGiven, options.http.host], ['10.0.0.2', 8080, true, '']);
    assert.equal(checkOf('/a').url.portGiven, false);
    assert.equal(checkOf('https://*/', '', '10.0.0.2', 443).url.portGiven, false);
  });

  test('only 200 passes, unless another status is wanted', () => {
    assert.deepEqual(checkOf('/a').options.http.statuses, [[200, 200]]);
    assert.deepEqual(checkOf('/a', 'status=200-299').options.http.statuses, [[200, 299]]);
    assert.equal(checkOf('/a').options.http.redirects, 0);
  });

  test('a certificate is not looked at, unless it is wanted; the name is that of the URL', () => {
    const { tls } = checkOf('https://www.example.org/').options;
    assert.deepEqual([tls.verify, tls.serverName], [false, 'www.example.org']);
    assert.equal(checkOf('https://www.example.org/', 'verify').options.tls.verify, true);
    assert.equal(checkOf('tls://www.example.org').options.tls.serverName, 'www.example.org');
    assert.equal(checkOf('https://*/').options.tls.serverName, '');
  });

  test('a plugin is told the server', () => {
    const { url } = checkOf('exec:/bin/check?arg=-H&arg=%h&arg=p%p&arg=100%25', '', 'fd00::2', 81);
    assert.equal(url.path, '/bin/check');
    assert.deepEqual(url.parameters, [
      ['arg', '-H'],
      ['arg', 'fd00::2'],
      ['arg', 'p81'],
      ['arg', '100%'],
    ]);
  });

  test('bytes of one’s own are sent', () => {
    const { steps } = checkOf('tcp', 'send=A%0D%0a%2C%ff,expect=+OK').options;
    assert.deepEqual(steps, [{ send: 'A\r\n,\xff' }, { expect: { kind: 'text', text: '+OK' } }]);
  });

  test('every kind can be compiled', () => {
    for (const kind of [
      'tcp',
      'tls',
      'http',
      'https',
      'smtp',
      'imap',
      'pop3',
      'ftp',
      'ssh',
      'redis',
      'postgres',
      'mysql',
      'ping',
    ])
      assert.ok(
        compileCheck(checkOf(kind), () => ''),
        kind,
      );
  });
});

test('times: one failure and one success decide, every 3 s; options say otherwise', () => {
  const { options } = checkOf('tcp');
  assert.deepEqual(
    [options.intervalMs, options.timeoutMs, options.rise, options.fall, options.retryIntervalMs],
    [3000, 5000, 1, 1, 2000],
  );
  const other = checkOf('tcp', 'interval=1,timeout=500ms,rise=2,fall=3').options;
  assert.deepEqual(
    [
      other.intervalMs,
      other.timeoutMs,
      other.rise,
      other.fall,
      other.retryIntervalMs,
      other.connectTimeoutMs,
    ],
    [1000, 500, 2, 3, 1000, 500],
  );
});

test('the options of all servers of a service are one object', () => {
  const { check } = serviceOf('! s 192.0.2.1:80 http://www.example.org/');
  assert.equal(check?.of('10.0.0.1', 80).options, check?.of('10.0.0.2', 80).options);
});

describe('two services that want different things of one check', () => {
  const of = (one: string, other: string, host = 'h 10.0.0.1 a=1 b=1') =>
    messagesOf(`! a 192.0.2.1:80 ${one}\n! b 192.0.2.2:80 ${other}\n${host}`);
  test('are an error that names both', () => {
    assert.deepEqual(of('tcp', 'tcp rise=2'), [
      "2:18 'b' and 'a' have one check of 10.0.0.1:80, and do not agree on rise",
    ]);
  });
  test('are none where they say the same, or check another server, port or URL', () => {
    assert.deepEqual(of('tcp rise=2', 'tcp rise=2'), []);
    assert.deepEqual(of('tcp', 'tcp rise=2', 'h 10.0.0.1 a=1\ni 10.0.0.2 b=1'), []);
    assert.deepEqual(of('tcp', 'tcp rise=2,check_port=81'), []);
    assert.deepEqual(of('http://a/', 'http://b/ rise=2'), []);
  });
});
