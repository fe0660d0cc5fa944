/**
 * The console: one line in, one answer out, as ipvs-weightman's. Lines that begin with `#` are for people: names that do not exist, what a
 * reload or a `set` has done (there it was silent). It knows no socket.
 */
import { messageOf } from '../../sys/errors.js';
import type { BalancerCommand } from '../types.js';
import { dumpText } from './dump.js';
import { type ConsoleCommand, parseLine, type SetCommand } from './grammar.js';
import { HELP } from './help.js';
import { hostsOf, showHosts, tagLine } from './show.js';
import { type ConsoleHost, type ConsoleSession, HISTORY_MAX } from './types.js';

export interface ConsoleAnswer {
  /** Whole lines; '' for nothing. Without the prompt. */
  text: string;
  /** The session is over. */
  ended: boolean;
}

/** Characters of an answer that are worth keeping. */
const ANSWER_SHOWN = 200;

/** Never rejects: what goes wrong is a line of the answer. */
export async function interpret(
  line: string,
  session: ConsoleSession,
  host: ConsoleHost,
): Promise<ConsoleAnswer> {
  // What comes back must not steer anybody's terminal.
  const clean = line === '\x04' ? line : line.replace(/\p{Cc}/gu, ' ').trim();
  const command = remember(clean, session);
  try {
    const text = await answer(command, session, host);
    if (command.kind === 'set' || command.kind === 'reload')
      host.typed?.(session.by, clean, text.slice(0, ANSWER_SHOWN).trimEnd());
    return { text, ended: command.kind === 'quit' };
  } catch (error) {
    return { text: comment(`internal error: ${messageOf(error)}`), ended: false };
  }
}

/** The command of the line, or the last `show` again, which is kept with those before it. */
function remember(line: string, session: ConsoleSession): ConsoleCommand {
  const command = parseLine(line);
  if (command.kind === 'again') return parseLine(session.shown[0] ?? '');
  if (/^show\s/i.test(line)) session.shown = [line, ...session.shown].slice(0, HISTORY_MAX);
  return command;
}

async function answer(command: ConsoleCommand, session: ConsoleSession, host: ConsoleHost): Promise<string> {
  switch (command.kind) {
    case 'nothing':
    case 'quit':
    case 'again':
      return '';
    case 'help':
      return HELP;
    case 'history':
      return session.shown.map((line) => `>> ${line}\n`).join('');
    case 'list': {
      const { hosts, services } = host.config();
      return tagLine((command.what === 'hosts' ? hosts : services).map(({ tag }) => tag));
    }
    case 'hosts-of':
      return hostsOf(host, command.services);
    case 'show':
      await host.refresh();
      return whose(host) + showHosts(host, allHosts(host, command.hosts), command.services);
    case 'dump':
      return (command.what === 'options' ? '' : whose(host)) + dumpText(host, command);
    case 'set':
      return set(command, session, host);
    case 'reload':
      return comment(await host.reload());
    case 'diff':
      return whole(await host.diff()) || comment('a reload would change nothing');
    case 'level':
      host.logLevel(command.level);
      return '';
    case 'wrong':
      return comment(command.why);
    case 'unknown':
      return '???\n';
  }
}

/** On a node that is not the director, before what is shown there: who says so, and how long ago. */
function whose(host: ConsoleHost): string {
  const words = host.whose();
  return words === '' ? '' : comment(words);
}

function allHosts(host: ConsoleHost, tags: readonly string[]): readonly string[] {
  return tags.includes('*') ? host.config().hosts.map(({ tag }) => tag) : tags;
}

/** Does it for what exists, and says what does not. */
async function set(
  { hosts, change }: SetCommand,
  { by }: ConsoleSession,
  host: ConsoleHost,
): Promise<string> {
  let text = '';
  for (const tag of allHosts(host, hosts)) {
    const config = host.config().hosts.find((candidate) => candidate.tag === tag);
    if (config === undefined) {
      text += `# Host '${tag}': Not found\n`;
      continue;
    }
    const { services } = change;
    const known = services?.filter((name) => name === '*' || config.weights.has(name)) ?? null;
    for (const name of services ?? [])
      if (!known?.includes(name)) text += `# Host '${tag}' in VS '${name}': Not found\n`;
    if (known?.length === 0) continue;
    const command = { ...change, hosts: [tag], services: known, by } as BalancerCommand;
    const { error, text: done } = await host.command(command);
    text += comment(error) + comment(done);
  }
  return text;
}

function comment(text: string): string {
  return whole(text).replace(/^(?=.)/gm, '# ');
}

/** With an end of its last line. */
function whole(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
