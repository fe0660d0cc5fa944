/**
 * The test of the balancer's properties: takes one rule after the other out of daemon/balancer/core (test/mutate.ts).
 *   node dist/test/balancer/core/mutations.js [--seeds N] [--from S] [RULE...]
 */
import { fileURLToPath } from 'node:url';
import { huntMutations } from '../../mutate.js';
import { MUTATIONS } from './mutation-list.js';

const script = fileURLToPath(import.meta.url);
process.exitCode = await huntMutations(
  { simulator: 'test/balancer/core', mutations: MUTATIONS, ignored: [], script },
  process.argv.slice(2),
);
