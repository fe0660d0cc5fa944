/** Sessions that have no connection of their own: hastmonctl's. Nobody says when they end, so the ones used last are kept. */
import { type ConsoleAnswer, interpret } from './interpret.js';
import { type ConsoleHost, type ConsoleSession, newSession } from './types.js';

/** Of an older one the last `show` and its history are forgotten. */
const KEPT_MAX = 100;

/** Gives the function that answers a line of a session by its name. */
export function createSessions(
  host: ConsoleHost,
): (name: string, by: string, line: string) => Promise<ConsoleAnswer> {
  const sessions = new Map<string, ConsoleSession>();
  return (name, by, line) => {
    const session = sessions.get(name) ?? newSession(by);
    sessions.delete(name);
    sessions.set(name, session);
    for (const oldest of sessions.keys()) {
      if (sessions.size <= KEPT_MAX) break;
      sessions.delete(oldest);
    }
    session.by = by;
    return interpret(line, session, host);
  };
}
