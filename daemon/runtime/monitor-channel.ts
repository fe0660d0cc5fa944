/**
 * What the main process says to a monitor process, in its order. What is long is made and sent a piece in each turn of the loop: leases are
 * renewed in between.
 */
export interface MonitorChannel<Message> {
  say(message: Message): void;
  /** Pieces that are made when it is their turn, from what is so then. */
  sayAll(pieces: readonly (() => Message)[]): void;
}

export function createMonitorChannel<Message>(send: (message: Message) => void): MonitorChannel<Message> {
  const waiting: (() => Message)[] = [];

  function next(): void {
    const make = waiting.shift();
    if (make !== undefined) send(make());
    if (waiting.length > 0) setImmediate(next);
  }

  function sayAll(pieces: readonly (() => Message)[]): void {
    const idle = waiting.length === 0;
    waiting.push(...pieces);
    if (idle && waiting.length > 0) setImmediate(next);
  }

  return {
    say(message) {
      if (waiting.length === 0) send(message);
      else sayAll([() => message]);
    },
    sayAll,
  };
}
