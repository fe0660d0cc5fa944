/** Carries `events` out: prints what has happened, and then what happens. */
import { exitCode } from '../daemon/process/sysexits.js';
import type { EventsRequest, HaEvent } from '../proto/event-types.js';
import { succeeded } from './answer.js';
import { formatEvent } from './events.js';
import type { Session } from './run.js';

const ANSWER_MS = 30_000;

/** With --json a line of JSON each, so that it can be read while it comes. Gives the exit status. */
export async function runEvents(
  { ask, invocation, terminal }: Session,
  request: EventsRequest,
): Promise<number> {
  let shown = 0;
  const show = (events: readonly HaEvent[]): void => {
    shown += events.length;
    const line = invocation.json
      ? (event: HaEvent) => `${JSON.stringify(event)}\n`
      : (event: HaEvent) => formatEvent(event, terminal.colour);
    if (events.length > 0) terminal.print(events.map(line).join(''));
    // Nobody reads what would follow.
    if (terminal.gone()) process.exit(exitCode.ok);
  };
  succeeded(await ask(request, request.follow ? 0 : ANSWER_MS, show));
  if (shown === 0 && !invocation.json) terminal.note(`hastmonctl: ${nothing(request)}`);
  return exitCode.ok;
}

function nothing({ names, sinceMs }: EventsRequest): string {
  const about = names.length === 0 ? '' : ` about ${names.join(', ')}`;
  return `nothing has happened here${about}${sinceMs === null ? '' : ' since then'}`;
}
