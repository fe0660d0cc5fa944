/** A mail server (RFC 5321) on loopback that takes mail, and misbehaves as it is told to. */
import { createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { TLSSocket } from 'node:tls';
import type { Certificate } from './certificate.js';

/** What differs from a good server. Replies are whole lines, `450 later`. */
export interface Manners {
  /** Before the greeting, and before each reply. */
  greetingMs?: number;
  replyMs?: number;
  greeting?: string;
  /** Says nothing at all. */
  silent?: boolean;
  mail?: string;
  /** By recipient. */
  rcpt?: Readonly<Record<string, string>>;
  data?: string;
  /** The reply to the whole message; `` closes the connection instead, having taken it. */
  end?: string;
  endMs?: number;
  /** Closes the connection when so many bytes of the message are there. */
  closeInData?: number;
  /** Offers STARTTLS, or is encrypted from the start. */
  tls?: Certificate;
  tlsFirst?: boolean;
  /** Wants this login. */
  login?: { user: string; password: string };
  /** How: `LOGIN`, where PLAIN is not offered. */
  methods?: string;
}

export interface Mail {
  from: string;
  to: string[];
  data: string;
  encrypted: boolean;
  user: string;
}

export interface SmtpServer {
  readonly port: number;
  /** What it has taken, in order. */
  readonly mails: Mail[];
  /** Connections that it had. */
  sessions: number;
  manners: Manners;
  /** Nothing listens, and connections are broken. */
  down(): Promise<void>;
  up(): Promise<void>;
}

export async function smtpServer(
  t: TestContext,
  manners: Manners = {},
  host = '127.0.0.1',
): Promise<SmtpServer> {
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  const smtp = {
    ...{ port: 0, mails: [] as Mail[], sessions: 0, manners },
    up: () =>
      new Promise<void>((resolve, reject) => {
        server = createServer((socket) => {
          sockets.add(socket);
          socket.on('close', () => sockets.delete(socket));
          smtp.sessions += 1;
          new Session(socket, smtp.manners, smtp.mails);
        });
        server.once('error', reject);
        server.listen(smtp.port, host, () => {
          const address = server?.address();
          if (address !== null && typeof address === 'object') smtp.port = address.port;
          resolve();
        });
      }),
    down: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        if (server === null) resolve();
        else server.close(() => resolve());
        server = null;
      }),
  };
  await smtp.up();
  t.after(() => smtp.down());
  return smtp;
}

class Session {
  private socket: Socket;
  private text = '';
  private inData = false;
  /** What the next line is, when it is no command. */
  private expects: '' | 'user' | 'password' = '';
  private mail: Mail = { from: '', to: [], data: '', encrypted: false, user: '' };
  private user = '';
  private readonly manners: Manners;
  private readonly mails: Mail[];

  constructor(socket: Socket, manners: Manners, mails: Mail[]) {
    this.manners = manners;
    this.mails = mails;
    this.socket = socket;
    if (manners.tlsFirst === true) this.secure();
    else this.attach(socket);
    if (manners.silent !== true)
      this.later(manners.greetingMs, () => this.say(manners.greeting ?? '220 mail.test ESMTP'));
  }

  private attach(socket: Socket): void {
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', (piece: string) => {
      this.text += piece;
      this.read();
    });
  }

  private later(ms: number | undefined, action: () => void): void {
    if (ms === undefined) action();
    else setTimeout(action, ms).unref();
  }

  private say(text: string): void {
    if (!this.socket.destroyed) this.socket.write(`${text}\r\n`, 'latin1');
  }

  private reply(text: string): void {
    this.later(this.manners.replyMs, () => this.say(text));
  }

  private read(): void {
    for (;;) {
      if (this.inData) {
        if (this.text.length >= (this.manners.closeInData ?? Number.POSITIVE_INFINITY))
          return void this.socket.destroy();
        const end = this.text.indexOf('\r\n.\r\n');
        if (end < 0) return;
        this.take(this.text.slice(0, end + 2));
        this.text = this.text.slice(end + 5);
      } else {
        const end = this.text.indexOf('\r\n');
        if (end < 0) return;
        const line = this.text.slice(0, end);
        this.text = this.text.slice(end + 2);
        this.command(line);
      }
    }
  }

  private take(data: string): void {
    this.inData = false;
    const { end = '250 taken', endMs } = this.manners;
    if (end === '' || end.startsWith('2'))
      this.mails.push({ ...this.mail, data: data.replaceAll('\r\n..', '\r\n.') });
    this.later(endMs, () => (end === '' ? this.socket.destroy() : this.reply(end)));
  }

  private command(line: string): void {
    const { manners } = this;
    if (this.expects !== '') return this.credential(line);
    const word = line.split(/[ :]/, 1)[0]?.toUpperCase() ?? '';
    const address = /<(.*?)>/.exec(line)?.[1] ?? '';
    switch (word) {
      case 'EHLO': {
        const offers = ['mail.test'];
        if (manners.tls !== undefined && !this.mail.encrypted) offers.push('STARTTLS');
        if (manners.login !== undefined) offers.push(`AUTH ${manners.methods ?? 'PLAIN LOGIN'}`);
        return this.reply(
          offers.map((offer, at) => `250${at === offers.length - 1 ? ' ' : '-'}${offer}`).join('\r\n'),
        );
      }
      case 'STARTTLS':
        return this.encrypt();
      case 'AUTH':
        return this.login(line);
      case 'MAIL':
        if (manners.login !== undefined && this.user === '') return this.reply('530 log in first');
        this.mail = { ...this.mail, from: address, to: [], user: this.user };
        return this.reply(manners.mail ?? '250 ok');
      case 'RCPT': {
        const answer = manners.rcpt?.[address] ?? '250 ok';
        if (answer.startsWith('2')) this.mail.to.push(address);
        return this.reply(answer);
      }
      case 'DATA':
        this.inData = manners.data === undefined;
        return this.reply(manners.data ?? '354 go on');
      case 'QUIT':
        this.say('221 bye');
        return void this.socket.end();
      default:
        return this.reply('502 what?');
    }
  }

  private encrypt(): void {
    const { tls } = this.manners;
    if (tls === undefined) return this.reply('502 no');
    this.say('220 go on');
    this.socket.removeAllListeners('data');
    this.secure();
  }

  private secure(): void {
    this.socket.on('error', () => {});
    this.socket = new TLSSocket(this.socket, { isServer: true, ...this.manners.tls });
    this.mail.encrypted = true;
    this.text = '';
    this.attach(this.socket);
  }

  private login(line: string): void {
    const [, method = '', initial = ''] = line.split(' ');
    if (method === 'PLAIN') {
      const [, user = '', password = ''] = Buffer.from(initial, 'base64').toString().split('\0');
      return this.check(user, password);
    }
    this.expects = 'user';
    this.reply('334 VXNlcm5hbWU6');
  }

  private credential(line: string): void {
    const word = Buffer.from(line, 'base64').toString();
    if (this.expects === 'password') {
      this.expects = '';
      return this.check(this.user, word);
    }
    this.user = word;
    this.expects = 'password';
    this.reply('334 UGFzc3dvcmQ6');
  }

  private check(user: string, password: string): void {
    const { login } = this.manners;
    const good = user === login?.user && password === login.password;
    this.user = good ? user : '';
    this.reply(good ? '235 welcome' : '535 who?');
  }
}
