/** When an answer is over, however it ends. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Calls back once, when the answer was sent as a whole or its connection is gone; at once where it is gone already. Node tells the end of a
 * connection only to the answer that is being sent on it, so the connection itself is asked as well.
 */
export function whenOver(socket: Socket, response: ServerResponse, call: () => void): void {
  const over = (): void => {
    response.removeListener('close', over);
    socket.removeListener('close', over);
    call();
  };
  if (response.destroyed || socket.destroyed) return call();
  response.on('close', over);
  socket.on('close', over);
}
