/**
 * The simulator's own test: takes one safety rule after the other out of the core (test/mutate.ts).
 *   node dist/test/sim/mutations.js [--seeds N] [--from S] [--quick] [--part I/N] [RULE...]
 */
import { fileURLToPath } from 'node:url';
import { huntMutations } from '../mutate.js';
import { MUTATIONS } from './mutation-list.js';

process.exitCode = await huntMutations(
  {
    simulator: 'test/sim',
    mutations: MUTATIONS,
    // A core that does not come back to life is not what a safety rule is for.
    ignored: ['liveness'],
    script: fileURLToPath(import.meta.url),
  },
  process.argv.slice(2),
);
