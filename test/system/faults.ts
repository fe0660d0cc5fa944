/** The menu of faults: what is done, what must hold, and by when. One file for each kind. */
import { hookFaults } from './faults-hooks.js';
import { networkFaults } from './faults-network.js';
import { operatorFaults } from './faults-operator.js';
import { processFaults } from './faults-process.js';
import type { Fault } from './trial.js';

/** Every fault there is; names are unique. */
export const faults: readonly Fault[] = [
  ...processFaults,
  ...networkFaults,
  ...hookFaults,
  ...operatorFaults,
];
