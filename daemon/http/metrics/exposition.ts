/**
 * Figures as Prometheus reads them: the text format 0.0.4, and OpenMetrics 1.0 where the client takes that. Written here and not by a
 * library: prom-client has one format for a registry, no state sets, and keeps figures, where most of these are read anew each time.
 */

export type FamilyType = 'gauge' | 'counter' | 'histogram' | 'info' | 'stateset';

export interface Sample {
  /** `_bucket`, `_sum`, `_count` of a histogram; else ''. */
  suffix: string;
  labels: Labels;
  value: number;
}

export type Labels = Readonly<Record<string, string>>;

export interface Family {
  /** With `_total` for a counter, with `_info` for an info. */
  name: string;
  type: FamilyType;
  help: string;
  samples: readonly Sample[];
}

export type Format = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What an Accept header asks for: OpenMetrics where it is named before, or rated as high as, text. */
export function formatFor(accept: string): Format {
  let best = { format: 'text' as Format, quality: 0 };
  for (const part of accept.split(',').slice(0, 50)) {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const rated = parameters.find((word) => word.startsWith('q='));
    const quality = rated === undefined ? 1 : Number(rated.slice(2)) || 0;
    const version = parameters.find((word) => word.startsWith('version='))?.slice(8);
    const open = type === 'application/openmetrics-text' && [undefined, '1.0.0', '0.0.1'].includes(version);
    const plain = type === 'text/plain' || type === 'text/*' || type === '*/*';
    if ((open || plain) && quality > best.quality) best = { format: open ? 'openmetrics' : 'text', quality };
  }
  return best.format;
}

/** The whole text. Families without samples are left out. */
export function writeFamilies(families: readonly Family[], format: Format): string {
  const lines: string[] = [];
  for (const family of families) if (family.samples.length > 0) writeFamily(lines, family, format);
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

function writeFamily(lines: string[], { help, name, samples, type }: Family, format: Format): void {
  const open = format === 'openmetrics';
  const shown = open
    ? name.replace(type === 'counter' ? /_total$/ : type === 'info' ? /_info$/ : /$^/, '')
    : name;
  const plain = type === 'info' || type === 'stateset' ? 'gauge' : type;
  // The one format has quotation marks escaped in it as well.
  const escaped = open ? escapeLabel(help) : help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  lines.push(`# HELP ${shown} ${escaped}`, `# TYPE ${shown} ${open ? type : plain}`);
  for (const { labels, suffix, value } of samples)
    lines.push(`${name}${suffix}${labelText(labels)} ${numberText(value)}`);
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

/** A family of numbers that are as they are. */
export function gauge(name: string, help: string, samples: readonly (readonly [Labels, number])[]): Family {
  return family(name, 'gauge', help, samples);
}

export function family(
  name: string,
  type: FamilyType,
  help: string,
  samples: readonly (readonly [Labels, number])[],
): Family {
  return { name, type, help, samples: samples.map(([labels, value]) => ({ suffix: '', labels, value })) };
}

/** One of a closed set of states: each of them is a sample, of which the present one is 1. The label has the name of the family. */
export function stateSet<S extends string>(
  name: string,
  help: string,
  states: readonly S[],
  found: readonly (readonly [Labels, S])[],
): Family {
  const samples = found.flatMap(([labels, present]) =>
    states.map((state): [Labels, number] => [{ ...labels, [name]: state }, state === present ? 1 : 0]),
  );
  return family(name, 'stateset', help, samples);
}
