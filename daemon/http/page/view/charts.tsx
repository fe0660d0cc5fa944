/** Charts of latencies, drawn by uPlot. What they show stands beside them in words. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Series } from '../model/checks.js';
import { duration, latency } from '../model/words.js';

export function Sparkline({ series }: { series: Series }): JSX.Element {
  return <Chart series={series} className="spark" height={26} axes={false} />;
}

export function LatencyChart({ series }: { series: Series }): JSX.Element {
  return (
    <figure class="latency">
      <Chart series={series} className="latency-chart" height={120} axes />
      <figcaption class="small">Latency, {series.text}</figcaption>
    </figure>
  );
}

interface Props {
  series: Series;
  className: string;
  height: number;
  axes: boolean;
}

/** Made once; then its data and its width are set. Made anew when the colours of the page change. */
function Chart({ axes, className, height, series }: Props): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const scheme = useScheme();
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(
      { ...optionsOf(element, axes), width: Math.max(40, element.clientWidth), height },
      dataOf(series),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: Math.max(40, element.clientWidth), height }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [scheme]);
  useEffect(() => plot.current?.setData(dataOf(series)));
  return <div class={className} ref={place} role="img" aria-label={`Latency, ${series.text}`} />;
}

/** Latencies, and a point at the bottom for each result that failed. */
function dataOf({ at, latencyMs }: Series): uPlot.AlignedData {
  return [at, latencyMs, latencyMs.map((value) => (value === null ? 0 : null))];
}

function optionsOf(element: HTMLElement, axes: boolean): Omit<uPlot.Options, 'width' | 'height'> {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--soft'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('--rule'), width: 1 },
    ticks: { show: false },
  };
  return {
    cursor: { show: false },
    legend: { show: false },
    padding: axes ? [8, 8, 0, 0] : [3, 2, 3, 2],
    scales: { x: { time: false }, y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] } },
    axes: axes
      ? [
          {
            ...axis,
            size: 24,
            values: (_plot, ticks) =>
              ticks.map((seconds) => (seconds === 0 ? 'now' : `−${duration(-seconds * 1000)}`)),
          },
          { ...axis, size: 56, values: (plot, ticks) => ticks.map((ms) => tickOf(ms, plot)) },
        ]
      : [{ show: false }, { show: false }],
    series: [
      {},
      { stroke: colour('--line'), width: 1.5, fill: colour('--line-fill'), points: { show: false } },
      { stroke: colour('--bad'), paths: () => null, points: { show: true, size: 5, fill: colour('--bad') } },
    ],
  };
}

/** Where everything failed there is no latency to read off. */
function tickOf(ms: number, plot: uPlot): string {
  if (ms === 0) return '0';
  return plot.data[1]?.some((value) => typeof value === 'number') ? latency(ms) : '';
}

function useScheme(): boolean {
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const change = (): void => setDark(query.matches);
    query.addEventListener('change', change);
    return () => query.removeEventListener('change', change);
  }, []);
  return dark;
}
