/**
 * Alerts against a mail server of Debian's, OpenSMTPD: `node dist/test/alerts/run-mail.js`, as root. It is down, turns everybody
 * away, hangs, is slow, then works; the desk is restarted in between. In the end every edge has arrived,
 * once. Prints a line for each phase; exit status 1 where anything is lost or doubled.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AlertSpec } from '../../daemon/checks/spec.js';
import { createStage, furnish, type Program, type Stage } from '../checks/servers/stage.js';
import { pause, until } from '../system/wait.js';
import { alertOf, type Desk, deskFor, mailOf, noticeOf, SETUP } from './support.js';

const INSIDE = '--inside';
const LIMIT_MS = 120_000;

function main(): number {
  if (process.getuid?.() !== 0) return skip('it needs root');
  if (!existsSync('/usr/sbin/smtpd')) return skip('there is no smtpd');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hastmon-mail-'));
  const spaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  try {
    const words = [...spaces, process.execPath, fileURLToPath(import.meta.url), INSIDE, folder];
    return spawnSync('unshare', words, { stdio: 'inherit' }).status ?? 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function skip(reason: string): number {
  console.log(`mail to a real server: skipped, ${reason}`);
  return 0;
}

/** OpenSMTPD with an inbox for each recipient; `filter` is put before its listener. */
class Server {
  private readonly stage: Stage;
  private readonly directory: string;
  private program: Program | null = null;

  constructor(stage: Stage) {
    this.stage = stage;
    this.directory = stage.directory('smtpd');
    stage.directory('inbox', 'nobody');
  }

  async start(filter = ''): Promise<void> {
    const { directory, stage } = this;
    const file = stage.write(
      directory,
      'settings',
      `table everybody { "@" = nobody }
${filter === '' ? '' : `filter "mood" ${filter}`}
listen on 127.0.0.1 port 25 hostname mail.test ${filter === '' ? '' : 'filter "mood"'}
action "keep" maildir "${stage.folder}/inbox/%{rcpt.user}" virtual <everybody>
match from any for any action "keep"
`,
    );
    this.program = stage.start(directory, '/usr/sbin/smtpd', ['-d', '-f', file]);
    // It listens before all of its processes know each other: one that is stopped then is lost.
    await until(greets, 20_000, () => `smtpd does not greet\n${this.log()}`);
  }

  async stop(): Promise<void> {
    this.signal('SIGCONT');
    await this.program?.stop();
    const gone = (): boolean => this.processes().length === 0;
    // Some of its processes hang at times when their parent has gone.
    await until(gone, 5000, '').catch(() => this.signal('SIGKILL'));
    await until(gone, 5000, 'all of smtpd has ended');
  }

  log(): string {
    return this.program?.log() ?? '';
  }

  /** All of its processes: nothing else is called so in this namespace. */
  signal(name: NodeJS.Signals): void {
    for (const pid of this.processes()) process.kill(pid, name);
  }

  private processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name) && nameOf(name) === 'smtpd')
      .map(Number);
  }

  /** The edges that have arrived, by recipient. */
  inbox(user: string): string[] {
    const folder = path.join(this.stage.folder, 'inbox', user, 'new');
    if (!existsSync(folder)) return [];
    return readdirSync(folder).flatMap((name) => {
      const text = readFileSync(path.join(folder, name), 'utf8').replaceAll(/\n[ \t]+/g, ' ');
      return /^X-Hastmon-Edge: (.*)$/m.exec(text)?.[1]?.split(' ') ?? [];
    });
  }
}

