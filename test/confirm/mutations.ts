/**
 * The test of confirmation's simulator: takes one rule after the other out of daemon/confirm (test/mutate.ts).
 *   node dist/test/confirm/mutations.js [--seeds N] [--from S] [RULE...]
 */
import { fileURLToPath } from 'node:url';
import { huntMutations } from '../mutate.js';
import { MUTATIONS } from './mutation-list.js';

const script = fileURLToPath(import.meta.url);
process.exitCode = await huntMutations(
  { simulator: 'test/confirm', mutations: MUTATIONS, ignored: [], script },
  process.argv.slice(2),
);
