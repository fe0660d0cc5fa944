/** Small parts that the sections share. */
import type { ComponentChildren, JSX } from 'preact';
import type { Tone } from '../model/tone.js';

/** A shape for each tone, for those who do not see its colour. The word beside it says the same. */
const shapes: Record<Tone, JSX.Element> = {
  good: <circle cx="6" cy="6" r="4.5" />,
  busy: <path d="M6 1.2a4.8 4.8 0 1 1-4.8 4.8h2.2A2.6 2.6 0 1 0 6 3.4z" />,
  quiet: <circle cx="6" cy="6" r="3.6" class="ring" />,
  warn: <path d="M6 1 11.4 10.6H.6z" />,
  bad: <path d="M2.6 1 6 4.4 9.4 1 11 2.6 7.6 6 11 9.4 9.4 11 6 7.6 2.6 11 1 9.4 4.4 6 1 2.6z" />,
  unknown: <circle cx="6" cy="6" r="4.2" class="ring broken" />,
};

export function Mark({ tone }: { tone: Tone }): JSX.Element {
  return (
    <svg class={`mark ${tone}`} viewBox="0 0 12 12" aria-hidden="true" focusable="false">
      {shapes[tone]}
    </svg>
  );
}

/** A word with the mark of its tone. */
export function Word({ children, tone }: { tone: Tone; children: ComponentChildren }): JSX.Element {
  return (
    <span class={`word ${tone}`}>
      <Mark tone={tone} />
      {children}
    </span>
  );
}

/** A part of the page with its heading, and something small beside that. */
export function Section(props: {
  id: string;
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}): JSX.Element {
  const { aside, children, id, title } = props;
  return (
    <section id={id} class="card" aria-labelledby={`${id}-title`}>
      <div class="card-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

export function Nothing({ children }: { children: ComponentChildren }): JSX.Element {
  return <p class="nothing">{children}</p>;
}

/** A table that may be wider than the page: it is scrolled alone, also with the keyboard. */
export function Scroll({ children, name }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it with the arrows
    <section class="scroll" tabIndex={0} aria-label={name}>
      {children}
    </section>
  );
}
