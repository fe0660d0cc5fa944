/**
 * `hastmonctl console`: the balancer's console over the control socket. On a terminal with history and completion; from a pipe its lines
 * are a script, and answers are all that is printed.
 */
import { createInterface } from 'node:readline/promises';
import { exitCode } from '../daemon/process/sysexits.js';
import { answer, BALANCER_MS } from './answer.js';
import { complete, type Tags } from './console-words.js';
import type { Session } from './run.js';
import { invokingUser } from './user.js';

const PROMPT = '$ ';
/** To the begin of the row, with nothing on it. */
const ROW_AGAIN = '\r\x1b[K';
/** What the console says to what it does not know. */
const UNKNOWN = '???\n';
const HISTORY_MAX = 500;

type Say = (line: string, session?: string) => Promise<{ text: string; ended: boolean }>;

/** Gives the exit status: that of a wrong command line where a line of a script was not understood. */
export async function runConsole(session: Session): Promise<number> {
  const by = invokingUser();
  // Another process of the same number may have been here before.
  const own = `${by} ${process.pid} ${Date.now().toString(36)}`;
  const say: Say = (line, name = own) =>
    answer(session, { kind: 'balancer-console', session: name, by, line }, 'console', BALANCER_MS);
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
  return interactive && !session.invocation.json
    ? converse(await tagsBy(say, `${own} tags`), say)
    : script(session, say);
}

async function tagsBy(say: Say, name: string): Promise<Tags> {
  const [hosts, services] = [await say('show hosts', name), await say('show vs', name)];
  const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');
  return { hosts: words(hosts.text), services: words(services.text) };
}

async function converse(tags: Tags, say: Say): Promise<number> {
  const lines = createInterface({
    ...{ input: process.stdin, output: process.stdout, historySize: HISTORY_MAX },
    ...{ removeHistoryDuplicates: true, completer: (line: string) => complete(line, tags) },
  });
  // Lines that are pasted, or typed before an answer is there, wait for their turn.
  const typed: string[] = [];
  let closed = false;
  let wake = (): void => {};
  lines.on('line', (line) => {
    typed.push(line);
    wake();
  });
  lines.once('close', () => {
    closed = true;
    wake();
  });
  lines.once('SIGINT', () => {
    typed.length = 0;
    lines.close();
  });
  // After Ctrl-Z and fg readline leaves its input paused: nothing would be waited for, and the process would end.
  lines.on('SIGCONT', () => lines.resume());
  lines.setPrompt(PROMPT);
  try {
    for (;;) {
      // What is half typed already goes on behind the prompt.
      if (typed.length > 0) process.stdout.write(`${ROW_AGAIN}${PROMPT}${typed[0]}\n`);
      else if (!closed) {
        lines.prompt(true);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const line = typed.shift();
      if (line === undefined) {
        // Ctrl-D and Ctrl-C leave the prompt behind.
        process.stdout.write('\n');
        return exitCode.ok;
      }
      const { ended, text } = await say(line);
      process.stdout.write(lines.line === '' ? text : `${ROW_AGAIN}${text}`);
      if (ended) return exitCode.ok;
    }
  } finally {
    lines.close();
  }
}

async function script({ invocation, terminal }: Session, say: Say): Promise<number> {
  let code: number = exitCode.ok;
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    const { ended, text } = await say(line);
    if (text === UNKNOWN) code = exitCode.usage;
    terminal.print(invocation.json ? `${JSON.stringify({ line, text, ended })}\n` : text);
    if (ended || terminal.gone()) break;
  }
  return code;
}
