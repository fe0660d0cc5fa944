/** A server and a service that are well, with what a test says otherwise. */
import type { DirectorWord, PairView, ServiceView } from '../../../daemon/balancer/types.js';

/** Of a node that is the director itself. */
export const OWN_WORD: DirectorWord = { node: 'nodeA', ageMs: 0, fresh: true };

export function pairOf(other: Partial<PairView> = {}): PairView {
  return {
    ...{ host: 'srv1', service: 'www', real: '10.0.0.2:80', virtual: '1.2.3.4:80' },
    ...{ unknownMs: null, disabled: false, reasons: [], weight: 100, overridden: false },
    ...{ stateWeight: 100, desiredWeight: 100, procWeight: 100, connections: { active: 3, inactive: 9 } },
    ...{ ramp: null, status: '0-ENABLED', sorry: false },
    check: {
      ...{ name: 'http://10.0.0.2:80/mycheck1', state: 'up', nature: 'ok', sinceAge: 60_000, passAge: 500 },
    },
    ...other,
  };
}

export function serviceOf(other: Partial<ServiceView> = {}): ServiceView {
  return {
    ...{ service: 'www', virtual: '1.2.3.4:80', scheduler: 'wrr', method: 'masq', persistenceSeconds: 0 },
    ...{ check: 'http://mysite.org/mycheck1', servers: 3, alive: 3, weight: 600, sorry: '', sorryAge: null },
    ...{ unknownMs: null, owned: true, problem: '' },
    ...other,
  };
}
