/**
 * The watchdog device of self-fencing: armed while a primary runs here, fed while every resource has a good lease or
 * is known to be stopped, and disarmed when none is left. Owned by the main process, for several resources share it. What
 * is to be done is decided in core/demand.ts.
 */
import type { RecordEvent } from '../../proto/event-types.js';
import type { WatchdogDeviceConfig } from '../config/types.js';
import { type Demand, deviceAction } from '../core/demand.js';
import type { NetLog } from '../net/log.js';
import {
  feedIntervalMs,
  isWatchdogCounting,
  openWatchdogDevice,
  type WatchdogDevice,
} from '../sys/watchdog-device.js';

export interface DeviceKeeper {
  /** Looks at all resources anew: arms, feeds or disarms. Called at every change and by its own timer. */
  look(): void;
  /** Says what is wrong with the device, '' for nothing. */
  problem(): string;
  /** Why it could not be closed, so that the machine would be reset under a hastmond that has ended; '' where it can. */
  cannotClose(): string;
  /** Looks for the last time. What may be running then is left to the device, which goes on counting. */
  close(): void;
}

export interface DeviceKeeperOptions {
  config: WatchdogDeviceConfig;
  /** What each resource demands now. */
  demands: () => Demand[];
  log: NetLog;
  record: RecordEvent;
  /** The device and what the kernel says of it; a test puts its own in their place. */
  openDevice?: typeof openWatchdogDevice;
  isCounting?: (path: string) => boolean | null;
}

/** A keeper that has not opened the device yet. */
export function createDeviceKeeper(options: DeviceKeeperOptions): DeviceKeeper {
  const { config, log, record } = options;
  const { path } = config;
  const openDevice = options.openDevice ?? openWatchdogDevice;
  let device: WatchdogDevice | null = null;
  let problem = '';
  let starving = false;
  let feedFailure = '';
  // A daemon before this one may have left it counting. Where the kernel does not tell, that is taken to be so.
  let leftCounting = (options.isCounting ?? isWatchdogCounting)(path) ?? true;
  const timer = setInterval(look, feedIntervalMs(config.timeoutMs));

  function look(): void {
    const demands = options.demands();
    warn(demands.includes('starve'));
    switch (deviceAction(demands, { open: device !== null, counting: device !== null || leftCounting })) {
      case 'open':
        arm();
        // Opened only to be stopped.
        if (device !== null && demands.every((demand) => demand === 'none')) disarm();
        return;
      case 'feed':
        return feed();
      case 'close':
        return disarm();
      default:
    }
  }

  function warn(starve: boolean): void {
    if (starve && !starving) {
      const text = `not feeding ${path}: a resource may be running here without a lease`;
      log.warn({}, text);
      record({ kind: 'device-starved', text, data: { path } });
    }
    starving = starve;
  }

  function arm(): void {
    const opened = openDevice(path, config.timeoutMs);
    device = opened.device;
    const before = problem;
    problem = device === null ? `${opened.reason}` : wrongWith(device);
    if (problem !== '' && problem !== before)
      complain(problem, `${problem}: nothing backs the stop up in time`);
    leftCounting = false;
    if (device === null) return;
    const { identity, timeoutMs, nowayout } = device.info;
    const text = `${path} armed (${identity}, ${timeoutMs / 1000} s)`;
    log.info({}, text);
    record({ kind: 'device-armed', text, data: { path, timeoutMs } });
    if (nowayout === true)
      log.warn({}, `${path} cannot be disarmed (nowayout): ending hastmond resets this machine`);
  }

  function wrongWith({ info }: WatchdogDevice): string {
    return info.timeoutMs > config.timeoutMs
      ? `${path} waits ${info.timeoutMs / 1000} s, longer than the watchdog_timeout of ${config.timeoutMs / 1000} s`
      : '';
  }

  function feed(): void {
    const failure = device?.feed() ?? null;
    // Once, not at every attempt to feed it.
    if (failure !== null && failure === feedFailure) log.error({}, failure);
    else if (failure !== null) complain(failure, failure);
    feedFailure = failure ?? '';
  }

  function complain(what: string, text: string): void {
    log.error({}, text);
    record({ kind: 'device-problem', text, data: { path, problem: what } });
  }

  function disarm(): void {
    const failure = device?.close() ?? null;
    device = null;
    if (failure !== null) return complain(failure, failure);
    log.info({}, `${path} disarmed`);
    record({ kind: 'device-disarmed', text: `${path} disarmed`, data: { path } });
  }

  return {
    look,
    problem: () => problem,
    cannotClose() {
      if (device?.nowayout() !== true) return '';
      return `${config.path} cannot be disarmed (nowayout): without hastmond this machine would be reset, so that nothing can be in maintenance here`;
    },
    close() {
      clearInterval(timer);
      look();
    },
  };
}
