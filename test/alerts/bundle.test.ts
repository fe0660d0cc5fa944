/** nodemailer is in the program, and loaded by nobody but the notifier, and there only for mail. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNotifierHost } from '../../daemon/alerts/notifier-host.js';
import { smtpServer } from './smtp-server.js';
import { composeIds, mailOf, noticeOf, SETUP } from './support.js';

const bin = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin');
/** A sentence of nodemailer's SMTP client. */
const MAIL_CLIENT = 'all recipients were rejected';

test('the mail client is a chunk of its own', () => {
  const texts = new Map(
    readdirSync(bin)
      .filter((name) => name.endsWith('.js'))
      .map((name) => [name, readFileSync(path.join(bin, name), 'utf8')]),
  );
  const closure = (name: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(name)) return seen;
    seen.add(name);
    const text = texts.get(name) ?? '';
    for (const [, target = ''] of text.matchAll(/^(?:import|\} from|import [^;]*? from) ?"\.\/([^"]+)"/gms))
      closure(target, seen);
    return seen;
  };
  const having = (sentence: string): string[] =>
    [...texts].flatMap(([name, text]) => (text.includes(sentence) ? name : []));
  const mail = having(MAIL_CLIENT);
  assert.equal(mail.length, 1, `chunks with the mail client: ${mail.join(', ')}`);
  // The main process, workers, the monitor and the notifier, by what only they have.
  for (const title of [
    'hastmon: checks (monitor)',
    'hastmon: alerts (notifier)',
    'a worker could not be recorded',
  ]) {
    const [chunk] = having(title);
    assert.ok(chunk !== undefined, title);
    const loaded = closure(chunk);
    assert.ok(!loaded.has(mail[0] ?? ''), `${chunk} loads the mail client`);
  }
});

test('mail is sent by the program as it is installed', async (t) => {
  const smtp = await smtpServer(t);
  const silent = (): void => {};
  const host = createNotifierHost({
    script: path.join(bin, 'hastmond.js'),
    records: { record: silent, forget: silent },
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
  t.after(() => host.close());
  host.become(SETUP.users);
  const mail = mailOf(`127.0.0.1:${smtp.port}`);
  const content = composeIds('ops', [{ notice: noticeOf(1), wall: 0 }]);
  const { outcome } = await host.run({ way: 'mail', mail, recipients: mail.to, node: 'a', content });
  assert.equal(outcome.kind, 'delivered', JSON.stringify(outcome));
  assert.equal(smtp.mails.length, 1);
});
