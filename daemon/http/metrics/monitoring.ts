/** Figures of checks and of the balancer, as the main process sees them now. */
import type { CheckEntry } from '../../../proto/monitor-types.js';
import type { DirectorWord, PairView, ServiceView, TStatus } from '../../balancer/types.js';
import { codeOfWord } from '../../checks/natures.js';
import type { AllChecks } from '../collect.js';
import { type Family, gauge, type Labels, stateSet } from './exposition.js';

const STATUSES: readonly TStatus[] = ['0-DISABLED', '0-ENABLED', '1-AWAITPASS', '1-RAMPING'];
const SERVER_STATES = ['disabled', 'enabled', 'awaitpass', 'ramping'] as const;

export function checkFamilies(all: AllChecks): Family[] {
  const { entries } = all;
  const of = (value: (entry: CheckEntry) => number | null): [Labels, number][] =>
    entries.flatMap((entry): [Labels, number][] => {
      const found = value(entry);
      return found === null ? [] : [[{ check: entry.name }, found]];
    });
  const failed = entries.filter(({ nature }) => nature !== '' && nature !== 'ok');
  return [
    gauge('hastmon_checks', 'Checks of this node by state.', [
      [{ state: 'up' }, all.up],
      [{ state: 'down' }, all.down],
      [{ state: 'unknown' }, all.unknown],
    ]),
    gauge('hastmon_checks_late_seconds', 'How late the latest check of the last second began.', [
      ...(all.lateMs === null ? [] : [[{}, all.lateMs / 1000] as [Labels, number]]),
    ]),
    gauge(
      'hastmon_check_up',
      '1 for up, 0 for down as seen from this node; none where that is not known.',
      of(({ state }) => (state === 'unknown' ? null : state === 'up' ? 1 : 0)),
    ),
    gauge(
      'hastmon_check_outage',
      '1 while an outage is confirmed.',
      of(({ outage }) => (outage ? 1 : 0)),
    ),
    gauge(
      'hastmon_check_duration_seconds',
      'How long the last result took.',
      of(({ lastMs, latencyMs }) => (lastMs === null ? null : latencyMs / 1000)),
    ),
    gauge(
      'hastmon_check_result_age_seconds',
      'Since the last result.',
      of(({ lastMs }) => (lastMs === null ? null : lastMs / 1000)),
    ),
    gauge(
      'hastmon_check_failure',
      '1 for the nature of the last result where that is a failure.',
      failed.map(({ name, nature }) => [{ check: name, nature: natureWord(nature) }, 1]),
    ),
  ];
}

/** The word without what follows it: that is any number or text, and each would be a series. */
export function natureWord(nature: string): string {
  const [word = ''] = nature.split(' ', 1);
  return codeOfWord(word) === undefined ? 'other' : word;
}

/** Whose word the figures of the balancer are: the age is that of the director's last heartbeat, or of this node's own table. */
export function wordFamilies({ ageMs, fresh, node }: DirectorWord): Family[] {
  return [
    gauge('hastmon_balancer_word_age_seconds', 'Since the director, whose word this is, was heard last.', [
      ...(node === '' ? [] : [[{ director: node }, ageMs / 1000] as [Labels, number]]),
    ]),
    gauge(
      'hastmon_balancer_word_fresh',
      "1 while the director's word counts here; what it says is left out otherwise.",
      [[{}, fresh ? 1 : 0]],
    ),
  ];
}

export function balancerFamilies(pairs: readonly PairView[], services: readonly ServiceView[]): Family[] {
  const ofPairs = (value: (pair: PairView) => number | null): [Labels, number][] =>
    pairs.flatMap((pair): [Labels, number][] => {
      const found = value(pair);
      return found === null ? [] : [[labelsOf(pair), found]];
    });
  const ofServices = (value: (service: ServiceView) => number | null): [Labels, number][] =>
    services.flatMap((view): [Labels, number][] => {
      const found = value(view);
      return found === null ? [] : [[{ service: view.service }, found]];
    });
  return [
    stateSet(
      'hastmon_server_state',
      'The state of a real server in a virtual service.',
      SERVER_STATES,
      pairs.flatMap((pair): [Labels, string][] => {
        const state = SERVER_STATES[STATUSES.indexOf(pair.status)];
        return state === undefined ? [] : [[labelsOf(pair), state]];
      }),
    ),
    gauge(
      'hastmon_server_weight',
      'What its table is to have now.',
      ofPairs((pair) => pair.stateWeight),
    ),
    gauge(
      'hastmon_server_full_weight',
      "The file's weight, or the operator's.",
      ofPairs((pair) => (pair.unknownMs === null ? pair.weight : null)),
    ),
    gauge(
      'hastmon_server_kernel_weight',
      'What the kernel has.',
      ofPairs((pair) => pair.procWeight),
    ),
    gauge(
      'hastmon_server_active_connections',
      'Active connections, as the kernel counts them.',
      ofPairs(({ connections }) => connections?.active ?? null),
    ),
    gauge(
      'hastmon_server_inactive_connections',
      'Inactive connections, as the kernel counts them.',
      ofPairs(({ connections }) => connections?.inactive ?? null),
    ),
    gauge(
      'hastmon_service_servers',
      'Real servers of a virtual service.',
      ofServices((view) => view.servers),
    ),
    gauge(
      'hastmon_service_servers_alive',
      'Those that have weight.',
      ofServices((view) => view.alive),
    ),
    gauge(
      'hastmon_service_weight',
      'The sum of the weights.',
      ofServices((view) => view.weight),
    ),
    gauge(
      'hastmon_service_sorry',
      '1 while a sorry server is in.',
      ofServices((view) => (view.unknownMs !== null ? null : view.sorry === '' ? 0 : 1)),
    ),
    gauge(
      'hastmon_service_problem',
      '1 where its table is not as wanted, or is not touched.',
      ofServices((view) => (view.problem === '' ? 0 : 1)),
    ),
  ];
}

function labelsOf({ host, service }: PairView): Labels {
  return { service, host };
}
