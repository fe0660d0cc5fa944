/** Checks: a bounded part of the list, each with its latency; one of them may be opened. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { CheckDetail } from '../../../../proto/monitor-types.js';
import type { Store } from '../feed/store.js';
import { type CheckList, type CheckRow, checkViewOf, forgottenRow, ROWS, seriesOf } from '../model/checks.js';
import { CHECKS_OLD_MS } from '../model/freshness.js';
import { LatencyChart, Sparkline } from './charts.js';
import { Nothing, Scroll, Section, Word } from './parts.js';

export function Checks({ old, store }: { store: Store; old: boolean }): JSX.Element | null {
  const { checks, choice, counts, found } = store.state;
  if (counts.checks === null && checks.data === null) return null;
  const list = store.checkList();
  const outdated = old || (list !== null && store.now() - list.at > CHECKS_OLD_MS);
  return (
    <Section
      id="checks"
      title="Checks"
      aside={list !== null && !outdated && <p class="small">{list.summary}</p>}
    >
      <Tools store={store} />
      {list === null || list.rows.length === 0 ? (
        <Nothing>
          {list === null ? found.error || 'Waiting.' : choice.onlyDown ? 'Nothing is down.' : 'No checks.'}
        </Nothing>
      ) : (
        <Table rows={outdated ? list.rows.map(forgottenRow) : list.rows} store={store} outdated={outdated} />
      )}
      {list !== null && <Pages list={list} store={store} />}
    </Section>
  );
}

function Pages({ list, store }: { list: CheckList; store: Store }): JSX.Element {
  const { choice } = store.state;
  const turn = (by: number) => () => store.choose({ ...choice, offset: Math.max(0, choice.offset + by) });
  return (
    <>
      {(list.earlier || list.later) && (
        <nav class="pages" aria-label="Pages of checks">
          <button type="button" disabled={!list.earlier} onClick={turn(-ROWS)}>
            Earlier
          </button>
          <span>{list.range}</span>
          <button type="button" disabled={!list.later} onClick={turn(ROWS)}>
            Later
          </button>
        </nav>
      )}
      {list.note !== '' && <p class="missing">{list.note}</p>}
    </>
  );
}

function Tools({ store }: { store: Store }): JSX.Element {
  const { choice } = store.state;
  return (
    <form class="tools" onSubmit={(event) => event.preventDefault()}>
      <label>
        Name{' '}
        <input
          type="search"
          value={choice.filter}
          placeholder="part, or web-*"
          onInput={(event) =>
            store.choose({ ...choice, filter: event.currentTarget.value.trim(), offset: 0 })
          }
        />
      </label>
      <label>
        <input
          type="checkbox"
          checked={choice.onlyDown}
          onChange={(event) => store.choose({ ...choice, onlyDown: event.currentTarget.checked, offset: 0 })}
        />{' '}
        only what is down
      </label>
    </form>
  );
}

function Table({
  outdated,
  rows,
  store,
}: {
  rows: readonly CheckRow[];
  store: Store;
  outdated: boolean;
}): JSX.Element {
  const table = useRef<HTMLTableElement>(null);
  useEffect(() => {
    if (table.current === null) return;
    const observer = new IntersectionObserver((entries) =>
      store.checksInSight(entries.some((entry) => entry.isIntersecting)),
    );
    observer.observe(table.current);
    return () => {
      observer.disconnect();
      store.checksInSight(false);
    };
  }, []);
  return (
    <table class="checks" ref={table}>
      <caption class="hidden">Checks, the worst first, as this node sees them</caption>
      <thead>
        <tr>
          <th scope="col">Check</th>
          <th scope="col">State</th>
          <th scope="col">Latency</th>
          <th scope="col" class="number">
            Last
          </th>
          <th scope="col" class="number">
            Since
          </th>
          <th scope="col">Seen down by</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.name} row={row} store={store} outdated={outdated} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ outdated, row, store }: { row: CheckRow; store: Store; outdated: boolean }): JSX.Element {
  const { details, open } = store.state;
  const isOpen = open === row.name;
  const detail = outdated ? undefined : details.get(row.name);
  const id = `check-${row.name}`;
  return (
    <>
      <tr class={isOpen ? 'open' : ''}>
        <th scope="row">
          <button
            type="button"
            class="opener"
            aria-expanded={isOpen}
            aria-controls={id}
            onClick={() => store.toggle(row.name)}
          >
            <span title={row.url}>{row.name}</span>
          </button>
        </th>
        <td>
          <Word tone={row.tone}>
            {row.word}
            {row.nature !== '' && <span class="small"> {row.nature}</span>}
          </Word>
          {row.notes.map((note) => (
            <div key={note} class="small">
              {note}
            </div>
          ))}
        </td>
        <td class="spark-cell">{detail !== undefined && <Sparkline series={seriesOf(detail.results)} />}</td>
        <td class="number">{row.latency}</td>
        <td class="number">{row.since}</td>
        <td class={row.seenBy === '' ? 'none' : ''}>{row.seenBy}</td>
      </tr>
      {isOpen && (
        <tr class="detail-row">
          <td colSpan={6} id={id}>
            {detail === undefined ? (
              <Nothing>{outdated ? 'Unknown.' : 'Waiting.'}</Nothing>
            ) : (
              <Detail detail={detail} />
            )}
          </td>
        </tr>
      )}
    </>
  );
}

function Detail({ detail }: { detail: CheckDetail }): JSX.Element {
  const { facts, series, views } = checkViewOf(detail);
  return (
    <div class="check-detail">
      <LatencyChart series={series} />
      <Scroll name="Who sees what">
        <table>
          <caption>Who sees what</caption>
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Sees</th>
              <th scope="col">Last result</th>
              <th scope="col" class="number">
                Latency
              </th>
              <th scope="col" class="number">
                Since
              </th>
            </tr>
          </thead>
          <tbody>
            {views.map(({ last, latency, nature, node, note, self, since, tone, word }) => (
              <tr key={node}>
                <th scope="row">
                  {node}
                  {self && <span class="tag">here</span>}
                </th>
                <td>
                  <Word tone={tone}>{word}</Word>
                  {note !== '' && <div class="small">{note}</div>}
                </td>
                <td>
                  {nature} <span class="small">{last}</span>
                </td>
                <td class="number">{latency}</td>
                <td class="number">{since}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <dl class="facts">
        {facts.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
