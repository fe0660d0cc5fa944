/**
 * The watchdog device of the kernel (Documentation/watchdog/watchdog-api.rst): resets the machine unless fed in time.
 * It does not know when feeding is right; that is the main process's decision.
 */

export interface WatchdogInfo {
  identity: string;
  /** The timeout that the driver really set, which may differ from what was asked for. */
  timeoutMs: number;
  /** The driver knows magic close: V and close disarm it. */
  magicClose: boolean;
  /** True: once armed it cannot be disarmed. null: not known. */
  nowayout: boolean | null;
}

export interface WatchdogDevice {
  readonly info: WatchdogInfo;
  /** Starts the time anew. null: done; else what failed. */
  feed(): string | null;
  /** Magic close: disarms and closes. null: done; else what failed. */
  close(): string | null;
}

export type WatchdogOutcome = { device: WatchdogDevice; reason?: never } | { device: null; reason: string };

/** Opens the device, which arms it, and sets its timeout (rounded up to whole seconds). A failure disarms it again. */
export declare function openWatchdogDevice(path: string, timeoutMs: number): WatchdogOutcome;

/** Whole seconds for the device. */
export declare function deviceTimeoutSeconds(timeoutMs: number): number;

/** How often to feed: several times within the timeout, at most once per 100 ms. */
export declare function feedIntervalMs(timeoutMs: number): number;
