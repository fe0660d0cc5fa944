/** Scripts that were written for ipvs-weightman go on working: the classic loop of its description, by bash, over TCP and the fifo. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serveFifo } from '../../../daemon/balancer/console/fifo.js';
import { until } from '../../system/wait.js';
import { living } from './host.js';
import { consoleFor } from './served.js';

function sourceOf(file: string): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'test/balancer/console/testdata'))) folder = path.dirname(folder);
  return path.join(folder, 'test/balancer/console/testdata', file);
}

/** Runs bash; gives what it prints. */
async function bash(words: readonly string[]): Promise<string> {
  const child = spawn('bash', words, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 0, `${out}\n${err}`);
  return out;
}

test('the classic loop: off, wait for no connections, deploy, on slowly, wait until done, next', async (t) => {
  const { host, port } = await consoleFor(t, undefined, living());
  const seen: string[] = [];
  const { command } = host;
  host.command = (given) => {
    for (const pair of host.pairList.filter(({ service }) => service === 'www'))
      if (pair.status !== '0-ENABLED')
        seen.push(`${given.kind}: ${pair.host} ${pair.status} ${pair.connections?.active}`);
    return command(given);
  };
  const out = await bash([sourceOf('rolling-deploy.sh'), String(port), 'www', 'echo', 'deploying to']);
  const servers = ['srv1', 'srv2', 'srv3'];
  assert.equal(out, servers.map((name) => `deploying to ${name}\n${name} is done\n`).join(''));
  assert.deepEqual(
    host.commands.map((given) => (given.kind === 'adopt' ? '' : `${given.kind} ${given.hosts}`)),
    servers.flatMap((name) => [`off ${name}`, `on ${name}`]),
  );
  const [, on] = host.commands;
  assert.equal(on?.kind === 'on' && on.rampMs, 30_000);
  // Nobody was off but the one that was deployed to, and that one was not used any more.
  assert.deepEqual(
    seen,
    servers.map((name) => `on: ${name} 0-DISABLED 0`),
  );
});

test('the same over one connection that stays, with commands on the fifo', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'hastmon-fifo-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { host, log, port } = await consoleFor(t, undefined, living());
  const fifo = path.join(dir, 'fifo');
  const served = serveFifo(fifo, host, log, 10);
  t.after(() => served.close());
  await until(() => statSync(fifo, { throwIfNoEntry: false })?.isFIFO() === true, 10_000, 'no fifo is made');
  const script = `
    exec 3<>/dev/tcp/127.0.0.1/$1
    await() {
      while printf 'show host %s for www\\n' "$1" >&3; do
        until read -r line <&3 && [[ $line == *Combined.TStatus=* ]]; do :; done
        [[ $line == *$2* ]] && return
      done
    }
    for server in srv1 srv2; do
      echo "set host $server off for vs www for deploy" > "$2"
      await $server Total.ActiveConn=0
      echo "set host $server on for vs www for deploy in 30" > "$2"
      await $server Combined.TStatus=1-
      await $server Combined.TStatus=0-DONE
      echo $server
    done`;
  assert.equal(await bash(['-euc', script, 'bash', String(port), fifo]), 'srv1\nsrv2\n');
  assert.equal(host.commands.length, 4);
});
