/** In the virtual machine: the figures of the balancer as /metrics has them, against the kernel's table as ipvsadm lists it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { until } from './director.js';
import { DIRECT, NAT, SERVERS } from './lab.js';

/** Where a director's figures are, in its own namespace. */
export const FIGURES_AT = '127.0.0.1:8480';

const SERVICES: Readonly<Record<string, string>> = { www: NAT, direct: DIRECT };

export interface Figures {
  /** By `HOST/SERVICE`: wanted, the full one, and the kernel's; absent where the figure is. */
  wanted: Map<string, number>;
  full: Map<string, number>;
  kernel: Map<string, number>;
  /** `disabled`, `enabled`, `awaitpass`, `ramping`. */
  states: Map<string, string>;
}

const LIST = 'ipvsadm -S -n';

/** What these commands print there, one after the other: starting a program takes long in an emulated machine. */
function run(name: string, ...commands: string[]): string[] {
  const words = ['netns', 'exec', name, 'sh', '-c', commands.join('; echo ==; ')];
  return execFileSync('ip', words, { encoding: 'utf8' }).split(/^==$/m);
}

function read(text: string): Figures {
  const of = (figure: string): Map<string, number> => {
    const lines = text.matchAll(
      new RegExp(`^${figure}\\{service="([^"]+)",host="([^"]+)"\\} ([0-9]+)$`, 'gm'),
    );
    return new Map([...lines].map(([, service, host, value]) => [`${host}/${service}`, Number(value)]));
  };
  const set = text.matchAll(
    /^hastmon_server_state\{service="([^"]+)",host="([^"]+)",hastmon_server_state="([a-z]+)"\} 1$/gm,
  );
  return {
    ...{ wanted: of('hastmon_server_weight'), full: of('hastmon_server_full_weight') },
    kernel: of('hastmon_server_kernel_weight'),
    states: new Map([...set].map(([, service, host, state]) => [`${host}/${service}`, state ?? ''])),
  };
}

/** What ipvsadm has listed, by `HOST/SERVICE`. */
function tableOf(text = ''): Map<string, number> {
  const found = new Map<string, number>();
  for (const [, virtual, real, weight] of text.matchAll(/^-a -t (\S+):80 -r (\S+):80 .*-w ([0-9]+)/gm)) {
    const host = Object.entries(SERVERS).find(([, address]) => address === real)?.[0];
    const service = Object.entries(SERVICES).find(([, address]) => address === virtual)?.[0];
    if (host !== undefined && service !== undefined) found.set(`${host}/${service}`, Number(weight));
  }
  return found;
}

/**
 * Fetches the figures, and demands that those of the kernel lie between what ipvsadm lists before and after, and that the kernel gets to
 * the wanted ones while weights only rise, or stay. Gives the figures.
 */
export async function figuresAgree(name: string): Promise<Figures> {
  const [first, scraped = '', last] = run(
    name,
    LIST,
    `busybox wget -q -O - http://${FIGURES_AT}/metrics`,
    LIST,
  );
  const [before, figures, after] = [tableOf(first), read(scraped), tableOf(last)];
  assert.ok(figures.wanted.size >= 8, `figures of ${[...figures.wanted.keys()].join(' ')}`);
  for (const [pair, value] of figures.kernel) {
    const [least, most] = [before.get(pair) ?? 0, after.get(pair) ?? 0];
    assert.ok(
      least <= value && value <= most,
      `${pair}: ${value} in /metrics, ${least} to ${most} in the kernel`,
    );
  }
  for (const [pair, value] of figures.wanted) {
    const least = before.get(pair) ?? 0;
    assert.ok(least <= value, `${pair}: ${value} is wanted in /metrics, the kernel had ${least} before`);
  }
  const lacks = (table: Map<string, number>): string[] =>
    [...figures.wanted].flatMap(([pair, value]) => ((table.get(pair) ?? 0) < value ? [pair] : []));
  // A program takes its time here: it is asked again only where it has to be.
  if (lacks(after).length > 0)
    await until(
      'the kernel to have the weights of /metrics',
      () => lacks(tableOf(run(name, LIST)[0])).length === 0,
    );
  return figures;
}
