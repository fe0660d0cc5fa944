/** Whether the kernel has a real server as it is wanted, and what keeps it from that; part of explain.ts. */
import type { Condition } from '../../core/conditions.js';
import type { ServerFacts } from './explain.js';
import { problemOf } from './kernel.js';
import { wantedOf } from './wanted.js';

type Draft = Omit<Condition, 'topic' | 'oneOf' | 'enough'>;

/** What is wrong with its table, behind what its weight is; '' for nothing. */
export function problemWords({ pair, state }: ServerFacts): string {
  if (state.active !== true) return 'this node is not the director: its services are not in the kernel here';
  const problem = problemOf(state, pair.service);
  return problem === '' ? '' : `but ${pair.service.config.tag}: ${problem}`;
}

export function explainTable({ node, now, pair, state }: ServerFacts): Draft[] {
  const { real, service } = pair;
  const { key } = service;
  const { tag } = service.config;
  const problem = problemOf(state, service);
  const there = key !== '' && state.table?.has(key) === true;
  const owned = there && state.owned.has(key);
  const wanted = real === '' ? undefined : wantedOf(state, service, now)?.servers.get(real)?.weight;
  const has = state.table?.get(key)?.servers.get(real)?.weight;
  const equal = wanted === has;
  const words = (weight: number | undefined): string =>
    weight === undefined ? 'not there' : `weight ${weight}`;
  return [
    state.active === true
      ? {
          ...{
            name: 'owned',
            what: `${tag} is in the kernel, and this balancer's`,
            source: 'kernel',
            ageMs: null,
          },
          value: !there ? 'it is not in the kernel' : owned ? 'it is' : "it is somebody else's",
          ...{ needed: 'it is', holds: owned },
          change: owned
            ? ''
            : there
              ? `hastmonctl balancer adopt ${tag}`
              : problem || 'its first results have to come',
        }
      : {
          ...{ name: 'owned', what: `${tag} is not in the kernel here`, source: 'kernel', ageMs: null },
          ...{ value: owned ? 'it still is' : 'it is not', needed: 'on the director only', holds: !owned },
          change: owned ? 'it is taken out by itself' : '',
        },
    {
      ...{
        name: 'free',
        what: 'nothing keeps its table from being as it is wanted',
        source: node,
        ageMs: null,
      },
      ...{ value: problem || 'nothing does', needed: 'nothing', holds: problem === '' },
      change: problem === '' ? '' : 'that has to go; it is tried again by itself',
    },
    {
      ...{
        name: 'kernel-weight',
        what: 'the kernel has the weight that is wanted',
        source: 'kernel',
        ageMs: null,
      },
      ...{ value: state.table === null ? 'not known' : words(has), needed: words(wanted) },
      holds: state.table === null ? null : equal,
      change: equal && state.table !== null ? '' : 'it is told in a moment, unless something above keeps it',
    },
  ];
}
