/** What has happened on this node, as it comes; the newest first. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { HaEvent } from '../../../../proto/event-types.js';
import { eventRowsOf } from '../model/events.js';
import { Mark, Nothing, Section } from './parts.js';

/** As many as fill the space beside the last failover, if there was one. */
const FEW = { beside: 16, alone: 8 };

interface Props {
  events: readonly HaEvent[];
  old: boolean;
  beside: boolean;
}

export function Events({ beside, events, old }: Props): JSX.Element {
  const [all, setAll] = useState(false);
  const few = beside ? FEW.beside : FEW.alone;
  const rows = eventRowsOf(all ? events : events.slice(0, few), Date.now());
  const more = events.length > few && (
    <button type="button" class="plain" aria-expanded={all} onClick={() => setAll(!all)}>
      {all ? 'Fewer' : `All ${events.length}`}
    </button>
  );
  return (
    <Section id="events" title="Events" aside={more}>
      {old && <p class="missing">As far as was known: later ones are missing.</p>}
      {rows.length === 0 ? (
        <Nothing>Nothing has happened yet.</Nothing>
      ) : (
        <ol class="events">
          {rows.map(({ at, by, clock, key, subject, text, tone }) => (
            <li key={key}>
              <time dateTime={new Date(at).toISOString()}>{clock}</time>
              <Mark tone={tone} />
              <span>
                {subject !== '' && !text.startsWith(subject) && <b>{subject} </b>}
                {text}
                {by !== '' && <span class="small"> by {by}</span>}
              </span>
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}
