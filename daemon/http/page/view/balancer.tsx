/** Virtual services, and the weights of their servers as bars that move with a ramp. */
import type { JSX } from 'preact';
import type { BalancerCounts } from '../../../../proto/cluster-types.js';
import type { Known } from '../feed/store.js';
import {
  type BalancerData,
  forgottenServices,
  SERVICES_SHOWN,
  type ServerModel,
  type ServiceModel,
  servicesOf,
} from '../model/balancer.js';
import { OLD_AFTER_MS } from '../model/freshness.js';
import { Mark, Nothing, Section, Word } from './parts.js';

const BALANCER_OLD_MS = 3 * OLD_AFTER_MS;

interface Props {
  known: Known<BalancerData>;
  counts: BalancerCounts | null;
  now: number;
  old: boolean;
}

export function Balancer({ counts, known, now, old }: Props): JSX.Element | null {
  const { at, data } = known;
  if (data === null && counts === null) return null;
  if (data === null)
    return (
      <Section id="balancer" title="Virtual services">
        <Nothing>Waiting.</Nothing>
      </Section>
    );
  const outdated = old || now - at > BALANCER_OLD_MS;
  const services = outdated ? forgottenServices(servicesOf(data)) : servicesOf(data);
  const more = data.services.length - SERVICES_SHOWN;
  return (
    <Section id="balancer" title="Virtual services">
      {data.note !== '' && <p class="missing">{data.note}</p>}
      {services.length === 0 && <Nothing>No virtual services.</Nothing>}
      <ul class="services">
        {services.map((service) => (
          <Service key={service.name} service={service} />
        ))}
      </ul>
      {more > 0 && <p class="missing">and {more} more: hastmonctl services</p>}
    </Section>
  );
}

function Service({ service }: { service: ServiceModel }): JSX.Element {
  const { detail, more, name, servers, tone, virtual, word } = service;
  return (
    <li class="service">
      <div class="service-head">
        <h3>{name}</h3>
        <span class="small">{virtual}</span>
        <Word tone={tone}>{word}</Word>
      </div>
      <p class="small">{detail}</p>
      <table class="servers">
        <caption class="hidden">Servers of {name} and their weights</caption>
        <thead>
          <tr>
            <th scope="col">Server</th>
            <th scope="col">Weight</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Active
            </th>
          </tr>
        </thead>
        <tbody>
          {servers.map((server) => (
            <Server key={`${server.host} ${server.real}`} server={server} />
          ))}
        </tbody>
      </table>
      {more > 0 && <p class="small">and {more} more</p>}
    </li>
  );
}

function Server({ server }: { server: ServerModel }): JSX.Element {
  const { connections, goal, host, level, ramping, real, tone, weight, word } = server;
  return (
    <tr class={ramping ? 'ramping' : ''}>
      <th scope="row">
        <span title={real}>{host}</span>
      </th>
      <td class="weight">
        <span class="weight-track" aria-hidden="true">
          <span class="weight-bar" style={{ transform: `scaleX(${level})` }} />
          {goal > level && <span class="weight-goal" style={{ left: `${goal * 100}%` }} />}
        </span>
        <span class="weight-text">{weight}</span>
      </td>
      <td>
        <span class={`word ${tone}`}>
          <Mark tone={tone} />
          {word}
        </span>
      </td>
      <td class="number">{connections}</td>
    </tr>
  );
}
