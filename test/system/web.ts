/** A web server for tests, as a process of its own: `web.js ADDRESS PORT`; prints a line when it listens. */
import http from 'node:http';

const [address, port] = process.argv.slice(2);
const server = http.createServer((_request, response) => response.end('Welcome\n'));
server.listen(Number(port), address, () => process.stdout.write('listening\n'));
