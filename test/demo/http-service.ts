/** The service of the demo: says over HTTP which node it runs on. Usage: http-service PORT NODE EPOCH PIDFILE. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port = '', node = '', epoch = '', pidfile = ''] = process.argv.slice(2);
const server = createServer((_request, response) => {
  response.setHeader('Connection', 'close');
  response.end(`${node} ${epoch}\n`);
});
server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
server.listen(Number(port), '127.0.0.1', () => {
  writeFileSync(`${pidfile}.new`, `${process.pid}\n`);
  renameSync(`${pidfile}.new`, pidfile);
});
process.on('SIGTERM', () => {
  rmSync(pidfile, { force: true });
  process.exit(0);
});