/** True where port 25 answers as a mail server does. */
function greets(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(25, '127.0.0.1');
    const end = (greeted: boolean): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.setTimeout(1000, () => end(false));
    socket.once('data', (bytes) => end(bytes.toString('latin1').startsWith('220')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

/** '' for one that has ended and waits to be asked for: nobody in this namespace does. */
function nameOf(pid: string): string {
  try {
    const [, name = '', state] = /\((.*)\) (.)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return state === 'Z' ? '' : name;
  } catch {
    return '';
  }
}

/** What confirmation does: an edge that is given back is told again after a while. */
class Teller {
  private trial: Desk;
  private readonly dir: string;
  private readonly alert: AlertSpec;
  readonly name: string;
  readonly wanted: string[] = [];
  private taken = 0;
  private again = 0;
  private readonly open = new Set<string>();

  constructor(name: string, dir: string, alert: AlertSpec) {
    this.name = name;
    this.dir = dir;
    this.alert = alert;
    this.trial = deskFor(dir);
    this.trial.desk.configure([alert], SETUP);
  }

  tell(count: number): void {
    for (let index = 0; index < count; index += 1) {
      const check = `c${this.wanted.length + 1}`;
      this.wanted.push(`${check}#1`);
      this.open.add(check);
      this.trial.desk.tell(noticeOf(1, { check }));
    }
  }

  async restart(): Promise<void> {
    await this.trial.desk.close();
    this.look();
    this.trial = deskFor(this.dir);
    this.taken = 0;
    this.trial.desk.configure([this.alert], SETUP);
    for (const check of this.open) this.trial.desk.tell(noticeOf(1, { check }));
  }

  /** Takes what was done; true when nothing is open and nothing on disk. */
  look(): boolean {
    for (; this.taken < this.trial.done.length; this.taken += 1) {
      const [id = '', why = ''] = (this.trial.done[this.taken] ?? '').split(/: (.*)/s);
      const check = id.replace('#1', '');
      if (why === '') this.open.delete(check);
      else {
        this.again += 1;
        // A restart in between tells it too.
        setTimeout(() => {
          if (this.open.has(check)) this.trial.desk.tell(noticeOf(1, { check }));
        }, 2000);
      }
    }
    return this.open.size === 0 && readdirSync(this.dir).length === 0;
  }

  async settle(): Promise<void> {
    const log = (): string => this.trial.log.slice(-15).join('\n');
    await until(
      () => this.look(),
      LIMIT_MS,
      () => `open: ${[...this.open].join(' ')}\n${log()}`,
    );
  }

  summary(): string {
    return `${this.wanted.length} edges, given back ${this.again} times, ${readdirSync(this.dir).length} on disk`;
  }

  close(): Promise<void> {
    return this.trial.desk.close();
  }
}

async function inside(folder: string): Promise<number> {
  const stage = createStage(folder);
  furnish(stage);
  const server = new Server(stage);
  const program = path.join(folder, 'program');
  writeFileSync(program, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  // One alert has mail only, and gives back; the other one keeps its mail, since its program works.
  const tellers = ['ops', 'pager'].map((name) => {
    const mail = mailOf('127.0.0.1:25', { to: [`${name}@example.com`] });
    const alert = alertOf(name, { mail, gatherMs: 300, program: name === 'pager' ? program : '' });
    return new Teller(name, path.join(folder, 'state', name), alert);
  });
  try {
    await phases(server, tellers);
  } catch (error) {
    console.log(`${(error as Error).message}\n${server.log().slice(-2000)}`);
    return 1;
  } finally {
    for (const teller of tellers) await teller.close();
    await server.stop();
  }
  let failed = false;
  for (const { name, wanted } of tellers) {
    const got = server.inbox(name);
    const lost = wanted.filter((id) => !got.includes(id));
    const doubled = got.filter((id, at) => got.indexOf(id) !== at);
    console.log(
      `${name}: ${got.length} arrived, lost: ${lost.join(' ') || 'none'}, twice: ${doubled.join(' ') || 'none'}`,
    );
    failed ||= lost.length + doubled.length > 0;
  }
  return failed ? 1 : 0;
}

async function phases(server: Server, tellers: readonly Teller[]): Promise<void> {
  const say = (phase: string): void => {
    for (const teller of tellers) console.log(`${teller.name}: ${phase}: ${teller.summary()}`);
  };
  const tell = (count: number): void => {
    for (const teller of tellers) teller.tell(count);
  };
  const lookOn = async (ms: number, each = (): Promise<void> => pause(100)): Promise<void> => {
    for (const end = performance.now() + ms; performance.now() < end; )
      await each().then(() => tellers.map((teller) => teller.look()));
  };
  const settle = async (): Promise<void> => {
    for (const teller of tellers) await teller.settle();
    // A server that is ended while it puts mail into an inbox does so again. What is lost is told by name.
    const all = (): boolean =>
      tellers.every(({ name, wanted }) => server.inbox(name).length >= wanted.length);
    await until(all, 20_000, '').catch(() => {});
    await pause(500);
  };
  await server.start();
  tell(3);
  await settle();
  say('works');
  await server.stop();
  tell(3);
  await lookOn(3000);
  for (const teller of tellers) await teller.restart();
  tell(2);
  await lookOn(3000);
  say('was down, and hastmond restarted');
  await server.start('phase mail-from match !auth reject "451 later"');
  tell(3);
  await lookOn(7000);
  say('turned everybody away');
  await server.stop();
  await server.start();
  server.signal('SIGSTOP');
  tell(2);
  await lookOn(17_000);
  say('hung');
  server.signal('SIGCONT');
  await settle();
  tell(3);
  await lookOn(6000, async () => {
    server.signal('SIGSTOP');
    await pause(300);
    server.signal('SIGCONT');
    await pause(50);
  });
  await settle();
  say('was slow');
}

process.exitCode = process.argv[2] === INSIDE ? await inside(process.argv[3] ?? '') : main();
