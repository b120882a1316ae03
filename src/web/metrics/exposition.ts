/** One metric with all its samples. `unit` is a base unit (seconds, bytes), as Prometheus has them. */
export interface Family {
  /** Without `_total`, which a counter's samples get. */
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'info';
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample { readonly labels: Readonly<Record<string, string>>; readonly value: number }

export type Format = 'prometheus' | 'openmetrics';

export const contentTypes: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** By the Accept header: OpenMetrics where it is named, and not ranked below plain text. */
export function formatFor(accept: string): Format {
  const rank = (type: string): number => {
    const found = accept.split(',').map((part) => part.trim()).find((part) => part.startsWith(type));
    return found === undefined ? 0 : Number(/;\s*q=([0-9.]+)/.exec(found)?.[1] ?? 1);
  };
  return rank('application/openmetrics-text') > 0 && rank('application/openmetrics-text') >= rank('text/plain') ? 'openmetrics' : 'prometheus';
}

/** The families of several sources: those of one name are one, as the formats want it, and the samples of each source have its labels. */
export function together(sources: readonly { readonly labels: Sample['labels']; readonly families: readonly Family[] }[]): readonly Family[] {
  const merged = new Map<string, Family>();
  for (const { labels: own, families } of sources) {
    for (const family of families) {
      const samples = family.samples.map(({ labels, value }) => ({ labels: { ...own, ...labels }, value }));
      merged.set(family.name, { ...family, samples: [...(merged.get(family.name)?.samples ?? []), ...samples] });
    }
  }
  return [...merged.values()];
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/ and the OpenMetrics specification 1.0. Families without samples are left out. */
export function expose(families: readonly Family[], format: Format): string {
  const lines = families.filter(({ samples }) => samples.length > 0).flatMap(({ name, type, help, samples }) => {
    const sampleName = type === 'counter' ? `${name}_total` : type === 'info' ? `${name}_info` : name;
    const named = format === 'openmetrics' ? name : sampleName;
    const unit = format === 'openmetrics' ? /_(seconds|bytes|percent)$/.exec(name)?.[1] : undefined;
    return [
      `# HELP ${named} ${escaped(help)}`, `# TYPE ${named} ${format === 'openmetrics' ? type : type === 'counter' ? 'counter' : 'gauge'}`,
      ...(unit === undefined ? [] : [`# UNIT ${named} ${unit}`]),
      ...samples.map(({ labels, value }) => `${sampleName}${labelText(labels)} ${valueText(value)}`),
    ];
  });
  return [...lines, ...(format === 'openmetrics' ? ['# EOF'] : [])].map((line) => `${line}\n`).join('');
}

function labelText(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** The formats know no other escape: a parser refuses `\r`. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function valueText(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
