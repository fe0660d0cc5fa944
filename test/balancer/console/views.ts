/** A server and a service that are well, with what a test says otherwise. */
import type { PairView, ServiceView } from '../../../daemon/balancer/types.js';

export function pairOf(other: Partial<PairView> = {}): PairView {
  return {
    ...{ host: 'srv1', service: 'www', real: '10.0.0.2:80', virtual: '1.2.3.4:80' },
    ...{ disabled: false, reasons: [], weight: 100, overridden: false },
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
    ...{ owned: true, problem: '' },
    ...other,
  };
}
