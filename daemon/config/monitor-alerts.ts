/** The `alert` sections: whom to tell, and how; with what does not fit together in one of them. */
import type { AlertSpec, MailSpec } from '../checks/spec.js';
import { quote, type Reporter } from './diagnostic.js';
import { DEFAULT_GATHER_MS, DEFAULT_MAIL_SERVER } from './monitor-defaults.js';
import type { NamedScope } from './monitor-model.js';
import type { MonitorSettings } from './monitor-settings.js';

/** An alert with its defaults; `node` is this node, in whose name mail is sent. */
export function readAlert(scope: NamedScope, node: string, reporter: Reporter): AlertSpec {
  const { settings, word } = scope;
  checkAlert(scope, reporter);
  return {
    name: word.text,
    mail: settings.mail === undefined ? null : mailOf(settings, node),
    program: settings.program?.value ?? '',
    webhook: settings.webhook?.value ?? '',
    syslog: settings.syslog !== undefined,
    gatherMs: settings.gather?.value ?? DEFAULT_GATHER_MS,
    recovery: settings.recovery?.value ?? true,
  };
}

function mailOf(settings: MonitorSettings, node: string): MailSpec {
  const server = settings.server?.value ?? DEFAULT_MAIL_SERVER;
  const [user, password] = settings.login?.value ?? ['', ''];
  return {
    to: [...new Set(settings.mail?.value ?? [])],
    from: settings.from?.value ?? defaultSender(node),
    server,
    tls: settings.tls?.value ?? usualTls(server),
    user,
    password,
  };
}

/** Whose name a mail carries where none is set. */
export function defaultSender(node: string): string {
  return `hastmon@${node.replace(/[^A-Za-z0-9.-]/g, '-')}`;
}

/** What the port says (RFC 8314: 465 is encrypted from the start, 587 is for mail that users submit). */
function usualTls(server: string): MailSpec['tls'] {
  if (server.endsWith(':465')) return 'tls';
  return server.endsWith(':587') ? 'starttls' : 'none';
}

function checkAlert({ settings, word, broken }: NamedScope, reporter: Reporter): void {
  const { mail, program, webhook, syslog, login, server } = settings;
  if ([mail, program, webhook, syslog].every((way) => way === undefined) && !broken) {
    const help = 'expected mail, program, webhook or syslog';
    reporter.error(word, `alert ${quote(word.text)} tells nobody`, help);
  }
  for (const name of ['from', 'server', 'tls', 'login'] as const) {
    const setting = settings[name];
    if (setting !== undefined && mail === undefined && !broken)
      reporter.error(setting.name, `${quote(name)} means nothing without 'mail'`, 'expected mail ADDRESS …');
  }
  const host = server?.value ?? DEFAULT_MAIL_SERVER;
  const local = /^(?:localhost|127\.[0-9.]+|\[::1\])(?::|$)/.test(host);
  if (login === undefined || local || (settings.tls?.value ?? usualTls(host)) !== 'none') return;
  reporter.warning(login.name, 'the password is sent unencrypted', 'better with tls starttls, or tls tls');
}
