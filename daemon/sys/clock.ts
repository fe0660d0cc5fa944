/**
 * The clocks. Leases run on CLOCK_BOOTTIME, which goes on during suspend and never goes back; Node itself only has
 * CLOCK_MONOTONIC. Nothing here knows the wall clock.
 */

/** Milliseconds of CLOCK_BOOTTIME, with fractions. Cheap: may be read at every event. */
export declare function bootTime(): number;

/** Milliseconds of CLOCK_MONOTONIC, which stands still during suspend: for measuring what this process itself does. */
export declare function monotonicMs(): number;

/** The kernel's id of this boot: boot times are comparable only where it is equal. '' where the kernel tells none. */
export declare function bootId(): string;

/** Which clock bootTime() reads; `loss` says what is lost against CLOCK_BOOTTIME, '' where nothing is. */
export declare function clockSource(): { name: string; loss: string };
