/** What the statements about HTTP mean together, for one node. */
import type { HttpSettings } from '../http/settings.js';
import { DEFAULT_HTTP } from './defaults.js';
import { type Place, quote, type Reporter } from './diagnostic.js';
import { addressText, isLoopback } from './http-address.js';
import { innermost } from './inherit.js';
import { mayHaveLost, type Scope } from './settings.js';

/** What holds for a node; null where nothing is listened on. `scopes`: from the outermost to the innermost. */
export function inheritHttp(scopes: readonly Scope[]): HttpSettings | null {
  const listen = innermost(scopes, 'http_listen')?.value ?? null;
  if (listen === null) return null;
  return {
    ...listen,
    token: innermost(scopes, 'http_token')?.value ?? null,
    tokenFile: innermost(scopes, 'http_token_file')?.value ?? '',
    users: innermost(scopes, 'http_user')?.value ?? DEFAULT_HTTP.users,
    health: innermost(scopes, 'http_health')?.value ?? DEFAULT_HTTP.health,
  };
}

/** What does not fit together for a node. */
export function checkHttp(scopes: readonly Scope[], reporter: Reporter): void {
  const listen = innermost(scopes, 'http_listen');
  const token = innermost(scopes, 'http_token');
  const file = innermost(scopes, 'http_token_file');
  const lost = ['http', 'http_listen', 'http_token', 'http_token_file', 'token', 'token_file', 'listen'].some(
    (name) => scopes.some((scope) => mayHaveLost(scope, name)),
  );
  const others: (Place | undefined)[] = [
    token?.place,
    file?.place,
    innermost(scopes, 'http_user')?.place,
    innermost(scopes, 'http_health')?.place,
  ];
  const first = others.find((place) => place !== undefined);
  if (token !== undefined && file !== undefined)
    reporter.error(file.place, "'token_file' beside 'token'", 'one of them');
  if (listen === undefined) {
    if (first !== undefined && !lost)
      reporter.error(first, "'http' says nothing of where to listen", 'expected listen 127.0.0.1:8480 in it');
    return;
  }
  if (listen.value === null || token !== undefined || file !== undefined || lost) return;
  if (!isLoopback(listen.value.address)) {
    const message = `${quote(addressText(listen.value))} can be reached from other machines, and there is no token`;
    const help = 'http { listen ADDRESS token_file PATH }; or listen on 127.0.0.1';
    reporter.error(listen.place, message, help);
  }
}
