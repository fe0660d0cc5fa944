/** Tables by chance, for properties: services and servers of every kind that ipvsadm can be told of. */
import fc from 'fast-check';
import type { ServiceKey, Table, TableServer, TableService } from '../../../daemon/balancer/types.js';

const PLAIN = { noNullPrototype: true };
const port = fc.integer({ min: 1, max: 4 });
const four = fc.integer({ min: 1, max: 5 }).map((last) => `10.0.0.${last}`);
const six = fc.integer({ min: 1, max: 5 }).map((last) => `[fd00::${last}]`);
const place = fc.tuple(fc.oneof(four, six), port).map(([host, number]) => `${host}:${number}`);

const service: fc.Arbitrary<ServiceKey> = fc.oneof(
  fc.tuple(fc.constantFrom('-t', '-u', '--sctp-service'), place).map((words) => words.join(' ')),
  fc
    .tuple(fc.constantFrom(1, 7, 4_000_000_000), fc.constantFrom('', ' -6'))
    .map(([mark, family]) => `-f ${mark}${family}`),
);

const server: fc.Arbitrary<TableServer> = fc.record(
  {
    weight: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(2 ** 31 - 1)),
    method: fc.constantFrom('masq', 'gate', 'ipip'),
    more: fc.constantFrom('', '', '--tun-type gue --tun-port 6080'),
  },
  PLAIN,
);

const content: fc.Arbitrary<TableService> = fc.record(
  {
    scheduler: fc.constantFrom('wrr', 'wlc', 'sh'),
    persistenceSeconds: fc.constantFrom(0, 0, 1, 360, 2_678_400),
    more: fc.constantFrom('', '', '-M 255.255.255.0', '-b sh-fallback,sh-port'),
    servers: fc
      .array(fc.tuple(place, server), { maxLength: 6 })
      .map((entries) => new Map(entries) as ReadonlyMap<string, TableServer>),
  },
  PLAIN,
);

export const tables: fc.Arbitrary<Table> = fc
  .array(fc.tuple(service, content), { maxLength: 6 })
  .map((entries) => new Map(entries));

/** Only what comparisons look at. */
export function compared(table: Table): unknown {
  return [...table].map(([key, { scheduler, persistenceSeconds, servers }]) => [
    key,
    scheduler,
    persistenceSeconds,
    [...servers].map(([name, { weight, method }]) => [name, weight, method]).sort(),
  ]);
}
