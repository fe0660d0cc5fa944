/** Invariant 2: the epochs under which the service is started strictly increase from holder to holder. */
import { type Checker, Violation } from '../trace.js';

export function epochs(): Checker {
  let last = { epoch: 0, node: '', incarnation: 0 };
  return {
    see(event) {
      if (event.kind !== 'hook-begin' || event.action !== 'start' || event.forced) return;
      const { node, epoch, incarnation } = event;
      const same = epoch === last.epoch && node === last.node && incarnation === last.incarnation;
      if (!same && epoch <= last.epoch) {
        throw new Violation(
          'epochs',
          `${node} starts the service under epoch ${epoch} after ${last.node} did under epoch ${last.epoch}`,
        );
      }
      last = { epoch, node, incarnation };
    },
  };
}
