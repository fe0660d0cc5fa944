/** Redirects, over real sockets and real TLS, on both ways of waiting. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { Hosts } from '../../daemon/checks/hosts.js';
import { benchFor, type Result, WAYS, type Way } from './engine-support.js';
import { planFrom } from './plan-support.js';

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

let folder = '';
const ca = (): string => readFileSync(path.join(folder, 'cert.pem'), 'utf8');

before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'redirect-'));
  const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=other';
  const files = ['-keyout', path.join(folder, 'key.pem'), '-out', path.join(folder, 'cert.pem')];
  const names = ['-addext', 'subjectAltName=DNS:other.example.com'];
  execFileSync('openssl', [...words.split(' '), ...files, ...names], { stdio: 'ignore' });
});
after(() => rmSync(folder, { recursive: true }));

/** A web server on loopback; gone with the test. */
async function web(t: TestContext, serve: Serve, secure = false): Promise<number> {
  const pair = { key: readFileSync(path.join(folder, 'key.pem')), cert: ca() };
  const server = secure ? createTlsServer(pair, serve) : createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const to = (location: string, status = 302): Serve => {
  return (_, response) => void response.writeHead(status, { Location: location }).end('elsewhere');
};

/** Runs the only check of a text; every name is this machine. */
function run(t: TestContext, way: Way, text: string): Promise<Result> {
  const bench = benchFor(t, way, 4, (_, done) => setImmediate(done, ['127.0.0.1'], ''));
  return bench.check(planFrom(text, ca()));
}

for (const way of WAYS)
  describe(`redirects on ${way}`, () => {
    test('one is an answer, unless it may be followed', async (t) => {
      const port = await web(t, to('/x'));
      const answer = await run(t, way, `check c http://127.0.0.1:${port}/ { status 302 }`);
      assert.deepEqual([answer.nature, answer.detail, answer.text], ['ok', 302, '']);
      const other = await run(t, way, `check c http://127.0.0.1:${port}/`);
      assert.deepEqual([other.nature, other.detail], ['http-status', 302]);
    });

    test('relative ones lead on at the same server, with the same Host and fields', async (t) => {
      const asked: string[] = [];
      const leads: Record<string, string> = { '/a/b?c': '../d', '/d': '?e=f#g', '/d?e=f': './h' };
      const port = await web(t, ({ url = '', headers, method = '' }, response) => {
        asked.push(`${method} ${url} ${headers.host} ${headers.authorization}`);
        const lead = leads[url];
        if (lead !== undefined) to(lead)({} as IncomingMessage, response);
        else response.end('here it is');
      });
      const text = `http://u:p@127.0.0.1:${port}/a/b?c { redirects 3 host www.example.com body "here it is" }`;
      const result = await run(t, way, `check c ${text}`);
      assert.deepEqual([result.nature, result.detail], ['ok', 200]);
      assert.equal(result.text, `redirected to http://127.0.0.1:${port}/h`);
      const targets = ['/a/b?c', '/d', '/d?e=f', '/h'];
      assert.deepEqual(
        asked,
        targets.map((target) => `GET ${target} www.example.com Basic dTpw`),
      );
    });

    test('another server is told its own name, and no secret', async (t) => {
      let told = {} as IncomingMessage['headers'];
      const second = await web(t, ({ headers }, response) => {
        told = headers;
        response.end();
      });
      const first = await web(t, to(`http://u:p@second.example.com:${second}/`));
      const options = 'host h.example.com header "Cookie: a=b" header "X-A: kept" redirects 1';
      const result = await run(t, way, `check c http://u:p@127.0.0.1:${first}/ { ${options} }`);
      assert.equal(result.nature, 'ok');
      assert.equal(result.text, `redirected to http://second.example.com:${second}/`);
      assert.deepEqual(
        [told.host, told.authorization, told.cookie, told['x-a']],
        [`second.example.com:${second}`, undefined, undefined, 'kept'],
      );
    });

    test('to TLS, whose certificate has to be for the name that it leads to', async (t) => {
      const secure = await web(t, (_, response) => void response.end('safe'), true);
      const good = await web(t, to(`https://other.example.com:${secure}/`, 301));
      const text = `http://127.0.0.1:${good}/ { redirects 1 ca /ca body safe`;
      const ok = await run(t, way, `check c ${text} }`);
      assert.deepEqual([ok.nature, ok.detail], ['ok', 200], ok.text);
      assert.equal((await run(t, way, `check c ${text} days 40 }`)).nature, 'tls-expires-soon');
      const bad = await web(t, to(`https://wrong.example.com:${secure}/`, 301));
      const wrong = await run(t, way, `check c http://127.0.0.1:${bad}/ { redirects 1 ca /ca }`);
      assert.equal(wrong.nature, 'tls-name');
      assert.match(wrong.text, /^redirected to https:\/\/wrong\.example\.com:\d+\/: /);
      const plain = await web(t, (_, response) => void response.end());
      const none = await web(t, to(`https://other.example.com:${plain}/`));
      const handshake = await run(t, way, `check c http://127.0.0.1:${none}/ { redirects 1 }`);
      assert.equal(handshake.nature, 'tls-handshake');
      const back = await web(t, to(`http://127.0.0.1:${plain}/`), true);
      const down = `https://127.0.0.1:${back}/ { redirects 1 ca /ca servername other.example.com }`;
      assert.equal((await run(t, way, `check c ${down}`)).nature, 'ok');
    });

    test('too many, to nowhere, and to what is not the web', async (t) => {
      let asked = 0;
      const circle = await web(t, (request, response) => {
        asked += 1;
        to('/')(request, response);
      });
      const many = await run(t, way, `check c http://127.0.0.1:${circle}/ { redirects 3 }`);
      assert.deepEqual([many.nature, asked], ['redirect-limit', 4]);
      assert.match(many.text, /only 3 redirects are followed; the next leads to http:\/\/127/);
      const cases: [string, string][] = [
        ['http://[::1/', 'redirect-broken'],
        ['http://h:0/', 'redirect-broken'],
        ['', 'redirect-broken'],
        ['ftp://h/', 'redirect-scheme'],
        ['javascript:alert(1)', 'redirect-scheme'],
      ];
      for (const [location, nature] of cases) {
        const port = await web(t, to(location));
        const result = await run(t, way, `check c http://127.0.0.1:${port}/ { redirects 3 }`);
        assert.equal(result.nature, nature, location);
      }
      const missing = await web(t, (_, response) => void response.writeHead(307).end());
      const lost = await run(t, way, `check c http://127.0.0.1:${missing}/ { redirects 3 }`);
      assert.deepEqual([lost.nature, lost.text], ['redirect-broken', '307 without a Location']);
    });

    test('the last server is judged, and where it is, is said', async (t) => {
      const last = await web(t, (_, response) => void response.writeHead(503).end());
      const port = await web(t, to(`//127.0.0.1:${last}/`));
      const result = await run(t, way, `check c http://127.0.0.1:${port}/ { redirects 1 }`);
      assert.deepEqual([result.nature, result.detail], ['http-status', 503]);
      assert.equal(result.text, `redirected to http://127.0.0.1:${last}/`);
      const gone = await web(t, to('http://127.0.0.1:1/'));
      const refused = await run(t, way, `check c http://127.0.0.1:${gone}/ { redirects 1 }`);
      assert.equal(refused.nature, 'refused');
      assert.match(refused.text, /^redirected to http:\/\/127\.0\.0\.1:1\//);
    });

    test('all together have the time of the whole', async (t) => {
      const port = await web(t, (_, response) => {
        setTimeout(() => to('/')({} as IncomingMessage, response), 60);
      });
      const options = 'redirects 20 timeout 300ms connect_timeout 300ms receive_timeout 300ms';
      const result = await run(t, way, `check c http://127.0.0.1:${port}/ { ${options} }`);
      assert.match(result.nature, /^timeout/);
      assert.ok(result.latencyMs >= 299, String(result.latencyMs));
    });

    test('POST becomes GET where clients do so, and every address has its redirects', async (t) => {
      const asked: string[] = [];
      const port = await web(t, ({ method = '', url = '' }, response) => {
        asked.push(`${method} ${url}`);
        if (url === '/') to('/two', 303)({} as IncomingMessage, response);
        else response.end();
      });
      const plan = planFrom(`check c http://two:${port}/ { redirects 1 method POST addresses all }`);
      const both = ['127.0.0.1', '127.0.0.1'];
      const bench = benchFor(t, way, 4, (_, done) => setImmediate(done, both, ''));
      assert.equal((await bench.check(plan)).nature, 'ok');
      assert.deepEqual(asked, ['POST /', 'GET /two', 'POST /', 'GET /two']);
    });
  });

test('names that redirects lead to are remembered within a bound', () => {
  let asked = 0;
  const hosts = new Hosts({
    lookup: () => {
      asked += 1;
    },
    ...{ now: () => 1, keepMs: 1000, failureMs: 1000 },
  });
  const first = hosts.passing('a');
  hosts.ready(first);
  assert.equal(hosts.passing('a'), first);
  for (let index = 0; index < 1000; index += 1) hosts.ready(hosts.passing(`h${index}`));
  assert.notEqual(hosts.passing('a'), first);
  assert.equal(asked, 1001);
  assert.equal(hosts.passing('b'), hosts.passing('b'));
  const known = hosts.get(hosts.numberOf('c'));
  assert.equal(hosts.passing('c'), known);
});
