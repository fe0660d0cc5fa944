/** What the tests of the balancer's file share. */
import { parseBalancerFile } from '../../../daemon/balancer/config/load.js';
import type { BalancerConfig, HostConfig, ServiceConfig } from '../../../daemon/balancer/types.js';
import type { CheckSpec } from '../../../daemon/checks/spec.js';
import { formatDiagnostics } from '../../../daemon/config/diagnostic.js';

export const FILE = '/etc/ipvs-weightman.conf';

/** The configuration of a text that must be without a word of complaint. */
export function configOf(...lines: readonly string[]): BalancerConfig {
  const { config, diagnostics } = parseBalancerFile(lines.join('\n'), FILE);
  if (config === null || diagnostics.length > 0)
    throw new Error(`not as it should be:\n${formatDiagnostics(diagnostics)}`);
  return config;
}

/** The first service of a text. */
export function serviceOf(line: string, ...more: readonly string[]): ServiceConfig {
  const [service] = configOf(line, ...more).services;
  if (service === undefined) throw new Error('no service');
  return service;
}

/** The hosts of a text without services. */
export function hostsOf(...lines: readonly string[]): readonly HostConfig[] {
  return configOf(...lines).hosts;
}

/** The check of a server of `! s 192.0.2.1:80 CHECK OPTIONS`. */
export function checkOf(check: string, options = '', address = '10.0.0.2', port = 80): CheckSpec {
  const service = serviceOf(`! s 192.0.2.1:80 ${check} ${options}`);
  if (service.check === null) throw new Error('no check');
  return service.check.of(address, port);
}

/** What is said of a text: `line:column message`. */
export function messagesOf(text: string, severity: 'error' | 'warning' = 'error'): string[] {
  return parseBalancerFile(text, FILE)
    .diagnostics.filter((diagnostic) => diagnostic.severity === severity)
    .map(({ line, column, message }) => `${line}:${column} ${message}`);
}
