/** Carries `explain` out: why something is as it is, first in a sentence and then condition by condition. */
import { exitCode } from '../daemon/process/sysexits.js';
import type { ExplainRequest } from '../proto/explain-types.js';
import { succeeded } from './answer.js';
import { formatExplanation } from './explain.js';
import type { Session } from './run.js';

/** The balancer may be busy. */
const ANSWER_MS = 35_000;

/** Gives the exit status: 0 however it stands. */
export async function runExplain(
  { ask, invocation, terminal }: Session,
  request: ExplainRequest,
): Promise<number> {
  const { explanations, text } = succeeded(await ask(request, ANSWER_MS));
  for (const line of text.split('\n')) if (line !== '') terminal.note(`hastmonctl: ${line}`);
  if (invocation.json) terminal.print(`${JSON.stringify(explanations, null, 2)}\n`);
  else {
    const room = { columns: terminal.columns(), colour: terminal.colour };
    terminal.print(explanations.map((explanation) => formatExplanation(explanation, room)).join('\n'));
  }
  return exitCode.ok;
}
