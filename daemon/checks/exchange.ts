/**
 * Transactions of several steps: this side sends, the other side's answer has to be as expected, and so on. Redis, PostgreSQL and
 * MySQL are such transactions with names; `send` and `expect` of the configuration are others.
 */
import { beginsWith, type Expectation, endOf, expectPattern } from './expectation.js';
import type { Flight } from './flight.js';
import { codeOfNature, OK } from './natures.js';
import { type Dialogue, MORE, type Say } from './plan.js';

export interface Step {
  /** null: the other side speaks first. */
  send: Buffer | null;
  /** null: nothing is waited for. */
  expect: Expectation | null;
  /** An answer that begins so settles the matter as a failure, without waiting for more. */
  refuse?: readonly Buffer[];
}

const MISMATCH = codeOfNature('answer-mismatch');
const CLOSED_EARLY = codeOfNature('closed-early');
const TOO_LONG = codeOfNature('too-long');
const ANSWER_BYTES_MAX = 65_536;

/**
 * What is expected may be anywhere in what has come since the step before. Where something is sent in between, what came before
 * that is no answer to it, and forgotten; `strict`: nothing comes that is no answer, and nothing is forgotten. What never comes is
 * told by the end, or by the time.
 */
export function exchangeDialogue(steps: readonly Step[], goodbye: Buffer | null, strict = false): Dialogue {
  /** Goes on from the flight's step as far as nothing has to be waited for; gives what is to be sent. */
  function advance(flight: Flight): Buffer | null {
    let bytes: Buffer | null = null;
    for (; flight.step < steps.length; flight.step += 1) {
      const step = steps[flight.step] as Step;
      if (step.send !== null) bytes = bytes === null ? step.send : Buffer.concat([bytes, step.send]);
      if (step.expect !== null) break;
    }
    return bytes;
  }

  /** Bytes up to the end of what is expected, -1 where that is not there yet, -2 where it will not come. */
  function used({ kept, keptLength, step }: Flight): number {
    const { expect, refuse = [] } = steps[step] as Step;
    if (kept === null) return -1;
    if (refuse.some((text) => beginsWith(text, kept, keptLength) === 1)) return -2;
    return expect === null ? 0 : endOf(expect, kept, keptLength);
  }

  /** Takes as many steps as what has come allows. */
  function judge(flight: Flight, say: Say): number {
    while (flight.step < steps.length) {
      const length = used(flight);
      if (length < 0) return length === -1 ? MORE : MISMATCH;
      flight.step += 1;
      const bytes = advance(flight);
      flight.drop(bytes === null || strict ? length : flight.keptLength);
      if (bytes !== null) say(flight, bytes);
    }
    return OK;
  }

  return {
    opening: advance,
    receive(flight, bytes, length, say) {
      if (flight.step >= steps.length) return OK;
      return keepAndJudge(flight, bytes, length, () => judge(flight, say));
    },
    end: (flight) => (flight.keptLength > 0 ? MISMATCH : CLOSED_EARLY),
    goodbye,
  };
}

/** Keeps as much as may be kept, looks at it, and goes on with the rest. */
function keepAndJudge(flight: Flight, bytes: Buffer, length: number, judge: () => number): number {
  for (let at = 0; at < length; ) {
    const room = Math.min(length - at, ANSWER_BYTES_MAX - flight.keptLength);
    if (room === 0) return TOO_LONG;
    flight.keep(at === 0 ? bytes : bytes.subarray(at), room, ANSWER_BYTES_MAX);
    at += room;
    const verdict = judge();
    if (verdict !== MORE) return verdict;
  }
  return MORE;
}

/** Redis: a PONG, or the word that it wants a password: it answers either way (redis.io/commands/ping). */
export function redisDialogue(password: string): Dialogue {
  const command = (...words: string[]): string =>
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
  const steps: Step[] = [];
  if (password !== '')
    steps.push({
      send: Buffer.from(command('AUTH', password)),
      expect: expectPattern('^\\+OK\\r\\n'),
      refuse: [Buffer.from('-')],
    });
  const answers = password === '' ? '^(\\+PONG|-NOAUTH)' : '^\\+PONG';
  steps.push({
    send: Buffer.from(command('PING')),
    expect: expectPattern(answers),
    refuse: [
      Buffer.from('-LOADING'),
      Buffer.from('-ERR'),
      Buffer.from('-MASTERDOWN'),
      Buffer.from('-DENIED'),
    ],
  });
  return exchangeDialogue(steps, Buffer.from(command('QUIT')), true);
}

/** Before it says who may log in. */
const NOTICES_MAX = 16;

/** What a message of PostgreSQL's can begin with before anybody has logged in: 'R', 'E', 'N', 'v'. */
const POSTGRES_MESSAGES: ReadonlySet<number> = new Set([0x52, 0x45, 0x4e, 0x76]);

/**
 * PostgreSQL: a startup message; that it asks for a password, or does not know the user, is an answer of a server that works.
 * "The database system is starting up" and "too many clients" are not. Source: PostgreSQL documentation, 55.2 and appendix A.
 */
