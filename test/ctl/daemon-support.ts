/** A real hastmond that monitors, and services for it to look at. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../system/network.js';
import { until } from '../system/wait.js';
import { type Heard, hastmonctl } from './support.js';

const program = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../daemon/hastmond.js');

export interface Monitor {
  config: string;
  /** Runs hastmonctl against it, in this process. */
  ctl(...words: string[]): Promise<Heard>;
  /** Waits until the table of checks matches. */
  shows(pattern: RegExp): Promise<string>;
}

/** One daemon, node `alpha`, with this about monitoring in its file; gone with the test. */
export async function monitorFor(t: TestContext, text: string): Promise<Monitor> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hastmon-ctl-'));
  const [port = 0] = await freePorts(1);
  const config = path.join(dir, 'hastmon.conf');
  const places = `control ${dir}/control\nstate_dir ${dir}/state\nlisten tcp4://127.0.0.1:${port}\n`;
  writeFileSync(config, `${places}on alpha { }\n${text}\n`);
  const words = ['-F', '-n', 'alpha', '-c', config, '-P', path.join(dir, 'pid')];
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  t.after(async () => {
    child.kill('SIGTERM');
    await exited;
    // It writes there to its end.
    rmSync(dir, { recursive: true, force: true });
  });
  const ctl = (...more: string[]): Promise<Heard> => hastmonctl([...more, '-n', 'alpha', '-c', config]);
  const ready = async (): Promise<boolean> => (await ctl('version')).code === 0;
  await until(ready, 20_000, () => said);
  return {
    config,
    ctl,
    async shows(pattern) {
      let out = '';
      const matches = async (): Promise<boolean> => {
        ({ out } = await ctl('checks'));
        return pattern.test(out);
      };
      await until(matches, 20_000, () => `${out}\n${said}`);
      return out;
    },
  };
}

/** A web server on a free port: /bad answers 503. */
export async function webFor(t: TestContext): Promise<number> {
  const server = createHttpServer((request, response) => {
    response.statusCode = request.url === '/bad' ? 503 : 200;
    response.end(request.url === '/bad' ? 'Sorry' : 'Welcome');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}
