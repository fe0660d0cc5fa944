/**
 * The watchdog device of self-fencing: armed while a primary runs here, fed while every resource has a good lease or
 * is known to be stopped, and disarmed when none is left. Owned by the main process, for several resources share it.
 */
import type { WatchdogDeviceConfig } from '../config/types.js';
import { demandOf } from '../core/demand.js';
import type { NodeState } from '../core/node-types.js';
import type { Instant } from '../core/types.js';
import type { NetLog } from '../net/log.js';
import { feedIntervalMs, openWatchdogDevice, type WatchdogDevice } from '../sys/watchdog-device.js';

export interface DeviceKeeper {
  /** Looks at all resources anew: arms, feeds or disarms. Called at every change and by its own timer. */
  look(): void;
  /** Says what is wrong with the device, '' for nothing. */
  problem(): string;
  close(): void;
}

export interface DeviceKeeperOptions {
  config: WatchdogDeviceConfig;
  states: () => NodeState[];
  clock: () => Instant;
  log: NetLog;
}

/** A keeper that has not opened the device yet. */
export function createDeviceKeeper(options: DeviceKeeperOptions): DeviceKeeper {
  const { config, log } = options;
  let device: WatchdogDevice | null = null;
  let problem = '';
  let starving = false;
  /** A daemon before this one may have left the device counting down, for a resource that may be running still. */
  let leftCounting = false;
  const timer = setInterval(look, feedIntervalMs(config.timeoutMs));

  function look(): void {
    const now = options.clock();
    const demands = options.states().map((state) => demandOf(state, now));
    if (demands.every((demand) => demand === 'none')) {
      // Opening starts the time anew, which is right only now that all is known to be stopped.
      if (leftCounting) arm();
      leftCounting = false;
      return disarm();
    }
    const starve = demands.includes('starve');
    if (device === null && starve) {
      leftCounting = true;
      return;
    }
    leftCounting = false;
    if (device === null) arm();
    if (starve && !starving)
      log.warn({}, `not feeding ${config.path}: a resource may be running here without a lease`);
    starving = starve;
    if (!starve) feed();
  }

  function arm(): void {
    const opened = openWatchdogDevice(config.path, config.timeoutMs);
    const before = problem;
    problem = opened.device === null ? opened.reason : '';
    if (problem !== '' && problem !== before) log.error({}, `${problem}: nothing backs the stop up`);
    device = opened.device;
    if (device !== null)
      log.info({}, `${config.path} armed (${device.info.identity}, ${device.info.timeoutMs / 1000} s)`);
  }

  function feed(): void {
    const failure = device?.feed() ?? null;
    if (failure !== null) log.error({}, failure);
  }

  function disarm(): void {
    starving = false;
    if (device === null) return;
    const failure = device.close();
    device = null;
    if (failure === null) log.info({}, `${config.path} disarmed`);
    else log.error({}, failure);
  }

  return {
    look,
    problem: () => problem,
    close() {
      clearInterval(timer);
      disarm();
    },
  };
}
