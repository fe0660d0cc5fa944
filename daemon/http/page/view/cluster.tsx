/** The cluster as a picture: nodes as boxes, and lines between those that have to do with each other. */
import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ClusterModel, NodeModel } from '../model/cluster.js';
import { type Layout, type Line, layout, lineBetween, NARROW } from '../model/layout.js';
import type { LinkModel } from '../model/links.js';
import { LeaseBar } from './lease-bar.js';
import { Mark, Nothing, Scroll, Section, Word } from './parts.js';

interface Props {
  cluster: ClusterModel | null;
  now: () => number;
}

export function Cluster({ cluster, now }: Props): JSX.Element {
  return (
    <Section id="cluster" title="Cluster">
      {cluster === null ? (
        <Nothing>Waiting for the first word of the daemon.</Nothing>
      ) : (
        <Picture cluster={cluster} now={now} />
      )}
    </Section>
  );
}

function Picture({ cluster, now }: { cluster: ClusterModel; now: () => number }): JSX.Element {
  const { nodes } = cluster;
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const measure = (): void => setWidth(element.clientWidth);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  const narrow = width < NARROW;
  const plan = layout(
    nodes.map((node) => boxHeight(node, narrow)),
    width,
  );
  return (
    <div>
      <div class={narrow ? 'picture narrow' : 'picture'} ref={frame}>
        {width > 0 && (
          <>
            <Lines cluster={cluster} plan={plan} />
            <ul class="nodes" style={{ height: `${plan.height}px` }}>
              {nodes.map((node, index) => (
                <Box key={node.name} node={node} now={now} plan={plan} index={index} />
              ))}
            </ul>
          </>
        )}
      </div>
      <Links links={cluster.links} />
    </div>
  );
}

/** In pixels; goes with the style sheet. */
function boxHeight({ duties, moreRuns, runs, tone }: NodeModel, narrow: boolean): number {
  const lines = narrow ? 2 : 1;
  const detail = tone === 'unknown' ? 40 : 19 * (lines - 1);
  return 80 + detail + runs.length * 44 + (moreRuns > 0 ? 20 : 0) + duties.length * 19 * lines;
}

function Box(props: { node: NodeModel; now: () => number; plan: Layout; index: number }): JSX.Element {
  const { index, node, now, plan } = props;
  const { height, width, x, y } = plan.boxes[index] ?? { x: 0, y: 0, width: 0, height: 0 };
  const style = {
    left: `${x - width / 2}px`,
    top: `${y - height / 2}px`,
    width: `${width}px`,
    height: `${height}px`,
  };
  return (
    <li class={`node ${node.tone}${node.runs.length > 0 ? ' runs' : ''}`} style={style}>
      <div class="node-name">
        <strong title={node.name}>{node.name}</strong>
        {node.self && <span class="tag">here</span>}
      </div>
      <Word tone={node.tone}>{node.word}</Word>
      {node.runs.map(({ lease, resource, tone, word }) => (
        <div key={resource} class="run">
          <span class={`run-name ${tone}`}>
            <b title={resource}>{resource}</b> {word}
          </span>
          {lease !== null && <LeaseBar lease={lease} now={now} />}
        </div>
      ))}
      {node.moreRuns > 0 && <div class="small">and {node.moreRuns} more</div>}
      {node.duties.map((duty) => (
        <div key={duty} class="small duty" title={duty}>
          {duty}
        </div>
      ))}
      <div class="small detail" title={node.detail}>
        {node.detail}
      </div>
    </li>
  );
}

/** For the eye; the same is below in words. */
function Lines({ cluster, plan }: { cluster: ClusterModel; plan: Layout }): JSX.Element {
  const indexOf = (name: string): number => cluster.nodes.findIndex((node) => node.name === name);
  return (
    <svg
      class={cluster.links.length > 12 ? 'lines crowded' : 'lines'}
      width={plan.width}
      height={plan.height}
      aria-hidden="true"
      focusable="false"
    >
      {cluster.links.map(({ one, other, tone }) => (
        <Wire key={`${one} ${other}`} line={lineBetween(indexOf(one), indexOf(other), plan)} tone={tone} />
      ))}
    </svg>
  );
}

/** One that is cut has a cross in its middle. */
function Wire({ line, tone }: { line: Line; tone: LinkModel['tone'] }): JSX.Element {
  return (
    <g class={`line ${tone}`}>
      <path d={line.path} />
      {(tone === 'bad' || tone === 'warn') && <Cut x={line.middle.x} y={line.middle.y} />}
    </g>
  );
}

function Cut({ x, y }: { x: number; y: number }): JSX.Element {
  return (
    <g transform={`translate(${x} ${y})`} class="cut">
      <circle r="9" />
      <path d="M-3.5-3.5 3.5 3.5M3.5-3.5-3.5 3.5" />
    </g>
  );
}

function Links({ links }: { links: readonly LinkModel[] }): JSX.Element | null {
  if (links.length === 0) return null;
  const well = links.filter(({ tone }) => tone === 'good').length;
  const known = links.some(({ tone }) => tone !== 'unknown');
  return (
    <details class="links">
      <summary>Links: {known ? `${well} of ${links.length} connected` : 'unknown'}</summary>
      <Scroll name="Links">
        <table>
          <caption class="hidden">Which nodes hear each other</caption>
          <thead>
            <tr>
              <th scope="col">Between</th>
              <th scope="col">State</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {links.map(({ detail, one, other, tone, word }) => (
              <tr key={`${one} ${other}`}>
                <th scope="row">
                  {one} and {other}
                </th>
                <td>
                  <span class={`word ${tone}`}>
                    <Mark tone={tone} />
                    {word}
                  </span>
                </td>
                <td>{detail}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}
