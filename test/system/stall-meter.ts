/**
 * How well this machine keeps time at the moment: a process that wakes every 10 ms and sends itself a byte over loopback.
 * It prints a line `<CLOCK_MONOTONIC ms> <ms>` for every wake or byte that came more than 50 ms late, and ends with its
 * standard input.
 */
import net from 'node:net';

const everyMs = 10;
const toldMs = 50;

function tell(lateMs: number): void {
  if (lateMs < toldMs) return;
  process.stdout.write(`${Number(process.hrtime.bigint()) / 1e6} ${lateMs.toFixed(0)}\n`);
}

const server = net.createServer((socket) => socket.pipe(socket));
server.listen(0, '127.0.0.1', () => {
  const socket = net.connect({ port: (server.address() as net.AddressInfo).port, host: '127.0.0.1' });
  socket.setNoDelay(true);
  let last = performance.now();
  let sentAt: number | null = null;
  socket.on('data', () => {
    if (sentAt !== null) tell(performance.now() - sentAt);
    sentAt = null;
  });
  setInterval(() => {
    const now = performance.now();
    tell(now - last - everyMs);
    last = now;
    if (sentAt !== null) return;
    sentAt = now;
    socket.write('.');
  }, everyMs);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
