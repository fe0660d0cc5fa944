/** A node of its own process, for tests that stop it: prints its port, beats, and ends when its input ends. */
import { resource, startNode } from './cluster.js';

const node = await startNode('nodeB');
node.network.configure([resource([])]);
node.beat(20);
process.stdin.on('end', () => process.exit()).resume();
process.stdout.write(`${node.address.port}\n`);
