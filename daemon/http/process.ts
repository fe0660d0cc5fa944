/**
 * The process that serves HTTP, `hastmon: api (http)`: what the main process says, given to the server, and what clients ask, asked of the
 * main process. It reads and never writes, needs no right but that to its port, and ends when the main process does.
 */
import type { Server } from 'node:http';
import { addressText } from '../config/http-address.js';
import { bootTime } from '../sys/clock.js';
import { messageOf } from '../sys/errors.js';
import { becomeFirstOf } from '../sys/privileges.js';
import { type Access, createAccess } from './access.js';
import type { ApiContext } from './api.js';
import { type Asker, createAsker } from './asker.js';
import type { HttpFacts, HttpToMain, MainToHttp } from './ipc.js';
import { createMetrics } from './metrics/metrics.js';
import { loadPage } from './page.js';
import { COMMON, createHttpServer } from './server.js';
import type { HttpSettings } from './settings.js';
import { createEventStream } from './stream.js';
import { throttled } from './throttle.js';

const BEAT_MS = 1000;
/** A port that is taken may be given up soon. */
const RETRY_MS = 1000;
/** What happens all the time makes no answer of before useless more often than this. */
const FORGET_MS = 50;

/** The entry of the process; `script` is hastmond's own, beside which the page is. */
export function runHttp(script: string): void {
  process.title = 'hastmon: api (http)';
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('uncaughtException', fail);
  process.on('disconnect', () => process.exit(0));
  // The clock is found while this process may still read whatever it wants to.
  bootTime();
  const asker: Asker = createAsker({
    send: (question, what) => say({ kind: 'ask', question, what }),
    clock: bootTime,
  });
  const forget = throttled(FORGET_MS, asker.forget);
  let facts: HttpFacts = { node: '', checks: false, balancer: false };
  let access: Access | null = null;
  let token: string | null = null;
  const context = (): ApiContext => ({ asker, facts });
  const metrics = createMetrics(context);
  const stream = createEventStream({ context, headers: COMMON });

  process.on('message', (message: MainToHttp) => {
    switch (message.kind) {
      case 'settings':
        facts = message.facts;
        return apply(message.settings);
      case 'answer':
        return asker.heard(message);
      case 'event':
        metrics.event(message.event);
        forget();
        return stream.event(message.event);
      default:
        message satisfies never;
    }
  });
  setInterval(() => say({ kind: 'beat' }), BEAT_MS);

  function apply(settings: HttpSettings): void {
    const changed = access !== null && token !== settings.token;
    token = settings.token;
    access?.apply(settings);
    // Whoever watches has to show the new one.
    if (changed) stream.endAll();
    access ??= begin(settings);
  }

  function begin(settings: HttpSettings): Access {
    const begun = createAccess(settings, bootTime);
    const page = loadPage(script);
    const server = createHttpServer({
      routes: () => ({ access: begun, context: context(), page, metrics: metrics.answer }),
      stream,
      failed: (text) => say({ kind: 'log', level: 'error', text }),
    });
    void listen(server, settings).then(
      () => say({ kind: 'ready', user: becomeFirstOf(settings.users, '') }),
      fail,
    );
    return begun;
  }
}

/** Resolves when the port is open; one that is taken is waited for. */
async function listen(server: Server, settings: HttpSettings): Promise<void> {
  const { address, port } = settings;
  for (let told = false; ; told = true) {
    const problem = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      server.once('error', resolve);
      server.listen({ host: address, port }, () => {
        server.removeListener('error', resolve);
        resolve(null);
      });
    });
    if (problem === null) break;
    const text = `cannot listen on ${addressText(settings)}: ${messageOf(problem)}`;
    if (problem.code !== 'EADDRINUSE' && problem.code !== 'EADDRNOTAVAIL') throw new Error(text);
    if (!told) say({ kind: 'waiting', reason: `${text}; trying again every second` });
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  server.on('error', (error) => say({ kind: 'log', level: 'warn', text: messageOf(error) }));
}

function fail(error: unknown): void {
  say({ kind: 'failed', reason: messageOf(error) });
  setImmediate(() => process.exit(1));
}

function say(message: HttpToMain): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}
