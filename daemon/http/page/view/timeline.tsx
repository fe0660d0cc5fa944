/** The last failover: a bar for each phase along one axis, and what every node saw of it. */
import { Fragment, type JSX } from 'preact';
import type { Store } from '../feed/store.js';
import type { ResourceModel } from '../model/resources.js';
import { type PhaseBar, type TimelineModel, timelineOf } from '../model/timeline.js';
import { Nothing, Scroll, Section } from './parts.js';

interface Props {
  store: Store;
  old: boolean;
  resources: readonly ResourceModel[];
}

export function TimelineSection({ old, resources, store }: Props): JSX.Element {
  const { resource, timeline } = store.state;
  const model = timeline.data === null ? null : timelineOf(timeline.data, Date.now());
  const choice = resources.length > 1 && (
    <label class="choice">
      <span class="hidden">Resource</span>
      <select value={resource} onChange={(event) => store.showTimeline(event.currentTarget.value)}>
        {resources.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <Section id="timeline" title="Last failover" aside={choice}>
      {old && <p class="missing">As far as was known: there may have been another one since.</p>}
      {model === null ? <Nothing>{why(store)}</Nothing> : <Chart model={model} />}
    </Section>
  );
}

function why({ state: { resource, timeline } }: Store): string {
  if (timeline.error !== '') return timeline.error;
  return timeline.data === null ? 'Waiting.' : `No failover of ${resource} is recorded.`;
}

function Chart({ model }: { model: TimelineModel }): JSX.Element {
  const { facts, lanes, missing, phases, ticks, title } = model;
  return (
    <div class="timeline">
      <p class="timeline-title">{title}</p>
      <dl class="facts">
        {facts.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="gantt">
        <table class="phases">
          <caption class="hidden">Phases of the failover and how long each of them took</caption>
          <thead>
            <tr>
              <th scope="col">Phase</th>
              <th scope="col" class="axis">
                <span class="hidden">When</span>
                {ticks.map(({ at, text }) => (
                  <span key={text} class="tick" style={{ left: `${at * 100}%` }} aria-hidden="true">
                    {text}
                  </span>
                ))}
              </th>
              <th scope="col" class="number">
                Took
              </th>
            </tr>
          </thead>
          <tbody>
            {phases.map((phase) => (
              <Phase key={phase.name} phase={phase} ticks={ticks} />
            ))}
          </tbody>
        </table>
        <Lanes lanes={lanes} />
      </div>
      {missing !== '' && <p class="missing">{missing}</p>}
      <Steps lanes={lanes} />
    </div>
  );
}

function Phase({ phase, ticks }: { phase: PhaseBar; ticks: TimelineModel['ticks'] }): JSX.Element {
  const { begin, length, longest, name, node, setting, share, text, took } = phase;
  return (
    <tr class={longest ? 'longest' : ''}>
      <th scope="row">
        {name}
        <span class="small">{setting === '' ? node : <Setting text={setting} />}</span>
      </th>
      <td class="axis">
        {ticks.map(({ at, text: tick }) => (
          <span key={tick} class="grid" style={{ left: `${at * 100}%` }} aria-hidden="true" />
        ))}
        <span
          class={`bar phase-${name}`}
          style={{ left: `${begin * 100}%`, width: `${Math.max(0.4, length * 100)}%` }}
          aria-hidden="true"
        />
        <span class="bar-text" style={sideOf(begin, length)} title={text}>
          <span>{text}</span>
        </span>
      </td>
      <td class="number">
        {took}
        <span class="small">{share}</span>
      </td>
    </tr>
  );
}

/** A long statement may be broken where its words end. */
function Setting({ text }: { text: string }): JSX.Element {
  const words = text.split('_');
  return (
    <>
      {words.map((word, index) => (
        <Fragment key={word}>
          {index > 0 && (
            <>
              _<wbr />
            </>
          )}
          {word}
        </Fragment>
      ))}
    </>
  );
}

/** The words of a bar are on that side of it which has more room. */
function sideOf(begin: number, length: number): Record<string, string> {
  const end = begin + length;
  return 1 - end >= begin
    ? { left: `${end * 100}%`, maxWidth: `${(1 - end) * 100}%` }
    : { right: `${(1 - begin) * 100}%`, maxWidth: `${begin * 100}%` };
}

/** Dots for what each node saw; in words they are below. */
function Lanes({ lanes }: { lanes: TimelineModel['lanes'] }): JSX.Element {
  return (
    <div class="lanes" aria-hidden="true">
      {lanes.map(({ marks, node }) => (
        <div key={node} class="lane">
          <span class="lane-name">{node}</span>
          <span class="axis">
            {marks.map(({ after, at, number, text }) => (
              <span key={number} class="dot" style={{ left: `${at * 100}%` }} title={`${after}: ${text}`} />
            ))}
          </span>
        </div>
      ))}
    </div>
  );
}

function Steps({ lanes }: { lanes: TimelineModel['lanes'] }): JSX.Element {
  const steps = lanes
    .flatMap(({ marks, node }) => marks.map((mark) => ({ node, ...mark })))
    .sort((one, other) => one.at - other.at);
  return (
    <details>
      <summary>Every step, as each node saw it</summary>
      <Scroll name="Steps of the failover">
        <table>
          <caption class="hidden">Events of the failover</caption>
          <thead>
            <tr>
              <th scope="col" class="number">
                After
              </th>
              <th scope="col">Node</th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>
            {steps.map(({ after, node, number, text }) => (
              <tr key={`${node} ${number}`}>
                <td class="number">{after}</td>
                <td>{node}</td>
                <td>{text}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}