export function postgresDialogue(user: string, database: string): Dialogue {
  const words = Buffer.from(`user\0${user}\0database\0${database}\0application_name\0hastmon\0\0`);
  const startup = Buffer.alloc(8);
  startup.writeInt32BE(8 + words.length, 0);
  startup.writeInt32BE(196_608, 4);
  const opening = Buffer.concat([startup, words]);

  /** The first message, once it is complete. */
  function judge(flight: Flight): number {
    const kept = flight.kept as unknown as Buffer;
    if (!POSTGRES_MESSAGES.has(kept[0] as number)) return MISMATCH;
    if (flight.keptLength < 5) return MORE;
    const size = kept.readInt32BE(1);
    if (size < 4 || size >= ANSWER_BYTES_MAX) return MISMATCH;
    if (flight.keptLength <= size) return MORE;
    const type = String.fromCharCode(kept[0] as number);
    if (type === 'R') {
      if (size < 8) return MISMATCH;
      // Who is asked for a password and has none just goes: anything that is said then is written to the server's log.
      flight.quiet = kept.readInt32BE(5) !== 0;
      return OK;
    }
    if (type === 'E') {
      flight.quiet = true;
      // Field C is the SQLSTATE.
      return /(^|\0)C(28|3D)/.test(kept.toString('latin1', 5, 1 + size)) ? OK : MISMATCH;
    }
    flight.drop(1 + size);
    flight.step += 1;
    if (flight.step > NOTICES_MAX) return TOO_LONG;
    return flight.keptLength > 0 ? judge(flight) : MORE;
  }

  return {
    opening: () => opening,
    receive: (flight, bytes, length) => keepAndJudge(flight, bytes, length, () => judge(flight)),
    end: (flight) => (flight.keptLength > 0 ? MISMATCH : CLOSED_EARLY),
    goodbye: Buffer.from([0x58, 0, 0, 0, 4]),
  };
}

const CLIENT_PROTOCOL_41 = 0x0200;
const CLIENT_SECURE_CONNECTION = 0x8000;
const CLIENT_PLUGIN_AUTH = 0x80000;

/**
 * MySQL and MariaDB: the greeting, then a login, whose refusal is an answer too. A handshake that is broken off would count towards
 * max_connect_errors, and lock this host out in the end. Source: dev.mysql.com, Connection Phase.
 */
export function mysqlDialogue(user: string): Dialogue {
  const name = Buffer.from(user);
  const payload = Buffer.concat([
    fixedPart(),
    name,
    Buffer.from([0, 0]),
    Buffer.from('mysql_native_password\0'),
  ]);
  const login = packet(1, payload);

  function greeting(flight: Flight, say: Say): number {
    const [protocol] = [flight.kept?.[4]];
    // 255: an error in the greeting's place (too many connections, this host is blocked).
    if (protocol !== 10) return MISMATCH;
    flight.step = 1;
    say(flight, login);
    return MORE;
  }

  function answer(flight: Flight, kept: Buffer, size: number, say: Say): number {
    const kind = kept[4];
    if (kind === 0) return OK;
    if (kind === 0xff && size >= 3) {
      // It has closed the connection already.
      flight.quiet = true;
      const code = kept.readUInt16LE(5);
      // ER_ACCESS_DENIED_ERROR and its kin: it knows who may and who may not, so it works.
      return [1044, 1045, 1698, 1251, 3118].includes(code) ? OK : MISMATCH;
    }
    if (kind !== 0xfe || flight.step !== 1) return MISMATCH;
    // Another way of proving who one is: we prove nothing.
    flight.step = 2;
    const sequence = ((kept[3] as number) + 1) & 0xff;
    say(flight, packet(sequence, Buffer.alloc(0)));
    return MORE;
  }

  function packets(flight: Flight, say: Say): number {
    for (;;) {
      const { kept, keptLength } = flight;
      if (kept === null || keptLength < 4) return MORE;
      const size = kept.readUIntLE(0, 3);
      if (size === 0 || size > ANSWER_BYTES_MAX - 4) return MISMATCH;
      if (keptLength < 4 + size) return MORE;
      const verdict = flight.step === 0 ? greeting(flight, say) : answer(flight, kept, size, say);
      if (verdict !== MORE) return verdict;
      flight.drop(4 + size);
    }
  }

  return {
    opening: () => null,
    receive(flight, bytes, length, say) {
      return keepAndJudge(flight, bytes, length, () => packets(flight, say));
    },
    end: (flight) => (flight.keptLength > 0 ? MISMATCH : CLOSED_EARLY),
    goodbye: packet(0, Buffer.from([1])),
  };
}

function fixedPart(): Buffer {
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE(CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH, 0);
  fixed.writeUInt32LE(1 << 24, 4);
  fixed[8] = 33;
  return fixed;
}

function packet(sequence: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = sequence;
  return Buffer.concat([head, payload]);
}
