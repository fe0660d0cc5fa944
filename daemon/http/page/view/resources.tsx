/** Each resource: where it runs, under which lease, what every node does for it, and what it waits for. */
import type { JSX } from 'preact';
import type { ClusterModel } from '../model/cluster.js';
import type { ResourceModel } from '../model/resources.js';
import { list } from '../model/words.js';
import { LeaseBar } from './lease-bar.js';
import { Nothing, Section, Word } from './parts.js';

const NOTES_SHOWN = 4;

interface Props {
  cluster: ClusterModel | null;
  now: () => number;
}

export function Resources({ cluster, now }: Props): JSX.Element {
  const resources = cluster?.resources ?? [];
  return (
    <Section id="resources" title="Resources">
      {resources.length === 0 ? (
        <Nothing>{cluster === null ? 'Waiting.' : 'No node that is heard has a resource.'}</Nothing>
      ) : (
        <ul class="resources">
          {resources.map((resource) => (
            <Resource key={resource.name} resource={resource} now={now} />
          ))}
        </ul>
      )}
    </Section>
  );
}

/** Many of them need the whole width. */
export function isWide(cluster: ClusterModel | null): boolean {
  return (cluster?.resources.length ?? 0) > 5;
}

function Resource({ now, resource }: { resource: ResourceModel; now: () => number }): JSX.Element {
  const { epoch, lease, maintenance, name, notes, roles, runsOn, text, tone, votes } = resource;
  const facts = [votes, epoch === 0 ? '' : `epoch ${epoch}`].filter((fact) => fact !== '').join(', ');
  return (
    <li class={runsOn.length > 1 ? 'resource twice' : 'resource'}>
      <div class="resource-head">
        <h3>{name}</h3>
        <Word tone={tone}>{text}</Word>
      </div>
      <div class="resource-facts">
        {lease !== null && <LeaseBar lease={lease} now={now} />}
        {facts !== '' && <span class="small">{facts}</span>}
      </div>
      {maintenance !== '' && (
        <p class="maintenance">
          <b>Maintenance:</b> {maintenance}
        </p>
      )}
      <ul class="roles" aria-label={`Nodes of ${name}`}>
        {roles.map(({ nodes, tone: roleTone, word }) => (
          <li key={word} class={roleTone}>
            {word} <b>{nodes.join(', ')}</b>
          </li>
        ))}
      </ul>
      {notes.length > 0 && (
        <ul class="notes">
          {notes.slice(0, NOTES_SHOWN).map(({ nodes, text: note }) => (
            <li key={note}>
              <b>{list(nodes)}:</b> {note}
            </li>
          ))}
          {notes.length > NOTES_SHOWN && <li>and {notes.length - NOTES_SHOWN} more</li>}
        </ul>
      )}
    </li>
  );
}
