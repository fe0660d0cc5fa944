/** The one configuration file of a test's cluster. */
import path from 'node:path';
import type { Network } from './network.js';

export interface ConfigurationOptions {
  nodes: readonly string[];
  watchdogs: readonly string[];
  resource: string;
  /** Statements for the whole file and for the resource, beyond the addresses. */
  globals: string;
  statements: string;
  /** Per node, statements of its section in the resource. */
  perNode: Record<string, string>;
  /** The statements that say what runs the resource, and what is the fence. */
  runs: string;
}

/** The text of the file; sockets and state of each node are below `dir`. */
export function configurationText(options: ConfigurationOptions, dir: string, network: Network): string {
  const { nodes, watchdogs, resource } = options;
  const candidates = nodes.filter((name) => !watchdogs.includes(name));
  const globals = nodes.map(
    (name) => `on ${name} {
  control ${path.join(dir, name, 'control')}
  listen ${network.listen(name)}
  state_dir ${path.join(dir, name, 'state')}
}`,
  );
  const sections = nodes.map((name) => {
    const remotes = candidates.filter((other) => other !== name).map((other) => network.remote(name, other));
    const priority = candidates.includes(name) ? `\n    priority ${candidates.indexOf(name)}` : '';
    const more = options.perNode[name] === undefined ? '' : `\n    ${options.perNode[name]}`;
    return `  on ${name} {
    remote ${remotes.length === 0 ? 'none' : remotes.join(' ')}${priority}${more}
  }`;
  });
  const hosts = nodes.map((name) => network.listen(name).replace(/:[0-9]+$/, ''));
  return `${options.globals}
${globals.join('\n')}
resource ${resource} {
  ${options.runs}
  friends ${[...new Set(hosts)].join(' ')}
${options.statements}
${sections.join('\n')}
}
`;
}
