/** Checks that are alike share a plan, and each still says its own host. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlanShare } from '../../daemon/checks/plan-share.js';
import type { CheckSpec } from '../../daemon/checks/spec.js';
import { parseConfig } from '../../daemon/config/load.js';
import { benchFor, serverFor, WAYS } from './engine-support.js';

function specsOf(text: string): CheckSpec[] {
  const { config, diagnostics } = parseConfig(text, '/c', () => ({ ok: false, reason: 'none' }), {
    hostname: 'a',
  });
  assert.ok(config?.monitor, JSON.stringify(diagnostics));
  return [...config.monitor.checks];
}

test('what differs only in where it goes shares a plan; what differs in anything else does not', () => {
  const share = new PlanShare();
  const plans = specsOf(`
    check a tcp://10.0.0.1:80
    check b tcp://10.0.0.2:81 { confirm 1; depends a }
    check c http://10.0.0.1/
    check d http://www.example.com/
    check e tcp://10.0.0.1:80 { timeout 1s }
    check f http://10.0.0.1/x
    check g http://10.0.0.1/ { host www.example.com }
    check h http://10.0.0.1:8080/
    check i https://10.0.0.1/
    check j https://10.0.0.2/
    check k http://10.0.0.1/ { redirects 1 }
    check l http://10.0.0.2/ { redirects 1 }
  `).map((spec) => share.of(spec, ''));
  const [a, b, c, d, ...others] = plans;
  assert.equal(a, b);
  assert.equal(c, d);
  assert.equal(new Set([a, c, ...others]).size, 2 + others.length);
});

for (const way of WAYS)
  test(`the Host field is that of the check, on ${way}`, async (t) => {
    const asked: string[] = [];
    const port = await serverFor(t, (socket) =>
      socket.once('data', (bytes) => {
        asked.push(/\r\nHost: (.*)\r\n/.exec(bytes.toString())?.[1] ?? bytes.toString());
        socket.end('HTTP/1.1 200 OK\r\n\r\n');
      }),
    );
    const share = new PlanShare();
    const bench = benchFor(t, way, 16, (_, done) => done(['127.0.0.1'], ''));
    const hosts = ['127.0.0.1', '127.0.10.205', 'a.example.com', 'localhost'];
    for (const host of hosts) {
      const [spec] = specsOf(`check x http://${host}:${port}/`);
      assert.ok(spec);
      // Only what listens on every address would answer on the second one; what is said of it is what counts.
      await bench.check({ ...share.of(spec, ''), host, port });
      const [bare] = specsOf(`check x http://${host}/`);
      assert.ok(bare);
      await bench.check({ ...share.of(bare, ''), host, port });
    }
    const said = hosts.filter((host) => host !== '127.0.10.205').flatMap((host) => [`${host}:${port}`, host]);
    assert.deepEqual(asked, said);
  });
