/** A lease that runs down before one's eyes, and is filled again when word of its renewal comes. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { approach, type LeaseModel, leftOf, levelOf } from '../model/lease.js';
import { duration } from '../model/words.js';
import { createFrames, type Frame } from './frames.js';

const join = createFrames((run) => requestAnimationFrame(run));

const calm = matchMedia('(prefers-reduced-motion: reduce)');

interface Props {
  lease: LeaseModel;
  now: () => number;
}

export function LeaseBar({ lease, now }: Props): JSX.Element {
  const bar = useRef<HTMLSpanElement>(null);
  const left = useRef<HTMLSpanElement>(null);
  const latest = useRef(lease);
  latest.current = lease;
  useEffect(() => {
    let shown = levelOf(latest.current, now());
    const draw: Frame = (stepMs) => {
      const at = now();
      shown = calm.matches
        ? levelOf(latest.current, at)
        : approach(shown, levelOf(latest.current, at), stepMs);
      bar.current?.style.setProperty('transform', `scaleX(${shown.toFixed(4)})`);
      bar.current?.classList.toggle('low', shown < 0.25);
      if (left.current !== null) setText(left.current, leftWords(latest.current, at));
    };
    draw(0);
    // Where motion is not wanted it is set once a second.
    if (!calm.matches) return join(draw);
    const timer = setInterval(draw, 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span class={`lease ${lease.kind}`}>
      <span class="lease-word">{lease.kind === 'lease' ? 'lease' : 'kept by voters'}</span>
      <span class="lease-track" aria-hidden="true">
        <span class="lease-bar" ref={bar} />
      </span>
      <span class="lease-left" aria-hidden="true" ref={left} />
      <span class="hidden">
        {' '}
        of {duration(lease.ofMs)}, {lease.kind === 'lease' ? 'held' : 'running out'}
      </span>
    </span>
  );
}

/** Word that comes more rarely than a short lease is renewed says nothing of what is left: no figure is better than a wrong one. */
function leftWords(lease: LeaseModel, now: number): string {
  const leftMs = leftOf(lease, now);
  if (leftMs === 0) return lease.kind === 'lease' ? 'no word' : 'over';
  return `${(leftMs / 1000).toFixed(1)} s`;
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
