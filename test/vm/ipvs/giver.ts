/** Gives the lines of a file to ipvsadm -R and dies at once, as a balancer that is killed: giver.js IPVSADM FILE */
import { readFileSync } from 'node:fs';
import { runIpvsadm } from '../../../daemon/balancer/ipvs/ipvsadm.js';

const [program = '', file = ''] = process.argv.slice(2);
runIpvsadm(program, ['-R'], readFileSync(file, 'utf8'), 60_000);
process.kill(process.pid, 'SIGKILL');
