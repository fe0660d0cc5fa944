/** What tests of the monitor process share. */
import type { MonitorEvents } from '../../daemon/runtime/monitor-host.js';

/** For tests that ask, and need not be told. */
export const unheard: MonitorEvents = { edge: () => {}, ready: () => {}, blind: () => {}, cameUp: () => {} };
