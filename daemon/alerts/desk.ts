/** The desk: carries out what the outbox decides, with the queue on disk and the notifier. */
import type { AlertSpec } from '../checks/spec.js';
import { contentOf, testContent } from './content.js';
import type { Job } from './ipc.js';
import { createNotifierHost } from './notifier-host.js';
import { createOutbox, outboxWakeAt, stepOutbox, waysOf } from './outbox.js';
import type { Content, OutboxInput, OutboxOutput, Told, WayKind } from './outbox-types.js';
import { createQueue } from './queue.js';
import type { AlertDesk, AlertDeskOptions, AlertSetup } from './types.js';
import { shownUrl } from './webhook.js';

/** setTimeout takes no more. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function createAlertDesk(options: AlertDeskOptions): AlertDesk {
  const { log, now, wall } = options;
  const outbox = createOutbox();
  const queue = createQueue(options.store, log);
  const notifier = createNotifierHost(options);
  let alerts: readonly AlertSpec[] = [];
  let setup: AlertSetup = { node: '', users: [] };
  let timer: NodeJS.Timeout | undefined;
  /** What waits for the disk, in its order. */
  let writing: Promise<void> = Promise.resolve();
  let loaded = false;
  let closed = false;

  const compose = (alert: string, told: readonly Told[]): Content =>
    contentOf(alert, told, { node: setup.node, zone: undefined });

  function step(input: OutboxInput): void {
    if (closed) return;
    const outputs = stepOutbox(outbox, input, { now: now(), wall: wall() }, compose);
    const kept: OutboxOutput[] = [];
    for (const output of outputs) {
      if (output.kind === 'send') void attempt(output);
      else if (output.kind === 'log') {
        log[output.level]({ alert: output.alert }, output.text);
        options.said?.(output.level, output.alert, output.text);
      } else kept.push(output);
    }
    if (kept.length > 0) writing = writing.then(() => keep(kept));
    clearTimeout(timer);
    const at = outboxWakeAt(outbox);
    if (Number.isFinite(at))
      timer = setTimeout(() => step({ kind: 'tick' }), Math.min(Math.max(0, at - now()), TIMER_MS_MAX));
  }

  /** Nobody is told that an edge is settled before what is left of it is on disk. */
  async function keep(outputs: readonly OutboxOutput[]): Promise<void> {
    await Promise.all(
      outputs.map((output) => output.kind === 'save' && queue.save(output.id, output.record)),
    );
    for (const output of outputs) {
      if (output.kind === 'forget') queue.forget(output.id);
      if (output.kind === 'done') options.done(output.check, output.edge, output.why);
    }
  }

  async function attempt({ id, alert, way, content, recipients }: Extract<OutboxOutput, { kind: 'send' }>) {
    const job = jobOf(alert, way, content, recipients);
    const outcome =
      job === null
        ? ({ kind: 'final', why: 'nobody of its recipients is in the file any more' } as const)
        : (await notifier.run(job)).outcome;
    step({ kind: 'result', id, outcome });
  }

  function jobOf(
    name: string,
    way: WayKind,
    content: Content,
    recipients: readonly string[] | null,
  ): Job | null {
    const alert = alerts.find((spec) => spec.name === name);
    switch (way) {
      case 'mail': {
        const mail = alert?.mail ?? null;
        const to = mail?.to.filter((address) => recipients?.includes(address) ?? true) ?? [];
        return mail === null || to.length === 0
          ? null
          : { way, content, mail, recipients: to, node: setup.node };
      }
      case 'program':
        return alert === undefined ? null : { way, content, program: alert.program };
      case 'webhook':
        return alert === undefined ? null : { way, content, url: alert.webhook };
      case 'syslog':
        return { way, content };
    }
  }

  async function test(name: string): Promise<{ ok: boolean; lines: string[] }> {
    const alert = alerts.find((spec) => spec.name === name);
    if (alert === undefined) {
      const known = alerts.map((spec) => spec.name).join(', ');
      throw new Error(`there is no alert ${name}; there ${known === '' ? 'are none' : `is ${known}`}`);
    }
    const content = testContent(name, wall(), setup.node);
    const lines: string[] = [];
    let ok = true;
    for (const way of waysOf(alert)) {
      const job = jobOf(name, way, content, null);
      if (job === null) continue;
      const { outcome, lines: said } = await notifier.run(job);
      const well = outcome.kind === 'delivered' && outcome.left.length === 0 && outcome.note === '';
      ok &&= well;
      const how = outcome.kind === 'delivered' ? outcome.note || 'delivered' : outcome.why;
      lines.push(`${way}: ${titleOf(alert, way)}`, ...said.map((line) => `  ${line}`), `${way}: ${how}`);
    }
    return { ok, lines };
  }

  return {
    configure(next, nextSetup) {
      alerts = next;
      setup = nextSetup;
      notifier.become(setup.users);
      if (!loaded) {
        loaded = true;
        const records = queue.load();
        if (records.length > 0) log.info({}, `${records.length} deliveries of alerts are left from before`);
        step({ kind: 'restore', records, wall: wall() });
      }
      step({ kind: 'configure', alerts });
    },
    tell: (notice) => step({ kind: 'tell', told: { notice, wall: wall() } }),
    cancel: (check, edge) => step({ kind: 'cancel', check, edge }),
    test,
    async close() {
      closed = true;
      clearTimeout(timer);
      await writing;
      await notifier.close();
    },
  };
}

function titleOf({ mail, program, webhook }: AlertSpec, way: WayKind): string {
  if (way === 'mail') return `to ${mail?.to.join(', ')} through ${mail?.server}, ${mail?.tls}`;
  if (way === 'program') return program;
  return way === 'webhook' ? shownUrl(webhook) : 'the log of this system';
}
