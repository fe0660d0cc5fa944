/**
 * Transactions of several steps: this side sends, the other side's answer has to be as expected, and so on. Redis, PostgreSQL and
 * MySQL are such transactions with names; `send` and `expect` of the configuration are others.
 */
import { beginsWith, type Expectation, expectPattern, occursIn } from './expectation.js';
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
 * What is expected may be anywhere in what has come since the step before: the rest of an earlier answer's last line is in no
 * one's way. What never comes is told by the end, or by the time.
 */
export function exchangeDialogue(steps: readonly Step[], goodbye: Buffer | null): Dialogue {
  /** Goes on from the flight's step as far as nothing has to be waited for. */
  function advance(flight: Flight, say: Say | null): { verdict: number; bytes: Buffer | null } {
    let bytes: Buffer | null = null;
    for (; flight.step < steps.length; flight.step += 1) {
      const step = steps[flight.step] as Step;
      if (step.send !== null) bytes = bytes === null ? step.send : Buffer.concat([bytes, step.send]);
      if (step.expect !== null) break;
    }
    if (bytes !== null) say?.(flight, bytes);
    return { verdict: flight.step < steps.length ? MORE : OK, bytes };
  }

  function judge(flight: Flight): number {
    const { expect, refuse = [] } = steps[flight.step] as Step;
    const answer = flight.kept as unknown as Buffer;
    const length = flight.keptLength;
    if (refuse.some((text) => beginsWith(text, answer, length) === 1)) return MISMATCH;
    if (expect === null) return OK;
    return occursIn(expect, answer, length) ? OK : MORE;
  }

  return {
    opening: (flight) => advance(flight, null).bytes,
    receive(flight, bytes, length, say) {
      if (flight.step >= steps.length) return OK;
      if (!flight.keep(bytes, length, ANSWER_BYTES_MAX)) return TOO_LONG;
      const verdict = judge(flight);
      if (verdict !== OK) return verdict;
      flight.kept = null;
      flight.keptLength = 0;
      flight.step += 1;
      return advance(flight, say).verdict;
    },
    end: (flight) => (flight.keptLength > 0 ? MISMATCH : CLOSED_EARLY),
    goodbye,
  };
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
  return exchangeDialogue(steps, Buffer.from(command('QUIT')));
}

/**
 * PostgreSQL: a startup message; that it asks for a password, or does not know the user, is an answer of a server that works.
 * "The database system is starting up" and "too many clients" are not. Source: PostgreSQL documentation, 55.2 and appendix A.
 */
export function postgresDialogue(user: string, database: string): Dialogue {
  const words = Buffer.from(`user\0${user}\0database\0${database}\0application_name\0hastmon\0\0`);
  const startup = Buffer.alloc(8);
  startup.writeInt32BE(8 + words.length, 0);
  startup.writeInt32BE(196_608, 4);
  const steps: Step[] = [
    {
      send: Buffer.concat([startup, words]),
      // 'R': authentication request. 'E': an error, whose SQLSTATE (field C) tells which.
      expect: expectPattern('^(R|E[\\s\\S]*\\0C(28|3D))'),
    },
  ];
  return errorsSettle(exchangeDialogue(steps, Buffer.from([0x58, 0, 0, 0, 4])));
}

/** An error message that is complete and was not accepted: waiting for more would only take time. */
function errorsSettle(dialogue: Dialogue): Dialogue {
  return {
    ...dialogue,
    receive(flight, bytes, length, say) {
      const verdict = dialogue.receive(flight, bytes, length, say);
      if (verdict !== MORE || flight.kept === null || flight.keptLength < 5) return verdict;
      const complete = flight.keptLength > flight.kept.readInt32BE(1);
      return flight.kept[0] === 0x45 && complete ? MISMATCH : verdict;
    },
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
    clear(flight);
    say(flight, login);
    return MORE;
  }

  function answer(flight: Flight, say: Say): number {
    const kept = flight.kept as unknown as Buffer;
    const kind = kept[4];
    if (kind === 0) return OK;
    if (kind === 0xff) {
      const code = kept.readUInt16LE(5);
      // ER_ACCESS_DENIED_ERROR and its kin: it knows who may and who may not, so it works.
      return [1044, 1045, 1698, 1251, 3118].includes(code) ? OK : MISMATCH;
    }
    if (kind !== 0xfe || flight.step !== 1) return MISMATCH;
    // Another way of proving who one is: we prove nothing.
    flight.step = 2;
    const sequence = ((kept[3] as number) + 1) & 0xff;
    clear(flight);
    say(flight, packet(sequence, Buffer.alloc(0)));
    return MORE;
  }

  return {
    opening: () => null,
    receive(flight, bytes, length, say) {
      if (!flight.keep(bytes, length, ANSWER_BYTES_MAX)) return TOO_LONG;
      const kept = flight.kept as unknown as Buffer;
      if (flight.keptLength < 4) return MORE;
      const size = kept.readUIntLE(0, 3);
      if (size === 0 || size > ANSWER_BYTES_MAX - 4) return MISMATCH;
      if (flight.keptLength < 4 + size) return MORE;
      return flight.step === 0 ? greeting(flight, say) : answer(flight, say);
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

function clear(flight: Flight): void {
  flight.kept = null;
  flight.keptLength = 0;
}
