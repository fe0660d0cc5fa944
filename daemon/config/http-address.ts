/** Addresses that HTTP is served on. */
import type { HttpSettings } from '../http/settings.js';

/** `127.0.0.1:8480`, `[::1]:8480`. */
export function addressText({ address, port }: Pick<HttpSettings, 'address' | 'port'>): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** True where nobody but this machine gets there. */
export function isLoopback(address: string): boolean {
  return /^127\.|^::1$|^::ffff:127\./i.test(address);
}
